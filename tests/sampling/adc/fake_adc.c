// SPDX-License-Identifier: Apache-2.0
// Copyright edgebio contributors

/* A converter whose progress the test sets: the code of frame f, channel c, is 16 f + c, modulo 2^12. */
#include <stddef.h>

#include "eb_source.h"
#include "fake_adc.h"
#include "peripherals.h"
#include "source_config.h"

static uint16_t *ring;
static uint32_t size;
static uint32_t frames;
static uint32_t during; /* frames that arrive at the next look */
static bool failed;
static uint32_t start_us;

uint32_t port_adc_start(uint16_t *to, uint32_t count)
{
    ring = to;
    size = count;
    frames = 0;
    failed = false;
    return start_us;
}

void port_adc_stop(void)
{
}

static void convert(uint32_t count)
{
    for (uint32_t i = 0; i < count; i++, frames++) {
        for (uint32_t c = 0; c < EB_SOURCE_CHANNELS; c++) {
            ring[frames % size * EB_SOURCE_CHANNELS + c] = (uint16_t)((16u * frames + c) & 4095u);
        }
    }
}

uint32_t port_adc_frames(void)
{
    const uint32_t seen = frames;

    convert(during);
    during = 0;
    return seen;
}

bool port_adc_failed(void)
{
    return failed;
}

void fake_start(uint32_t micros)
{
    start_us = micros;
    during = 0;
    (void)eb_source_start();
}

void fake_convert(uint32_t count)
{
    convert(count);
}

void fake_convert_during(uint32_t count)
{
    during = count;
}

void fake_fail(uint32_t micros)
{
    failed = true;
    start_us = micros;
}
