// SPDX-License-Identifier: Apache-2.0
// Copyright edgebio contributors

#include "eb_usb_cdc.h"

#include <string.h>

#include "eb_usb_descriptors.h"

/* bmRequestType: USB 2.0, table 9-2. */
#define TYPE(request_type) ((request_type) >> 5 & 3u)
#define TYPE_STANDARD 0u
#define TYPE_CLASS 1u
#define RECIPIENT(request_type) ((request_type) & 0x1Fu)
#define RECIPIENT_DEVICE 0u
#define RECIPIENT_INTERFACE 1u
#define RECIPIENT_ENDPOINT 2u

/* bRequest: USB 2.0, table 9-4. */
#define GET_STATUS 0u
#define CLEAR_FEATURE 1u
#define SET_FEATURE 3u
#define SET_ADDRESS 5u
#define GET_DESCRIPTOR 6u
#define GET_CONFIGURATION 8u
#define SET_CONFIGURATION 9u
#define GET_INTERFACE 10u
#define SET_INTERFACE 11u
#define FEATURE_ENDPOINT_HALT 0u

/* Requests of the class: PSTN120, table 13. */
#define SET_LINE_CODING 0x20u
#define GET_LINE_CODING 0x21u
#define SET_CONTROL_LINE_STATE 0x22u
#define SEND_BREAK 0x23u
#define CONTROL_LINE_DTR 1u
#define TOUCH_RATE 1200u

#define LOW(value) ((value) & 0xFFu)
#define HIGH(value) ((value) >> 8 & 0xFFu)

// clang-format off
/* 115200 bit/s, 1 stop bit, no parity, 8 data bits: what a host reads before it sets anything. */
static const uint8_t first_line_coding[7] = {0x00, 0xC2, 0x01, 0x00, 0, 0, 8};
// clang-format on

static unsigned value_of(const eb_usb *usb)
{
    return usb->setup[2] | (unsigned)usb->setup[3] << 8;
}

static unsigned index_of(const eb_usb *usb)
{
    return usb->setup[4] | (unsigned)usb->setup[5] << 8;
}

static size_t length_of(const eb_usb *usb)
{
    return usb->setup[6] | (size_t)usb->setup[7] << 8;
}

/* The stages of a control transfer: USB 2.0, 8.5.3. */

static void stall(eb_usb *usb)
{
    usb->stage = EB_USB_IDLE;
    eb_usb_controller_stall();
}

static void confirm(eb_usb *usb)
{
    usb->stage = EB_USB_STATUS;
    eb_usb_controller_status(true);
}

static void send_answer(eb_usb *usb)
{
    size_t count = usb->answer_left;

    if (count > EB_USB_PACKET_BYTES) {
        count = EB_USB_PACKET_BYTES;
    }
    memcpy(usb->control_packet, usb->answer, count);
    usb->answer_packet = count;
    eb_usb_controller_send(EB_USB_TO_HOST, usb->control_packet, count);
}

/* Answers with `count` bytes, or with as many of them as the host asks for. */
static void answer(eb_usb *usb, const uint8_t *bytes, size_t count)
{
    const size_t asked = length_of(usb);

    if (asked == 0) { /* no data stage, whatever the direction */
        confirm(usb);
        return;
    }
    usb->answer = bytes;
    usb->answer_left = count < asked ? count : asked;
    /* Fewer bytes than asked for end by a packet that is not full. */
    usb->answer_ends_empty = count < asked && count % EB_USB_PACKET_BYTES == 0 && count != 0;
    usb->stage = EB_USB_DATA_IN;
    send_answer(usb);
}

static void continue_answer(eb_usb *usb)
{
    usb->answer += usb->answer_packet;
    usb->answer_left -= usb->answer_packet;
    if (usb->answer_left != 0) {
        send_answer(usb);
    } else if (usb->answer_ends_empty) {
        usb->answer_ends_empty = false;
        send_answer(usb);
    } else {
        usb->stage = EB_USB_STATUS;
        eb_usb_controller_status(false);
    }
}

static void describe(eb_usb *usb)
{
    const unsigned value = value_of(usb);
    const uint8_t *bytes;
    const size_t count =
        eb_usb_descriptor(usb->identity, HIGH(value), LOW(value), usb->composed, &bytes);

    if (count != 0) {
        answer(usb, bytes, count);
    } else {
        stall(usb);
    }
}

/* The endpoints. */

static void receive(eb_usb *usb)
{
    usb->out_paused = eb_usb_user_room() < EB_USB_PACKET_BYTES;
    if (!usb->out_paused) {
        eb_usb_controller_receive(EB_USB_OUT);
    }
}

