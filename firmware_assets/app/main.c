// SPDX-License-Identifier: Apache-2.0
// Copyright edgebio contributors

/* The device application: executes the requests of the link, one at a time. */

#include "eb_information.h"
#include "eb_run.h"
#include "eb_server.h"
#include "eb_stream.h"
#ifdef EB_LINK_TRACE
#include "eb_trace_link.h"
#endif
#include "port.h"

static eb_server server;

uint8_t eb_server_handle(const eb_request *request, eb_answer *answer)
{
    uint8_t code;

    if (eb_information_handle(request, answer, &code)) {
        return code;
    }
    switch (request->kind) {
    case EB_KIND_UPLOAD:
        return eb_run_upload(request, answer);
    case EB_KIND_RUN_IMAGE:
        return eb_run_image(request, answer);
    case EB_KIND_RUN_SEGMENT:
        return eb_run_segment(request, answer);
    case EB_KIND_OUTPUT:
        return eb_run_output(request, answer);
    case EB_KIND_STREAM_START:
        return eb_stream_start(request, answer);
    case EB_KIND_STREAM_SAMPLES:
        return eb_stream_samples(request, answer);
    case EB_KIND_STREAM_RECALL:
        return eb_stream_recall(request, answer);
#ifdef EB_LINK_TRACE
    case EB_KIND_TRACE_BEGIN:
        return eb_trace_begin(request, answer);
#endif
    case EB_KIND_CONFIGURE:
        return eb_stream_configure(request, answer);
    case EB_KIND_WATCH:
    case EB_KIND_RECORD:
    case EB_KIND_CUE:
        return EB_ERROR_LINKED;
    case EB_KIND_STREAM_STOP:
    case EB_KIND_CURRENT_DECISION:
    case EB_KIND_SETTINGS:
#ifdef EB_LINK_TRACE
    case EB_KIND_TRACE_END:
#endif
        break;
    default:
        answer->detail = request->kind;
        return EB_ERROR_REQUEST;
    }
    /* These have no fields. */
    if (request->payload_bytes != 0) {
        answer->detail = (uint32_t)request->payload_bytes;
        return EB_ERROR_PAYLOAD;
    }
    switch (request->kind) {
#ifdef EB_LINK_TRACE
    case EB_KIND_TRACE_END:
        return eb_trace_end(answer);
#endif
    case EB_KIND_SETTINGS:
        return eb_stream_settings(answer);
    case EB_KIND_CURRENT_DECISION:
        return eb_stream_current_decision(answer);
    default:
        return eb_stream_stop(answer);
    }
}

void eb_server_opened(void)
{
    eb_stream_close();
    eb_stream_restore();
    eb_run_forget();
#ifdef EB_LINK_TRACE
    eb_trace_forget();
#endif
}

uint32_t eb_server_micros(void)
{
    return port_micros();
}

void eb_link_write(const uint8_t *bytes, size_t count)
{
    port_write(bytes, count);
}

int main(void)
{
    static uint8_t bytes[256];

    port_init();
    eb_server_reset(&server);
    eb_information_init(&server);
    eb_stream_init(&server);
#ifdef EB_LINK_TRACE
    eb_trace_init(&server);
#endif
    for (;;) {
        port_watchdog_feed();
        const size_t count = port_read(bytes, sizeof bytes);
        for (size_t i = 0; i < count; i++) {
            eb_server_push(&server, bytes[i]);
            eb_information_restart_if_wanted();
        }
        eb_stream_check_timeout();
        if (count == 0) {
            port_idle();
        }
    }
}
