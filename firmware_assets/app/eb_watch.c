// SPDX-License-Identifier: Apache-2.0
// Copyright edgebio contributors

#include "eb_watch.h"

#include "eb_live.h"
#include "eb_network.h"
#include "port.h"
#include "source_config.h"

/* A frame of the wire with COBS's codes and the delimiters. */
#define ENCODED(payload)                                                                           \
    (EB_LINK_FRAME_BYTES(payload) + (EB_LINK_FRAME_BYTES(payload) + 253u) / 254u + 2u)
#define ANSWER_ROOM ENCODED(EB_LINK_SEND_PAYLOAD)

#define PACKET_BYTES (EB_LINK_SEND_PAYLOAD - EB_SAMPLES_EVENT_BYTES)
#define PACKET_FRAMES (PACKET_BYTES / 2u / EB_SOURCE_CHANNELS)
#define PACKET_US 20000u /* samples wait for others at most this long */
#define COUNTERS_US 1000000u
#define PIECE_BYTES (EB_LINK_SEND_PAYLOAD - EB_IMAGE_PIECE_EVENT_BYTES)

_Static_assert(PACKET_FRAMES >= 1u, "a sample frame fits into a record");
_Static_assert(EB_DECISION_EVENT_BYTES + EB_MODEL_OUTPUT_BYTES <= EB_LINK_SEND_PAYLOAD,
               "a decision fits into a record");

static struct {
    eb_server *server;
    uint8_t mask;
    bool recording;
    uint32_t number; /* of the next record */
    uint32_t dropped;
    uint32_t counted_us; /* time of the last counters */
    /* Samples that wait: frames from `first` on. */
    uint32_t first;
    uint32_t time_us;
    uint32_t leads_off;
    uint32_t waiting_us; /* since when */
    uint16_t count;
    uint8_t values[PACKET_BYTES];
} watch;

void eb_watch_init(eb_server *server)
{
    watch.server = server;
    eb_watch_forget();
}

void eb_watch_forget(void)
{
    watch.mask = 0;
    watch.recording = false;
    watch.count = 0;
}

uint32_t eb_watch_dropped(void)
{
    return watch.dropped;
}

bool eb_watch_has_room(void)
{
    return port_write_room() >= ANSWER_ROOM;
}

/* Whether a record finds room; if not, it is counted. */
static bool accept(size_t payload_bytes)
{
    if (port_write_room() >= ENCODED(payload_bytes) + ANSWER_ROOM) {
        return true;
    }
    watch.dropped++;
    return false;
}

static void flush(void)
{
    const size_t bytes = (size_t)watch.count * EB_SOURCE_CHANNELS * 2u;

    if (watch.count == 0) {
        return;
    }
    const eb_samples_event event = {.number = watch.number++,
                                    .first = watch.first,
                                    .time_us = watch.time_us,
                                    .leads_off = watch.leads_off,
                                    .count = watch.count,
                                    .values = watch.values,
                                    .values_bytes = bytes};
    watch.count = 0;
    if (accept(EB_SAMPLES_EVENT_BYTES + bytes)) {
        const size_t payload = eb_samples_event_write(&event, eb_server_event(watch.server));
        eb_server_send_event(watch.server, EB_KIND_SAMPLES, payload);
    }
}

void eb_watch_block(const eb_source_block *block)
{
    if (!watch.recording && !(watch.mask & EB_WATCH_SIGNALS)) {
        return;
    }
    if (block->first != watch.first + watch.count || block->leads_off != watch.leads_off) {
        flush();
    }
    for (uint32_t i = 0; i < block->frames; i++) {
        if (watch.count == 0) {
            watch.first = block->first + i;
            watch.time_us =
                block->time_us + (uint32_t)((uint64_t)i * 1000000000u / EB_SOURCE_RATE_MILLIHZ);
            watch.leads_off = block->leads_off;
            watch.waiting_us = port_micros();
        }
        uint8_t *to = watch.values + (size_t)watch.count * EB_SOURCE_CHANNELS * 2u;
        for (uint32_t c = 0; c < EB_SOURCE_CHANNELS; c++) {
            eb_put_u16(to + 2u * c, (uint16_t)block->samples[i * EB_SOURCE_CHANNELS + c]);
        }
        watch.count++;
        if (watch.count == PACKET_FRAMES) {
            flush();
        }
    }
}

static void send_image(uint32_t index, const uint8_t *image)
{
    for (uint32_t offset = 0; offset < EB_MODEL_INPUT_BYTES; offset += PIECE_BYTES) {
        const uint32_t left = EB_MODEL_INPUT_BYTES - offset;
        const eb_image_piece_event event = {.number = watch.number++,
                                            .index = index,
                                            .offset = offset,
                                            .data = image + offset,
                                            .data_bytes = left < PIECE_BYTES ? left : PIECE_BYTES};
        if (!accept(EB_IMAGE_PIECE_EVENT_BYTES + event.data_bytes)) {
            return; /* the host can not use the rest */
        }
        const size_t payload = eb_image_piece_event_write(&event, eb_server_event(watch.server));
        eb_server_send_event(watch.server, EB_KIND_IMAGE_PIECE, payload);
    }
}

