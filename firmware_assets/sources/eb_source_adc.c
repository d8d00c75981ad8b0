// SPDX-License-Identifier: Apache-2.0
// Copyright edgebio contributors

/* Sample source: the converter of the chip, which fills a ring of raw codes by itself. A block holds the
 * counts of the oldest codes; the ring goes on. */
#include "eb_scale.h"
#include "eb_source.h"
#include "peripherals.h"
#include "source_config.h"

#define BLOCK_FRAMES 32u
#define RING EB_SOURCE_RING_FRAMES

_Static_assert(RING % 2u == 0 && RING >= 2u * BLOCK_FRAMES, "the ring holds two blocks");

static const eb_scale scale = EB_SOURCE_SCALE;
static _Alignas(16) uint16_t ring[RING * EB_SOURCE_CHANNELS];
static int16_t counts[BLOCK_FRAMES * EB_SOURCE_CHANNELS];
static eb_highpass highpass[EB_SOURCE_CHANNELS];

static struct {
    uint32_t base;     /* number of the converter's frame 0 */
    uint32_t read;     /* frames of the converter that have been taken */
    uint32_t place;    /* of the next one in the ring */
    uint32_t expected; /* number of the next frame if none is lost */
    uint32_t taken;    /* frames of the block that was taken last */
    /* Trigger of the next frame: exact for ever, as the rest of the division is carried on. */
    uint32_t time_us;
    uint32_t rest; /* of EB_SOURCE_PERIOD_DENOMINATOR */
} source;

static void advance(uint32_t frames)
{
    const uint64_t parts = (uint64_t)frames * EB_SOURCE_PERIOD_NUMERATOR + source.rest;

    source.read += frames;
    source.place = (source.place + frames % RING) % RING;
    source.time_us += (uint32_t)(parts / EB_SOURCE_PERIOD_DENOMINATOR);
    source.rest = (uint32_t)(parts % EB_SOURCE_PERIOD_DENOMINATOR);
}

static void start(uint32_t number)
{
    source.base = number;
    source.read = 0;
    source.place = 0;
    source.rest = 0;
    source.time_us = port_adc_start(ring, RING);
    for (uint32_t c = 0; c < EB_SOURCE_CHANNELS; c++) {
        highpass[c] = (eb_highpass){0};
    }
}

bool eb_source_start(void)
{
    source.expected = 0;
    source.taken = 0;
    start(0);
    return true;
}

void eb_source_stop(void)
{
    port_adc_stop();
}

/* Frames that wait; after an overrun, none of those that may have been overwritten. */
static uint32_t count_waiting(void)
{
    const uint32_t waiting = port_adc_frames() - source.read;

    if (waiting < RING) { /* one less: the converter is writing the next */
        return waiting;
    }
    advance(waiting);
    for (uint32_t c = 0; c < EB_SOURCE_CHANNELS; c++) {
        highpass[c] = (eb_highpass){0};
    }
    return 0;
}

bool eb_source_take(eb_source_block *block)
{
    if (port_adc_failed()) {
        /* The codes since an unknown one belong to the wrong channels. The converter starts anew, and
         * the numbers go on behind a lost frame. */
        const uint32_t frames = port_adc_frames();
        port_adc_stop();
        start(source.base + frames + 1u);
        return false;
    }
    const uint32_t waiting = count_waiting();
    if (waiting == 0) {
        return false;
    }
    uint32_t frames = waiting < BLOCK_FRAMES ? waiting : BLOCK_FRAMES;
    if (frames > RING - source.place) {
        frames = RING - source.place;
    }
    const uint16_t *codes = ring + (size_t)source.place * EB_SOURCE_CHANNELS;
    for (uint32_t i = 0; i < frames * EB_SOURCE_CHANNELS; i++) {
        /* A converter may give a few codes below 0 near 0 V, such as the SAADC. */
        const int32_t code = (int16_t)codes[i];
        counts[i] = eb_scale_count(&scale, &highpass[i % EB_SOURCE_CHANNELS], code);
    }
    if (port_adc_frames() - source.read >= RING || port_adc_failed()) {
        return false; /* overwritten meanwhile: the next call sees to it */
    }
    source.taken = frames;
    *block = (eb_source_block){
        .samples = counts,
        .first = source.base + source.read,
        .time_us = source.time_us,
        .frames = (uint16_t)frames,
        .flags = source.base + source.read != source.expected ? EB_SOURCE_OVERRUN : 0u,
    };
    source.expected = source.base + source.read + frames;
    return true;
}

void eb_source_release(void)
{
    advance(source.taken);
    source.taken = 0;
}