static void configure(eb_usb *usb, bool on)
{
    usb->configured = on;
    usb->notify_halted = usb->in_halted = usb->out_halted = false;
    usb->out_paused = false;
    usb->sending = usb->ends_full = false;
    usb->packet_bytes = 0;
    eb_usb_controller_configure(on);
    if (on) {
        receive(usb);
    }
}

static bool *halted(eb_usb *usb, unsigned endpoint)
{
    switch (endpoint) {
    case EB_USB_NOTIFY:
        return &usb->notify_halted;
    case EB_USB_IN:
        return &usb->in_halted;
    case EB_USB_OUT:
        return &usb->out_halted;
    default:
        return NULL;
    }
}

static void halt(eb_usb *usb, unsigned endpoint, bool on)
{
    bool *flag = halted(usb, endpoint);

    *flag = on;
    eb_usb_controller_halt((uint8_t)endpoint, on);
    if (endpoint == EB_USB_IN) {
        usb->sending = false;
        eb_usb_flush(usb); /* the packet that was under way */
    } else if (endpoint == EB_USB_OUT && !on) {
        receive(usb);
    }
}

/* Standard requests: USB 2.0, 9.4. Requests to an interface or an endpoint besides 0 need a configured
 * device. */

static void handle_device(eb_usb *usb)
{
    static const uint8_t status[2] = {0, 0}; /* bus-powered, no remote wake-up */
    static const uint8_t configurations[2] = {0, 1};
    const bool to_host = usb->setup[0] & EB_USB_TO_HOST;

    if (to_host) {
        switch (usb->setup[1]) {
        case GET_STATUS:
            answer(usb, status, sizeof status);
            return;
        case GET_DESCRIPTOR:
            describe(usb);
            return;
        case GET_CONFIGURATION:
            answer(usb, &configurations[usb->configured], 1);
            return;
        default:
            break;
        }
    } else if (length_of(usb) == 0) {
        switch (usb->setup[1]) {
        case SET_ADDRESS:
            if (value_of(usb) <= 127u) {
                usb->new_address = (uint8_t)value_of(usb);
                usb->address_changes = true; /* when the transfer is over */
                confirm(usb);
                return;
            }
            break;
        case SET_CONFIGURATION:
            if (value_of(usb) <= 1u) {
                configure(usb, value_of(usb) == 1u);
                confirm(usb);
                return;
            }
            break;
        default: /* also remote wake-up and test modes, which it has not */
            break;
        }
    }
    stall(usb);
}

static void handle_interface(eb_usb *usb)
{
    static const uint8_t zero[2] = {0, 0};
    const unsigned interface = index_of(usb);
    const bool to_host = usb->setup[0] & EB_USB_TO_HOST;
    const unsigned request = usb->setup[1];

    if (!usb->configured || interface >= EB_USB_INTERFACES) {
        stall(usb);
    } else if (to_host && request == GET_STATUS) {
        answer(usb, zero, 2);
    } else if (to_host && request == GET_INTERFACE) {
        answer(usb, zero, 1);
    } else if (!to_host && request == SET_INTERFACE && value_of(usb) == 0 && length_of(usb) == 0) {
        if (interface == EB_USB_INTERFACE_CONTROL) {
            halt(usb, EB_USB_NOTIFY, false);
        } else {
            halt(usb, EB_USB_OUT, false);
            halt(usb, EB_USB_IN, false);
        }
        confirm(usb);
    } else {
        stall(usb);
    }
}

static void handle_endpoint(eb_usb *usb)
{
    static const uint8_t states[2][2] = {{0, 0}, {1, 0}};
    const unsigned endpoint = index_of(usb);
    const bool to_host = usb->setup[0] & EB_USB_TO_HOST;
    const unsigned request = usb->setup[1];
    const bool is_zero = (endpoint & ~EB_USB_TO_HOST) == 0;
    const bool *flag = halted(usb, endpoint);

    if (!is_zero && (!usb->configured || !flag)) {
        stall(usb);
    } else if (to_host && request == GET_STATUS) {
        answer(usb, states[flag && *flag], 2);
    } else if (!to_host && length_of(usb) == 0 && value_of(usb) == FEATURE_ENDPOINT_HALT &&
               (request == CLEAR_FEATURE || (request == SET_FEATURE && !is_zero))) {
        if (!is_zero) {
            halt(usb, endpoint, request == SET_FEATURE);
        }
        confirm(usb);
    } else {
        stall(usb);
    }
}

