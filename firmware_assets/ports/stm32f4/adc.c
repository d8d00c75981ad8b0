// SPDX-License-Identifier: Apache-2.0
// Copyright edgebio contributors

/* ADC1 of an STM32F4: TIM2 triggers a scan of all channels for each frame, and a stream of DMA2 fills
 * the ring over and over.
 *
 * RM0090 and RM0390, chapters on ADC, DMA and TIM2; sampling times and the converter's clock: DS8626,
 * DS10693. A conversion that DMA does not fetch in time sets OVR, which ends the requests for DMA: then
 * nothing is written to a wrong channel.
 */
#include "dma_ring.h"
#include "peripherals.h"
#include "stm32.h"
#include "stm32_family.h"
#include "timer.h"

#define RCC_AHB1ENR REG32(0x40023830u)
#define RCC_AHB1ENR_DMA2 (1u << 22)
#define RCC_APB2ENR REG32(0x40023844u)
#define RCC_APB2ENR_ADC1 (1u << 8)

#define ADC1 0x40012000u
#define ADC_SR REG32(ADC1 + 0x00u)
#define ADC_SR_OVR (1u << 5)
#define ADC_CR1 REG32(ADC1 + 0x04u)
#define ADC_CR1_SCAN (1u << 8)
#define ADC_CR2 REG32(ADC1 + 0x08u)
#define ADC_CR2_ON (1u << 0)
#define ADC_CR2_DMA_FOR_EVER (3u << 8)
#define ADC_CR2_AT_TIM2 (1u << 28 | 6u << 24) /* the rising edge of its trigger output */
#define ADC_SMPR(input) REG32(ADC1 + ((input) < 10u ? 0x10u : 0x0Cu))
#define ADC_SMPR_56_CYCLES(input) (3u << (3u * ((input) % 10u)))
#define ADC_SQR(place) REG32(ADC1 + 0x34u - 4u * ((place) / 6u))
#define ADC_SQR_INPUT(place, input) ((uint32_t)(input) << (5u * ((place) % 6u)))
#define ADC_SQR1 REG32(ADC1 + 0x2Cu)
#define ADC_SQR1_LENGTH(channels) (((channels) - 1u) << 20)
#define ADC_DR (ADC1 + 0x4Cu)
#define ADC_CCR REG32(0x40012304u)
#define ADC_CCR_BUS_BY_4 (1u << 16) /* 21 MHz; at most 36 */
#define ADC_STABLE_MICROS 3u

/* The board file counts streams through the controllers. */
#define STREAM (EB_ADC_DMA_0 % 8u)
#define DMA2 0x40026400u
#define DMA_ISR REG32(DMA2 + 0x00u + 4u * (STREAM / 4u))
#define DMA_IFCR REG32(DMA2 + 0x08u + 4u * (STREAM / 4u))
#define DMA_FLAGS_AT (STREAM % 4u / 2u * 16u + STREAM % 2u * 6u)
#define DMA_FLAG_ERRORS (0xDu) /* of the FIFO, of direct mode, of the transfer */
#define DMA_FLAG_HALF (1u << 4)
#define DMA_FLAG_END (1u << 5)
#define DMA_FLAG_ALL (0x3Du)
#define DMA_CR REG32(DMA2 + 0x10u + 0x18u * STREAM)
#define DMA_CR_ON (1u << 0)
#define DMA_CR_INTERRUPTS (1u << 2 | 1u << 3 | 1u << 4)
#define DMA_CR_CIRCULAR (1u << 8)
#define DMA_CR_TO_MEMORY_BY_16_BITS (1u << 10 | 1u << 11 | 1u << 13)
#define DMA_CR_HIGH_PRIORITY (2u << 16) /* channel 0 of streams 0 and 4 is ADC1 */
#define DMA_NDTR REG32(DMA2 + 0x14u + 0x18u * STREAM)
#define DMA_PAR REG32(DMA2 + 0x18u + 0x18u * STREAM)
#define DMA_M0AR REG32(DMA2 + 0x1Cu + 0x18u * STREAM)
#define DMA_FCR REG32(DMA2 + 0x24u + 0x18u * STREAM)
#define DMA_FCR_DIRECT 0u

_Static_assert(EB_ADC_TIMER_0 == 2u && EB_ADC_CLOCK_HZ == STM32_TIMER_HZ, "TIM2 is the trigger");
_Static_assert(EB_ADC_DMA_0 == 8u || EB_ADC_DMA_0 == 12u, "ADC1 is on streams 0 and 4 of DMA2");
_Static_assert(EB_ADC_CHANNELS >= 1u && EB_ADC_CHANNELS <= 16u, "a scan has up to 16 channels");

