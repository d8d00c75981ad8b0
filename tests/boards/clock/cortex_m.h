// SPDX-License-Identifier: Apache-2.0
// Copyright edgebio contributors

/* SysTick and its interrupt, simulated: stands in for ports/cortex_m/cortex_m.h. Time passes
 * with every look at a register, by as many ticks as the test wants. */
#ifndef EB_CORTEX_M_H
#define EB_CORTEX_M_H

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define SYST_CSR_ENABLE (1u << 0)
#define SYST_CSR_TICKINT (1u << 1)
#define SYST_CSR_CLKSOURCE (1u << 2)
#define SCB_ICSR_PENDSTSET (1u << 26)

#define SYST_CSR sim_csr
#define SYST_RVR sim_rvr
#define SYST_CVR (*sim_cvr())
#define SCB_ICSR (*sim_icsr())

extern uint32_t sim_csr, sim_rvr;
uint32_t *sim_cvr(void);
uint32_t *sim_icsr(void);

uint32_t cortex_m_lock(void);
void cortex_m_unlock(uint32_t before);
void cortex_m_start_clock(void);

#ifdef __cplusplus
}
#endif

#endif
