// SPDX-License-Identifier: Apache-2.0
// Copyright edgebio contributors

#include "eb_link.h"

#include <string.h>

uint32_t eb_crc32(uint32_t crc, const uint8_t *bytes, size_t count)
{
    /* The CRC of every nibble, polynomial EDB88320: 64 bytes instead of the usual 1024. */
    static const uint32_t nibbles[16] = {
        0x00000000u, 0x1DB71064u, 0x3B6E20C8u, 0x26D930ACu, 0x76DC4190u, 0x6B6B51F4u,
        0x4DB26158u, 0x5005713Cu, 0xEDB88320u, 0xF00F9344u, 0xD6D6A3E8u, 0xCB61B38Cu,
        0x9B64C2B0u, 0x86D3D2D4u, 0xA00AE278u, 0xBDBDF21Cu,
    };
    crc = ~crc;
    for (size_t i = 0; i < count; i++) {
        crc ^= bytes[i];
        crc = (crc >> 4) ^ nibbles[crc & 15u];
        crc = (crc >> 4) ^ nibbles[crc & 15u];
    }
    return ~crc;
}

void eb_link_send(const uint8_t *raw, size_t count)
{
    static const uint8_t delimiter = 0;
    size_t at = 0;

    eb_link_write(&delimiter, 1);
    for (;;) {
        size_t run = 0;
        while (run < 254u && at + run < count && raw[at + run] != 0) {
            run++;
        }
        const uint8_t code = (uint8_t)(run + 1u);
        eb_link_write(&code, 1);
        if (run != 0) {
            eb_link_write(raw + at, run);
        }
        at += run;
        if (at >= count) {
            break;
        }
        if (run < 254u) {
            at++; /* the zero that this group encodes; another group follows it, even if empty */
        }
    }
    eb_link_write(&delimiter, 1);
}

size_t eb_link_seal(uint8_t *raw, uint8_t kind, uint16_t sequence, size_t payload_bytes)
{
    const size_t end = EB_FRAME_HEADER_BYTES + payload_bytes;

    eb_put_u8(raw, (uint8_t)EB_PROTOCOL_VERSION);
    eb_put_u8(raw + 1, kind);
    eb_put_u16(raw + 2, sequence);
    eb_put_u32(raw + end, eb_crc32(0, raw, end));
    return end + EB_FRAME_CRC_BYTES;
}

static void restart(eb_parser *parser)
{
    parser->count = 0;
    parser->left = 0;
    parser->zero = false;
    parser->inside = false;
    parser->too_long = false;
}

void eb_parser_reset(eb_parser *parser)
{
    parser->frames = 0;
    parser->damaged = 0;
    restart(parser);
}

static void append(eb_parser *parser, uint8_t byte)
{
    if (parser->count < sizeof parser->buffer) {
        parser->buffer[parser->count++] = byte;
    } else {
        parser->too_long = true;
    }
}

static bool finish(const eb_parser *parser, eb_frame *frame)
{
    const uint8_t *raw = parser->buffer;
    const size_t overhead = EB_FRAME_HEADER_BYTES + EB_FRAME_CRC_BYTES;

    if (parser->too_long || parser->left != 0 || parser->count < overhead) {
        return false;
    }
    const size_t end = parser->count - EB_FRAME_CRC_BYTES;
    const uint32_t crc = eb_get_u32(raw + end);
    if (eb_crc32(0, raw, end) != crc) {
        return false;
    }
    frame->version = raw[0];
    frame->kind = raw[1];
    frame->sequence = eb_get_u16(raw + 2);
    frame->crc = crc;
    frame->payload = raw + EB_FRAME_HEADER_BYTES;
    frame->payload_bytes = parser->count - overhead;
    return true;
}

bool eb_parser_push(eb_parser *parser, uint8_t byte, eb_frame *frame)
{
    if (byte != 0) {
        parser->inside = true;
        if (parser->left != 0) {
            parser->left--;
            append(parser, byte);
        } else {
            if (parser->zero) {
                append(parser, 0);
            }
            parser->left = (uint8_t)(byte - 1u);
            parser->zero = byte != 0xFFu;
        }
        return false;
    }
    if (!parser->inside) {
        return false;
    }
    const bool good = finish(parser, frame);
    if (good) {
        parser->frames++;
    } else {
        parser->damaged++;
    }
    restart(parser);
    return good;
}
