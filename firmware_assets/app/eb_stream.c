#include "eb_stream.h"

#include "eb_run.h"
#include "eb_samples.h"
#include "eb_work.h"

#if EB_HAS_FRONTEND

#include "decision_config.h"
#include "eb_network.h"
#include "port.h"

#define DECISION_BYTES (EB_DECISION_EVENT_BYTES + EB_MODEL_OUTPUT_BYTES)

_Static_assert(DECISION_BYTES <= EB_LINK_SEND_PAYLOAD, "a decision fits into a frame");
_Static_assert((unsigned)EB_DECISION_BY_VOTE == EB_REASON_VOTE &&
                   (unsigned)EB_DECISION_UNCERTAIN == EB_REASON_UNCERTAIN &&
                   (unsigned)EB_DECISION_QUIET == EB_REASON_QUIET &&
                   (unsigned)EB_DECISION_HELD == EB_REASON_HELD,
               "the wire numbers the reasons as the decision does");

static struct {
    eb_server *server;
    bool open;
    uint8_t on_gap;
    bool waiting;       /* for samples that are missing */
    uint32_t next;      /* number of the sample wanted next */
    uint32_t origin;    /* sample at which the front end began anew */
    uint32_t decisions; /* made */
    uint32_t decided;   /* that the host has */
    uint32_t gaps;      /* in this stream */
    uint32_t all_gaps;
    uint32_t frontend_us; /* since the last decision */
    uint32_t heard;       /* time at which samples were last taken, or a time-out said */
    bool timed;
    bool late;      /* a time-out has been said, and no samples have been taken since */
    uint16_t anew;  /* times that the votes began anew */
    uint8_t now;    /* what is decided */
    uint8_t reason; /* and why */
    eb_decision_config settings;
    eb_decision_state votes;
    eb_activity activity;
    int16_t before[EB_FRONTEND_CHANNELS]; /* the sample before, for the activity */
    uint8_t kept[EB_STREAM_KEPT][DECISION_BYTES]; /* as sent; decision i in place i modulo */
} stream;

void eb_stream_init(eb_server *server)
{
    const port_start cause = port_start_cause();

    stream.server = server;
    stream.open = false;
    eb_stream_restore();
    stream.now = stream.settings.rest;
    stream.reason = cause == PORT_START_FAULT      ? EB_REASON_FAULT
                    : cause == PORT_START_WATCHDOG ? EB_REASON_WATCHDOG
                                                   : EB_REASON_START;
}

void eb_stream_restore(void)
{
    stream.settings = eb_decision_settings;
}

static size_t write_now(uint8_t *payload)
{
    const eb_rest_event event = {.time = port_micros(),
                                 .sample = stream.open ? stream.next : 0,
                                 .decision = stream.now,
                                 .reason = stream.reason};
    return eb_rest_event_write(&event, payload);
}

/* The decision is rest from here on, until a window is decided. */
static void rest(uint8_t reason)
{
    stream.now = stream.settings.rest;
    stream.reason = reason;
}

