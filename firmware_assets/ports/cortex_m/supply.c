// SPDX-License-Identifier: Apache-2.0
// Copyright edgebio contributors

#include "supply.h"

#include <stdint.h>

/* Two words, as memory fades bit by bit. */
#define SUPPLY_LOW 0xB0071057u
static volatile uint32_t mark[2] __attribute__((section(".noinit")));

void cortex_m_supply_set_low(bool low)
{
    mark[0] = low ? SUPPLY_LOW : 0u;
    mark[1] = low ? ~SUPPLY_LOW : 0u;
}

bool cortex_m_supply_was_low(void)
{
    const bool low = mark[0] == SUPPLY_LOW && mark[1] == ~SUPPLY_LOW;

    cortex_m_supply_set_low(false);
    return low;
}
