// SPDX-License-Identifier: Apache-2.0
// Copyright edgebio contributors

/* Microseconds from SysTick, carried beyond its 24 bits by its interrupt. */
#include "cortex_m.h"
#include "eb_board.h"
#include "port.h"

/* A lap of SysTick. Masking interrupts for longer than this loses time; shorter laps would wake
 * the CPU more often without need. Where samples arrive without an interrupt, a lap is the longest
 * delay of a decision. */
#if EB_STANDALONE
#define LAP_MICROS 10000u
#else
#define LAP_MICROS 50000u
#endif
#define TICKS_PER_MICRO (EB_CLOCK_HZ / 1000000u)
#define LAP_TICKS (TICKS_PER_MICRO * LAP_MICROS)

_Static_assert(EB_CLOCK_HZ % 1000000u == 0, "the core clock is a whole number of MHz");
_Static_assert(LAP_TICKS <= 1u << 24, "SysTick has 24 bits");

static volatile uint32_t laps;
static volatile uint32_t guard; /* laps until the guard reports silence; 0: not refreshed yet */

void cortex_m_clock_irq(void);

void cortex_m_clock_irq(void)
{
    laps++;
    if (guard != 0 && --guard == 0 && eb_emergency) {
        eb_emergency(PORT_EMERGENCY_SILENT);
    }
}

void port_guard_refresh(void)
{
    guard = PORT_GUARD_MS * 1000u / LAP_MICROS;
}

void cortex_m_start_clock(void)
{
    laps = 0;
    guard = 0;
    SYST_RVR = LAP_TICKS - 1u;
    SYST_CVR = 0;
    SYST_CSR = SYST_CSR_ENABLE | SYST_CSR_TICKINT | SYST_CSR_CLKSOURCE;
}

uint32_t port_micros(void)
{
    const uint32_t before = cortex_m_lock();
    uint32_t whole = laps;
    uint32_t passed = LAP_TICKS - SYST_CVR; /* a lap ends when the counter arrives at 0 */
    if (SCB_ICSR & SCB_ICSR_PENDSTSET) {
        /* A lap ended that the interrupt has not counted yet. Whether the counter was read
         * before or after that is unknown: read it again, now that it is known to be after. */
        const uint32_t left = SYST_CVR;
        passed = left ? LAP_TICKS - left : 0;
        whole++;
    }
    cortex_m_unlock(before);
    return whole * LAP_MICROS + passed / TICKS_PER_MICRO;
}