void eb_watch_decision(const eb_decision_event *event, const int8_t *image)
{
    eb_decision_event sent = *event;

    if (watch.mask & EB_WATCH_DECISIONS) {
        flush(); /* the samples of a segment come before its decision */
    }
    if (watch.mask & EB_WATCH_DECISIONS && accept(EB_DECISION_EVENT_BYTES + sent.logits_bytes)) {
        sent.image_crc = eb_crc32(0, (const uint8_t *)image, EB_MODEL_INPUT_BYTES);
        const size_t payload = eb_decision_event_write(&sent, eb_server_event(watch.server));
        eb_server_send_event(watch.server, EB_KIND_DECISION, payload);
    }
    if (watch.mask & EB_WATCH_IMAGES) {
        send_image(event->index, (const uint8_t *)image);
    }
}

void eb_watch_rest(uint8_t decision, uint8_t reason)
{
    const eb_rest_event event = {.time_us = port_micros(),
                                 .next_sample = eb_live_next_frame(),
                                 .decision = decision,
                                 .reason = reason};

    if (watch.mask & EB_WATCH_DECISIONS && accept(EB_REST_EVENT_BYTES)) {
        const size_t payload = eb_rest_event_write(&event, eb_server_event(watch.server));
        eb_server_send_event(watch.server, EB_KIND_REST, payload);
    }
}

void eb_watch_step(void)
{
    const uint32_t now = port_micros();

    if (watch.count != 0 && now - watch.waiting_us >= PACKET_US) {
        flush();
    }
    if (!(watch.mask & EB_WATCH_COUNTERS) || now - watch.counted_us < COUNTERS_US) {
        return;
    }
    watch.counted_us = now;
    const eb_counters_event event = {.number = watch.number++,
                                     .time_us = now,
                                     .frames = eb_live_counted.frames,
                                     .lost = eb_live_counted.lost,
                                     .decisions = eb_live_counted.decisions,
                                     .dropped = watch.dropped,
                                     .slowest_us = eb_network_counted.slowest,
                                     .oldest_us = eb_live_counted.oldest_us};
    if (accept(EB_COUNTERS_EVENT_BYTES)) {
        const size_t payload = eb_counters_event_write(&event, eb_server_event(watch.server));
        eb_server_send_event(watch.server, EB_KIND_COUNTERS, payload);
    }
}

uint8_t eb_watch_watch(const eb_request *request, eb_answer *answer)
{
    eb_watch_request wanted;

    answer->detail = (uint32_t)request->payload_bytes;
    if (!eb_watch_request_read(&wanted, request->payload, request->payload_bytes) ||
        wanted.records >
            (EB_WATCH_SIGNALS | EB_WATCH_IMAGES | EB_WATCH_DECISIONS | EB_WATCH_COUNTERS)) {
        return EB_ERROR_PAYLOAD;
    }
    flush();
    watch.mask = wanted.records;
    const eb_watch_answer written = {
        .time_us = port_micros(), .next_frame = eb_live_next_frame(), .next_record = watch.number};
    answer->payload_bytes = eb_watch_answer_write(&written, answer->payload);
    return 0;
}

uint8_t eb_watch_record(const eb_request *request, eb_answer *answer)
{
    eb_record_request wanted;

    answer->detail = (uint32_t)request->payload_bytes;
    if (!eb_record_request_read(&wanted, request->payload, request->payload_bytes) ||
        wanted.on > 1) {
        return EB_ERROR_PAYLOAD;
    }
    flush();
    watch.recording = wanted.on != 0;
    const eb_record_answer written = {
        .time_us = port_micros(), .next_frame = eb_live_next_frame(), .next_record = watch.number};
    answer->payload_bytes = eb_record_answer_write(&written, answer->payload);
    return 0;
}

uint8_t eb_watch_cue(const eb_request *request, eb_answer *answer)
{
    eb_cue_request cue;

    if (!eb_cue_request_read(&cue, request->payload, request->payload_bytes)) {
        answer->detail = (uint32_t)request->payload_bytes;
        return EB_ERROR_PAYLOAD;
    }
    const eb_cue_answer written = {.time_us = port_micros(), .next_frame = eb_live_next_frame()};
    if (watch.recording) {
        flush();
        const eb_mark_event event = {.number = watch.number++,
                                     .label = cue.label,
                                     .time_us = written.time_us,
                                     .next_frame = written.next_frame};
        if (accept(EB_MARK_EVENT_BYTES)) {
            const size_t payload = eb_mark_event_write(&event, eb_server_event(watch.server));
            eb_server_send_event(watch.server, EB_KIND_MARK, payload);
        }
    }
    answer->payload_bytes = eb_cue_answer_write(&written, answer->payload);
    return 0;
}
