// SPDX-License-Identifier: Apache-2.0
// Copyright edgebio contributors

/* Where the peripherals of an STM32F4 are, for the C that all STM32 share: RM0090 and RM0390, chapters
 * on the memory map and RCC. */
#ifndef EB_STM32_FAMILY_H
#define EB_STM32_FAMILY_H

#include "cortex_m.h"
#include "eb_board.h"

#define STM32_GPIO_BASE 0x40020000u
#define STM32_GPIO_CLOCKS REG32(0x40023830u) /* RCC_AHB1ENR */
#define STM32_EXTI_BASE 0x40013C00u
#define STM32_SYSCFG_BASE 0x40013800u
#define STM32_APB1_CLOCKS REG32(0x40023840u) /* RCC_APB1ENR: bit 0 is that of TIM2 */
#define STM32_APB2_CLOCKS REG32(0x40023844u) /* RCC_APB2ENR */
#define STM32_APB2_SYSCFG (1u << 14)
/* The SPI's data register takes half-words and words; bytes are its reset value. */
#define STM32_SPI_CR2_BYTES 0u
#define STM32_SPI_DR(base) REG32((base) + 0x0Cu)
#define STM32_SPI_HZ(index) (EB_CLOCK_HZ / ((index) == 1u ? 2u : 4u)) /* SPI1 is on APB2 */
/* Timers have twice the clock of a bus that is divided: RM0090, "Clocks". */
#define STM32_TIMER_HZ (EB_CLOCK_HZ / 2u)

#endif
