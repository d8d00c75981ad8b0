/* The device's end of the link: frames in, requests carried out once, answers out.
 *
 * A request whose answer was lost comes again with its sequence number; it gets the answer that is
 * kept here, and is not carried out a second time. */

#ifndef EB_SERVER_H
#define EB_SERVER_H

#include "eb_link.h"

typedef struct {
    uint8_t kind;
    const uint8_t *payload;
    size_t payload_bytes;
} eb_request;

typedef struct {
    uint8_t *payload; /* EB_LINK_SEND_PAYLOAD bytes to write the answer into */
    size_t payload_bytes;
    uint32_t detail; /* of an error */
} eb_answer;

typedef struct {
    eb_parser parser;
    uint32_t session; /* 0: none */
    uint32_t repeated;
    uint32_t stale;
    uint32_t newest_crc; /* of the newest request: a repetition is equal in every bit */
    uint16_t newest;     /* its sequence number */
    uint16_t events;     /* sequence number of the next event */
    size_t answer_bytes; /* of the newest request's answer, raw */
    uint8_t answer[EB_LINK_FRAME_BYTES(EB_LINK_SEND_PAYLOAD)];
    uint8_t event[EB_LINK_FRAME_BYTES(EB_LINK_SEND_PAYLOAD)];
} eb_server;

void eb_server_reset(eb_server *server);

/* Takes a byte from the line; carries out the request that it completes, if it completes one. */
void eb_server_push(eb_server *server, uint8_t byte);

/* Where an event's payload is written before eb_server_send_event. */
uint8_t *eb_server_event(eb_server *server);

void eb_server_send_event(eb_server *server, uint8_t kind, size_t payload_bytes);

/* The application has these three: it carries a request out, returning 0 and the answer, or one of
 * EB_ERROR_* and a detail; it leaves what the session before has begun; it tells the time in
 * microseconds. */
uint8_t eb_server_handle(const eb_request *request, eb_answer *answer);
void eb_server_opened(void);
uint32_t eb_server_micros(void);

#endif
