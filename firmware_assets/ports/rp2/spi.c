// SPDX-License-Identifier: Apache-2.0
// Copyright edgebio contributors

/* SPI0 or SPI1, polled: its FIFO of 8 bytes keeps the line busy. The select pin is the SIO's, as the SPI's own
 * one ends when the FIFO runs empty.
 *
 * Registers: Arm's PL022 (DDI 0194), RP2040 datasheet 4.4; RP2350 datasheet 12.3. Interrupts of pins:
 * RP2040 datasheet 2.19.3, RP2350 datasheet 9.5.
 */
#include "peripherals.h"
#include "rp2.h"

#if EB_RP2350
#define SPI (0x40080000u + 0x8000u * EB_SPI_INDEX)
#define INTERRUPT_STATUS 0x230u
#define INTERRUPT_ENABLE 0x248u
#else
#define SPI (0x4003C000u + 0x4000u * EB_SPI_INDEX)
#define INTERRUPT_STATUS 0xF0u
#define INTERRUPT_ENABLE 0x100u
#endif

#define SPI_CR0 REG32(SPI + 0x00u)
#define SPI_CR0_MODE_1_OF_8_BITS (1u << 7 | 7u) /* SPH; SPO 0, Motorola's format */
#define SPI_CR0_DIVIDER(divider) (((divider) - 1u) << 8)
#define SPI_CR1 REG32(SPI + 0x04u)
#define SPI_CR1_ON (1u << 1)
#define SPI_DR REG32(SPI + 0x08u)
#define SPI_SR REG32(SPI + 0x0Cu)
#define SPI_SR_NOT_EMPTY (1u << 2) /* the receive FIFO */
#define SPI_CPSR REG32(SPI + 0x10u)
#define PRESCALER 2u
#define FIFO_BYTES 8u

/* Of eight pins each: bits 0 and 1 are levels, bit 2 the falling edge. */
#define READY_WORD (4u * (EB_SPI_READY_PIN / 8u))
#define READY_INTERRUPT REG32(IO_BANK0 + INTERRUPT_STATUS + READY_WORD)
#define READY_ENABLE (IO_BANK0 + INTERRUPT_ENABLE + READY_WORD)
#define READY_FALLS (4u << (4u * (EB_SPI_READY_PIN % 8u)))

#define GPIO_CTRL_SPI 1u
#define DIVIDER ((EB_SPI_CLOCK_HZ / PRESCALER + EB_SPI_HZ - 1u) / EB_SPI_HZ)
_Static_assert(DIVIDER >= 1u && DIVIDER <= 256u, "the rate can be divided to");
/* Functions repeat every four pins, the SPIs every eight: RP2040 datasheet 2.19.2, RP2350 9.4. */
_Static_assert(EB_SPI_MISO_PIN % 4u == 0u && EB_SPI_SCK_PIN % 4u == 2u &&
                   EB_SPI_MOSI_PIN % 4u == 3u,
               "the pins are an SPI's RX, SCK and TX");
_Static_assert(EB_SPI_MISO_PIN / 8u % 2u == EB_SPI_INDEX &&
                   EB_SPI_SCK_PIN / 8u % 2u == EB_SPI_INDEX &&
                   EB_SPI_MOSI_PIN / 8u % 2u == EB_SPI_INDEX,
               "they are those of this SPI");

void port_spi_start(void)
{
    rp2_bring_up(RESETS_SPI);
    SPI_CPSR = PRESCALER;
    SPI_CR0 = SPI_CR0_MODE_1_OF_8_BITS | SPI_CR0_DIVIDER(DIVIDER);
    SPI_CR1 = SPI_CR1_ON;
    port_spi_select(false);
    SIO_ENABLE_SET = 1u << EB_SPI_SELECT_PIN;
    PAD(EB_SPI_SELECT_PIN) = PAD_PLAIN | PAD_INPUT;
    PAD(EB_SPI_SCK_PIN) = PAD_PLAIN | PAD_INPUT;
    PAD(EB_SPI_MOSI_PIN) = PAD_PLAIN | PAD_INPUT;
    PAD(EB_SPI_MISO_PIN) = PAD_PLAIN | PAD_INPUT | PAD_PULLED_UP;
    PAD(EB_SPI_READY_PIN) = PAD_PLAIN | PAD_INPUT | PAD_PULLED_UP;
    GPIO_CTRL(EB_SPI_SELECT_PIN) = GPIO_CTRL_SIO;
    GPIO_CTRL(EB_SPI_READY_PIN) = GPIO_CTRL_SIO;
    GPIO_CTRL(EB_SPI_SCK_PIN) = GPIO_CTRL_SPI;
    GPIO_CTRL(EB_SPI_MOSI_PIN) = GPIO_CTRL_SPI;
    GPIO_CTRL(EB_SPI_MISO_PIN) = GPIO_CTRL_SPI;
    EB_SPI_EACH_IRQ(cortex_m_enable_low_irq);
}

void port_spi_select(bool on)
{
    if (on) {
        SIO_OUT_CLEAR = 1u << EB_SPI_SELECT_PIN;
    } else {
        SIO_OUT_SET = 1u << EB_SPI_SELECT_PIN;
    }
}

void port_spi_exchange(const uint8_t *out, uint8_t *in, size_t count)
{
    size_t sent = 0, received = 0;

    while (received < count) {
        if (sent < count && sent - received < FIFO_BYTES) {
            SPI_DR = out ? out[sent] : 0u;
            sent++;
        }
        if (SPI_SR & SPI_SR_NOT_EMPTY) {
            in[received++] = (uint8_t)SPI_DR;
        }
    }
}

void port_spi_watch_ready(bool on)
{
    CLEAR(READY_ENABLE) = READY_FALLS;
    READY_INTERRUPT = READY_FALLS; /* a one clears the edge */
    if (on) {
        SET(READY_ENABLE) = READY_FALLS;
    }
}

bool port_spi_ready_again(void)
{
    return READY_INTERRUPT & READY_FALLS;
}

void port_spi_irq(void)
{
    READY_INTERRUPT = READY_FALLS;
    eb_source_ready();
}
