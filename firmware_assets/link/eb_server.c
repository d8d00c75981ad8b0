// SPDX-License-Identifier: Apache-2.0
// Copyright edgebio contributors

#include "eb_server.h"

void eb_server_reset(eb_server *server)
{
    server->session = 0;
    server->repeated = 0;
    server->stale = 0;
    server->newest = 0;
    server->events = 0;
    server->newest_crc = 0;
    server->answer_bytes = 0;
    eb_parser_reset(&server->parser);
}

static uint8_t ping(eb_server *server, const eb_frame *frame, eb_answer *answer)
{
    eb_ping_request request;

    if (!eb_ping_request_read(&request, frame->payload, frame->payload_bytes) ||
        request.session == 0 || request.open > 1) {
        answer->detail = (uint32_t)frame->payload_bytes;
        return EB_ERROR_PAYLOAD;
    }
    if (server->session != request.session) {
        if (!request.open) {
            return EB_ERROR_SESSION;
        }
        server->session = request.session;
        eb_server_opened();
    }
    const eb_ping_answer written = {.session = request.session, .time_us = eb_server_micros()};
    answer->payload_bytes = eb_ping_answer_write(&written, answer->payload);
    return 0;
}

static uint8_t execute(eb_server *server, const eb_frame *frame, eb_answer *answer)
{
    if (frame->version != EB_PROTOCOL_VERSION) {
        answer->detail = EB_PROTOCOL_VERSION;
        return EB_ERROR_VERSION;
    }
    if (frame->kind == EB_KIND_PING) {
        return ping(server, frame, answer);
    }
    if (server->session == 0) {
        return EB_ERROR_SESSION;
    }
    const eb_request request = {
        .kind = frame->kind, .payload = frame->payload, .payload_bytes = frame->payload_bytes};
    return eb_server_handle(&request, answer);
}

/* Whether this request opens a new session. */
static bool opens(const eb_server *server, const eb_frame *frame)
{
    eb_ping_request request;

    return frame->kind == EB_KIND_PING &&
           eb_ping_request_read(&request, frame->payload, frame->payload_bytes) &&
           request.open != 0 && request.session != server->session;
}

static void receive(eb_server *server, const eb_frame *frame)
{
    if (server->session != 0) {
        if (frame->sequence == server->newest && frame->crc == server->newest_crc) {
            server->repeated++;
            eb_link_send(server->answer, server->answer_bytes);
            return;
        }
        /* Serial number arithmetic (RFC 1982). */
        const uint16_t ahead = (uint16_t)(frame->sequence - server->newest);
        if ((ahead == 0 || ahead >= 0x8000u) && !opens(server, frame)) {
            server->stale++;
            return;
        }
    }
    eb_answer answer = {
        .payload = server->answer + EB_FRAME_HEADER_BYTES, .payload_bytes = 0, .detail = 0};
    uint8_t kind = frame->kind | EB_ANSWER;
    const uint8_t code = execute(server, frame, &answer);
    if (code != 0) {
        const eb_error_event error = {.code = code, .detail = answer.detail};
        kind = EB_KIND_ERROR;
        answer.payload_bytes = eb_error_event_write(&error, answer.payload);
    }
    server->newest = frame->sequence;
    server->newest_crc = frame->crc;
    server->answer_bytes =
        eb_link_seal(server->answer, kind, frame->sequence, answer.payload_bytes);
    eb_link_send(server->answer, server->answer_bytes);
}

void eb_server_push(eb_server *server, uint8_t byte)
{
    eb_frame frame;

    if (eb_parser_push(&server->parser, byte, &frame)) {
        receive(server, &frame);
    }
}

uint8_t *eb_server_event(eb_server *server)
{
    return server->event + EB_FRAME_HEADER_BYTES;
}

void eb_server_send_event(eb_server *server, uint8_t kind, size_t payload_bytes)
{
    const size_t raw = eb_link_seal(server->event, kind, server->events++, payload_bytes);

    eb_link_send(server->event, raw);
}
