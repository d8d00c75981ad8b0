// SPDX-License-Identifier: Apache-2.0
// Copyright edgebio contributors

/* The device's end of the link: frames in, each request executed once, answers out.
 *
 * The host repeats a request with the same sequence number if its answer was lost. A repeated request
 * gets the answer stored here and is not executed again. */

#ifndef EB_SERVER_H
#define EB_SERVER_H

#include "eb_link.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
    uint8_t kind;
    const uint8_t *payload;
    size_t payload_bytes;
} eb_request;

typedef struct {
    uint8_t *payload; /* room for EB_LINK_SEND_PAYLOAD bytes */
    size_t payload_bytes;
    uint32_t detail; /* of an error */
} eb_answer;

typedef struct {
    eb_parser parser;
    uint32_t session; /* 0: none */
    uint32_t repeated;
    uint32_t stale;
    uint32_t newest_crc; /* of the newest request: a repeated one is equal in every bit */
    uint16_t newest;     /* its sequence number */
    uint16_t events;     /* sequence number of the next event */
    size_t answer_bytes; /* of the answer to the newest request, raw */
    uint8_t answer[EB_LINK_FRAME_BYTES(EB_LINK_SEND_PAYLOAD)];
    uint8_t event[EB_LINK_FRAME_BYTES(EB_LINK_SEND_PAYLOAD)];
} eb_server;

void eb_server_reset(eb_server *server);

/* Takes a byte from the port; executes the request that it completes, if any. */
void eb_server_push(eb_server *server, uint8_t byte);

/* Buffer for the payload of an event, for eb_server_send_event. */
uint8_t *eb_server_event(eb_server *server);

void eb_server_send_event(eb_server *server, uint8_t kind, size_t payload_bytes);

/* The application defines these three. Execute a request: return 0 and the answer, or one of
 * EB_ERROR_* and a detail. */
uint8_t eb_server_handle(const eb_request *request, eb_answer *answer);

/* A new session has begun: end the work of the previous one. */
void eb_server_opened(void);

/* Time in microseconds. */
uint32_t eb_server_micros(void);

#ifdef __cplusplus
}
#endif

#endif
