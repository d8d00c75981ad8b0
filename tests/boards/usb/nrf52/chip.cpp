// SPDX-License-Identifier: Apache-2.0
// Copyright edgebio contributors

// The nRF52840's USBD by its Product Specification v1.7, for nrf52/link_usb.c; tests are its host, by
// the functions of ../controller.h. It aborts at what anomalies 171, 187 and 199 do not allow.
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>

#include "controller.h"
#include "cortex_m.h"
#include "port.h"
#include "uart.h"
#include "usb_link.h"

#include "link_usb.c"

#define MUST(fact)                                                                                 \
    do {                                                                                           \
        if (!(fact)) {                                                                             \
            fprintf(stderr, "broken: %s\n", #fact);                                                \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

namespace
{
constexpr uint32_t INTEN = 0x40027304u;

struct Endpoint {
    bool full, stalled;
    size_t count;
    uint8_t bytes[64];
};

std::map<uint32_t, uint32_t> words;
Endpoint to_host[8], from_host[8];
bool accepts, status_ready, control_stalled, unlocked, pended;
uint8_t request[8];
unsigned bus_address;
size_t room, most_room;
uint8_t arrived[LOG_BYTES], waiting[LOG_BYTES];
size_t arrived_bytes, waiting_from, waiting_to;

uint8_t *memory(uint32_t low)
{
    return (uint8_t *)(((uintptr_t)&usb_link & ~(uintptr_t)UINT32_MAX) | low);
}

void settle()
{
    const auto event = [](uint32_t address, uint32_t bit) { return words[address] ? bit : 0u; };
    while (pended ||
           (words[INTEN] & (event(USBRESET, INT_USBRESET) | event(EPDATA, INT_EPDATA) |
                            event(EP0DATADONE, INT_EP0DATADONE) | event(EP0SETUP, INT_EP0SETUP)))) {
        pended = false;
        port_usb_irq();
    }
}

void plug()
{
    words[0x40000438u] = POWER_USBREGSTATUS_VBUS | POWER_USBREGSTATUS_READY;
    words[0x4000040Cu] = CLOCK_HFCLKSTAT_CRYSTAL;
    for (int turn = 0; turn < 3; turn++) {
        (void)port_uart_poll();
    }
    MUST(words[USBD + 0x504u] == 1); /* the pull-up */
}

bool is_status_of(bool to_the_host)
{
    const bool asks = request[0] & 0x80 && (request[6] | request[7]);
    return status_ready && asks != to_the_host;
}
} // namespace

uint32_t chip_read(uint32_t address)
{
    if (address >= USBD + 0x480u && address < USBD + 0x4A0u) {
        return request[(address - USBD - 0x480u) / 4u];
    }
    if (address >= USBD + 0x4A0u && address < USBD + 0x4C0u) {
        return (uint32_t)from_host[(address - USBD - 0x4A0u) / 4u].count;
    }
    if (address == 0x4006EC00u) {
        return unlocked;
    }
    return words[address];
}

void chip_write(uint32_t address, uint32_t value)
{
    if (address == USBD + 0x400u || address == USBD + 0x46Cu) {
        words[address] &= ~value; /* ones clear */
        return;
    }
    if (address == INTEN) {
        words[address] |= value;
        return;
    }
    if (address == 0x4006EC00u) {
        unlocked = value == 0x9375u ? !unlocked : unlocked;
        return;
    }
    if (address == HIDDEN_171 || address == HIDDEN_187) {
        MUST(unlocked);
    }
    words[address] = value;
    for (uint32_t number = 0; number < 8; number++) {
        Endpoint &in = to_host[number], &out = from_host[number];
        if (address == STARTEPIN(number) && value) {
            MUST(words[USBD + 0xC1Cu] == HIDDEN_199_ON);
            in.count = words[USBD + 0x604u + 0x14u * number];
            MUST(in.count <= sizeof in.bytes);
            memcpy(in.bytes, memory(words[USBD + 0x600u + 0x14u * number]), in.count);
            in.full = true;
            words[ENDEPIN(number)] = 1;
        } else if (address == STARTEPOUT(number) && value) {
            MUST(words[USBD + 0xC1Cu] == HIDDEN_199_ON);
            MUST(out.full && words[USBD + 0x704u + 0x14u * number] == out.count);
            memcpy(memory(words[USBD + 0x700u + 0x14u * number]), out.bytes, out.count);
            out.full = false;
            words[ENDEPOUT(number)] = 1;
        } else if (address == USBD + 0x4A0u + 4u * number) {
            out.full = false;
        }
    }
    switch (address - USBD) {
    case 0x04C:
        accepts = true;
        break;
    case 0x050:
        status_ready = true;
        break;
    case 0x054:
        control_stalled = true;
        break;
    case 0x500:
        if (value) {
            MUST(words[HIDDEN_171] == HIDDEN_171_ON && words[HIDDEN_187] == HIDDEN_187_ON);
            words[USBD + 0x400u] |= EVENTCAUSE_READY;
        }
        break;
    case 0x504:
        MUST(!value || (words[HIDDEN_171] == 0 && words[HIDDEN_187] == 0));
        break;
    case 0x518:
        (value & 0x80 ? to_host : from_host)[value & 7].stalled = value & EPSTALL_STALL;
        break;
    default:
        pended = pended || address == 0xE000E204u;
    }
}

uint32_t cortex_m_lock(void)
{
    return 0;
}
void cortex_m_unlock(uint32_t before)
{
    (void)before;
}
void cortex_m_barrier(void)
{
}
void cortex_m_enable_irq(uint32_t irq)
{
    MUST(irq == 39);
}
uint32_t port_micros(void)
{
    return 0;
}
bool port_has_bootloader(void)
{
    return false;
}
void port_enter_bootloader(void)
{
    abort();
}

/* As cortex_m/uart.c. */
void cortex_m_uart_received(uint8_t byte)
{
    MUST(room > 0 && arrived_bytes < sizeof arrived);
    arrived[arrived_bytes++] = byte;
    room--;
}
size_t cortex_m_uart_receive_room(void)
{
    return room;
}
void cortex_m_uart_transmit(void)
{
    while (waiting_from < waiting_to && port_uart_room()) {
        port_uart_send(waiting[waiting_from++]);
    }
    if (waiting_from == waiting_to) {
        waiting_from = waiting_to = 0;
        port_uart_watch_room(false);
    }
}

void host_start(uint16_t vid, uint16_t pid, const char *product, const char *serial)
{
    MUST(vid == EB_USB_VID && pid == EB_USB_PID && !strcmp(product, EB_USB_PRODUCT));
    words.clear();
    memset(to_host, 0, sizeof to_host);
    memset(from_host, 0, sizeof from_host);
    accepts = status_ready = control_stalled = unlocked = pended = false;
    room = most_room = 4096;
    arrived_bytes = waiting_from = waiting_to = 0;
    for (unsigned i = 0; i < 8; i++) {
        unsigned byte;
        MUST(sscanf(serial + 2 * i, "%2x", &byte) == 1);
        words[0x10000060u + 4u * (i / 4u)] |= byte << 8 * (i % 4u);
    }
    nrf52_link_start();
    plug();
}

void host_reset(void)
{
    memset(to_host, 0, sizeof to_host);
    memset(from_host, 0, sizeof from_host);
    accepts = status_ready = control_stalled = false;
    bus_address = 0;
    words[EPDATA] = words[USBD + 0x46Cu] = words[USBD + 0x510u] = words[USBD + 0x514u] = 0;
    words[USBRESET] = 1;
    settle();
}

void host_setup(const uint8_t setup[8])
{
    memcpy(request, setup, sizeof request);
    accepts = status_ready = control_stalled = to_host[0].full = from_host[0].full = false;
    if (setup[0] == 0 && setup[1] == SET_ADDRESS) { /* the controller's own */
        control_stalled = setup[2] > 127 || setup[3] || setup[6] || setup[7];
        status_ready = !control_stalled;
    }
    words[EP0SETUP] = 1;
    settle();
}

int host_in(unsigned endpoint, uint8_t *bytes)
{
    const unsigned number = endpoint & 7;
    Endpoint &in = to_host[number];

    if (number && !(words[USBD + 0x510u] >> number & 1)) {
        return NAK;
    }
    if (number ? in.stalled : control_stalled) {
        return STALL;
    }
    if (number == 0 && !in.full && is_status_of(true)) {
        if (request[0] == 0 && request[1] == SET_ADDRESS) {
            bus_address = request[2];
        }
        status_ready = false;
        return 0;
    }
    if (!in.full) {
        return NAK;
    }
    memcpy(bytes, in.bytes, in.count);
    in.full = false;
    const int count = (int)in.count;
    if (number) {
        words[USBD + 0x46Cu] |= 1u << number;
        words[EPDATA] = 1;
    } else {
        words[EP0DATADONE] = 1;
    }
    settle();
    return count;
}

int host_out(unsigned endpoint, const uint8_t *bytes, size_t count)
{
    Endpoint &out = from_host[endpoint];

    if (endpoint && !(words[USBD + 0x514u] >> endpoint & 1)) {
        return NAK;
    }
    if (endpoint ? out.stalled : control_stalled) {
        return STALL;
    }
    if (endpoint == 0 && is_status_of(false)) {
        status_ready = false;
        return 0;
    }
    if (out.full || (endpoint == 0 && !accepts)) {
        return NAK;
    }
    out.full = true;
    out.count = count;
    memcpy(out.bytes, bytes, count);
    if (endpoint) {
        words[USBD + 0x46Cu] |= 1u << (16 + endpoint);
        words[EPDATA] = 1;
    } else {
        accepts = false;
        words[EP0DATADONE] = 1;
    }
    settle();
    return 0;
}

unsigned host_address(void)
{
    return bus_address;
}

int host_touched(void)
{
    return eb_usb_touched(&usb_link);
}

void user_limit(size_t bytes)
{
    most_room = room = bytes;
}

void user_take(size_t count)
{
    room = room + count < most_room ? room + count : most_room;
    (void)port_uart_poll();
    settle();
}

size_t user_write(const uint8_t *bytes, size_t count)
{
    const size_t unused = sizeof waiting - waiting_to;

    count = count < unused ? count : unused;
    memcpy(waiting + waiting_to, bytes, count);
    waiting_to += count;
    cortex_m_uart_transmit();
    return count;
}

size_t user_read(uint8_t *bytes)
{
    const size_t count = arrived_bytes;

    memcpy(bytes, arrived, count);
    arrived_bytes = 0;
    return count;
}
