// SPDX-License-Identifier: Apache-2.0
// Copyright edgebio contributors

/* Drives the C of the frames for the tests: commands on standard input, results on standard output.
 *
 * In: command byte, uint32 length, bytes. Out: uint32 length, bytes.
 *   'c' CRC-32 in two pieces, cut at half
 *   'e' encode raw bytes
 *   'p' parse from reset: (kind, version, sequence, payload length, payload) per frame; finally
 *       uint32 frames, damaged
 *   'u' unpack samples: byte width, then the packed values; a uint32 for each complete value */
#include <stdio.h>
#include <stdlib.h>

#include "eb_link.h"
#include "eb_samples.h"

static uint8_t out[1 << 22];
static size_t out_bytes;

void eb_link_write(const uint8_t *bytes, size_t count)
{
    memcpy(out + out_bytes, bytes, count);
    out_bytes += count;
}

static void put(uint32_t value)
{
    uint8_t raw[4];
    eb_put_u32(raw, value);
    eb_link_write(raw, 4);
}

static void parse(const uint8_t *bytes, size_t count)
{
    eb_parser *parser = malloc(sizeof *parser); /* on the heap, where ASan guards its end */
    eb_frame frame;

    eb_parser_reset(parser);
    for (size_t i = 0; i < count; i++) {
        if (eb_parser_push(parser, bytes[i], &frame)) {
            put(frame.kind);
            put(frame.version);
            put(frame.sequence);
            put((uint32_t)frame.payload_bytes);
            eb_link_write(frame.payload, frame.payload_bytes);
        }
    }
    put(parser->frames);
    put(parser->damaged);
    free(parser);
}

static void unpack(const uint8_t *bytes, size_t count)
{
    const size_t values = (count - 1) * 8u / bytes[0];
    uint8_t *exact = malloc(count - 1); /* ends with the values, where ASan guards it */

    memcpy(exact, bytes + 1, count - 1);
    for (size_t i = 0; i < values; i++) {
        put((uint32_t)eb_samples_value(exact, i, bytes[0]));
    }
    free(exact);
}

int main(void)
{
    uint8_t head[5];

    while (fread(head, 1, sizeof head, stdin) == sizeof head) {
        const uint32_t count = eb_get_u32(head + 1);
        uint8_t *bytes = malloc(count);
        if (fread(bytes, 1, count, stdin) != count) {
            return 1;
        }
        out_bytes = 0;
        if (head[0] == 'c') {
            put(eb_crc32(eb_crc32(0, bytes, count / 2), bytes + count / 2, count - count / 2));
        } else if (head[0] == 'e') {
            eb_link_send(bytes, count);
        } else if (head[0] == 'u') {
            unpack(bytes, count);
        } else {
            parse(bytes, count);
        }
        uint8_t length[4];
        eb_put_u32(length, (uint32_t)out_bytes);
        fwrite(length, 1, sizeof length, stdout);
        fwrite(out, 1, out_bytes, stdout);
        fflush(stdout);
        free(bytes);
    }
    return 0;
}
