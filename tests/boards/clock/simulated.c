// SPDX-License-Identifier: Apache-2.0
// Copyright edgebio contributors

/* The counter: loaded with RVR on the tick after 0; arriving at 0 makes the interrupt pending
 * (Armv7-M ARM, B3.3). */
#include "cortex_m.h"
#include "port.h"

void cortex_m_clock_irq(void);
void sim_start(void);
uint32_t sim_emergencies(uint64_t *at);
void sim_pass(uint64_t ticks);
uint32_t sim_read(const uint32_t *steps, uint64_t *from, uint64_t *to);

uint32_t sim_csr, sim_rvr;
#define EXCEPTION_TICKS 12u /* from the interrupt to its handler, at least */

static uint64_t now; /* ticks since the counter was started from 0 */
static uint64_t counted;
static uint32_t emergencies; /* PORT_EMERGENCY_SILENT */
static uint64_t emergency;   /* ticks at the last one */
static bool masked, pending;
static const uint32_t *step;

static void look(uint64_t ticks)
{
    now += ticks;
    const uint64_t laps = now / (sim_rvr + 1ull);
    if (laps > counted) {
        counted = laps; /* however many laps were missed: one interrupt */
        pending = true;
    }
    if (pending && !masked) {
        pending = false;
        now += EXCEPTION_TICKS;
        cortex_m_clock_irq();
    }
}

uint32_t *sim_cvr(void)
{
    static uint32_t value;
    look(step ? *step++ : 0);
    const uint64_t phase = now % (sim_rvr + 1ull);
    value = phase ? (uint32_t)(sim_rvr + 1ull - phase) : 0;
    return &value;
}

uint32_t *sim_icsr(void)
{
    static uint32_t value;
    look(step ? *step++ : 0);
    value = pending ? SCB_ICSR_PENDSTSET : 0;
    return &value;
}

uint32_t cortex_m_lock(void)
{
    const uint32_t before = masked;
    masked = true;
    return before;
}

void cortex_m_unlock(uint32_t before)
{
    masked = before;
    look(0);
}

void eb_emergency(port_emergency what)
{
    emergencies += what == PORT_EMERGENCY_SILENT;
    emergency = now;
}

uint32_t sim_emergencies(uint64_t *at)
{
    *at = emergency;
    return emergencies;
}

void sim_start(void)
{
    emergencies = 0;
    now = counted = 0;
    masked = pending = false;
    cortex_m_start_clock();
    look(1); /* the store that started it takes as long as that */
}

void sim_pass(uint64_t ticks)
{
    /* Lap by lap, as the interrupt would have it. */
    while (ticks > sim_rvr / 2u) {
        look(sim_rvr / 2u);
        ticks -= sim_rvr / 2u;
    }
    look(ticks);
}

/* Read the clock while `steps[i]` ticks pass before its i-th look at a register. */
uint32_t sim_read(const uint32_t *steps, uint64_t *from, uint64_t *to)
{
    *from = now;
    step = steps;
    const uint32_t micros = port_micros();
    step = 0;
    *to = now;
    return micros;
}
