// SPDX-License-Identifier: Apache-2.0
// Copyright edgebio contributors

/* The device application: executes the requests of the link, one at a time. */

#include <string.h>

#include "app_config.h"
#include "eb_network.h"
#include "eb_run.h"
#include "eb_server.h"
#include "eb_sha256.h"
#include "eb_stream.h"
#ifdef EB_LINK_TRACE
#include "eb_trace_link.h"
#endif
#include "eb_work.h"
#include "port.h"

#if EB_HAS_FRONTEND
#include "decision_config.h"
#endif

_Static_assert((unsigned)PORT_START_FAULT == EB_START_CAUSE_FAULT &&
                   (unsigned)PORT_START_WATCHDOG == EB_START_CAUSE_WATCHDOG,
               "the wire and the port number the causes alike");

static eb_server server;
static bool reset_wanted;

static void identify(eb_answer *answer)
{
    const eb_identify_answer written = {
        .board = EB_APP_BOARD,
        .cpu = EB_APP_CPU,
        .clock_hz = EB_APP_CLOCK_HZ,
        .build = EB_APP_BUILD,
        .receive_bytes = PORT_RECEIVE_BYTES,
        .payload_bytes = EB_LINK_RECEIVE_PAYLOAD,
    };
    answer->payload_bytes = eb_identify_answer_write(&written, answer->payload);
}

static void describe(eb_answer *answer)
{
    eb_describe_answer written = {
        .input_bytes = EB_MODEL_INPUT_BYTES,
        .output_bytes = EB_MODEL_OUTPUT_BYTES,
        .layers = EB_MODEL_LAYERS,
#if EB_HAS_FRONTEND
        .frontend = 1,
        .rate_millihz = EB_FRONTEND_RATE_MILLIHZ,
        .channels = EB_FRONTEND_CHANNELS,
        .segment_length = EB_FRONTEND_SEGMENT_LENGTH,
        .step = EB_FRONTEND_STEP,
        .votes = eb_decision_settings.votes,
        .decision_slots = EB_STREAM_DECISION_SLOTS,
#endif
    };
    memcpy(written.model_sha256, eb_model_sha256, sizeof written.model_sha256);
    answer->payload_bytes = eb_describe_answer_write(&written, answer->payload);
}

static void statistics(eb_answer *answer)
{
    const port_fault *fault = port_last_fault();
    const eb_statistics_answer written = {
        .time_us = port_micros(),
        .frames = server.parser.frames,
        .damaged_frames = server.parser.damaged,
        .repeated_requests = server.repeated,
        .stale_requests = server.stale,
        .overrun_bytes = port_rx_overruns(),
        .gaps = eb_stream_gaps(),
        .images = eb_network_counted.images,
        .slowest_us = eb_network_counted.slowest,
        .stack_used = port_stack_used(),
        .stack_size = port_stack_size(),
        .start_cause = (uint8_t)port_start_cause(),
        .fault_pc = fault ? fault->pc : 0,
        .fault_lr = fault ? fault->lr : 0,
        .fault_status = fault ? fault->status : 0,
        .fault_address = fault ? fault->address : 0,
    };
    answer->payload_bytes = eb_statistics_answer_write(&written, answer->payload);
}

static void image(eb_answer *answer)
{
    const uint8_t *bytes;
    const size_t count = port_image(&bytes);
    eb_image_answer written = {.size = (uint32_t)count};

    if (count != 0) {
        eb_sha256(bytes, count, written.sha256);
    }
    answer->payload_bytes = eb_image_answer_write(&written, answer->payload);
}

uint8_t eb_server_handle(const eb_request *request, eb_answer *answer)
{
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
    case EB_KIND_IDENTIFY:
    case EB_KIND_DESCRIBE:
    case EB_KIND_STATISTICS:
    case EB_KIND_RESET:
    case EB_KIND_STREAM_STOP:
    case EB_KIND_CURRENT_DECISION:
    case EB_KIND_SETTINGS:
    case EB_KIND_IMAGE:
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
    case EB_KIND_IDENTIFY:
        identify(answer);
        return 0;
    case EB_KIND_DESCRIBE:
        describe(answer);
        return 0;
    case EB_KIND_STATISTICS:
        statistics(answer);
        return 0;
    case EB_KIND_RESET:
        reset_wanted = true; /* once the answer is on its way */
        return 0;
    case EB_KIND_IMAGE:
        image(answer);
        return 0;
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
    eb_stream_init(&server);
#ifdef EB_LINK_TRACE
    eb_trace_init(&server);
#endif
    for (;;) {
        port_watchdog_feed();
        const size_t count = port_read(bytes, sizeof bytes);
        for (size_t i = 0; i < count; i++) {
            eb_server_push(&server, bytes[i]);
            if (reset_wanted) {
                port_reset();
            }
        }
        eb_stream_check_timeout();
        if (count == 0) {
            port_idle();
        }
    }
}
