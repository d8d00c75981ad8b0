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
#define STM32_SYSCFG_BASE 0x40010000u
#define STM32_APB1_CLOCKS REG32(0x40021058u) /* RCC_APB1ENR1: bit 0 is that of TIM2 */
#define STM32_APB2_CLOCKS REG32(0x40021060u) /* RCC_APB2ENR */
#define STM32_APB2_SYSCFG (1u << 0)
/* The SPI packs two bytes into an access of 16 bits. DS; FRXTH: one byte is enough to be received. */
#define STM32_SPI_CR2_BYTES (7u << 8 | 1u << 12)
#define STM32_SPI_DR(base) (*(volatile uint8_t *)(uintptr_t)((base) + 0x0Cu))
#define STM32_SPI_HZ(index) EB_CLOCK_HZ /* no bus is divided */
#define STM32_TIMER_HZ EB_CLOCK_HZ      /* its bus is not divided */

#endif
