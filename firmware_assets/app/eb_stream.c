// SPDX-License-Identifier: Apache-2.0
// Copyright edgebio contributors

#include "eb_stream.h"

#include "eb_run.h"
#include "eb_samples.h"
#include "eb_work.h"

#if EB_HAS_FRONTEND

#include "decision_config.h"
#include "eb_network.h"
#include "eb_settings.h"
#include "port.h"

#define DECISION_BYTES (EB_DECISION_EVENT_BYTES + EB_MODEL_OUTPUT_BYTES)

_Static_assert(DECISION_BYTES <= EB_LINK_SEND_PAYLOAD, "a decision fits into a frame");
_Static_assert((unsigned)EB_DECISION_BY_VOTE == EB_REASON_VOTE &&
                   (unsigned)EB_DECISION_UNCERTAIN == EB_REASON_UNCERTAIN &&
                   (unsigned)EB_DECISION_QUIET == EB_REASON_QUIET &&
                   (unsigned)EB_DECISION_HELD == EB_REASON_HELD,
               "the wire and the decision number the reasons alike");

static struct {
    eb_server *server;
    bool open;
    uint8_t on_gap;
    bool waiting;       /* for missing samples */
    uint32_t next;      /* index of the next sample */
    uint32_t origin;    /* first sample since the front end was reset */
    uint32_t decisions; /* in this stream */
    uint32_t received;  /* of them, confirmed by the host */
    uint32_t gaps;      /* in this stream */
    uint32_t all_gaps;
    uint32_t frontend_us; /* since the last decision */
    uint32_t last_us;     /* time of the last samples, or of the last time-out */
    bool real_time;
    bool timed_out;       /* and no samples accepted since */
    uint16_t vote_resets; /* in this stream */
    uint8_t decision;     /* the current one, and its reason */
    uint8_t reason;
    eb_decision_config settings;
    eb_decision_state votes;
    eb_activity activity;
    int16_t before[EB_FRONTEND_CHANNELS]; /* the previous sample, for the activity */
    /* Decision i is in slot i modulo EB_STREAM_DECISION_SLOTS, as it was sent. */
    uint8_t slots[EB_STREAM_DECISION_SLOTS][DECISION_BYTES];
} stream;

void eb_stream_init(eb_server *server)
{
    const port_start cause = port_start_cause();

    stream.server = server;
    stream.open = false;
    eb_stream_restore();
    stream.decision = stream.settings.rest;
    stream.reason = cause == PORT_START_FAULT      ? EB_REASON_FAULT
                    : cause == PORT_START_WATCHDOG ? EB_REASON_WATCHDOG
                                                   : EB_REASON_START;
}

void eb_stream_restore(void)
{
    stream.settings = eb_decision_settings;
}

static size_t write_rest(uint8_t *payload)
{
    const eb_rest_event event = {.time_us = port_micros(),
                                 .next_sample = stream.open ? stream.next : 0,
                                 .decision = stream.decision,
                                 .reason = stream.reason};
    return eb_rest_event_write(&event, payload);
}

/* Makes the decision rest until a segment is decided. */
static void rest(uint8_t reason)
{
    stream.decision = stream.settings.rest;
    stream.reason = reason;
}

static void send_rest(void)
{
    const size_t bytes = write_rest(eb_server_event(stream.server));

    eb_server_send_event(stream.server, EB_KIND_REST, bytes);
}

bool eb_stream_open(void)
{
    return stream.open;
}

void eb_stream_close(void)
{
    if (stream.open) {
        rest(EB_REASON_STOPPED);
    }
    stream.open = false;
}

void eb_work_sample(const int16_t *sample)
{
    eb_activity_push(&stream.activity, stream.before, sample, EB_FRONTEND_CHANNELS);
}

uint32_t eb_stream_gaps(void)
{
    return stream.all_gaps;
}

static void start_at(uint32_t sample)
{
    stream.next = sample;
    stream.origin = sample;
    stream.waiting = false;
    stream.frontend_us = 0;
    eb_frontend_reset(&eb_frontend_settings, eb_work.frontend);
    eb_network_restart();
    eb_decision_reset(&stream.votes);
    eb_activity_reset(&stream.activity);
}

