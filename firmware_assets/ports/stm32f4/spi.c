// SPDX-License-Identifier: Apache-2.0
// Copyright edgebio contributors

/* SPI of STM32F405, F407 and F446: RM0090 and RM0390, chapters RCC, SPI, GPIO, EXTI and SYSCFG. Its data
 * register takes half-words and words only. */
#include "cortex_m.h"
#include "eb_board.h"

#define GPIO_BASE 0x40020000u
#define EXTI_BASE 0x40013C00u
#define SYSCFG_BASE 0x40013800u
#define SPI_CR2_8_BITS 0u
#define SPI_DR REG32(SPI_BASE + 0x0Cu)

#define RCC_AHB1ENR REG32(0x40023830u)
#define RCC_APB1ENR REG32(0x40023840u)
#define RCC_APB1ENR_SPI(index) (1u << (12u + (index))) /* SPI2: bit 14 */
#define RCC_APB2ENR REG32(0x40023844u)
#define RCC_APB2ENR_SPI1 (1u << 12)
#define RCC_APB2ENR_SYSCFG (1u << 14)

static void spi_clocks_on(void)
{
    RCC_AHB1ENR |= 1u << EB_SPI_SCK_PIN / 16u | 1u << EB_SPI_MOSI_PIN / 16u |
                   1u << EB_SPI_MISO_PIN / 16u | 1u << EB_SPI_SELECT_PIN / 16u |
                   1u << EB_SPI_READY_PIN / 16u;
    if (EB_SPI_INDEX == 1u) {
        RCC_APB2ENR |= RCC_APB2ENR_SPI1;
    } else {
        RCC_APB1ENR |= RCC_APB1ENR_SPI(EB_SPI_INDEX);
        (void)RCC_APB1ENR;
    }
    RCC_APB2ENR |= RCC_APB2ENR_SYSCFG;
    (void)RCC_APB2ENR; /* a peripheral has its clock two bus cycles after this: ES0182 */
}

#include "stm32_spi.h"

_Static_assert(EB_SPI_CLOCK_HZ == EB_CLOCK_HZ / (EB_SPI_INDEX == 1u ? 2u : 4u),
               "SPI1 is on APB2, SPI2 and SPI3 are on APB1");
