// SPDX-License-Identifier: Apache-2.0
// Copyright edgebio contributors

/* SPI, polled: RM0090, RM0390 and RM0351, chapters on SPI, EXTI and SYSCFG. */
#include "cortex_m.h"
#include "eb_board.h"
#include "peripherals.h"
#include "stm32.h"
#include "stm32_family.h"

#define SPI (EB_SPI_INDEX == 1u ? 0x40013000u : EB_SPI_INDEX == 2u ? 0x40003800u : 0x40003C00u)
_Static_assert(EB_SPI_INDEX >= 1u && EB_SPI_INDEX <= 3u, "there are SPI1 to SPI3");
_Static_assert(EB_SPI_CLOCK_HZ == STM32_SPI_HZ(EB_SPI_INDEX), "the clock is that of its bus");

#define SPI_CR1 REG32(SPI + 0x00u)
#define SPI_CR1_MODE_1 (1u << 0) /* CPHA; CPOL 0 */
#define SPI_CR1_CONTROLLER (1u << 2)
#define SPI_CR1_DIVIDER(code) ((code) << 3) /* by 2^(code + 1) */
#define SPI_CR1_ON (1u << 6)
#define SPI_CR1_SELECTED (3u << 8) /* SSM and SSI: the select pin is not the SPI's */
#define SPI_CR2 REG32(SPI + 0x04u)
#define SPI_SR REG32(SPI + 0x08u)
#define SPI_SR_RECEIVED (1u << 0)
#define SPI_DR STM32_SPI_DR(SPI)

/* Line n of EXTI is that of the pins n. */
#define READY_LINE (EB_SPI_READY_PIN % 16u)
#define EXTI_IMR REG32(STM32_EXTI_BASE + 0x00u)
#define EXTI_FTSR REG32(STM32_EXTI_BASE + 0x0Cu)
#define EXTI_PR REG32(STM32_EXTI_BASE + 0x14u)
#define SYSCFG_EXTICR REG32(STM32_SYSCFG_BASE + 0x08u + 4u * (READY_LINE / 4u))
#define SYSCFG_EXTICR_SHIFT (4u * (READY_LINE % 4u))

#ifndef EB_SPI_FUNCTION
#define EB_SPI_FUNCTION 5u /* of SPI1 and SPI2; SPI3 has 6: DS8626, DS10693, DS10198 */
#endif

static void start_clocks(void)
{
    if (EB_SPI_INDEX == 1u) {
        STM32_APB2_CLOCKS |= 1u << 12;
    } else {
        STM32_APB1_CLOCKS |= 1u << (12u + EB_SPI_INDEX);
        (void)STM32_APB1_CLOCKS;
    }
    STM32_APB2_CLOCKS |= STM32_APB2_SYSCFG;
    (void)STM32_APB2_CLOCKS;
}

/* Smallest power of two that divides to EB_SPI_HZ at most. */
static uint32_t divider_code(void)
{
    uint32_t code = 0;
    while (code < 7u && EB_SPI_CLOCK_HZ >> (code + 1u) > EB_SPI_HZ) {
        code++;
    }
    return code;
}

_Static_assert(EB_SPI_CLOCK_HZ >> 8 <= EB_SPI_HZ, "the rate can be divided to");

void port_spi_start(void)
{
    start_clocks();
    port_spi_select(false);
    stm32_set_pin(EB_SPI_SELECT_PIN, STM32_MODE_OUTPUT, 0, false);
    port_spi_select(false); /* its port may have had no clock before */
    stm32_set_pin(EB_SPI_SCK_PIN, STM32_MODE_FUNCTION, EB_SPI_FUNCTION, false);
    stm32_set_pin(EB_SPI_MOSI_PIN, STM32_MODE_FUNCTION, EB_SPI_FUNCTION, false);
    stm32_set_pin(EB_SPI_MISO_PIN, STM32_MODE_FUNCTION, EB_SPI_FUNCTION, true);
    stm32_set_pin(EB_SPI_READY_PIN, STM32_MODE_INPUT, 0, true);
    SPI_CR1 = 0;
    SPI_CR2 = STM32_SPI_CR2_BYTES;
    SPI_CR1 =
        SPI_CR1_MODE_1 | SPI_CR1_CONTROLLER | SPI_CR1_SELECTED | SPI_CR1_DIVIDER(divider_code());
    SPI_CR1 |= SPI_CR1_ON;
    SYSCFG_EXTICR = (SYSCFG_EXTICR & ~(0xFu << SYSCFG_EXTICR_SHIFT)) | EB_SPI_READY_PIN / 16u
                                                                           << SYSCFG_EXTICR_SHIFT;
    EXTI_FTSR |= 1u << READY_LINE;
    EB_SPI_EACH_IRQ(cortex_m_enable_low_irq);
}

void port_spi_select(bool on)
{
    stm32_write_pin(EB_SPI_SELECT_PIN, !on);
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
