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
    eb_decision_state votes;
    uint8_t kept[EB_STREAM_KEPT][DECISION_BYTES]; /* as sent; decision i in place i modulo */
} stream;

void eb_stream_init(eb_server *server)
{
    stream.server = server;
    stream.open = false;
}

bool eb_stream_open(void)
{
    return stream.open;
}

void eb_stream_close(void)
{
    stream.open = false;
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
}

uint8_t eb_stream_start(const eb_request *request, eb_answer *answer)
{
    eb_stream_start_request start;

    answer->detail = (uint32_t)request->payload_bytes;
    if (!eb_stream_start_request_read(&start, request->payload, request->payload_bytes) ||
        start.on_gap > EB_ON_GAP_RESTART) {
        return EB_ERROR_PAYLOAD;
    }
    eb_run_forget();
    stream.open = true;
    stream.on_gap = start.on_gap;
    stream.decisions = 0;
    stream.decided = 0;
    stream.gaps = 0;
    begin_at(0);
    return 0;
}

/* Runs the network on the image that is due, keeps the decision and sends it. */
static void decide(void)
{
    const int8_t *image = eb_frontend_image(&eb_frontend_settings, eb_work.frontend);
    const uint32_t start = port_micros();

    (void)eb_network_run(image);
    const uint8_t winner = eb_decision_winner(&eb_decision_settings, eb_network_output);
    const uint8_t decision = eb_decision_vote(&eb_decision_settings, &stream.votes, winner);
    const uint32_t now = port_micros();
    const eb_decision_event event = {
        .index = stream.decisions,
        .origin = stream.origin,
        .end = stream.next,
        .time = now,
        .frontend_us = stream.frontend_us,
        .compute_us = now - start,
        .image_crc = eb_crc32(0, (const uint8_t *)image, EB_FRONTEND_IMAGE_BYTES),
        .winner = winner,
        .decision = decision,
        .logits = (const uint8_t *)eb_network_output,
        .logits_bytes = EB_MODEL_OUTPUT_BYTES,
    };
    uint8_t *kept = stream.kept[stream.decisions % EB_STREAM_KEPT];
    const size_t bytes = eb_decision_event_write(&event, kept);
    stream.decisions++;
    stream.frontend_us = 0;
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
            known = 0;
        }
    } else if (known < piece.count) {
        stream.waiting = false;
    }
    if (!stream.waiting && known < piece.count) {
        take(&piece, known);
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
    stream.open = false;
    answer->payload_bytes = eb_stream_stop_answer_write(&written, answer->payload);
    return 0;
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

#endif
