// SPDX-License-Identifier: Apache-2.0
// Copyright edgebio contributors

/* SAADC of an nRF52840: a timer samples all channels for each frame through PPI, EasyDMA fills the two
 * halves of the ring in turn, and a second timer counts the results.
 *
 * nRF52840 PS v1.7, chapters SAADC, TIMER, PPI and EasyDMA. RESULT.AMOUNT is only valid at the end of a
 * half; the counter restarts with the ring, so that it shows the place of the next result. RESULT.PTR is
 * double-buffered: it is set for the next half once STARTED reports that the present one has been taken.
 * The end of a half starts the next one through PPI, without the CPU; for that the acquisition time is
 * above 5 us (anomaly 150 of the family: STARTED may not come). No offset calibration: anomalies 86, 237
 * and 252 are about it, and an offset is none to a high-pass.
 */
#include "cortex_m.h"
#include "dma_ring.h"
#include "eb_board.h"
#include "peripherals.h"

#define SAADC 0x40007000u
#define SAADC_START (SAADC + 0x000u)
#define SAADC_SAMPLE (SAADC + 0x004u)
#define SAADC_STOP (SAADC + 0x008u)
#define SAADC_STARTED REG32(SAADC + 0x100u)
#define SAADC_END (SAADC + 0x104u)
#define SAADC_RESULTDONE (SAADC + 0x10Cu)
#define SAADC_STOPPED REG32(SAADC + 0x114u)
#define SAADC_INTEN REG32(SAADC + 0x300u)
#define SAADC_INTEN_STARTED (1u << 0)
#define SAADC_INTEN_END (1u << 1)
#define SAADC_ENABLE REG32(SAADC + 0x500u)
#define SAADC_PSELP(channel) REG32(SAADC + 0x510u + 0x10u * (channel))
#define SAADC_PSELN(channel) REG32(SAADC + 0x514u + 0x10u * (channel))
#define SAADC_PSEL_NONE 0u
#define SAADC_PSEL_AIN(input) ((input) + 1u)
#define SAADC_CONFIG(channel) REG32(SAADC + 0x518u + 0x10u * (channel))
/* Single-ended, 10 us, gain 1/6 of the internal 0.6 V: 3.6 V in all; no burst, no resistors. */
#define SAADC_CONFIG_3V6_10US (2u << 16)
#define SAADC_RESOLUTION REG32(SAADC + 0x5F0u)
#define SAADC_RESOLUTION_12_BITS 2u
#define SAADC_OVERSAMPLE REG32(SAADC + 0x5F4u) /* not together with more than one channel */
#define SAADC_SAMPLERATE REG32(SAADC + 0x5F8u)
#define SAADC_SAMPLERATE_BY_TASK 0u
#define SAADC_RESULT_PTR REG32(SAADC + 0x62Cu)
#define SAADC_RESULT_MAXCNT REG32(SAADC + 0x630u)
#define SAADC_MOST_RESULTS 0x7FFFu
#define SAADC_CHANNELS 8u

#define TIMER(number) (0x40008000u + 0x1000u * (number))
#define TIMER_START(number) REG32(TIMER(number) + 0x000u)
#define TIMER_STOP(number) REG32(TIMER(number) + 0x004u)
#define TIMER_COUNT(number) (TIMER(number) + 0x008u)
#define TIMER_CLEAR(number) REG32(TIMER(number) + 0x00Cu)
#define TIMER_CAPTURE(number, slot) REG32(TIMER(number) + 0x040u + 4u * (slot))
#define TIMER_COMPARE(number, slot) (TIMER(number) + 0x140u + 4u * (slot))
#define TIMER_SHORTS(number) REG32(TIMER(number) + 0x200u)
#define TIMER_SHORTS_CLEAR_AT(slot) (1u << (slot))
#define TIMER_MODE(number) REG32(TIMER(number) + 0x504u)
#define TIMER_MODE_TIMER 0u
#define TIMER_MODE_COUNTER 1u
#define TIMER_BITMODE(number) REG32(TIMER(number) + 0x508u)
#define TIMER_BITMODE_32 3u
#define TIMER_PRESCALER(number) REG32(TIMER(number) + 0x510u)
#define TIMER_CC(number, slot) REG32(TIMER(number) + 0x540u + 4u * (slot))

#define PPI_CHENSET REG32(0x4001F504u)
#define PPI_CHENCLR REG32(0x4001F508u)
#define PPI_EVENT(channel) REG32(0x4001F510u + 8u * (channel))
#define PPI_TASK(channel) REG32(0x4001F514u + 8u * (channel))

/* The board file's timers, and as its DMA channels those of PPI. */
#define PACE EB_ADC_TIMER_0
#define COUNTER EB_ADC_TIMER_1
#define PPI_SAMPLE EB_ADC_DMA_0
#define PPI_RESTART EB_ADC_DMA_1
#define PPI_COUNT EB_ADC_DMA_2
#define PPI_ALL (1u << PPI_SAMPLE | 1u << PPI_RESTART | 1u << PPI_COUNT)

/* Slots of the counter. */
#define SLOT_MAIN 0u
#define SLOT_IRQ 1u
#define SLOT_RING 2u

_Static_assert(PACE < 3u && COUNTER < 3u && EB_ADC_CLOCK_HZ == 16000000u,
               "the timers are TIMER0 to TIMER2, undivided");
_Static_assert(EB_ADC_CHANNELS >= 1u && EB_ADC_CHANNELS <= SAADC_CHANNELS, "up to 8 channels");

