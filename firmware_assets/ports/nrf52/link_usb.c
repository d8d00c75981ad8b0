// SPDX-License-Identifier: Apache-2.0
// Copyright edgebio contributors

/* The link on the chip's own USB, as a full-speed device.
 *
 * nRF52840 Product Specification v1.7, chapters USBD, POWER and CLOCK; anomalies 166, 171, 187, 199 and
 * 211 of the nRF52840 Errata. The device never sleeps with the bus, so that 211 needs no more than 187.
 */
#include "cortex_m.h"
#include "eb_board.h"
#include "nrf52.h"
#include "port.h"
#include "usb_link.h"

#define FICR_DEVICEID(word) REG32(0x10000060u + 4u * (word))

#define CLOCK_HFCLKSTAT REG32(0x4000040Cu)
#define CLOCK_HFCLKSTAT_CRYSTAL (1u << 16 | 1u << 0) /* running, from the crystal */
#define POWER_USBREGSTATUS REG32(0x40000438u)
#define POWER_USBREGSTATUS_VBUS (1u << 0)
#define POWER_USBREGSTATUS_READY (1u << 1)

#define USBD 0x40027000u
#define STARTEPIN(number) (USBD + 0x004u + 4u * (number))
#define STARTEPOUT(number) (USBD + 0x028u + 4u * (number))
#define EP0RCVOUT REG32(USBD + 0x04Cu)
#define EP0STATUS REG32(USBD + 0x050u)
#define EP0STALL REG32(USBD + 0x054u)
#define USBRESET (USBD + 0x100u)
#define ENDEPIN(number) (USBD + 0x108u + 4u * (number))
#define EP0DATADONE (USBD + 0x128u)
#define ENDEPOUT(number) (USBD + 0x130u + 4u * (number))
#define EP0SETUP (USBD + 0x15Cu)
#define EPDATA (USBD + 0x160u)
#define INTENSET REG32(USBD + 0x304u)
#define INT_USBRESET (1u << 0)
#define INT_EP0DATADONE (1u << 10)
#define INT_EP0SETUP (1u << 23)
#define INT_EPDATA (1u << 24)
#define EVENTCAUSE REG32(USBD + 0x400u)
#define EVENTCAUSE_READY (1u << 11)
#define EPDATASTATUS REG32(USBD + 0x46Cu)
#define EPDATASTATUS_IN(number) (1u << (number))
#define EPDATASTATUS_OUT(number) (1u << (16u + (number)))
#define SETUP_BYTE(index) REG32(USBD + 0x480u + 4u * (index))
#define SIZE_EPOUT(number) REG32(USBD + 0x4A0u + 4u * (number))
#define ENABLE REG32(USBD + 0x500u)
#define USBPULLUP REG32(USBD + 0x504u)
#define DTOGGLE REG32(USBD + 0x50Cu)
#define DTOGGLE_DATA0 (1u << 8)
#define EPINEN REG32(USBD + 0x510u)
#define EPOUTEN REG32(USBD + 0x514u)
#define ENABLED_CONTROL (1u << 0)
#define EPSTALL REG32(USBD + 0x518u)
#define EPSTALL_STALL (1u << 8)
#define EPIN_PTR(number) REG32(USBD + 0x600u + 0x14u * (number))
#define EPIN_MAXCNT(number) REG32(USBD + 0x604u + 0x14u * (number))
#define EPOUT_PTR(number) REG32(USBD + 0x700u + 0x14u * (number))
#define EPOUT_MAXCNT(number) REG32(USBD + 0x704u + 0x14u * (number))

/* Registers of the anomalies' workarounds. */
#define HIDDEN_LOCK REG32(0x4006EC00u)
#define HIDDEN_KEY 0x9375u
#define HIDDEN_171 0x4006EC14u
#define HIDDEN_171_ON 0xC0u
#define HIDDEN_187 0x4006ED14u
#define HIDDEN_187_ON 3u
#define HIDDEN_166_FIRST REG32(USBD + 0x800u)
#define HIDDEN_166_SECOND REG32(USBD + 0x804u)
#define HIDDEN_199 REG32(USBD + 0xC1Cu)
#define HIDDEN_199_ON 0x82u

#define NVIC_ISPR(word) REG32(0xE000E200u + 4u * (word))

#define SET_ADDRESS 5u
#define NUMBER(endpoint) ((endpoint) & 0x7Fu)

