// SPDX-License-Identifier: Apache-2.0
// Copyright edgebio contributors

/* The link on the chip's own USB, as a full-speed device.
 *
 * RP2040 datasheet 4.1, whose sections are cited below, with its errata E2, E5 and E15; RP2350
 * datasheet 12.7, the same controller without them.
 */
#include "port.h"
#include "rp2.h"
#include "usb_link.h"

/* The memory that CPU and controller share: 4.1.2.5. */
#define DPSRAM 0x50100000u
#define SETUP_PACKET (DPSRAM + 0x000u)
#define ENDPOINT_CONTROL(index) REG32(DPSRAM + 4u * (index)) /* not of endpoint 0 */
#define ENDPOINT_ENABLE (1u << 31)
#define ENDPOINT_INTERRUPT (1u << 29) /* of each packet */
#define ENDPOINT_BULK (2u << 26)
#define ENDPOINT_NOTIFY (3u << 26)
#define BUFFER_CONTROL(index) REG32(DPSRAM + 0x80u + 4u * (index))
#define BUFFER_FULL (1u << 15)
#define BUFFER_DATA1 (1u << 13)
#define BUFFER_STALL (1u << 11)
#define BUFFER_AVAILABLE (1u << 10)
#define BUFFER_LENGTH 0x3FFu

/* Endpoints in the order of DPSRAM and of BUFF_STATUS: to the host, then from it. */
#define INDEX(endpoint) (2u * ((endpoint) & 0xFu) + ((endpoint) & EB_USB_TO_HOST ? 0u : 1u))
#define CONTROL_IN 0u
#define CONTROL_OUT 1u
#define INDICES 6u
/* Offsets of their buffers; those of endpoint 0 are one. */
static const uint16_t offsets[INDICES] = {0x100u, 0x100u, 0x180u, 0u, 0x200u, 0x240u};

#define USB 0x50110000u
#define ADDR_ENDP REG32(USB + 0x00u)
#define MAIN_CTRL REG32(USB + 0x40u)
#define MAIN_CTRL_ENABLE (1u << 0) /* as a device; also ends the RP2350's isolation of the PHY */
#define SOF_RD REG32(USB + 0x48u)
#define SIE_CTRL (USB + 0x4Cu)
#define SIE_CTRL_EP0_INTERRUPT (1u << 29)
#define SIE_CTRL_PULL_UP (1u << 16)
#define SIE_STATUS REG32(USB + 0x50u)
#define SIE_STATUS_BUS_RESET (1u << 19)
#define SIE_STATUS_SETUP (1u << 17)
#define SIE_STATUS_CONNECTED (1u << 16)
#define SIE_STATUS_LINE_STATE (3u << 2)
#define BUFF_STATUS REG32(USB + 0x58u)
#define EP_ABORT (USB + 0x60u)
#define EP_ABORT_DONE REG32(USB + 0x64u)
#define EP_STALL_ARM REG32(USB + 0x68u)
#define EP_STALL_ARM_BOTH 3u
#define MUXING REG32(USB + 0x74u)
#define MUXING_TO_PHY (1u << 0)
#define MUXING_TO_PAD (1u << 2)
#define MUXING_SOFTCON (1u << 3)
#define PWR REG32(USB + 0x78u)
#define PWR_VBUS_DETECTED (3u << 2) /* by override: the pin need not be wired */
#define INTE (USB + 0x90u)
#define INTS REG32(USB + 0x98u)
#define INT_BUFF_STATUS (1u << 4)
#define INT_BUS_RESET (1u << 12)
#define INT_SETUP (1u << 16)
#define INT_SOF (1u << 17)

#if EB_RP2350
#define CLK_USB_CTRL REG32(CLOCKS + 0x60u)
#else
#define CLK_USB_CTRL REG32(CLOCKS + 0x54u)
#endif
#define CLK_USB_ENABLE (1u << 11) /* from PLL_USB, where its field is 0 */

