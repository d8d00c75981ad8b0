// SPDX-License-Identifier: Apache-2.0
// Copyright edgebio contributors

/* SPI of the nRF52840 without EasyDMA, polled: two bytes are buffered each way. The anomalies of SPIM are none
 * of it: a further byte where one is exchanged (58), corrupt bytes of SPIM3 (198).
 *
 * Registers: nRF52840 Product Specification v1.7, chapters SPI, GPIO and GPIOTE.
 */
#include "cortex_m.h"
#include "eb_board.h"
#include "peripherals.h"

#define SPI (EB_SPI_INDEX == 2u ? 0x40023000u : 0x40003000u + 0x1000u * EB_SPI_INDEX)
_Static_assert(EB_SPI_INDEX <= 2u, "there are SPI0 to SPI2");
#define SPI_READY REG32(SPI + 0x108u)
#define SPI_ENABLE REG32(SPI + 0x500u)
#define SPI_ENABLE_SPI 1u
#define SPI_PSEL_SCK REG32(SPI + 0x508u)
#define SPI_PSEL_MOSI REG32(SPI + 0x50Cu)
#define SPI_PSEL_MISO REG32(SPI + 0x510u)
#define SPI_RXD REG32(SPI + 0x518u)
#define SPI_TXD REG32(SPI + 0x51Cu)
#define SPI_FREQUENCY REG32(SPI + 0x524u)
#define SPI_FREQUENCY_CODE                                                                         \
    (EB_SPI_HZ >= 8000000u   ? 0x80000000u                                                         \
     : EB_SPI_HZ >= 4000000u ? 0x40000000u                                                         \
     : EB_SPI_HZ >= 2000000u ? 0x20000000u                                                         \
                             : 0x10000000u)
_Static_assert(EB_SPI_HZ >= 1000000u, "the rate can be chosen");
#define SPI_CONFIG REG32(SPI + 0x554u)
#define SPI_CONFIG_MODE_1 (1u << 1) /* CPHA; CPOL 0, most significant bit first */
#define BUFFERED_BYTES 2u

/* Pins are numbered 32 x port + pin, as PSEL takes them. */
#define PORT(pin) (0x50000000u + 0x300u * ((pin) / 32u))
#define GPIO_OUTSET(pin) REG32(PORT(pin) + 0x508u)
#define GPIO_OUTCLR(pin) REG32(PORT(pin) + 0x50Cu)
#define GPIO_PIN_CNF(pin) REG32(PORT(pin) + 0x700u + 4u * ((pin) % 32u))
#define GPIO_PIN_CNF_OUTPUT (1u << 0 | 1u << 1) /* without the input buffer */
#define GPIO_PIN_CNF_INPUT_PULLED_UP (3u << 2)
#define BIT(pin) (1u << ((pin) % 32u))

#define CHANNEL 0u /* of GPIOTE */
#define GPIOTE_IN REG32(0x40006100u + 4u * CHANNEL)
#define GPIOTE_INTENSET REG32(0x40006304u)
#define GPIOTE_INTENCLR REG32(0x40006308u)
#define GPIOTE_CONFIG REG32(0x40006510u + 4u * CHANNEL)
#define GPIOTE_CONFIG_FALLS (1u << 0 | EB_SPI_READY_PIN << 8 | 2u << 16)

static void make_output(uint32_t pin, bool high)
{
    if (high) {
        GPIO_OUTSET(pin) = BIT(pin);
    } else {
        GPIO_OUTCLR(pin) = BIT(pin);
    }
    GPIO_PIN_CNF(pin) = GPIO_PIN_CNF_OUTPUT;
}

void port_spi_start(void)
{
    SPI_ENABLE = 0;
    make_output(EB_SPI_SELECT_PIN, true);
    make_output(EB_SPI_SCK_PIN, false);
    make_output(EB_SPI_MOSI_PIN, false);
    GPIO_PIN_CNF(EB_SPI_MISO_PIN) = GPIO_PIN_CNF_INPUT_PULLED_UP;
    GPIO_PIN_CNF(EB_SPI_READY_PIN) = GPIO_PIN_CNF_INPUT_PULLED_UP;
    SPI_PSEL_SCK = EB_SPI_SCK_PIN;
    SPI_PSEL_MOSI = EB_SPI_MOSI_PIN;
    SPI_PSEL_MISO = EB_SPI_MISO_PIN;
    SPI_FREQUENCY = SPI_FREQUENCY_CODE;
    SPI_CONFIG = SPI_CONFIG_MODE_1;
    SPI_ENABLE = SPI_ENABLE_SPI;
    SPI_READY = 0;
    GPIOTE_CONFIG = GPIOTE_CONFIG_FALLS;
    EB_SPI_EACH_IRQ(cortex_m_enable_low_irq);
}

void port_spi_select(bool on)
{
    if (on) {
        GPIO_OUTCLR(EB_SPI_SELECT_PIN) = BIT(EB_SPI_SELECT_PIN);
    } else {
        GPIO_OUTSET(EB_SPI_SELECT_PIN) = BIT(EB_SPI_SELECT_PIN);
    }
}

void port_spi_exchange(const uint8_t *out, uint8_t *in, size_t count)
{
    size_t sent = 0;

    for (size_t received = 0; received < count; received++) {
        while (sent < count && sent - received < BUFFERED_BYTES) {
            SPI_TXD = out ? out[sent] : 0u;
            sent++;
        }
        while (!SPI_READY) {
        }
        SPI_READY = 0; /* comes again for a byte that waits, once RXD has been read */
        in[received] = (uint8_t)SPI_RXD;
    }
}

void port_spi_watch_ready(bool on)
{
    GPIOTE_INTENCLR = 1u << CHANNEL;
    GPIOTE_IN = 0;
    (void)GPIOTE_IN; /* the event is cleared when this has been read */
    if (on) {
        GPIOTE_INTENSET = 1u << CHANNEL;
    }
}

bool port_spi_ready_again(void)
{
    return GPIOTE_IN;
}

void port_spi_irq(void)
{
    GPIOTE_IN = 0;
    (void)GPIOTE_IN;
    eb_source_ready();
}
