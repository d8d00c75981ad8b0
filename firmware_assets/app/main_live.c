// SPDX-License-Identifier: Apache-2.0
// Copyright edgebio contributors

/* The application of a device that stands alone: decides first, and executes the requests of the link in the
 * time that is left. */

#include "eb_information.h"
#include "eb_live.h"
#include "eb_server.h"
#include "eb_watch.h"
#include "port.h"
#include "source_config.h"
#if EB_SOURCE_IS_LINK
#include "eb_source_link.h"
#endif

/* Received bytes that are read between two turns of the loop, however many wait. */
#define TURN_BYTES 64u

static eb_server server;

static uint8_t handle_empty(const eb_request *request, eb_answer *answer)
{
    if (request->payload_bytes != 0) {
        answer->detail = (uint32_t)request->payload_bytes;
        return EB_ERROR_PAYLOAD;
    }
    switch (request->kind) {
#if EB_SOURCE_IS_LINK
    case EB_KIND_STREAM_STOP:
        return eb_source_link_stop(answer);
#endif
    case EB_KIND_SETTINGS:
        return eb_live_settings(answer);
    default:
        return eb_live_current_decision(answer);
    }
}

uint8_t eb_server_handle(const eb_request *request, eb_answer *answer)
{
    uint8_t code;

    if (eb_information_handle(request, answer, &code)) {
        return code;
    }
    switch (request->kind) {
#if EB_SOURCE_IS_LINK
    case EB_KIND_STREAM_START:
        return eb_source_link_start(request, answer);
    case EB_KIND_STREAM_SAMPLES:
        return eb_source_link_samples(request, answer);
    case EB_KIND_STREAM_STOP:
#endif
    case EB_KIND_SETTINGS:
    case EB_KIND_CURRENT_DECISION:
        return handle_empty(request, answer);
    case EB_KIND_CONFIGURE:
        return eb_live_configure(request, answer);
    case EB_KIND_WATCH:
        return eb_watch_watch(request, answer);
    case EB_KIND_RECORD:
        return eb_watch_record(request, answer);
    case EB_KIND_CUE:
        return eb_watch_cue(request, answer);
#if !EB_SOURCE_IS_LINK
    case EB_KIND_STREAM_START:
    case EB_KIND_STREAM_SAMPLES:
    case EB_KIND_STREAM_STOP:
#endif
    case EB_KIND_STREAM_RECALL:
    case EB_KIND_UPLOAD:
    case EB_KIND_RUN_IMAGE:
    case EB_KIND_RUN_SEGMENT:
    case EB_KIND_OUTPUT:
        return EB_ERROR_STANDALONE; /* they need the memory of the front end */
    default:
        answer->detail = request->kind;
        return EB_ERROR_REQUEST;
    }
}

void eb_server_opened(void)
{
    eb_watch_forget();
    eb_live_restore();
}

uint32_t eb_server_micros(void)
{
    return port_micros();
}

void eb_link_write(const uint8_t *bytes, size_t count)
{
    port_write(bytes, count);
}

/* Executes requests, a bounded share, and only where the answer finds room: a host that does not read
 * waits for nobody but itself. */
static bool serve(void)
{
    uint8_t byte;

    for (uint32_t i = 0; i < TURN_BYTES; i++) {
        if (!eb_watch_has_room() || port_read(&byte, 1) == 0) {
            return i != 0;
        }
        eb_server_push(&server, byte);
        eb_information_restart_if_wanted();
    }
    return true;
}

int main(void)
{
    port_init();
    eb_server_reset(&server);
    eb_information_init(&server);
    eb_watch_init(&server);
    eb_live_init(&server);
    for (;;) {
        const bool decided = eb_live_step();
        const bool served = serve();
        if (!decided && !served && !eb_information_step()) {
            port_idle();
        }
    }
}