static enum { OFF, STARTING, ON } state;
static bool in_fetches;  /* the endpoint holds a packet that the host has not fetched */
static bool out_arrived; /* the endpoint holds a packet that eb_usb_cdc.c has not allowed yet */
static bool out_allowed;
static uint32_t packet[EB_USB_PACKET_BYTES / 4u];

static void clear(uint32_t event)
{
    REG32(event) = 0;
    (void)REG32(event); /* it is written before the interrupt ends */
}

/* EasyDMA between an endpoint and RAM, of a packet: some microseconds. The controller takes no other task
 * meanwhile (anomaly 199). */
static void transfer(uint32_t start, uint32_t end)
{
    clear(end);
    HIDDEN_199 = HIDDEN_199_ON;
    cortex_m_barrier();
    REG32(start) = 1;
    while (!REG32(end)) {
    }
    HIDDEN_199 = 0;
    clear(end);
}

void eb_usb_controller_send(uint8_t endpoint, const uint8_t *bytes, size_t count)
{
    const uint32_t number = NUMBER(endpoint);

    if (endpoint == EB_USB_IN) {
        if (in_fetches) {
            return; /* the same packet, after a halt */
        }
        in_fetches = true;
    }
    EPIN_PTR(number) = (uint32_t)(uintptr_t)bytes;
    EPIN_MAXCNT(number) = (uint32_t)count;
    transfer(STARTEPIN(number), ENDEPIN(number));
}

void eb_usb_controller_receive(uint8_t endpoint)
{
    if (endpoint == 0) {
        EP0RCVOUT = 1;
        return;
    }
    out_allowed = true;
    if (out_arrived) {
#define PEND(irq) NVIC_ISPR((irq) / 32u) = 1u << ((irq) % 32u)
        EB_USB_EACH_IRQ(PEND); /* which takes it */
    }
}

/* The controller has no event for its end. */
void eb_usb_controller_status(bool to_host)
{
    (void)to_host;
    EP0STATUS = 1;
    eb_usb_status_done(&usb_link);
}

void eb_usb_controller_stall(void)
{
    EP0STALL = 1;
}

void eb_usb_controller_address(uint8_t address)
{
    (void)address; /* the controller takes it by itself */
}

static void accept_packet(void)
{
    out_arrived = out_allowed = false;
    SIZE_EPOUT(NUMBER(EB_USB_OUT)) = 0; /* any value: the endpoint is empty */
}

static void restart_toggle(uint8_t endpoint)
{
    DTOGGLE = endpoint; /* selects it */
    DTOGGLE = endpoint | DTOGGLE_DATA0;
}

void eb_usb_controller_configure(bool on)
{
    const uint32_t in = 1u << NUMBER(EB_USB_IN) | 1u << NUMBER(EB_USB_NOTIFY);

    in_fetches = false;
    EPINEN = ENABLED_CONTROL | (on ? in : 0u);
    EPOUTEN = ENABLED_CONTROL | (on ? 1u << NUMBER(EB_USB_OUT) : 0u);
    if (on) {
        EPSTALL = EB_USB_NOTIFY;
        EPSTALL = EB_USB_IN;
        EPSTALL = EB_USB_OUT;
        restart_toggle(EB_USB_NOTIFY);
        restart_toggle(EB_USB_IN);
        restart_toggle(EB_USB_OUT);
        accept_packet();
    }
}

void eb_usb_controller_halt(uint8_t endpoint, bool on)
{
    EPSTALL = endpoint | (on ? EPSTALL_STALL : 0u);
    if (!on) {
        restart_toggle(endpoint);
    }
    if (endpoint == EB_USB_OUT) {
        accept_packet();
    }
}

static size_t fetch(uint32_t number)
{
    const uint32_t count = SIZE_EPOUT(number);

    EPOUT_PTR(number) = (uint32_t)(uintptr_t)packet;
    EPOUT_MAXCNT(number) = count;
    transfer(STARTEPOUT(number), ENDEPOUT(number));
    return count;
}

static void start_control(void)
{
    uint8_t setup[8];

    for (uint32_t i = 0; i < sizeof setup; i++) {
        setup[i] = (uint8_t)SETUP_BYTE(i);
    }
    if (setup[0] != 0 || setup[1] != SET_ADDRESS) { /* which the controller answers by itself */
        eb_usb_setup(&usb_link, setup);
    }
}