static const uint8_t inputs[EB_ADC_CHANNELS] = EB_ADC_INPUTS;
static const uint8_t pins[EB_ADC_CHANNELS] = EB_ADC_PINS;
static dma_ring filled;

static void start_converter(void)
{
    uint32_t sequence[3] = {0};

    RCC_APB2ENR |= RCC_APB2ENR_ADC1;
    (void)RCC_APB2ENR;
    for (uint32_t c = 0; c < EB_ADC_CHANNELS; c++) {
        stm32_set_pin(pins[c], STM32_MODE_ANALOG, 0, false);
        ADC_SMPR(inputs[c]) |= ADC_SMPR_56_CYCLES(inputs[c]);
        sequence[c / 6u] |= ADC_SQR_INPUT(c, inputs[c]);
    }
    ADC_CCR = ADC_CCR_BUS_BY_4;
    ADC_CR1 = ADC_CR1_SCAN;
    ADC_SQR(0u) = sequence[0];
    ADC_SQR(6u) = sequence[1];
    ADC_SQR1 = sequence[2] | ADC_SQR1_LENGTH(EB_ADC_CHANNELS);
    ADC_CR2 = ADC_CR2_ON; /* without DMA: ends what an overrun left */
    const uint32_t start = port_micros();
    while (port_micros() - start <= ADC_STABLE_MICROS) {
    }
    ADC_SR = 0;
}

uint32_t port_adc_start(uint16_t *ring, uint32_t frames)
{
    const uint32_t items = frames * EB_ADC_CHANNELS;

    port_adc_stop();
    dma_ring_start(&filled, items);
    if (items > UINT16_MAX) {
        filled.failed = true; /* NDTR has 16 bits */
        return port_micros();
    }
    start_converter();
    RCC_AHB1ENR |= RCC_AHB1ENR_DMA2;
    (void)RCC_AHB1ENR;
    DMA_IFCR = DMA_FLAG_ALL << DMA_FLAGS_AT;
    DMA_PAR = ADC_DR;
    DMA_M0AR = (uint32_t)(uintptr_t)ring;
    DMA_NDTR = items;
    DMA_FCR = DMA_FCR_DIRECT;
    DMA_CR =
        DMA_CR_HIGH_PRIORITY | DMA_CR_TO_MEMORY_BY_16_BITS | DMA_CR_CIRCULAR | DMA_CR_INTERRUPTS;
    DMA_CR |= DMA_CR_ON;
    ADC_CR2 = ADC_CR2_ON | ADC_CR2_DMA_FOR_EVER | ADC_CR2_AT_TIM2;
    stm32_prepare_trigger(EB_ADC_TIMER_0, EB_ADC_DIVIDER);
    EB_ADC_EACH_IRQ(cortex_m_enable_low_irq);
    const uint32_t before = cortex_m_lock();
    TIM_CR1(EB_ADC_TIMER_0) = TIM_CR1_ON; /* the first trigger */
    const uint32_t start = port_micros();
    cortex_m_unlock(before);
    return start;
}

void port_adc_stop(void)
{
    stm32_enable_timer(EB_ADC_TIMER_0);
    RCC_AHB1ENR |= RCC_AHB1ENR_DMA2;
    (void)RCC_AHB1ENR;
    TIM_CR1(EB_ADC_TIMER_0) = 0;
    DMA_CR &= ~DMA_CR_ON;
    (void)stm32_await(&DMA_CR, DMA_CR_ON, 0); /* the transfer that is under way ends */
}

void port_adc_irq(void)
{
    const uint32_t flags = DMA_ISR >> DMA_FLAGS_AT & DMA_FLAG_ALL;

    DMA_IFCR = flags << DMA_FLAGS_AT;
    if (flags & DMA_FLAG_ERRORS) {
        filled.failed = true;
    }
    filled.halves += (flags & DMA_FLAG_HALF ? 1u : 0u) + (flags & DMA_FLAG_END ? 1u : 0u);
    dma_ring_counted(&filled, filled.items - DMA_NDTR);
}

uint32_t port_adc_frames(void)
{
    const uint32_t halves = filled.halves; /* before the counter */

    return dma_ring_frames(&filled, halves, filled.items - DMA_NDTR, EB_ADC_CHANNELS);
}

bool port_adc_failed(void)
{
    return filled.failed || ADC_SR & ADC_SR_OVR;
}