uint8_t eb_stream_start(const eb_request *request, eb_answer *answer)
{
    eb_stream_start_request start;

    answer->detail = (uint32_t)request->payload_bytes;
    if (!eb_stream_start_request_read(&start, request->payload, request->payload_bytes) ||
        start.on_gap > EB_ON_GAP_RESTART || start.real_time > 1) {
        return EB_ERROR_PAYLOAD;
    }
    eb_run_forget();
    stream.open = true;
    stream.on_gap = start.on_gap;
    stream.decisions = 0;
    stream.received = 0;
    stream.gaps = 0;
    stream.vote_resets = 0;
    stream.real_time = start.real_time != 0;
    stream.timed_out = false;
    stream.last_us = port_micros();
    start_at(0);
    /* After a fault or a hang the reason stays until a segment has been decided. */
    if (stream.reason != EB_REASON_FAULT && stream.reason != EB_REASON_WATCHDOG) {
        rest(EB_REASON_START);
    }
    send_rest();
    return 0;
}

/* Runs the network on the image that is due, stores the decision and sends it. */
static void decide(void)
{
    const int8_t *image = eb_frontend_image(&eb_frontend_settings, eb_work.frontend);
    const uint32_t start = port_micros();

    (void)eb_network_follow(image);
    const uint32_t activity = eb_activity_take(&stream.activity);
    const eb_decision_result result =
        eb_decide(&stream.settings, &stream.votes, eb_network_output, activity);
    const uint32_t now = port_micros();
    const eb_decision_event event = {
        .index = stream.decisions,
        .origin = stream.origin,
        .end = stream.next,
        .time_us = now,
        .frontend_us = stream.frontend_us,
        .compute_us = now - start,
        .image_crc = eb_crc32(0, (const uint8_t *)image, EB_FRONTEND_IMAGE_BYTES),
        .activity = activity,
        .vote_resets = stream.vote_resets,
        .winner = result.winner,
        .decision = result.decision,
        .reason = result.reason,
        .logits = (const uint8_t *)eb_network_output,
        .logits_bytes = EB_MODEL_OUTPUT_BYTES,
    };
    uint8_t *slot = stream.slots[stream.decisions % EB_STREAM_DECISION_SLOTS];
    const size_t bytes = eb_decision_event_write(&event, slot);
    stream.decisions++;
    stream.frontend_us = 0;
    stream.decision = result.decision;
    stream.reason = result.reason;
    memcpy(eb_server_event(stream.server), slot, bytes);
    eb_server_send_event(stream.server, EB_KIND_DECISION, bytes);
}

static void report_gap(uint32_t received)
{
    const eb_gap_event event = {.expected = stream.next, .received = received};

    stream.gaps++;
    stream.all_gaps++;
    const size_t bytes = eb_gap_event_write(&event, eb_server_event(stream.server));
    eb_server_send_event(stream.server, EB_KIND_GAP, bytes);
    rest(EB_REASON_GAP);
    send_rest();
}

/* Accepts samples from `known` on, until all slots for decisions are occupied. */
static void accept(const eb_stream_samples_request *piece, uint32_t known)
{
    while (known < piece->count && stream.decisions - stream.received < EB_STREAM_DECISION_SLOTS) {
        bool due;
        const uint32_t start = port_micros();
        const uint32_t taken = eb_work_push(piece->packed, piece->bits, known, piece->count, &due);
        stream.frontend_us += port_micros() - start;
        stream.next += taken - known;
        known = taken;
        if (due) {
            decide();
            port_watchdog_feed(); /* a piece may hold many segments */
        }
    }
}

uint8_t eb_stream_samples(const eb_request *request, eb_answer *answer)
{
    eb_stream_samples_request piece;

    answer->detail = (uint32_t)request->payload_bytes;
    if (!eb_stream_samples_request_read(&piece, request->payload, request->payload_bytes) ||
        piece.bits < 1 || piece.bits > EB_SAMPLES_MAX_BITS ||
        piece.packed_bytes != eb_samples_bytes(piece.count * EB_FRONTEND_CHANNELS, piece.bits)) {
        return EB_ERROR_PAYLOAD;
    }
    if (!stream.open) {
        return EB_ERROR_IDLE;
    }
    if (piece.received - stream.received > stream.decisions - stream.received) {
        /* Outside of what the host can have received in this stream. */
        answer->detail = stream.decisions;
        return EB_ERROR_RANGE;
    }
    stream.received = piece.received;
    /* Differences: a stream may be longer than 2^32 samples. */
    uint32_t known = stream.next - piece.first;
    if (known >= 0x80000000u) {
        if (!stream.waiting) {
            report_gap(piece.first);
        }
        stream.waiting = true;
        if (stream.on_gap == EB_ON_GAP_RESTART) {
            start_at(piece.first);
            stream.vote_resets++;
            known = 0;
        }
    } else if (known < piece.count) {
        stream.waiting = false;
    }
    if (!stream.waiting && known < piece.count) {
        const uint32_t before = stream.next;
        accept(&piece, known);
        if (stream.next != before) {
            stream.last_us = port_micros();
            stream.timed_out = false;
        }
    }
    const eb_stream_samples_answer written = {.next_sample = stream.next,
                                              .decisions = stream.decisions};
    answer->payload_bytes = eb_stream_samples_answer_write(&written, answer->payload);
    return 0;
}

