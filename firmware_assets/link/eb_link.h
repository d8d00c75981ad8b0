/* Frames of the wire: CRC-32, COBS, and an incremental parser. edgebio/link/WIRE.md has the format.
 *
 * No heap, no copies: a frame is received into the parser's own buffer, already decoded, and sent
 * from the buffer that it was built in. */

#ifndef EB_LINK_H
#define EB_LINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "eb_messages.h"

/* Longest payload that is received: a sample of 256 channels with room to spare. */
#ifndef EB_LINK_RECEIVE_PAYLOAD
#define EB_LINK_RECEIVE_PAYLOAD 1024u
#endif

/* Longest payload that is sent. */
#ifndef EB_LINK_SEND_PAYLOAD
#define EB_LINK_SEND_PAYLOAD 256u
#endif

#define EB_LINK_FRAME_BYTES(payload) (EB_FRAME_HEADER_BYTES + (payload) + EB_FRAME_CRC_BYTES)

/* CRC-32 of zlib, in pieces: start with 0, go on with what came out. */
uint32_t eb_crc32(uint32_t crc, const uint8_t *bytes, size_t count);

/* Sends `raw`, encoded and between delimiters, through eb_link_write. */
void eb_link_send(const uint8_t *raw, size_t count);

/* Takes bytes to the line. The application has it: calls by name, not by pointer, let the build
 * find the bound of the stack. */
void eb_link_write(const uint8_t *bytes, size_t count);

/* Puts header and CRC around the payload at raw + EB_FRAME_HEADER_BYTES; returns the raw length. */
size_t eb_link_seal(uint8_t *raw, uint8_t kind, uint16_t sequence, size_t payload_bytes);

typedef struct {
    uint8_t version;
    uint8_t kind;
    uint16_t sequence;
    uint32_t crc;
    const uint8_t *payload; /* in the parser's buffer: good until the next byte is pushed */
    size_t payload_bytes;
} eb_frame;

typedef struct {
    uint32_t frames;  /* accepted */
    uint32_t damaged; /* dropped: CRC, COBS or length is wrong */
    size_t count;     /* decoded bytes in the buffer */
    uint8_t left;     /* bytes until the next COBS code */
    bool zero;        /* a zero stands before the next group */
    bool begun;       /* a byte has come since the last delimiter */
    bool spoilt;      /* too long: wait for the delimiter */
    uint8_t buffer[EB_LINK_FRAME_BYTES(EB_LINK_RECEIVE_PAYLOAD)];
} eb_parser;

void eb_parser_reset(eb_parser *parser);

/* Takes one byte; true when it completes a good frame, which is then in `frame`. */
bool eb_parser_push(eb_parser *parser, uint8_t byte, eb_frame *frame);

#endif