static void say_rest(void)
{
    const size_t bytes = write_now(eb_server_event(stream.server));

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

static void begin_at(uint32_t sample)
{
    stream.next = sample;
    stream.origin = sample;
    stream.waiting = false;
    stream.frontend_us = 0;
    eb_frontend_reset(&eb_frontend_settings, eb_work.frontend);
    eb_decision_reset(&stream.votes);
    eb_activity_reset(&stream.activity);
}

uint8_t eb_stream_start(const eb_request *request, eb_answer *answer)
{
    eb_stream_start_request start;

    answer->detail = (uint32_t)request->payload_bytes;
    if (!eb_stream_start_request_read(&start, request->payload, request->payload_bytes) ||
        start.on_gap > EB_ON_GAP_RESTART || start.timed > 1) {
        return EB_ERROR_PAYLOAD;
    }
    eb_run_forget();
    stream.open = true;
    stream.on_gap = start.on_gap;
    stream.decisions = 0;
    stream.decided = 0;
    stream.gaps = 0;
    stream.anew = 0;
    stream.timed = start.timed != 0;
    stream.late = false;
    stream.heard = port_micros();
    begin_at(0);
    /* After a fault or a hang the reason stays that, until a window has been decided. */
    if (stream.reason != EB_REASON_FAULT && stream.reason != EB_REASON_WATCHDOG) {
        rest(EB_REASON_START);
    }
    say_rest();
    return 0;
}

/* Runs the network on the image that is due, keeps the decision and sends it. */
static void decide(void)
{
    const int8_t *image = eb_frontend_image(&eb_frontend_settings, eb_work.frontend);
    const uint32_t start = port_micros();

    (void)eb_network_run(image);
    const uint32_t activity = eb_activity_take(&stream.activity);
    const eb_decision_made made =
        eb_decision_window(&stream.settings, &stream.votes, eb_network_output, activity);
    const uint32_t now = port_micros();
    const eb_decision_event event = {
        .index = stream.decisions,
        .origin = stream.origin,
        .end = stream.next,
        .time = now,
        .frontend_us = stream.frontend_us,
        .compute_us = now - start,
        .image_crc = eb_crc32(0, (const uint8_t *)image, EB_FRONTEND_IMAGE_BYTES),
        .activity = activity,
        .anew = stream.anew,
        .winner = made.winner,
        .decision = made.decision,
        .reason = made.reason,
        .logits = (const uint8_t *)eb_network_output,
        .logits_bytes = EB_MODEL_OUTPUT_BYTES,
    };
    uint8_t *kept = stream.kept[stream.decisions % EB_STREAM_KEPT];
    const size_t bytes = eb_decision_event_write(&event, kept);
    stream.decisions++;
    stream.frontend_us = 0;
    stream.now = made.decision;
    stream.reason = made.reason;
    memcpy(eb_server_event(stream.server), kept, bytes);
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
    say_rest();
}

/* Takes samples, all from `known` on, or until too many decisions wait for the host. */
static void take(const eb_stream_samples_request *piece, uint32_t known)
{
    while (known < piece->count && stream.decisions - stream.decided < EB_STREAM_KEPT) {
        bool due;
        const uint32_t start = port_micros();
        const uint32_t taken = eb_work_push(piece->packed, piece->bits, known, piece->count, &due);
        stream.frontend_us += port_micros() - start;
        stream.next += taken - known;
        known = taken;
        if (due) {
            decide();
            port_watchdog_feed(); /* a piece may hold many windows */
        }
    }
}

uint8_t eb_stream_samples(const eb_request *request, eb_answer *answer)
{
    eb_stream_samples_request piece;

    answer->detail = (uint32_t)request->payload_bytes;
    if (!eb_stream_samples_request_read(&piece, request->payload, request->payload_bytes) ||
        piece.bits < 1 || piece.bits > EB_SAMPLES_MOST_BITS ||
        piece.packed_bytes != eb_samples_bytes(piece.count * EB_FRONTEND_CHANNELS, piece.bits)) {
        return EB_ERROR_PAYLOAD;
    }
    if (!stream.open) {
        return EB_ERROR_IDLE;
    }
    if (piece.decided - stream.decided > stream.decisions - stream.decided) {
        /* Not between what the host had and what there is: from another stream, or made up. */
        answer->detail = stream.decisions;
        return EB_ERROR_RANGE;
    }
    stream.decided = piece.decided;
    /* Differences, so that a stream may outlast 2^32 samples. */
    uint32_t known = stream.next - piece.first;
    if (known >= 0x80000000u) {
        if (!stream.waiting) {
            report_gap(piece.first);
        }
        stream.waiting = true;
        if (stream.on_gap == EB_ON_GAP_RESTART) {
            begin_at(piece.first);
            stream.anew++;
            known = 0;
        }
    } else if (known < piece.count) {
        stream.waiting = false;
    }
    if (!stream.waiting && known < piece.count) {
        const uint32_t before = stream.next;
        take(&piece, known);
        if (stream.next != before) {
            stream.heard = port_micros();
            stream.late = false;
        }
    }
    const eb_stream_samples_answer written = {
        .next = stream.next, .decisions = stream.decisions};
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
    if (wanted.index - stream.decided >= stream.decisions - stream.decided) {
        answer->detail = stream.decisions;
        return EB_ERROR_RANGE;
    }
    memcpy(answer->payload, stream.kept[wanted.index % EB_STREAM_KEPT], DECISION_BYTES);
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
    const eb_settings_answer written = {
        .votes = stream.settings.votes,
        .hold = stream.settings.hold,
        .rest = stream.settings.rest,
        .least = (uint16_t)(stream.settings.least + 128),
        .limit = stream.settings.limit,
        .onset = stream.settings.onset,
        .timeout = stream.settings.timeout_ms,
    };
    answer->payload_bytes = eb_settings_answer_write(&written, answer->payload);
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
    if (wanted.votes < 1 || wanted.votes > EB_DECISION_MOST_VOTES || wanted.least > 256 ||
        (wanted.rest >= stream.settings.classes && wanted.rest != EB_DECISION_REST)) {
        return EB_ERROR_SETTING;
    }
    stream.settings.votes = wanted.votes;
    stream.settings.hold = wanted.hold;
    stream.settings.rest = wanted.rest;
    stream.settings.least = (int16_t)((int32_t)wanted.least - 128);
    stream.settings.limit = wanted.limit;
    stream.settings.onset = wanted.onset;
    stream.settings.timeout_ms = wanted.timeout;
    stream.now = stream.settings.rest; /* no stream is open, so it was rest before */
    return 0;
}

uint8_t eb_stream_now(eb_answer *answer)
{
    answer->payload_bytes = write_now(answer->payload);
    return 0;
}

void eb_stream_look(void)
{
    const uint32_t timeout = stream.settings.timeout_ms * 1000u;

    if (!stream.open || !stream.timed || timeout == 0 || port_micros() - stream.heard < timeout) {
        return;
    }
    stream.heard = port_micros();
    if (!stream.late) {
        stream.late = true;
        stream.anew++;
        eb_decision_reset(&stream.votes);
    }
    rest(EB_REASON_TIMEOUT);
    say_rest();
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

uint8_t eb_stream_now(eb_answer *answer)
{
    (void)answer;
    return EB_ERROR_FRONTEND;
}

void eb_stream_restore(void)
{
}

void eb_stream_look(void)
{
}

#endif
