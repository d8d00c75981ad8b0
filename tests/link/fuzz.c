// SPDX-License-Identifier: Apache-2.0
// Copyright edgebio contributors

/* Arbitrary bytes into the firmware: its parser, and through its server the whole application.
 *
 * Entry point for libFuzzer. The first byte selects: even, the rest arrives at the port; odd, it is
 * requests (kind, length as uint16, payload) that get valid frames, to reach the code behind the
 * CRC check. This file is also the port of the application.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "eb_messages.h"
#include "eb_information.h"
#include "eb_server.h"
#include "eb_stream.h"
#include "port.h"

#define MUST(fact)                                                                                 \
    do {                                                                                           \
        if (!(fact)) {                                                                             \
            fprintf(stderr, "broken: %s\n", #fact);                                                \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static eb_parser host; /* parses what the device sends: valid frames only */
static uint32_t micros;
static eb_server server;
static uint8_t encoded[2 * EB_LINK_FRAME_BYTES(EB_LINK_RECEIVE_PAYLOAD)];
static size_t encoded_bytes;
static bool capturing;

void port_write(const uint8_t *bytes, size_t count)
{
    if (capturing) {
        MUST(encoded_bytes + count <= sizeof encoded);
        memcpy(encoded + encoded_bytes, bytes, count);
        encoded_bytes += count;
        return;
    }
    eb_frame frame;
    for (size_t i = 0; i < count; i++) {
        (void)eb_parser_push(&host, bytes[i], &frame);
    }
    MUST(host.damaged == 0);
}

uint32_t port_micros(void)
{
    micros += 17;
    return micros;
}

size_t port_write_room(void)
{
    return PORT_TRANSMIT_BYTES;
}
void port_guard_refresh(void)
{
}
bool port_clock_fallback(void)
{
    return true;
}
void port_init(void)
{
}
void port_idle(void)
{
}
size_t port_read(uint8_t *bytes, size_t most)
{
    (void)bytes;
    (void)most;
    return 0;
}
uint32_t port_rx_overruns(void)
{
    return 0;
}
_Noreturn void port_reset(void)
{
    abort();
}
bool port_has_bootloader(void)
{
    return true;
}
_Noreturn void port_enter_bootloader(void)
{
    abort();
}
size_t port_image(const uint8_t **image)
{
    *image = encoded;
    return sizeof encoded;
}
uint32_t port_stack_used(void)
{
    return 0;
}
uint32_t port_stack_size(void)
{
    return 0;
}
void port_watchdog_feed(void)
{
}
port_start port_start_cause(void)
{
    return PORT_START_WATCHDOG;
}
const port_fault *port_last_fault(void)
{
    return NULL;
}

/* Encodes a frame into `encoded`. */
static void encode(uint8_t kind, uint16_t sequence, const uint8_t *payload, size_t bytes)
{
    static uint8_t raw[EB_LINK_FRAME_BYTES(EB_LINK_RECEIVE_PAYLOAD)];
    MUST(bytes <= EB_LINK_RECEIVE_PAYLOAD);
    memcpy(raw + EB_FRAME_HEADER_BYTES, payload, bytes);
    capturing = true;
    encoded_bytes = 0;
    eb_link_send(raw, eb_link_seal(raw, kind, sequence, bytes));
    capturing = false;
}

static void request(uint8_t kind, uint16_t sequence, const uint8_t *payload, size_t bytes)
{
    encode(kind, sequence, payload, bytes);
    for (size_t i = 0; i < encoded_bytes; i++) {
        eb_server_push(&server, encoded[i]);
    }
}

/* After any bytes, the next frame is accepted unchanged. */
static void parse(const uint8_t *data, size_t size)
{
    static const uint8_t payload[] = {0, 1, 0, 0, 255};
    eb_parser *parser =
        malloc(sizeof *parser); /* on the heap, where the sanitizer guards its end */
    eb_frame frame = {0};

    MUST(parser);
    eb_parser_reset(parser);
    for (size_t i = 0; i < size; i++) {
        if (eb_parser_push(parser, data[i], &frame)) {
            MUST(frame.payload_bytes <= EB_LINK_RECEIVE_PAYLOAD);
            const uint8_t *copy = frame.payload;
            MUST(eb_crc32(0, copy - EB_FRAME_HEADER_BYTES,
                          frame.payload_bytes + EB_FRAME_HEADER_BYTES) == frame.crc);
        }
    }
    encode(0x42, 0xABCD, payload, sizeof payload);
    bool good = false;
    for (size_t i = 0; i < encoded_bytes; i++) {
        good = eb_parser_push(parser, encoded[i], &frame);
    }
    MUST(good && frame.kind == 0x42 && frame.sequence == 0xABCD);
    MUST(frame.payload_bytes == sizeof payload);
    MUST(memcmp(frame.payload, payload, sizeof payload) == 0);
    free(parser);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint32_t session;
    uint8_t number[5] = {0, 0, 0, 0, 1}; /* session number, and `open` */

    if (size == 0) {
        return 0;
    }
    eb_parser_reset(&host);
    eb_server_reset(&server);
    eb_information_init(&server);
    eb_stream_init(&server);
    eb_put_u32(number, ++session ? session : ++session);
    request(EB_KIND_PING, 0, number, sizeof number);
    MUST(host.frames == 1);
    const uint8_t mode = *data++;
    size--;
    if (mode % 2u == 0) {
        parse(data, size);
        for (size_t i = 0; i < size; i++) {
            eb_server_push(&server, data[i]);
        }
        return 0;
    }
    uint16_t sequence = 0;
    while (size >= 3) {
        const uint8_t kind = data[0];
        size_t bytes = eb_get_u16(data + 1) % (EB_LINK_RECEIVE_PAYLOAD + 1u);
        data += 3;
        size -= 3;
        bytes = bytes < size ? bytes : size;
        const uint32_t before = host.frames;
        request(kind, ++sequence, data, bytes);
        eb_stream_check_timeout();
        MUST(host.frames > before); /* every request is answered */
        data += bytes;
        size -= bytes;
    }
    return 0;
}