void port_usb_irq(void)
{
    if (REG32(USBRESET)) {
        clear(USBRESET);
        clear(EP0SETUP);
        clear(EP0DATADONE);
        clear(EPDATA);
        EPDATASTATUS = EPDATASTATUS; /* ones clear */
        out_arrived = out_allowed = false;
        eb_usb_reset(&usb_link);
    }
    if (REG32(EPDATA)) {
        clear(EPDATA);
        const uint32_t done = EPDATASTATUS;
        EPDATASTATUS = done;
        if (done & EPDATASTATUS_IN(NUMBER(EB_USB_IN))) {
            in_fetches = false;
            eb_usb_sent(&usb_link, EB_USB_IN);
        }
        out_arrived = out_arrived || done & EPDATASTATUS_OUT(NUMBER(EB_USB_OUT));
    }
    if (out_arrived && out_allowed) {
        out_arrived = out_allowed = false;
        const size_t count = fetch(NUMBER(EB_USB_OUT)); /* then the endpoint takes the next one */
        eb_usb_received(&usb_link, EB_USB_OUT, (const uint8_t *)packet, count);
    }
    if (REG32(EP0DATADONE)) {
        clear(EP0DATADONE);
        if (REG32(EP0SETUP)) {
            /* A setup packet has ended its transfer. */
        } else if (SETUP_BYTE(0) & EB_USB_TO_HOST) {
            eb_usb_sent(&usb_link, EB_USB_TO_HOST);
        } else {
            const size_t count = fetch(0);
            eb_usb_received(&usb_link, 0, (const uint8_t *)packet, count);
        }
    }
    if (REG32(EP0SETUP)) {
        clear(EP0SETUP);
        start_control();
    }
}

/* The registers are locked again by the key that unlocks them. */
static void set_hidden(uint32_t address, uint32_t value)
{
    const uint32_t before = cortex_m_lock();
    const bool is_locked = HIDDEN_LOCK == 0;

    if (is_locked) {
        HIDDEN_LOCK = HIDDEN_KEY;
    }
    REG32(address) = value;
    if (is_locked) {
        HIDDEN_LOCK = HIDDEN_KEY;
    }
    cortex_m_unlock(before);
}

/* The cable: the controller is enabled while there is power on it ("USB power supply", "USBD power-up
 * sequence"). */
bool usb_link_poll_controller(void)
{
    const uint32_t power = POWER_USBREGSTATUS;

    if (state == OFF && power & POWER_USBREGSTATUS_VBUS) {
        EVENTCAUSE = EVENTCAUSE_READY; /* ones clear */
        set_hidden(HIDDEN_187, HIDDEN_187_ON);
        set_hidden(HIDDEN_171, HIDDEN_171_ON);
        ENABLE = 1;
        state = STARTING;
    } else if (state == STARTING && EVENTCAUSE & EVENTCAUSE_READY &&
               power & POWER_USBREGSTATUS_READY &&
               (CLOCK_HFCLKSTAT & CLOCK_HFCLKSTAT_CRYSTAL) == CLOCK_HFCLKSTAT_CRYSTAL) {
        EVENTCAUSE = EVENTCAUSE_READY;
        set_hidden(HIDDEN_171, 0);
        set_hidden(HIDDEN_187, 0);
        HIDDEN_166_FIRST = 0x7E3u;
        HIDDEN_166_SECOND = 0x40u;
        INTENSET = INT_USBRESET | INT_EP0DATADONE | INT_EP0SETUP | INT_EPDATA;
        EB_USB_EACH_IRQ(cortex_m_enable_irq);
        USBPULLUP = 1;
        state = ON;
    } else if (state != OFF && !(power & POWER_USBREGSTATUS_VBUS)) {
        const uint32_t before = cortex_m_lock();
        USBPULLUP = 0;
        ENABLE = 0;
        eb_usb_reset(&usb_link);
        cortex_m_unlock(before);
        state = OFF;
    }
    return state == STARTING;
}

void nrf52_link_start(void)
{
    uint8_t id[8];

    for (unsigned i = 0; i < sizeof id; i++) {
        id[i] = (uint8_t)(FICR_DEVICEID(i / 4u) >> 8u * (i % 4u));
    }
    usb_link_start(id);
    state = OFF;
}

/* The host sees a device that is unplugged. */
void nrf52_link_drain(void)
{
    usb_link_drain();
    USBPULLUP = 0;
}
