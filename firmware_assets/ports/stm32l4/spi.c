// SPDX-License-Identifier: Apache-2.0
// Copyright edgebio contributors

/* SPI of the STM32L476: RM0351, chapters RCC, SPI, GPIO, EXTI and SYSCFG. It packs two bytes into a word that
 * is written or read as one: its data register is a byte here. */
#include "cortex_m.h"
#include "eb_board.h"

#define GPIO_BASE 0x48000000u
#define EXTI_BASE 0x40010400u
#define SYSCFG_BASE 0x40010000u
#define SPI_CR2_8_BITS (7u << 8 | 1u << 12) /* DS; FRXTH: a byte is enough to be received */
#define SPI_DR (*(volatile uint8_t *)(uintptr_t)(SPI_BASE + 0x0Cu))

#define RCC_AHB2ENR REG32(0x4002104Cu)
#define RCC_APB1ENR1 REG32(0x40021058u)
#define RCC_APB1ENR1_SPI(index) (1u << (12u + (index))) /* SPI2: bit 14 */
#define RCC_APB2ENR REG32(0x40021060u)
#define RCC_APB2ENR_SYSCFG (1u << 0)
#define RCC_APB2ENR_SPI1 (1u << 12)

static void spi_clocks_on(void)
{
    RCC_AHB2ENR |= 1u << EB_SPI_SCK_PIN / 16u | 1u << EB_SPI_MOSI_PIN / 16u |
                   1u << EB_SPI_MISO_PIN / 16u | 1u << EB_SPI_SELECT_PIN / 16u |
                   1u << EB_SPI_READY_PIN / 16u;
    (void)RCC_AHB2ENR;
    if (EB_SPI_INDEX == 1u) {
        RCC_APB2ENR |= RCC_APB2ENR_SPI1;
    } else {
        RCC_APB1ENR1 |= RCC_APB1ENR1_SPI(EB_SPI_INDEX);
        (void)RCC_APB1ENR1;
    }
    RCC_APB2ENR |= RCC_APB2ENR_SYSCFG;
    (void)RCC_APB2ENR;
}

#include "stm32_spi.h"

_Static_assert(EB_SPI_CLOCK_HZ == EB_CLOCK_HZ, "no bus is divided");
