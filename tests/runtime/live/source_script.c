// SPDX-License-Identifier: Apache-2.0
// Copyright edgebio contributors

/* Sample source that does what the file EDGEBIO_SCRIPT says: blocks, each when its time has come. A block is
 * the time in us, number of the first frame and leads_off as uint32; frames and flags as uint16; samples. */
#include <stdio.h>
#include <stdlib.h>

#include "eb_source.h"
#include "host.h"
#include "port.h"
#include "source_config.h"

#define MOST 4096u

static FILE *file;
static struct {
    uint32_t time, first, leads_off;
    uint16_t frames, flags;
} head;
static bool has_head;
static int16_t samples[MOST][EB_SOURCE_CHANNELS];

static void read_head(void)
{
    has_head = fread(&head, sizeof head, 1, file) == 1;
}

bool eb_source_start(void)
{
    file = fopen(getenv("EDGEBIO_SCRIPT"), "rb");
    if (!file) {
        abort();
    }
    read_head();
    return true;
}

bool eb_source_take(eb_source_block *block)
{
    if (!has_head || host_micros() < head.time) {
        return false;
    }
    const size_t size = sizeof samples[0];
    if (head.frames > MOST || fread(samples, size, head.frames, file) != head.frames) {
        abort();
    }
    *block = (eb_source_block){.samples = samples[0],
                               .first = head.first,
                               .time_us = head.time - head.frames * 1000u,
                               .leads_off = head.leads_off,
                               .frames = head.frames,
                               .flags = head.flags};
    return true;
}

void eb_source_release(void)
{
    read_head();
}

void eb_source_stop(void)
{
}

bool host_adc_ended(void)
{
    return !has_head;
}

void host_adc_fail(void)
{
}
