// SPDX-License-Identifier: Apache-2.0
// Copyright edgebio contributors

/* Sample source: samples of the host, for tests. In real time they are like those of a converter: sampled
 * when they arrive, and lost where the ring is full. Otherwise the host waits for the ring, and a sample
 * is as new as its way to the front end is short. */
#include "eb_source_link.h"

#include "eb_live.h"
#include "eb_samples.h"
#include "eb_source.h"
#include "port.h"
#include "source_config.h"

static int16_t samples[EB_SOURCE_RING_FRAMES][EB_SOURCE_CHANNELS];
static uint32_t times[EB_SOURCE_RING_FRAMES];

static struct {
    bool open;
    bool real_time;
    uint8_t on_gap;
    uint32_t next;   /* number of the next frame of the host */
    uint32_t first;  /* number of the oldest frame in the ring */
    uint32_t place;  /* its place */
    uint32_t frames; /* in the ring */
    uint32_t taken;  /* of them, by the block that was taken last */
    bool lost;       /* the oldest one comes after lost frames */
    bool overflowed; /* takes no frames until the ring is empty */
    uint32_t gaps;
} source;

bool eb_source_start(void)
{
    source.open = false;
    source.frames = 0;
    source.taken = 0;
    return true;
}

void eb_source_stop(void)
{
    source.open = false;
}

bool eb_source_take(eb_source_block *block)
{
    if (source.frames == 0) {
        return false;
    }
    const uint32_t whole = EB_SOURCE_RING_FRAMES - source.place;
    uint32_t frames = source.frames < whole ? source.frames : whole;
    const uint32_t time = source.real_time ? times[source.place] : port_micros();
    /* Frames of one time: they arrived in one piece. */
    for (uint32_t i = 1; i < frames; i++) {
        if (times[source.place + i] != times[source.place]) {
            frames = i;
        }
    }
    const uint32_t span = (uint32_t)((uint64_t)frames * 1000000000u / EB_SOURCE_RATE_MILLIHZ);
    source.taken = frames;
    *block = (eb_source_block){.samples = samples[source.place],
                               .first = source.first,
                               .time_us = time - span,
                               .frames = (uint16_t)frames,
                               .flags = source.lost ? EB_SOURCE_OVERRUN : 0u};
    return true;
}

void eb_source_release(void)
{
    source.place = (source.place + source.taken) % EB_SOURCE_RING_FRAMES;
    source.first += source.taken;
    source.frames -= source.taken;
    source.lost = source.lost && source.taken == 0;
    source.taken = 0;
    source.overflowed = source.overflowed && source.frames != 0;
}

uint8_t eb_source_link_start(const eb_request *request, eb_answer *answer)
{
    eb_stream_start_request start;

    answer->detail = (uint32_t)request->payload_bytes;
    if (!eb_stream_start_request_read(&start, request->payload, request->payload_bytes) ||
        start.on_gap > EB_ON_GAP_RESTART || start.real_time > 1) {
        return EB_ERROR_PAYLOAD;
    }
    source.open = true;
    source.real_time = start.real_time != 0;
    source.on_gap = start.on_gap;
    source.next = 0;
    source.first = 0;
    source.frames = 0;
    source.taken = 0;
    source.lost = false;
    source.overflowed = false;
    source.gaps = 0;
    eb_live_restart();
    return 0;
}

static void put(const eb_stream_samples_request *piece, uint32_t at, uint32_t now)
{
    const uint32_t place = (source.place + source.frames) % EB_SOURCE_RING_FRAMES;

    for (size_t c = 0; c < EB_SOURCE_CHANNELS; c++) {
        samples[place][c] =
            eb_samples_value(piece->packed, (size_t)at * EB_SOURCE_CHANNELS + c, piece->bits);
    }
    times[place] = now;
    if (source.frames == 0) {
        source.lost = source.lost || source.first != source.next;
        source.first = source.next;
    }
    source.frames++;
}

/* Puts frames into the ring; in real time they are lost where it is full. */
static void accept(const eb_stream_samples_request *piece, uint32_t at)
{
    const uint32_t now = port_micros();

    for (; at < piece->count; at++) {
        const bool full = source.frames == EB_SOURCE_RING_FRAMES;
        if (full && !source.real_time) {
            return;
        }
        source.overflowed = source.overflowed || full;
        if (!source.overflowed) {
            put(piece, at, now);
        }
        source.next++;
    }
}

uint8_t eb_source_link_samples(const eb_request *request, eb_answer *answer)
{
    eb_stream_samples_request piece;

    answer->detail = (uint32_t)request->payload_bytes;
    if (!eb_stream_samples_request_read(&piece, request->payload, request->payload_bytes) ||
        piece.bits < 1 || piece.bits > EB_SAMPLES_MAX_BITS ||
        piece.packed_bytes != eb_samples_bytes(piece.count * EB_SOURCE_CHANNELS, piece.bits)) {
        return EB_ERROR_PAYLOAD;
    }
    if (!source.open) {
        return EB_ERROR_IDLE;
    }
    const uint32_t known = source.next - piece.first;
    if (known < piece.count) {
        accept(&piece, known);
    } else if (known >= 0x80000000u && source.on_gap == EB_ON_GAP_RESTART) {
        source.gaps++;
        source.overflowed = source.overflowed || source.frames != 0;
        source.next = piece.first;
        accept(&piece, 0);
    }
    const eb_stream_samples_answer written = {.next_sample = source.next,
                                              .decisions = eb_live_counted.decisions};
    answer->payload_bytes = eb_stream_samples_answer_write(&written, answer->payload);
    return 0;
}

uint8_t eb_source_link_stop(eb_answer *answer)
{
    if (!source.open) {
        return EB_ERROR_IDLE;
    }
    source.open = false;
    const eb_stream_stop_answer written = {
        .samples = source.next, .decisions = eb_live_counted.decisions, .gaps = source.gaps};
    answer->payload_bytes = eb_stream_stop_answer_write(&written, answer->payload);
    return 0;
}
