// SPDX-License-Identifier: Apache-2.0
// Copyright edgebio contributors

/* Shared by STM32 families: the wait for a register, and the independent watchdog (IWDG), which has
 * the same registers in F4 (RM0090, RM0390) and L4 (RM0351). */
#ifndef EB_STM32_H
#define EB_STM32_H

#include "cortex_m.h"

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define IWDG_KR REG32(0x40003000u)
#define IWDG_KR_FEED 0xAAAAu
#define IWDG_KR_ACCESS 0x5555u
#define IWDG_KR_START 0xCCCCu
#define IWDG_PR REG32(0x40003004u)
#define IWDG_PR_BY_64 4u
#define IWDG_RLR REG32(0x40003008u)
#define IWDG_RELOAD 2000u
#define DBGMCU_APB1_FREEZE REG32(0xE0042008u)
#define DBGMCU_IWDG_STOPS (1u << 12)
#define RCC_CSR_WATCHDOG (1u << 29)

/* Waits until the masked bits of a register have the wanted value; false after about 10 ms, if the
 * part that sets them is broken or missing, such as a crystal. */
static inline bool stm32_await(volatile uint32_t *reg, uint32_t mask, uint32_t wanted)
{
    for (uint32_t turn = 0; turn < 50000u; turn++) {
        if ((*reg & mask) == wanted) {
            return true;
        }
    }
    return false;
}

/* Starts the watchdog: 4 seconds of its 32 kHz oscillator. Returns whether it caused the last reset,
 * according to `reset_causes`, RCC's CSR, whose bit `clear` clears all causes. */
static inline bool stm32_start_watchdog(volatile uint32_t *reset_causes, uint32_t clear)
{
    const bool it_was = *reset_causes & RCC_CSR_WATCHDOG;
    *reset_causes |= clear;
    DBGMCU_APB1_FREEZE |= DBGMCU_IWDG_STOPS; /* a CPU that a debugger halts does not hang */
    IWDG_KR = IWDG_KR_START;
    IWDG_KR = IWDG_KR_ACCESS;
    IWDG_PR = IWDG_PR_BY_64;
    IWDG_RLR = IWDG_RELOAD;
    IWDG_KR = IWDG_KR_FEED;
    return it_was;
}

static inline void stm32_feed_watchdog(void)
{
    IWDG_KR = IWDG_KR_FEED;
}

#ifdef __cplusplus
}
#endif

#endif
