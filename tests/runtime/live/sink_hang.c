// SPDX-License-Identifier: Apache-2.0
// Copyright edgebio contributors

/* Decision sink that hangs at its fifth decision, with interrupts masked if EB_HANG_MASKED, and tells after
 * the restart when it was made to rest: `rested MICROSECONDS CAUSE`. */
#include <stdbool.h>
#include <string.h>

#include "cortex_m.h"
#include "eb_sink.h"
#include "port.h"
#include "sink_config.h"

#define MAGIC 0x5EA7ED00u

static volatile struct {
    uint32_t magic;
    uint32_t micros;
} rested __attribute__((section(".noinit")));
static volatile bool hangs;
static uint32_t hung_us;
static uint32_t decisions;

static void write_number(uint32_t number)
{
    char digits[11];
    char *at = digits + sizeof digits - 1;

    *at = ' ';
    do {
        *--at = (char)('0' + number % 10u);
        number /= 10u;
    } while (number != 0);
    port_write((const uint8_t *)at, (size_t)(digits + sizeof digits - at));
}

void eb_sink_start(void)
{
    if (rested.magic == MAGIC) {
        port_write((const uint8_t *)"rested ", 7);
        write_number(rested.micros);
        write_number((uint32_t)port_start_cause());
        port_write((const uint8_t *)"\n", 1);
    }
    rested.magic = 0;
}

void eb_sink_decide(uint8_t decision, uint32_t activity)
{
    (void)decision;
    (void)activity;
    decisions++;
    if (decisions != 5 || port_start_cause() != PORT_START_ORDINARY) {
        return;
    }
    port_write((const uint8_t *)"hangs\n", 6);
    cortex_m_barrier();
    hung_us = port_micros();
    hangs = true;
    if (EB_HANG_MASKED) {
        (void)cortex_m_lock();
    }
    for (;;) {
    }
}

void eb_sink_rest(void)
{
    if (hangs && rested.magic != MAGIC) {
        rested.micros = port_micros() - hung_us;
        rested.magic = MAGIC;
    }
}

void eb_sink_step(void)
{
}
