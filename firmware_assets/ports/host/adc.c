// SPDX-License-Identifier: Apache-2.0
// Copyright edgebio contributors

/* The converter of the host: plays the file EDGEBIO_ADC, int16 codes frame by frame, in the device's
 * time. It samples nothing behind the end of the file, and goes on there where a restart left it. */
#include <stdio.h>
#include <stdlib.h>

#include "host.h"
#include "peripherals.h"
#include "port.h"
#include "source_config.h"

static FILE *file;
static uint16_t *ring;
static uint32_t ring_frames;
static uint64_t offset;  /* first frame of the file since the start */
static uint64_t start;   /* host_micros of its trigger */
static uint32_t written; /* frames since the start */
static uint64_t length;  /* frames of the file */
static bool is_on;
static bool has_failed;

static uint64_t frames_until(uint64_t micros)
{
    return micros * EB_SOURCE_PERIOD_DENOMINATOR / EB_SOURCE_PERIOD_NUMERATOR;
}

uint32_t port_adc_start(uint16_t *to, uint32_t frames)
{
    if (!file) {
        const char *name = getenv("EDGEBIO_ADC");
        file = name ? fopen(name, "rb") : NULL;
        if (!file || fseek(file, 0, SEEK_END) != 0) {
            perror("EDGEBIO_ADC");
            exit(2);
        }
        length = (uint64_t)ftell(file) / (2u * EB_SOURCE_CHANNELS);
    }
    ring = to;
    ring_frames = frames;
    start = host_micros();
    offset = frames_until(start);
    written = 0;
    is_on = true;
    has_failed = false;
    return port_micros();
}

void port_adc_stop(void)
{
    is_on = false;
}

uint32_t port_adc_frames(void)
{
    uint64_t due = is_on ? frames_until(host_micros() - start) : written;

    if (offset + due > length) {
        due = length > offset ? length - offset : 0;
    }
    for (uint64_t at = due - written > ring_frames ? due - ring_frames : written; at < due; at++) {
        uint16_t *to = ring + at % ring_frames * EB_SOURCE_CHANNELS;
        if (fseek(file, (long)((offset + at) * 2u * EB_SOURCE_CHANNELS), SEEK_SET) != 0 ||
            fread(to, 2, EB_SOURCE_CHANNELS, file) != EB_SOURCE_CHANNELS) {
            abort();
        }
    }
    written = (uint32_t)(due > written ? due : written);
    return written;
}

bool port_adc_failed(void)
{
    return has_failed;
}

void host_adc_fail(void)
{
    has_failed = true;
}

bool host_adc_ended(void)
{
    return offset + port_adc_frames() >= length;
}
