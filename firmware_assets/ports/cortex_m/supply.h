// SPDX-License-Identifier: Apache-2.0
// Copyright edgebio contributors

/* A mark in memory that outlives a reset: the supply was too low, and has not recovered. The detector's
 * interrupt sets and clears it. If the next start is one by power, the supply broke in without going
 * off long enough for memory to fade; reset flags alone do not tell that from a cold start. */
#ifndef EB_SUPPLY_H
#define EB_SUPPLY_H

#include <stdbool.h>

#ifdef __cplusplus
extern "C" {
#endif

void cortex_m_supply_set_low(bool low);

/* Whether the mark was set before the start; clears it. */
bool cortex_m_supply_was_low(void);

#ifdef __cplusplus
}
#endif

#endif