/* Requests of the class: PSTN120, 6.3. Some hosts address them to the device. */
static void handle_class(eb_usb *usb)
{
    const bool to_host = usb->setup[0] & EB_USB_TO_HOST;
    const size_t length = length_of(usb);

    if (!usb->configured || RECIPIENT(usb->setup[0]) > RECIPIENT_INTERFACE ||
        index_of(usb) != EB_USB_INTERFACE_CONTROL) {
        stall(usb);
        return;
    }
    switch (usb->setup[1]) {
    case SET_LINE_CODING:
        if (!to_host && length == sizeof usb->line_coding) {
            usb->stage = EB_USB_DATA_OUT;
            eb_usb_controller_receive(0);
            return;
        }
        break;
    case GET_LINE_CODING:
        if (to_host) {
            answer(usb, usb->line_coding, sizeof usb->line_coding);
            return;
        }
        break;
    case SET_CONTROL_LINE_STATE:
        if (!to_host && length == 0) {
            const bool ready = value_of(usb) & CONTROL_LINE_DTR;
            const uint8_t *rate = usb->line_coding;

            if (usb->terminal_ready && !ready && rate[0] == LOW(TOUCH_RATE) &&
                rate[1] == HIGH(TOUCH_RATE) && rate[2] == 0 && rate[3] == 0) {
                usb->touched = true;
            }
            usb->terminal_ready = ready;
            confirm(usb);
            return;
        }
        break;
    case SEND_BREAK:
        if (!to_host && length == 0) {
            confirm(usb);
            return;
        }
        break;
    default:
        break;
    }
    stall(usb);
}

void eb_usb_start(eb_usb *usb, const eb_usb_identity *identity)
{
    *usb = (eb_usb){.identity = identity};
    memcpy(usb->line_coding, first_line_coding, sizeof usb->line_coding);
}

void eb_usb_reset(eb_usb *usb)
{
    eb_usb_start(usb, usb->identity);
    eb_usb_controller_address(0);
    eb_usb_controller_configure(false);
}

void eb_usb_setup(eb_usb *usb, const uint8_t setup[8])
{
    memcpy(usb->setup, setup, sizeof usb->setup);
    usb->stage = EB_USB_IDLE;
    usb->address_changes = false;
    switch (TYPE(setup[0]) << 8 | RECIPIENT(setup[0])) {
    case TYPE_STANDARD << 8 | RECIPIENT_DEVICE:
        handle_device(usb);
        return;
    case TYPE_STANDARD << 8 | RECIPIENT_INTERFACE:
        handle_interface(usb);
        return;
    case TYPE_STANDARD << 8 | RECIPIENT_ENDPOINT:
        handle_endpoint(usb);
        return;
    default:
        if (TYPE(setup[0]) == TYPE_CLASS) {
            handle_class(usb);
        } else {
            stall(usb);
        }
    }
}

void eb_usb_sent(eb_usb *usb, uint8_t endpoint)
{
    if (endpoint == EB_USB_TO_HOST) {
        if (usb->stage == EB_USB_DATA_IN) {
            continue_answer(usb);
        }
    } else if (endpoint == EB_USB_IN && usb->sending) {
        usb->sending = false;
        usb->ends_full = usb->packet_bytes == EB_USB_PACKET_BYTES;
        usb->packet_bytes = 0;
        eb_usb_user_transmit();
    }
}

void eb_usb_received(eb_usb *usb, uint8_t endpoint, const uint8_t *bytes, size_t count)
{
    if (endpoint == 0) {
        if (usb->stage != EB_USB_DATA_OUT) {
            return;
        }
        if (count == sizeof usb->line_coding) {
            memcpy(usb->line_coding, bytes, count);
            confirm(usb);
        } else {
            stall(usb);
        }
    } else if (endpoint == EB_USB_OUT && usb->configured && !usb->out_halted) {
        eb_usb_user_received(bytes, count);
        receive(usb);
    }
}

void eb_usb_status_done(eb_usb *usb)
{
    usb->stage = EB_USB_IDLE;
    if (usb->address_changes) {
        usb->address_changes = false;
        eb_usb_controller_address(usb->new_address);
    }
}

bool eb_usb_room(const eb_usb *usb)
{
    return !usb->configured || (!usb->sending && usb->packet_bytes < EB_USB_PACKET_BYTES);
}

void eb_usb_put(eb_usb *usb, uint8_t byte)
{
    if (!usb->configured) {
        return;
    }
    usb->packet[usb->packet_bytes++] = byte;
    if (usb->packet_bytes == EB_USB_PACKET_BYTES) {
        eb_usb_flush(usb);
    }
}

void eb_usb_flush(eb_usb *usb)
{
    if (!usb->configured || usb->in_halted || usb->sending ||
        (usb->packet_bytes == 0 && !usb->ends_full)) {
        return;
    }
    usb->sending = true;
    eb_usb_controller_send(EB_USB_IN, usb->packet, usb->packet_bytes);
}

void eb_usb_resume(eb_usb *usb)
{
    if (usb->configured && usb->out_paused && !usb->out_halted) {
        receive(usb);
    }
}

bool eb_usb_touched(const eb_usb *usb)
{
    return usb->touched;
}
