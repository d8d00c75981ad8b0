// SPDX-License-Identifier: Apache-2.0
// Copyright edgebio contributors

#include "controller.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MUST(fact)                                                                                 \
    do {                                                                                           \
        if (!(fact)) {                                                                             \
            fprintf(stderr, "broken: %s\n", #fact);                                                \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

enum { CONTROL_IN, CONTROL_OUT, NOTIFY, IN, OUT, ENDPOINTS };

typedef struct {
    bool open, armed, halted;
    const uint8_t *bytes;
    size_t count;
    uint8_t copy[EB_USB_PACKET_BYTES]; /* `bytes` may not change while they are under way */
} endpoint_state;

static eb_usb usb;
static eb_usb_identity identity;
static endpoint_state endpoints[ENDPOINTS];
static bool in_transfer, in_status, status_to_host;
static unsigned address;

static size_t room, most_room;
static uint8_t arrived[LOG_BYTES], waiting[LOG_BYTES];
static size_t arrived_bytes, waiting_from, waiting_to;

/* Bytes that the device took since it was configured, and how many of them the host has. */
static uint8_t given[LOG_BYTES];
static uint32_t given_from, given_to;

static endpoint_state *state(unsigned endpoint)
{
    switch (endpoint) {
    case 0x80:
        return &endpoints[CONTROL_IN];
    case 0x00:
        return &endpoints[CONTROL_OUT];
    case EB_USB_NOTIFY:
        return &endpoints[NOTIFY];
    case EB_USB_IN:
        return &endpoints[IN];
    case EB_USB_OUT:
        return &endpoints[OUT];
    default:
        return NULL;
    }
}

static void disarm(endpoint_state *each)
{
    each->armed = false;
}

void eb_usb_controller_send(uint8_t endpoint, const uint8_t *bytes, size_t count)
{
    endpoint_state *each = state(endpoint);

    MUST(each && endpoint & EB_USB_TO_HOST);
    MUST(endpoint == 0x80 ? in_transfer && !in_status : each->open && !each->halted);
    MUST(!each->armed);
    MUST(count <= EB_USB_PACKET_BYTES);
    each->armed = true;
    each->bytes = bytes;
    each->count = count;
    memcpy(each->copy, bytes, count);
}

void eb_usb_controller_receive(uint8_t endpoint)
{
    endpoint_state *each = state(endpoint);

    MUST(each && !(endpoint & EB_USB_TO_HOST));
    MUST(endpoint == 0 ? in_transfer && !in_status : each->open && !each->halted);
    MUST(!each->armed);
    MUST(endpoint == 0 || room >= EB_USB_PACKET_BYTES);
    each->armed = true;
}

void eb_usb_controller_status(bool to_host)
{
    MUST(in_transfer && !in_status);
    MUST(!endpoints[CONTROL_IN].armed && !endpoints[CONTROL_OUT].armed);
    in_status = true;
    status_to_host = to_host;
}

void eb_usb_controller_stall(void)
{
    MUST(in_transfer && !in_status);
    endpoints[CONTROL_IN].halted = endpoints[CONTROL_OUT].halted = true;
}

void eb_usb_controller_address(uint8_t number)
{
    MUST(number <= 127);
    MUST(!in_status);
    address = number;
}

void eb_usb_controller_configure(bool on)
{
    given_from = given_to = 0;
    for (unsigned i = NOTIFY; i < ENDPOINTS; i++) {
        endpoints[i] = (endpoint_state){.open = on};
    }
}

void eb_usb_controller_halt(uint8_t endpoint, bool on)
{
    endpoint_state *each = state(endpoint);

    MUST(each && each->open);
    each->halted = on;
    disarm(each);
}

void eb_usb_user_received(const uint8_t *bytes, size_t count)
{
    MUST(count <= room);
    MUST(arrived_bytes + count <= sizeof arrived);
    memcpy(arrived + arrived_bytes, bytes, count);
    arrived_bytes += count;
    room -= count;
}

size_t eb_usb_user_room(void)
{
    return room;
}

void eb_usb_user_transmit(void)
{
    while (waiting_from < waiting_to && eb_usb_room(&usb)) {
        given[given_to++ % sizeof given] = waiting[waiting_from];
        eb_usb_put(&usb, waiting[waiting_from++]);
    }
    if (waiting_from == waiting_to) {
        waiting_from = waiting_to = 0;
        eb_usb_flush(&usb);
    }
}

void host_start(uint16_t vid, uint16_t pid, const char *product, const char *serial)
{
    identity = (eb_usb_identity){.vid = vid, .pid = pid, .product = product, .serial = serial};
    memset(endpoints, 0, sizeof endpoints);
    in_transfer = in_status = false;
    room = most_room = 4096;
    arrived_bytes = waiting_from = waiting_to = 0;
    address = 0;
    eb_usb_start(&usb, &identity);
}

void host_reset(void)
{
    memset(endpoints, 0, sizeof endpoints);
    in_transfer = in_status = false;
    eb_usb_reset(&usb);
    MUST(address == 0 && !endpoints[OUT].open);
}

void host_setup(const uint8_t setup[8])
{
    endpoints[CONTROL_IN] = endpoints[CONTROL_OUT] = (endpoint_state){0};
    in_transfer = true;
    in_status = false;
    eb_usb_setup(&usb, setup);
}

int host_in(unsigned endpoint, uint8_t *bytes)
{
    endpoint_state *each = state(endpoint);

    if (!each || !(endpoint & EB_USB_TO_HOST) || (endpoint != 0x80 && !each->open)) {
        return NAK;
    }
    if (each->halted) {
        return STALL;
    }
    if (endpoint == 0x80 && in_status && status_to_host) {
        in_transfer = in_status = false;
        eb_usb_status_done(&usb);
        return 0;
    }
    if (!each->armed) {
        return NAK;
    }
    MUST(memcmp(each->bytes, each->copy, each->count) == 0);
    memcpy(bytes, each->bytes, each->count);
    each->armed = false;
    const int count = (int)each->count;
    for (int i = 0; endpoint == EB_USB_IN && i < count; i++) {
        MUST(given_from < given_to && bytes[i] == given[given_from % sizeof given]);
        given_from++;
    }
    eb_usb_sent(&usb, (uint8_t)endpoint);
    return count;
}

int host_out(unsigned endpoint, const uint8_t *bytes, size_t count)
{
    endpoint_state *each = state(endpoint);

    if (!each || endpoint & EB_USB_TO_HOST || (endpoint != 0 && !each->open)) {
        return NAK;
    }
    if (each->halted) {
        return STALL;
    }
    if (endpoint == 0 && in_status && !status_to_host) {
        in_transfer = in_status = false;
        eb_usb_status_done(&usb);
        return 0;
    }
    if (!each->armed) {
        return NAK;
    }
    each->armed = false;
    eb_usb_received(&usb, (uint8_t)endpoint, bytes, count);
    return 0;
}

unsigned host_address(void)
{
    return address;
}

int host_touched(void)
{
    return eb_usb_touched(&usb);
}

void user_take(size_t count)
{
    room = room + count < most_room ? room + count : most_room;
    eb_usb_resume(&usb);
}

void user_limit(size_t bytes)
{
    most_room = room = bytes;
}

size_t user_write(const uint8_t *bytes, size_t count)
{
    const size_t free = sizeof waiting - waiting_to;

    count = count < free ? count : free;
    memcpy(waiting + waiting_to, bytes, count);
    waiting_to += count;
    eb_usb_user_transmit();
    return count;
}

size_t user_read(uint8_t *bytes)
{
    const size_t count = arrived_bytes;

    memcpy(bytes, arrived, count);
    arrived_bytes = 0;
    return count;
}