/* RP2040-E5, on B0 and B1: after a bus reset the controller waits for 800 us without traffic, which other
 * devices behind the hub may prevent. Then the idle line is forced by way of GPIO15, whose pin keeps
 * its level meanwhile. RP2040-E2: there, a packet that the host has not fetched cannot be taken back. */
#define SYSINFO_CHIP_ID REG32(0x40000000u)
#define FIRST_REVISION_WITHOUT 2u
#define FORCED_PIN 15u
#define GPIO_CTRL_USB_DEBUG 8u
#define GPIO_CTRL_OUTPUT_OFF (2u << 12)
#define GPIO_CTRL_INPUT_HIGH (3u << 16)
#define PAD_KEEPS_LEVEL (3u << 2)
#define PHY_DIRECT REG32(USB + 0x7Cu)
#define PHY_DIRECT_OVERRIDE REG32(USB + 0x80u)
#define PHY_DIRECT_PULL_UP (1u << 1)
#define PHY_DIRECT_OVERRIDE_PULL_UP (1u << 2)
#define FORCED_MICROS 1000u
#define BUS_RESET_MICROS 100000u /* at most */

/* RP2040-E15: a packet to the host that becomes available in the last fifth of a frame of 1 ms can make
 * the controller hang behind some hubs; it waits for the next frame. */
#define HAS_E15 (!EB_RP2350)
#define FRAME_MICROS 1000u
#define FRAME_SAFE_MICROS 800u

static uint8_t toggles; /* a bit for each index: DATA1 is next */
static bool in_status;
static bool is_first_revision;
static bool connecting; /* since the bus reset at reset_micros */
static uint32_t reset_micros;
static uint32_t frame_micros;
static uint32_t held_back; /* control word of a packet that waits for the next frame, 0: none */

/* The length and the data first: the controller reads with its own clock, at most 3.2 times slower
 * (4.1.2.5.1). */
static void hand_over(uint32_t index, uint32_t control)
{
    const uint32_t bit = 1u << index;

    if (toggles & bit) {
        control |= BUFFER_DATA1;
    }
    toggles ^= (uint8_t)bit;
    BUFFER_CONTROL(index) = control;
    __asm volatile("nop\n\tnop\n\tnop\n\tnop\n\tnop\n\tnop");
    BUFFER_CONTROL(index) = control | BUFFER_AVAILABLE;
}

static void take_back(uint32_t index)
{
    const uint32_t bit = 1u << index;

    if (!is_first_revision && BUFFER_CONTROL(index) & BUFFER_AVAILABLE) {
        SET(EP_ABORT) = bit;
        rp2_await(&EP_ABORT_DONE, bit);
        BUFFER_CONTROL(index) = 0;
        EP_ABORT_DONE = bit;
        CLEAR(EP_ABORT) = bit;
    }
    BUFFER_CONTROL(index) = 0;
    BUFF_STATUS = bit;
}

void eb_usb_controller_send(uint8_t endpoint, const uint8_t *bytes, size_t count)
{
    const uint32_t index = INDEX(endpoint);
    const uint32_t *from = (const uint32_t *)(const void *)bytes; /* they are aligned */
    const uint32_t control = (uint32_t)count | BUFFER_FULL;

    for (uint32_t at = 0; at < count; at += 4u) {
        REG32(DPSRAM + offsets[index] + at) = *from++;
    }
    const uint32_t passed = port_micros() - frame_micros;
    if (HAS_E15 && endpoint == EB_USB_IN && passed >= FRAME_SAFE_MICROS && passed < FRAME_MICROS) {
        held_back = control;
    } else {
        hand_over(index, control);
    }
}

void eb_usb_controller_receive(uint8_t endpoint)
{
    hand_over(INDEX(endpoint), EB_USB_PACKET_BYTES);
}

void eb_usb_controller_status(bool to_host)
{
    in_status = true;
    if (to_host) {
        hand_over(CONTROL_IN, BUFFER_FULL);
    } else {
        hand_over(CONTROL_OUT, EB_USB_PACKET_BYTES);
    }
}