uint8_t eb_stream_recall(const eb_request *request, eb_answer *answer)
{
    eb_stream_recall_request wanted;

    if (!eb_stream_recall_request_read(&wanted, request->payload, request->payload_bytes)) {
        answer->detail = (uint32_t)request->payload_bytes;
        return EB_ERROR_PAYLOAD;
    }
    if (!stream.open) {
        return EB_ERROR_IDLE;
    }
    if (wanted.index - stream.received >= stream.decisions - stream.received) {
        answer->detail = stream.decisions;
        return EB_ERROR_RANGE;
    }
    memcpy(answer->payload, stream.slots[wanted.index % EB_STREAM_DECISION_SLOTS], DECISION_BYTES);
    answer->payload_bytes = DECISION_BYTES;
    return 0;
}

uint8_t eb_stream_stop(eb_answer *answer)
{
    if (!stream.open) {
        return EB_ERROR_IDLE;
    }
    const eb_stream_stop_answer written = {
        .samples = stream.next, .decisions = stream.decisions, .gaps = stream.gaps};
    eb_stream_close();
    answer->payload_bytes = eb_stream_stop_answer_write(&written, answer->payload);
    return 0;
}

uint8_t eb_stream_settings(eb_answer *answer)
{
    eb_settings_answer_of(&stream.settings, answer);
    return 0;
}

uint8_t eb_stream_configure(const eb_request *request, eb_answer *answer)
{
    eb_configure_request wanted;

    if (!eb_configure_request_read(&wanted, request->payload, request->payload_bytes)) {
        answer->detail = (uint32_t)request->payload_bytes;
        return EB_ERROR_PAYLOAD;
    }
    if (stream.open) {
        return EB_ERROR_STREAMING;
    }
    if (!eb_settings_fit(&wanted, &eb_decision_settings)) {
        return EB_ERROR_SETTING;
    }
    eb_settings_take(&wanted, &stream.settings);
    return 0;
}

uint8_t eb_stream_current_decision(eb_answer *answer)
{
    answer->payload_bytes = write_rest(answer->payload);
    return 0;
}

void eb_stream_check_timeout(void)
{
    const uint32_t timeout = stream.settings.timeout_ms * 1000u;

    if (!stream.open || !stream.real_time || timeout == 0 ||
        port_micros() - stream.last_us < timeout) {
        return;
    }
    stream.last_us = port_micros();
    if (!stream.timed_out) {
        stream.timed_out = true;
        stream.vote_resets++;
        eb_decision_reset(&stream.votes);
    }
    rest(EB_REASON_TIMEOUT);
    send_rest();
}

#else /* an image without a front end has no streams */

void eb_stream_init(eb_server *server)
{
    (void)server;
}

bool eb_stream_open(void)
{
    return false;
}

void eb_stream_close(void)
{
}

uint32_t eb_stream_gaps(void)
{
    return 0;
}

static uint8_t refuse(const eb_request *request, eb_answer *answer)
{
    (void)request;
    (void)answer;
    return EB_ERROR_FRONTEND;
}

uint8_t eb_stream_start(const eb_request *request, eb_answer *answer)
{
    return refuse(request, answer);
}

uint8_t eb_stream_samples(const eb_request *request, eb_answer *answer)
{
    return refuse(request, answer);
}

uint8_t eb_stream_recall(const eb_request *request, eb_answer *answer)
{
    return refuse(request, answer);
}

uint8_t eb_stream_stop(eb_answer *answer)
{
    (void)answer;
    return EB_ERROR_FRONTEND;
}

uint8_t eb_stream_configure(const eb_request *request, eb_answer *answer)
{
    return refuse(request, answer);
}

uint8_t eb_stream_settings(eb_answer *answer)
{
    (void)answer;
    return EB_ERROR_FRONTEND;
}

uint8_t eb_stream_current_decision(eb_answer *answer)
{
    (void)answer;
    return EB_ERROR_FRONTEND;
}

void eb_stream_restore(void)
{
}

void eb_stream_check_timeout(void)
{
}

#endif
