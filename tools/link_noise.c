// SPDX-License-Identifier: Apache-2.0
// Copyright edgebio contributors

/* The firmware's end of the link for tools/link_noise.py: its parser in two directions, and its
 * server, which counts how often it executes each request. */

#include <string.h>

#include "eb_server.h"

#define DIRECTIONS 2u
#define EFFECTS (1u << 22)

static eb_parser parsers[DIRECTIONS];
static eb_server server;
static uint8_t effects[EFFECTS]; /* executions of each request, up to 255 */
static uint8_t *out;
static size_t out_bytes, out_most;

void noise_reset(void);
size_t noise_parse(size_t direction, const uint8_t *bytes, size_t count, uint8_t *to, size_t most);
size_t noise_serve(const uint8_t *bytes, size_t count, uint8_t *to, size_t most);
uint32_t noise_repeated_effects(void);

/* Drops what does not fit, like a slow connection. */
void eb_link_write(const uint8_t *bytes, size_t count)
{
    if (count <= out_most - out_bytes) {
        memcpy(out + out_bytes, bytes, count);
        out_bytes += count;
    }
}

/* A request carries its number and more bytes; the answer returns both. */
uint8_t eb_server_handle(const eb_request *request, eb_answer *answer)
{
    if (request->payload_bytes < 4) {
        return EB_ERROR_PAYLOAD;
    }
    const uint32_t number = eb_get_u32(request->payload) % EFFECTS;
    if (effects[number] < UINT8_MAX) {
        effects[number]++;
    }
    answer->payload_bytes = request->payload_bytes < EB_LINK_SEND_PAYLOAD ? request->payload_bytes
                                                                          : EB_LINK_SEND_PAYLOAD;
    memcpy(answer->payload, request->payload, answer->payload_bytes);
    return 0;
}

void eb_server_opened(void)
{
}

uint32_t eb_server_micros(void)
{
    return 0;
}

void noise_reset(void)
{
    for (size_t i = 0; i < DIRECTIONS; i++) {
        eb_parser_reset(&parsers[i]);
    }
    eb_server_reset(&server);
    memset(effects, 0, sizeof effects);
}

/* Frames that the parser of a direction accepts, each after its length (uint32): version, kind,
 * sequence number, payload. */
size_t noise_parse(size_t direction, const uint8_t *bytes, size_t count, uint8_t *to, size_t most)
{
    size_t at = 0;
    eb_frame frame;

    for (size_t i = 0; i < count; i++) {
        if (eb_parser_push(&parsers[direction], bytes[i], &frame)) {
            const size_t raw = EB_FRAME_HEADER_BYTES + frame.payload_bytes;
            if (4u + raw > most - at) {
                return SIZE_MAX;
            }
            eb_put_u32(to + at, (uint32_t)raw);
            eb_put_u8(to + at + 4, frame.version);
            eb_put_u8(to + at + 5, frame.kind);
            eb_put_u16(to + at + 6, frame.sequence);
            memcpy(to + at + 8, frame.payload, frame.payload_bytes);
            at += 4u + raw;
        }
    }
    return at;
}

/* Bytes that the server sends in response. */
size_t noise_serve(const uint8_t *bytes, size_t count, uint8_t *to, size_t most)
{
    out = to;
    out_bytes = 0;
    out_most = most;
    for (size_t i = 0; i < count; i++) {
        eb_server_push(&server, bytes[i]);
    }
    return out_bytes;
}

uint32_t noise_repeated_effects(void)
{
    uint32_t repeated = 0;

    for (size_t i = 0; i < EFFECTS; i++) {
        repeated += effects[i] > 1u;
    }
    return repeated;
}
