// SPDX-License-Identifier: Apache-2.0
// Copyright edgebio contributors

/* SPI of STM32 families, for their spi.c: registers and order are the same in F4 (RM0090, RM0390) and L4
 * (RM0351), chapters on SPI, GPIO, EXTI and SYSCFG.
 *
 * The family's file defines before: GPIO_BASE, EXTI_BASE, SYSCFG_BASE; SPI_CR2_8_BITS; SPI_DR, the data register
 * in the width that it takes; and spi_clocks_on(), which starts the clocks of SPI, pins and SYSCFG.
 */
#ifndef EB_STM32_SPI_H
#define EB_STM32_SPI_H

#include "cortex_m.h"
#include "eb_board.h"
#include "peripherals.h"

#define SPI_BASE (EB_SPI_INDEX == 1u ? 0x40013000u : EB_SPI_INDEX == 2u ? 0x40003800u : 0x40003C00u)
_Static_assert(EB_SPI_INDEX >= 1u && EB_SPI_INDEX <= 3u, "there are SPI1 to SPI3");

#define SPI_CR1 REG32(SPI_BASE + 0x00u)
#define SPI_CR1_MODE_1 (1u << 0) /* CPHA; CPOL 0 */
#define SPI_CR1_CONTROLLER (1u << 2)
#define SPI_CR1_DIVIDER(code) ((code) << 3) /* by 2^(code + 1) */
#define SPI_CR1_ON (1u << 6)
#define SPI_CR1_SELECTED (3u << 8) /* SSM and SSI: the select pin is not the SPI's */
#define SPI_CR2 REG32(SPI_BASE + 0x04u)
#define SPI_SR REG32(SPI_BASE + 0x08u)
#define SPI_SR_RECEIVED (1u << 0)

#define DIVIDER_CODE(rate)                                                                         \
    ((rate) <= 2u * EB_SPI_HZ     ? 0u                                                             \
     : (rate) <= 4u * EB_SPI_HZ   ? 1u                                                             \
     : (rate) <= 8u * EB_SPI_HZ   ? 2u                                                             \
     : (rate) <= 16u * EB_SPI_HZ  ? 3u                                                             \
     : (rate) <= 32u * EB_SPI_HZ  ? 4u                                                             \
     : (rate) <= 64u * EB_SPI_HZ  ? 5u                                                             \
     : (rate) <= 128u * EB_SPI_HZ ? 6u                                                             \
                                  : 7u)
_Static_assert(EB_SPI_CLOCK_HZ / 256u <= EB_SPI_HZ && EB_SPI_HZ <= UINT32_MAX / 128u,
               "the rate can be divided to");

/* Pins are numbered 16 x port + pin. */
#define PIN_GPIO(pin, offset) REG32(GPIO_BASE + 0x400u * ((pin) / 16u) + (offset))
#define PIN_INPUT 0u
#define PIN_OUTPUT 1u
#define PIN_ALTERNATE 2u
#define PIN_FAST 2u
#define PIN_PULLED_UP 1u
#ifndef EB_SPI_ALTERNATE
#define EB_SPI_ALTERNATE 5u
#endif

#define READY_LINE (EB_SPI_READY_PIN % 16u)
#define EXTI_IMR REG32(EXTI_BASE + 0x00u)
#define EXTI_FTSR REG32(EXTI_BASE + 0x0Cu)
#define EXTI_PR REG32(EXTI_BASE + 0x14u)
#define SYSCFG_EXTICR REG32(SYSCFG_BASE + 0x08u + 4u * (READY_LINE / 4u))

static inline void spi_set_field(volatile uint32_t *reg, uint32_t bits, uint32_t index,
                                 uint32_t value)
{
    const uint32_t shift = bits * index;
    *reg = (*reg & ~(((1u << bits) - 1u) << shift)) | value << shift;
}

static inline void spi_connect(uint32_t pin, uint32_t mode, uint32_t pull)
{
    const uint32_t bit = pin % 16u;
    spi_set_field(&PIN_GPIO(pin, 0x08u), 2u, bit, PIN_FAST);
    spi_set_field(&PIN_GPIO(pin, 0x0Cu), 2u, bit, pull);
    spi_set_field(&PIN_GPIO(pin, 0x20u + 4u * (bit / 8u)), 4u, bit % 8u,
                  mode == PIN_ALTERNATE ? EB_SPI_ALTERNATE : 0u);
    spi_set_field(&PIN_GPIO(pin, 0x00u), 2u, bit, mode);
}

void port_spi_start(void)
{
    spi_clocks_on();
    port_spi_select(false);
    spi_connect(EB_SPI_SELECT_PIN, PIN_OUTPUT, 0);
    spi_connect(EB_SPI_READY_PIN, PIN_INPUT, PIN_PULLED_UP);
    spi_connect(EB_SPI_SCK_PIN, PIN_ALTERNATE, 0);
    spi_connect(EB_SPI_MOSI_PIN, PIN_ALTERNATE, 0);
    spi_connect(EB_SPI_MISO_PIN, PIN_ALTERNATE, PIN_PULLED_UP);
    SPI_CR1 = 0;
    SPI_CR2 = SPI_CR2_8_BITS;
    SPI_CR1 = SPI_CR1_MODE_1 | SPI_CR1_CONTROLLER | SPI_CR1_SELECTED |
              SPI_CR1_DIVIDER(DIVIDER_CODE(EB_SPI_CLOCK_HZ));
    SPI_CR1 |= SPI_CR1_ON;
    spi_set_field(&SYSCFG_EXTICR, 4u, READY_LINE % 4u, EB_SPI_READY_PIN / 16u);
    EXTI_FTSR |= 1u << READY_LINE;
    EB_SPI_EACH_IRQ(cortex_m_enable_low_irq);
}

void port_spi_select(bool on)
{
    /* BSRR: the upper half resets */
    PIN_GPIO(EB_SPI_SELECT_PIN, 0x18u) = 1u << (EB_SPI_SELECT_PIN % 16u + (on ? 16u : 0u));
}

/* Byte by byte: a second one on its way would be lost if an interrupt came between. */
void port_spi_exchange(const uint8_t *out, uint8_t *in, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        SPI_DR = out ? out[i] : 0u;
        while (!(SPI_SR & SPI_SR_RECEIVED)) {
        }
        in[i] = (uint8_t)SPI_DR;
    }
}

void port_spi_watch_ready(bool on)
{
    EXTI_IMR &= ~(1u << READY_LINE);
    EXTI_PR = 1u << READY_LINE; /* a one clears the edge */
    if (on) {
        EXTI_IMR |= 1u << READY_LINE;
    }
}

bool port_spi_ready_again(void)
{
    return EXTI_PR & 1u << READY_LINE;
}

void port_spi_irq(void)
{
    EXTI_PR = 1u << READY_LINE;
    eb_source_ready();
}

#endif
