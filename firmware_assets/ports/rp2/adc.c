// SPDX-License-Identifier: Apache-2.0
// Copyright edgebio contributors

/* Converter of RP2040 and RP2350: round robin by its own clock divider, and two DMA channels. One moves
 * conversions into the ring; at its end it starts the other, which writes the ring's address back to the
 * first one and so restarts it. That takes some cycles of the bus, and the FIFO holds the conversions of
 * several microseconds.
 *
 * RP2040 datasheet, chapters ADC and DMA (2.5 and 4.9); RP2350 datasheet, 12.4 and 12.6.
 */
#include "peripherals.h"
#include "port.h"
#include "rp2.h"

#if EB_RP2350
#define CLK_ADC_CTRL REG32(CLOCKS + 0x6Cu)
#define ADC 0x400A0000u
#define DREQ_ADC 48u
#define DMA_CTRL_INCREMENT_WRITE (1u << 6)
#define DMA_CTRL_CHAIN_TO(channel) ((channel) << 13)
#define DMA_CTRL_REQUEST(signal) ((signal) << 17)
#define DMA_CTRL_QUIET (1u << 23)
#define DMA_CTRL_ERRORS (7u << 29)
#define DMA_ABORT REG32(DMA + 0x464u)
#else
#define CLK_ADC_CTRL REG32(CLOCKS + 0x60u)
#define ADC 0x4004C000u
#define DREQ_ADC 36u
#define DMA_CTRL_INCREMENT_WRITE (1u << 5)
#define DMA_CTRL_CHAIN_TO(channel) ((channel) << 11)
#define DMA_CTRL_REQUEST(signal) ((signal) << 15)
#define DMA_CTRL_QUIET (1u << 21)
#define DMA_CTRL_ERRORS (7u << 29)
#define DMA_ABORT REG32(DMA + 0x444u)
#endif
#define CLK_ADC_ENABLE (1u << 11) /* from PLL_USB, where its field is 0 */

#define ADC_CS (ADC + 0x00u)
#define ADC_CS_ON (1u << 0)
#define ADC_CS_START_MANY (1u << 3)
#define ADC_CS_READY (1u << 8)
#define ADC_CS_INPUT(input) ((input) << 12)
#define ADC_CS_ROUND_ROBIN(mask) ((mask) << 16)
#define ADC_FCS REG32(ADC + 0x08u)
#define ADC_FCS_ON (1u << 0)
#define ADC_FCS_REQUEST_DMA (1u << 3)
#define ADC_FCS_UNDER (1u << 10)
#define ADC_FCS_OVER (1u << 11)
#define ADC_FCS_THRESHOLD(values) ((values) << 24)
#define ADC_FIFO (ADC + 0x0Cu)
#define ADC_DIV REG32(ADC + 0x10u)

#define DMA 0x50000000u
#define DMA_READ(channel) REG32(DMA + 0x40u * (channel) + 0x00u)
#define DMA_WRITE(channel) REG32(DMA + 0x40u * (channel) + 0x04u)
#define DMA_COUNT(channel) REG32(DMA + 0x40u * (channel) + 0x08u)
#define DMA_CTRL_START(channel) REG32(DMA + 0x40u * (channel) + 0x0Cu)
#define DMA_CTRL(channel) REG32(DMA + 0x40u * (channel) + 0x10u)
#define DMA_WRITE_START(channel) (DMA + 0x40u * (channel) + 0x2Cu)
#define DMA_CTRL_ON (1u << 0)
#define DMA_CTRL_PRIORITY (1u << 1)
#define DMA_CTRL_16_BITS (1u << 2)
#define DMA_CTRL_32_BITS (2u << 2)
#define DMA_REQUEST_ALWAYS 0x3Fu
#define DMA_INTR REG32(DMA + 0x400u)
#define DMA_INTE0 (DMA + 0x404u)
#define DMA_INTS0 REG32(DMA + 0x40Cu)

#define VALUES EB_ADC_DMA_0  /* moves conversions */
#define RESTART EB_ADC_DMA_1 /* restarts it at the end of a lap */
#define BOTH (1u << VALUES | 1u << RESTART)

#define PAD_ANALOG (1u << 7) /* neither output nor input nor pulls: RP2040 datasheet, 4.9.1 */

/* A conversion takes 96 cycles; DIV has 16 bits and 8 of a fraction, and counts one more. */
_Static_assert(EB_ADC_CLOCK_HZ == 48000000u, "the converter runs from PLL_USB");
_Static_assert(EB_ADC_DIVIDER >= 96u * 256u && EB_ADC_DIVIDER - 256u < 1u << 24,
               "it can be divided");

static uint16_t *ring_start; /* RESTART reads it */
static uint32_t ring_frames;
static uint32_t newest; /* last answer of port_adc_frames */
static volatile uint32_t laps;