void eb_usb_controller_stall(void)
{
    EP_STALL_ARM = EP_STALL_ARM_BOTH; /* until the next setup packet */
    BUFFER_CONTROL(CONTROL_IN) = BUFFER_STALL;
    BUFFER_CONTROL(CONTROL_OUT) = BUFFER_STALL;
}

void eb_usb_controller_address(uint8_t address)
{
    ADDR_ENDP = address;
}

static void open(uint8_t endpoint, uint32_t type, bool on)
{
    const uint32_t index = INDEX(endpoint);

    take_back(index);
    toggles &= (uint8_t)~(1u << index);
    ENDPOINT_CONTROL(index) =
        on ? ENDPOINT_ENABLE | ENDPOINT_INTERRUPT | type | offsets[index] : 0u;
}

void eb_usb_controller_configure(bool on)
{
    held_back = 0;
    open(EB_USB_NOTIFY, ENDPOINT_NOTIFY, on);
    open(EB_USB_OUT, ENDPOINT_BULK, on);
    open(EB_USB_IN, ENDPOINT_BULK, on);
    if (HAS_E15) {
        *(on ? &SET(INTE) : &CLEAR(INTE)) = INT_SOF;
    }
}

void eb_usb_controller_halt(uint8_t endpoint, bool on)
{
    const uint32_t index = INDEX(endpoint);

    if (endpoint == EB_USB_IN) {
        held_back = 0;
    }
    take_back(index);
    toggles &= (uint8_t)~(1u << index);
    BUFFER_CONTROL(index) = on ? BUFFER_STALL : 0u;
}

static void finish_packet(uint32_t index, bool control_is_over)
{
    static uint32_t packet[EB_USB_PACKET_BYTES / 4u];
    const uint8_t endpoint = (uint8_t)(index / 2u | (index % 2u ? 0u : EB_USB_TO_HOST));
    const size_t count = BUFFER_CONTROL(index) & BUFFER_LENGTH;

    if (index <= CONTROL_OUT && in_status) {
        in_status = false;
        eb_usb_status_done(&usb_link);
    } else if (index <= CONTROL_OUT && control_is_over) {
        /* A setup packet has ended its transfer. */
    } else if (endpoint & EB_USB_TO_HOST) {
        eb_usb_sent(&usb_link, endpoint);
    } else {
        for (uint32_t at = 0; at < count; at += 4u) {
            packet[at / 4u] = REG32(DPSRAM + offsets[index] + at);
        }
        eb_usb_received(&usb_link, endpoint, (const uint8_t *)packet, count);
    }
}

static void start_transfer(void)
{
    uint32_t setup[2] = {REG32(SETUP_PACKET), REG32(SETUP_PACKET + 4u)};

    SIE_STATUS = SIE_STATUS_SETUP;
    BUFFER_CONTROL(CONTROL_IN) = 0;
    BUFFER_CONTROL(CONTROL_OUT) = 0;
    BUFF_STATUS = 1u << CONTROL_IN | 1u << CONTROL_OUT;
    toggles |= 1u << CONTROL_IN | 1u << CONTROL_OUT;
    in_status = false;
    eb_usb_setup(&usb_link, (const uint8_t *)setup);
}

void port_usb_irq(void)
{
    const uint32_t what = INTS;

    if (what & INT_BUS_RESET) {
        SIE_STATUS = SIE_STATUS_BUS_RESET | SIE_STATUS_CONNECTED;
        BUFF_STATUS = UINT32_MAX;
        in_status = false;
        eb_usb_reset(&usb_link);
        connecting = is_first_revision;
        reset_micros = port_micros();
    }
    if (what & INT_SOF) {
        (void)SOF_RD; /* which clears it */
        frame_micros = port_micros();
        if (held_back) {
            hand_over(INDEX(EB_USB_IN), held_back);
            held_back = 0;
        }
    }
    if (what & INT_BUFF_STATUS) {
        const uint32_t done = BUFF_STATUS;
        BUFF_STATUS = done;
        for (uint32_t index = 0; index < INDICES; index++) {
            if (done & 1u << index) {
                finish_packet(index, what & INT_SETUP);
            }
        }
    }
    if (what & INT_SETUP) {
        start_transfer();
    }
}

