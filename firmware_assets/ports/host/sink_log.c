// SPDX-License-Identifier: Apache-2.0
// Copyright edgebio contributors

/* Decision sink of the host: a line for each decision and each rest in the file EDGEBIO_SINK_LOG, with the
 * device's time: `microseconds decision activity` or `microseconds rest`. A rest that is one already is
 * left out. */
#define _GNU_SOURCE

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "eb_sink.h"
#include "host.h"

static int file = -1;
static bool is_resting;

static void write_line(const char *text, int bytes)
{
    if (file >= 0 && write(file, text, (size_t)bytes) != bytes) {
        abort();
    }
}

void eb_sink_start(void)
{
    const char *name = getenv("EDGEBIO_SINK_LOG");

    file = name ? open(name, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644) : -1;
    is_resting = false;
    eb_sink_rest();
}

void eb_sink_decide(uint8_t decision, uint32_t activity)
{
    char text[64];

    is_resting = false;
    write_line(text, snprintf(text, sizeof text, "%llu %u %u\n", (unsigned long long)host_micros(),
                              decision, activity));
}

void eb_sink_rest(void)
{
    char text[64];

    if (is_resting) {
        return;
    }
    is_resting = true;
    write_line(text, snprintf(text, sizeof text, "%llu rest\n", (unsigned long long)host_micros()));
}

void eb_sink_step(void)
{
}
