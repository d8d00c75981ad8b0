// SPDX-License-Identifier: Apache-2.0
// Copyright edgebio contributors

/* Stands in for ports/cortex_m/cortex_m.h: the mask of interrupts, simulated. */
#ifndef EB_CORTEX_M_H
#define EB_CORTEX_M_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

uint32_t cortex_m_lock(void);
void cortex_m_unlock(uint32_t before);
void cortex_m_wait(void);

#ifdef __cplusplus
}
#endif

#endif
