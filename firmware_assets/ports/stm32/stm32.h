// SPDX-License-Identifier: Apache-2.0
// Copyright edgebio contributors

/* Shared by STM32 families, whose registers are the same in F4 (RM0090, RM0390) and L4 (RM0351): the
 * wait for a register, pins, the independent watchdog (IWDG), and the interrupt of the supply's
 * detector (PVD). */
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
#define IWDG_RELOAD (EB_WATCHDOG_MS * 32u / 64u) /* of its oscillator, nominally 32 kHz */
#define DBGMCU_APB1_FREEZE REG32(0xE0042008u)
#define DBGMCU_IWDG_STOPS (1u << 12)
#define RCC_CSR_WATCHDOG (1u << 29)

#define STM32_MODE_INPUT 0u
#define STM32_MODE_OUTPUT 1u
#define STM32_MODE_FUNCTION 2u
#define STM32_MODE_ANALOG 3u

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

/* Gives a pin a mode and, for STM32_MODE_FUNCTION, its alternate function. Fast edges. Pins are counted
 * through the ports: PB6 is 16 + 6. */
void stm32_set_pin(uint32_t pin, uint32_t mode, uint32_t function, bool pulled_up);

/* Sets or resets an output pin. */
void stm32_write_pin(uint32_t pin, bool high);

/* Starts the watchdog. */
static inline void stm32_start_watchdog(void)
{
    DBGMCU_APB1_FREEZE |= DBGMCU_IWDG_STOPS; /* a CPU that a debugger halts does not hang */
    IWDG_KR = IWDG_KR_START;
    IWDG_KR = IWDG_KR_ACCESS;
    IWDG_PR = IWDG_PR_BY_64;
    IWDG_RLR = IWDG_RELOAD;
    IWDG_KR = IWDG_KR_FEED;
}

static inline void stm32_feed_watchdog(void)
{
    IWDG_KR = IWDG_KR_FEED;
}

/* Lets PVD interrupt where the supply passes its level, in both directions; PVD itself is on. */
void stm32_watch_supply(void);

/* The interrupt of PVD, which says whether the supply is low. */
void stm32_supply_changed(bool low);

#ifdef __cplusplus
}
#endif

#endif
