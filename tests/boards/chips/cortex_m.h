// SPDX-License-Identifier: Apache-2.0
// Copyright edgebio contributors

/* Stands in for ports/cortex_m/cortex_m.h: every look at a register goes to the simulated chip, for which
 * time passes by that. */
#ifndef EB_CORTEX_M_H
#define EB_CORTEX_M_H

#include <stdbool.h>
#include <stdint.h>

#include "port.h"

#ifdef __cplusplus
extern "C" {
#endif

#define REG32(address) (*sim_register(address))

volatile uint32_t *sim_register(uint32_t address);

uint32_t cortex_m_lock(void);
void cortex_m_unlock(uint32_t before);
void cortex_m_enable_irq(uint32_t irq);
void cortex_m_enable_low_irq(uint32_t irq);
void cortex_m_barrier(void);
__attribute__((noreturn)) void cortex_m_reset(void);
void cortex_m_start_clock(void);
port_start cortex_m_reset_cause(void);
void cortex_m_nmi(void);
void port_uart_irq(void);
void port_adc_irq(void);
void port_supply_irq(void);

#ifdef __cplusplus
}
#endif

#endif
