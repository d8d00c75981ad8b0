// SPDX-License-Identifier: Apache-2.0
// Copyright edgebio contributors

/* Where the peripherals of an STM32L4 are, for the C that all STM32 share: RM0351, chapters on the
 * memory map and RCC. */
#ifndef EB_STM32_FAMILY_H
#define EB_STM32_FAMILY_H

#include "cortex_m.h"
#include "eb_board.h"

#define STM32_GPIO_BASE 0x48000000u
#define STM32_GPIO_CLOCKS REG32(0x4002104Cu) /* RCC_AHB2ENR */
#define STM32_EXTI_BASE 0x40010400u
#define STM32_TIMER_CLOCKS REG32(0x40021058u) /* RCC_APB1ENR1: bit 0 is that of TIM2 */
#define STM32_TIMER_HZ EB_CLOCK_HZ            /* its bus is not divided */

#endif