static void force_idle_line(void)
{
    const uint32_t ctrl = GPIO_CTRL(FORCED_PIN);
    const uint32_t pad = PAD(FORCED_PIN);
    const uint32_t start = port_micros();

    PAD(FORCED_PIN) = pad | PAD_KEEPS_LEVEL;
    GPIO_CTRL(FORCED_PIN) = GPIO_CTRL_USB_DEBUG | GPIO_CTRL_OUTPUT_OFF | GPIO_CTRL_INPUT_HIGH;
    PHY_DIRECT = PHY_DIRECT_PULL_UP;
    PHY_DIRECT_OVERRIDE = PHY_DIRECT_OVERRIDE_PULL_UP;
    MUXING = MUXING_TO_PAD | MUXING_SOFTCON;
    while (!(SIE_STATUS & SIE_STATUS_CONNECTED) && port_micros() - start < FORCED_MICROS) {
    }
    MUXING = MUXING_TO_PHY | MUXING_SOFTCON;
    PHY_DIRECT_OVERRIDE = 0;
    GPIO_CTRL(FORCED_PIN) = ctrl;
    PAD(FORCED_PIN) = pad;
}

bool usb_link_poll_controller(void)
{
    if (!connecting) {
        return false;
    }
    if (SIE_STATUS & SIE_STATUS_CONNECTED || port_micros() - reset_micros > BUS_RESET_MICROS) {
        connecting = false;
    } else if (SIE_STATUS & SIE_STATUS_LINE_STATE) { /* the host no longer drives both lines low */
        force_idle_line();
        connecting = false;
    }
    return connecting;
}

static void read_chip_id(uint8_t id[8])
{
#if EB_RP2350
    /* Rows CHIPID0 to 3 of the OTP memory, with error correction: 13.10. */
    const uint32_t words[2] = {REG32(0x40130004u), REG32(0x40130000u)};
#else
    /* That of the flash: boot2.S leaves it in scratch registers of the watchdog. */
    const uint32_t words[2] = {REG32(WATCHDOG + 0x0Cu), REG32(WATCHDOG + 0x10u)};
#endif
    for (unsigned i = 0; i < 8; i++) {
        id[i] = (uint8_t)(words[i / 4u] >> (24u - 8u * (i % 4u)));
    }
}

void rp2_link_start(void)
{
    uint8_t id[8];

    read_chip_id(id);
    usb_link_start(id);
    is_first_revision = !EB_RP2350 && SYSINFO_CHIP_ID >> 28 < FIRST_REVISION_WITHOUT;
    rp2_start_pll_usb();
    CLK_USB_CTRL = CLK_USB_ENABLE;
    rp2_bring_up(RESETS_USBCTRL);
    for (uint32_t at = 0; at < offsets[CONTROL_IN]; at += 4u) {
        REG32(DPSRAM + at) = 0;
    }
    MUXING = MUXING_TO_PHY | MUXING_SOFTCON;
    PWR = PWR_VBUS_DETECTED;
    MAIN_CTRL = MAIN_CTRL_ENABLE;
    REG32(INTE) = INT_BUFF_STATUS | INT_BUS_RESET | INT_SETUP;
    EB_USB_EACH_IRQ(cortex_m_enable_irq);
    REG32(SIE_CTRL) = SIE_CTRL_EP0_INTERRUPT | SIE_CTRL_PULL_UP;
}

/* The host sees a device that is unplugged. */
void rp2_link_drain(void)
{
    usb_link_drain();
    CLEAR(SIE_CTRL) = SIE_CTRL_PULL_UP;
}
