// SPDX-License-Identifier: Apache-2.0
// Copyright edgebio contributors

/* Frames of the wire: CRC-32, COBS, and an incremental parser. docs/reference/wire.md describes the
 * format.
 *
 * No heap, no copies: the parser decodes a frame into its own buffer, and a frame is sent from the
 * buffer that it was built in. */

#ifndef EB_LINK_H
#define EB_LINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "eb_messages.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Longest payload that is received: a sample of 256 channels with room to spare. */
#ifndef EB_LINK_RECEIVE_PAYLOAD
#define EB_LINK_RECEIVE_PAYLOAD 1024u
#endif

/* Longest payload that is sent. */
#ifndef EB_LINK_SEND_PAYLOAD
#define EB_LINK_SEND_PAYLOAD 256u
#endif

#define EB_LINK_FRAME_BYTES(payload) (EB_FRAME_HEADER_BYTES + (payload) + EB_FRAME_CRC_BYTES)

/* CRC-32 of zlib, in pieces: start with 0, continue with the previous result. */
uint32_t eb_crc32(uint32_t crc, const uint8_t *bytes, size_t count);

/* Encodes `raw` and writes it between delimiters through eb_link_write. */
void eb_link_send(const uint8_t *raw, size_t count);

/* Writes bytes to the port. The application defines it: the build can bound the stack only if calls
 * are by name, not by pointer. */
void eb_link_write(const uint8_t *bytes, size_t count);

/* Adds header and CRC to the payload at raw + EB_FRAME_HEADER_BYTES; returns the raw length. */
size_t eb_link_seal(uint8_t *raw, uint8_t kind, uint16_t sequence, size_t payload_bytes);

typedef struct {
    uint8_t version;
    uint8_t kind;
    uint16_t sequence;
    uint32_t crc;
    const uint8_t *payload; /* in the parser's buffer: valid until the next byte is pushed */
    size_t payload_bytes;
} eb_frame;

typedef struct {
    uint32_t frames;  /* accepted */
    uint32_t damaged; /* dropped: wrong CRC, COBS or length */
    size_t count;     /* decoded bytes in the buffer */
    uint8_t left;     /* bytes until the next COBS code */
    bool zero;        /* a zero precedes the next group */
    bool inside;      /* a byte has arrived since the last delimiter */
    bool too_long;    /* wait for the delimiter */
    uint8_t buffer[EB_LINK_FRAME_BYTES(EB_LINK_RECEIVE_PAYLOAD)];
} eb_parser;

void eb_parser_reset(eb_parser *parser);

/* Takes one byte; true if it completes a valid frame, which is then in `frame`. */
bool eb_parser_push(eb_parser *parser, uint8_t byte, eb_frame *frame);

#ifdef __cplusplus
}
#endif

#endif