static void start_converter(void)
{
    static const uint8_t inputs[] = EB_ADC_INPUTS;
    static const uint8_t pins[] = EB_ADC_PINS;

    rp2_start_pll_usb();
    CLK_ADC_CTRL = CLK_ADC_ENABLE;
    rp2_bring_up(RESETS_ADC);
    for (uint32_t i = 0; i < EB_ADC_CHANNELS; i++) {
        PAD(pins[i]) = PAD_ANALOG;
    }
    REG32(ADC_CS) = ADC_CS_ON;
    rp2_await(&REG32(ADC_CS), ADC_CS_READY);
    REG32(ADC_CS) = ADC_CS_ON | ADC_CS_INPUT((uint32_t)inputs[0]) |
                    (EB_ADC_CHANNELS > 1u ? ADC_CS_ROUND_ROBIN(EB_ADC_INPUT_MASK) : 0);
    ADC_FCS = ADC_FCS_ON | ADC_FCS_REQUEST_DMA | ADC_FCS_THRESHOLD(1u);
    ADC_DIV = EB_ADC_DIVIDER - 256u;
}

static void start_dma(void)
{
    CLEAR(RESETS_RESET) = RESETS_DMA;
    rp2_await(&RESETS_DONE, RESETS_DMA);
    DMA_READ(RESTART) = (uint32_t)(uintptr_t)&ring_start;
    DMA_WRITE(RESTART) = DMA_WRITE_START(VALUES);
    DMA_COUNT(RESTART) = 1u;
    DMA_CTRL(RESTART) = DMA_CTRL_ON | DMA_CTRL_PRIORITY | DMA_CTRL_32_BITS |
                        DMA_CTRL_CHAIN_TO(RESTART) | DMA_CTRL_REQUEST(DMA_REQUEST_ALWAYS);
    DMA_READ(VALUES) = ADC_FIFO;
    DMA_WRITE(VALUES) = (uint32_t)(uintptr_t)ring_start;
    DMA_COUNT(VALUES) = ring_frames * EB_ADC_CHANNELS;
    DMA_INTS0 = BOTH;
    SET(DMA_INTE0) = 1u << RESTART;
    DMA_CTRL_START(VALUES) = DMA_CTRL_ON | DMA_CTRL_PRIORITY | DMA_CTRL_16_BITS |
                             DMA_CTRL_INCREMENT_WRITE | DMA_CTRL_CHAIN_TO(RESTART) |
                             DMA_CTRL_REQUEST(DREQ_ADC) | DMA_CTRL_QUIET;
}

uint32_t port_adc_start(uint16_t *ring, uint32_t frames)
{
    port_adc_stop();
    ring_start = ring;
    ring_frames = frames;
    newest = 0;
    laps = 0;
    start_converter();
    start_dma();
    EB_ADC_EACH_IRQ(cortex_m_enable_irq);
    const uint32_t before = cortex_m_lock();
    SET(ADC_CS) = ADC_CS_START_MANY;
    const uint32_t now = port_micros();
    cortex_m_unlock(before);
    return now;
}

void port_adc_stop(void)
{
    SET(RESETS_RESET) = RESETS_ADC;
    if (!(RESETS_DONE & RESETS_DMA)) {
        return; /* it has not been started */
    }
    CLEAR(DMA_INTE0) = 1u << RESTART;
    DMA_CTRL(RESTART) = 0; /* off before the abort, which may start them otherwise: RP2040-E13 */
    DMA_CTRL(VALUES) = 0;
    DMA_ABORT = BOTH;
    while (DMA_ABORT & BOTH) {
    }
}

/* Whether a lap ended that the interrupt has not counted yet; VALUES runs again by then. */
static bool lap_ended(void)
{
    return DMA_INTR & 1u << RESTART;
}

void port_adc_irq(void)
{
    DMA_INTS0 = 1u << RESTART;
    laps++;
}

uint32_t port_adc_frames(void)
{
    uint32_t frames;
    const uint32_t before = cortex_m_lock();
    do {
        bool ended;
        uint32_t left;
        do {
            ended = lap_ended();
            left = DMA_COUNT(VALUES);
        } while (lap_ended() != ended);
        frames = (laps + ended) * ring_frames + ring_frames -
                 (left + EB_ADC_CHANNELS - 1u) / EB_ADC_CHANNELS;
        /* For some cycles VALUES runs again and RESTART has not reported yet: a lap too few. */
    } while ((int32_t)(frames - newest) < 0);
    newest = frames;
    cortex_m_unlock(before);
    return frames;
}

bool port_adc_failed(void)
{
    return (ADC_FCS & ADC_FCS_OVER) || (DMA_CTRL(VALUES) & DMA_CTRL_ERRORS);
}
