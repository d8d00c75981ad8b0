// SPDX-License-Identifier: Apache-2.0
// Copyright edgebio contributors

/* Clocks, supply and reset flags of a chip: one file per chip implements it. */
#ifndef EB_CLOCK_CHIP_H
#define EB_CLOCK_CHIP_H

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

volatile uint32_t *cell(uint32_t address);
void check(bool is_right, const char *what);

/* State at the start, by words in the name of the case. */
void chip_start(const char *name);

/* What follows from what was written. */
void chip_react(void);

/* Prints the clocks. */
void chip_report(void);

void chip_fail_crystal(void);
void chip_set_supply(bool low);

#ifdef __cplusplus
}
#endif

#endif
