// SPDX-License-Identifier: Apache-2.0
// Copyright edgebio contributors

#include "eb_information.h"

#include <string.h>

#include "app_config.h"
#include "eb_network.h"
#include "eb_sha256.h"
#include "frontend_config.h"
#include "port.h"
#if EB_STANDALONE
#include "eb_live.h"
#include "eb_sink.h"
#include "eb_watch.h"
#include "sink_config.h"
#include "source_config.h"
#else
#include "eb_stream.h"
#endif

#if EB_HAS_FRONTEND
#include "decision_config.h"
#endif

_Static_assert((unsigned)PORT_START_FAULT == EB_START_CAUSE_FAULT &&
                   (unsigned)PORT_START_WATCHDOG == EB_START_CAUSE_WATCHDOG &&
                   (unsigned)PORT_START_BROWNOUT == EB_START_CAUSE_BROWNOUT,
               "the wire and the port number the causes alike");

#define STEP_BYTES 128u /* below a millisecond on the slowest board */

static const eb_server *the_server;
static bool restart_wanted, bootloader_wanted;
static eb_sha256_state reading;
static bool is_read;
static uint8_t digest[EB_SHA256_BYTES];

void eb_information_init(const eb_server *server)
{
    const uint8_t *bytes;
    const size_t count = port_image(&bytes);

    the_server = server;
    eb_sha256_start(&reading, bytes, count);
    is_read = false;
}

bool eb_information_step(void)
{
    if (is_read) {
        return false;
    }
    is_read = eb_sha256_go_on(&reading, STEP_BYTES, digest);
    return true;
}

void eb_information_restart_if_wanted(void)
{
#if EB_STANDALONE
    if (restart_wanted || bootloader_wanted) {
        eb_sink_rest(); /* pulses may go on through a reset of the core */
    }
#endif
    if (restart_wanted) {
        port_reset();
    }
    if (bootloader_wanted) {
        port_enter_bootloader();
    }
}

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
#if EB_STANDALONE
        .standalone = 1,
        .source = EB_SOURCE_NAME,
        .sink = EB_SINK_NAME,
#else
        .decision_slots = EB_STREAM_DECISION_SLOTS,
#endif
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
        .frames = the_server->parser.frames,
        .damaged_frames = the_server->parser.damaged,
        .repeated_requests = the_server->repeated,
        .stale_requests = the_server->stale,
        .overrun_bytes = port_rx_overruns(),
        .images = eb_network_counted.images,
        .slowest_us = eb_network_counted.slowest,
        .stack_used = port_stack_used(),
        .stack_size = port_stack_size(),
        .start_cause = (uint8_t)port_start_cause(),
        .fault_pc = fault ? fault->pc : 0,
        .fault_lr = fault ? fault->lr : 0,
        .fault_status = fault ? fault->status : 0,
        .fault_address = fault ? fault->address : 0,
        .clock = port_clock_fallback() ? EB_CLOCK_INTERNAL : EB_CLOCK_CRYSTAL,
#if EB_STANDALONE
        .source_frames = eb_live_counted.frames,
        .source_lost = eb_live_counted.lost,
        .decisions = eb_live_counted.decisions,
        .dropped_records = eb_watch_dropped(),
#else
        .gaps = eb_stream_gaps(),
#endif
    };
    answer->payload_bytes = eb_statistics_answer_write(&written, answer->payload);
}

static uint8_t image(eb_answer *answer)
{
    eb_image_answer written = {.size = (uint32_t)reading.count};

    if (!EB_STANDALONE) {
        eb_information_init(the_server); /* as it is now */
        is_read = eb_sha256_go_on(&reading, SIZE_MAX, digest);
    }
    if (!is_read) {
        answer->detail = (uint32_t)reading.at;
        return EB_ERROR_INCOMPLETE;
    }
    if (reading.count != 0) {
        memcpy(written.sha256, digest, sizeof written.sha256);
    }
    answer->payload_bytes = eb_image_answer_write(&written, answer->payload);
    if (EB_STANDALONE) {
        eb_information_init(the_server); /* the next request sees the image anew */
    }
    return 0;
}

bool eb_information_handle(const eb_request *request, eb_answer *answer, uint8_t *code)
{
    switch (request->kind) {
    case EB_KIND_IDENTIFY:
    case EB_KIND_DESCRIBE:
    case EB_KIND_STATISTICS:
    case EB_KIND_IMAGE:
    case EB_KIND_RESET:
        break;
    case EB_KIND_ENTER_BOOTLOADER:
        if (port_has_bootloader()) {
            break;
        }
        return false;
    default:
        return false;
    }
    *code = 0;
    if (request->payload_bytes != 0) { /* these have no fields */
        answer->detail = (uint32_t)request->payload_bytes;
        *code = EB_ERROR_PAYLOAD;
    } else if (request->kind == EB_KIND_IDENTIFY) {
        identify(answer);
    } else if (request->kind == EB_KIND_DESCRIBE) {
        describe(answer);
    } else if (request->kind == EB_KIND_STATISTICS) {
        statistics(answer);
    } else if (request->kind == EB_KIND_IMAGE) {
        *code = image(answer);
    } else if (request->kind == EB_KIND_ENTER_BOOTLOADER) {
        bootloader_wanted = true;
    } else {
        restart_wanted = true;
    }
    return true;
}
