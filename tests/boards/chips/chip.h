// SPDX-License-Identifier: Apache-2.0
// Copyright edgebio contributors

/* A chip's converter and DMA as the manual has them: one file per chip implements it. */
#ifndef EB_CHIP_H
#define EB_CHIP_H

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Content of a register, without the passing of time. */
volatile uint32_t *cell(uint32_t address);

/* Ends the program with a message unless `is_right`. */
void check(bool is_right, const char *what);

/* What the test knows: the ring, its items, and the number of the next item since the start. */
extern uint16_t *sim_ring;
extern uint32_t sim_items, sim_total;

/* Code of an item: its number, mixed. */
uint16_t sim_code(uint32_t number);

/* After reset. */
void chip_reset(void);

/* Carries out what was written since the last call. */
void chip_settle(void);

/* Whether an item may come; one comes; what registers show. */
bool chip_runs(void);
void chip_item(void);
void chip_show(void);

/* Whether the interrupt is pending. */
bool chip_interrupts(void);

/* Checks the settings after port_adc_start. */
void chip_check(void);

/* A conversion is lost; false if the chip has no sign of that. */
bool chip_overrun(void);

#ifdef __cplusplus
}
#endif

#endif