static const uint8_t inputs[EB_ADC_CHANNELS] = EB_ADC_INPUTS;
static dma_ring filled;
static uint16_t *first_half;

/* Waits for an event for about a millisecond. */
static void await_event(volatile uint32_t *event)
{
    const uint32_t start = port_micros();

    while (!*event && port_micros() - start < 1000u) {
    }
}

static void connect(uint32_t channel, uint32_t event, uint32_t task)
{
    PPI_EVENT(channel) = event;
    PPI_TASK(channel) = task;
}

static void start_timers(uint32_t items)
{
    TIMER_MODE(PACE) = TIMER_MODE_TIMER;
    TIMER_BITMODE(PACE) = TIMER_BITMODE_32;
    TIMER_PRESCALER(PACE) = 0;
    TIMER_CC(PACE, 0u) = EB_ADC_DIVIDER;
    TIMER_SHORTS(PACE) = TIMER_SHORTS_CLEAR_AT(0u);
    TIMER_CLEAR(PACE) = 1;
    TIMER_MODE(COUNTER) = TIMER_MODE_COUNTER;
    TIMER_BITMODE(COUNTER) = TIMER_BITMODE_32;
    TIMER_CC(COUNTER, SLOT_RING) = items;
    TIMER_SHORTS(COUNTER) = TIMER_SHORTS_CLEAR_AT(SLOT_RING);
    TIMER_CLEAR(COUNTER) = 1;
    TIMER_START(COUNTER) = 1;
}

static void start_converter(uint32_t items)
{
    for (uint32_t c = 0; c < SAADC_CHANNELS; c++) {
        SAADC_PSELP(c) = c < EB_ADC_CHANNELS ? SAADC_PSEL_AIN(inputs[c]) : SAADC_PSEL_NONE;
        SAADC_PSELN(c) = SAADC_PSEL_NONE;
        SAADC_CONFIG(c) = SAADC_CONFIG_3V6_10US;
    }
    SAADC_RESOLUTION = SAADC_RESOLUTION_12_BITS;
    SAADC_OVERSAMPLE = 0;
    SAADC_SAMPLERATE = SAADC_SAMPLERATE_BY_TASK;
    SAADC_ENABLE = 1;
    SAADC_RESULT_MAXCNT = items / 2u;
    SAADC_RESULT_PTR = (uint32_t)(uintptr_t)first_half;
    SAADC_STARTED = 0;
    REG32(SAADC_END) = 0;
    REG32(SAADC_START) = 1;
    await_event(&SAADC_STARTED);
    SAADC_STARTED = 0;
    SAADC_RESULT_PTR = (uint32_t)(uintptr_t)(first_half + items / 2u);
}

uint32_t port_adc_start(uint16_t *ring, uint32_t frames)
{
    const uint32_t items = frames * EB_ADC_CHANNELS;

    port_adc_stop();
    dma_ring_start(&filled, items);
    first_half = ring;
    if (items / 2u > SAADC_MOST_RESULTS) {
        filled.failed = true; /* MAXCNT has 15 bits */
        return port_micros();
    }
    start_timers(items);
    start_converter(items);
    connect(PPI_SAMPLE, TIMER_COMPARE(PACE, 0u), SAADC_SAMPLE);
    connect(PPI_RESTART, SAADC_END, SAADC_START);
    connect(PPI_COUNT, SAADC_RESULTDONE, TIMER_COUNT(COUNTER));
    PPI_CHENSET = PPI_ALL;
    SAADC_INTEN = SAADC_INTEN_STARTED | SAADC_INTEN_END;
    EB_ADC_EACH_IRQ(cortex_m_enable_low_irq);
    const uint32_t before = cortex_m_lock();
    TIMER_START(PACE) = 1;
    const uint32_t start = port_micros();
    cortex_m_unlock(before);
    return start + (uint32_t)(EB_ADC_DIVIDER * 1000000ull / EB_ADC_CLOCK_HZ);
}

void port_adc_stop(void)
{
    TIMER_STOP(PACE) = 1;
    TIMER_STOP(COUNTER) = 1;
    PPI_CHENCLR = PPI_ALL;
    SAADC_INTEN = 0;
    if (SAADC_ENABLE) {
        SAADC_STOPPED = 0;
        REG32(SAADC_STOP) = 1;
        await_event(&SAADC_STOPPED);
        SAADC_ENABLE = 0;
    }
}

static uint32_t count_done(uint32_t slot)
{
    TIMER_CAPTURE(COUNTER, slot) = 1;
    return TIMER_CC(COUNTER, slot);
}

void port_adc_irq(void)
{
    if (REG32(SAADC_END)) {
        REG32(SAADC_END) = 0;
        filled.halves++;
    }
    if (SAADC_STARTED) {
        SAADC_STARTED = 0;
        /* The present half has been taken; this is the one behind it. */
        const uint32_t next = (filled.halves + 1u) & 1u;
        SAADC_RESULT_PTR = (uint32_t)(uintptr_t)(first_half + next * (filled.items / 2u));
    }
    (void)SAADC_STARTED; /* the events are cleared before the interrupt returns */
    dma_ring_counted(&filled, count_done(SLOT_IRQ));
}

uint32_t port_adc_frames(void)
{
    const uint32_t halves = filled.halves; /* before the counter */

    return dma_ring_frames(&filled, halves, count_done(SLOT_MAIN), EB_ADC_CHANNELS);
}

bool port_adc_failed(void)
{
    return filled.failed;
}
