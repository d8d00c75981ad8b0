// SPDX-License-Identifier: Apache-2.0
// Copyright edgebio contributors

/* ADC1 of an STM32L4: TIM2 triggers a scan of all channels for each frame, and a channel of DMA1 fills
 * the ring over and over.
 *
 * RM0351, chapters on ADC, DMA, GPIO and TIM2; times: DS10198. A conversion that DMA does not fetch in
 * time sets OVR, which ends the requests for DMA: then nothing is written to a wrong channel.
 */
#include "dma_ring.h"
#include "peripherals.h"
#include "stm32.h"
#include "stm32_family.h"
#include "timer.h"

#define RCC_AHB1ENR REG32(0x40021048u)
#define RCC_AHB1ENR_DMA1 (1u << 0)
#define RCC_AHB2ENR REG32(0x4002104Cu)
#define RCC_AHB2ENR_ADC (1u << 13)

#define ADC1 0x50040000u
#define ADC_ISR REG32(ADC1 + 0x00u)
#define ADC_ISR_READY (1u << 0)
#define ADC_ISR_OVR (1u << 4)
#define ADC_CR REG32(ADC1 + 0x08u)
#define ADC_CR_ON (1u << 0)
#define ADC_CR_START (1u << 2)
#define ADC_CR_STOP (1u << 4)
#define ADC_CR_REGULATOR (1u << 28) /* and out of deep power-down, whose bit is then 0 */
#define ADC_CR_CALIBRATE (1u << 31)
#define ADC_CFGR REG32(ADC1 + 0x0Cu)
#define ADC_CFGR_AT_TIM2 (1u << 10 | 11u << 6) /* the rising edge of its trigger output */
#define ADC_CFGR_DMA_FOR_EVER (3u << 0)
#define ADC_CFGR_NO_QUEUE (1u << 31) /* of injected channels, as after reset */
#define ADC_SMPR(input) REG32(ADC1 + ((input) < 10u ? 0x14u : 0x18u))
#define ADC_SMPR_47_CYCLES(input) (4u << (3u * ((input) % 10u)))
/* The length has place 0, the first channel place 1. */
#define ADC_SQR(place) REG32(ADC1 + 0x30u + 4u * ((place) / 5u))
#define ADC_SQR_INPUT(place, input) ((uint32_t)(input) << (6u * ((place) % 5u)))
#define ADC_DR (ADC1 + 0x40u)
#define ADC_CCR REG32(0x50040308u)
#define ADC_CCR_BUS_BY_4 (3u << 16) /* 20 MHz; at most 80 */
#define ADC_REGULATOR_MICROS 20u
#define ADC_AFTER_CALIBRATION_MICROS 1u /* 4 of its cycles */

/* Connects the pin to the converter: in an STM32L47x a switch of its own. */
#define GPIO_ASCR(pin) REG32(STM32_GPIO_BASE + 0x400u * ((pin) / 16u) + 0x2Cu)

/* The board file counts channels from 0 through the controllers. */
#define DMA1 0x40020000u
#define DMA_ISR REG32(DMA1 + 0x00u)
#define DMA_IFCR REG32(DMA1 + 0x04u)
#define DMA_FLAGS_AT (4u * EB_ADC_DMA_0)
#define DMA_FLAG_END (1u << 1)
#define DMA_FLAG_HALF (1u << 2)
#define DMA_FLAG_ERROR (1u << 3)
#define DMA_FLAG_ALL 0xFu
#define DMA_CCR REG32(DMA1 + 0x08u + 0x14u * EB_ADC_DMA_0)
#define DMA_CCR_ON (1u << 0)
#define DMA_CCR_INTERRUPTS (7u << 1)
#define DMA_CCR_CIRCULAR (1u << 5)
#define DMA_CCR_TO_MEMORY_BY_16_BITS (1u << 7 | 1u << 8 | 1u << 10)
#define DMA_CCR_HIGH_PRIORITY (2u << 12)
#define DMA_CNDTR REG32(DMA1 + 0x0Cu + 0x14u * EB_ADC_DMA_0)
#define DMA_CPAR REG32(DMA1 + 0x10u + 0x14u * EB_ADC_DMA_0)
#define DMA_CMAR REG32(DMA1 + 0x14u + 0x14u * EB_ADC_DMA_0)
#define DMA_CSELR REG32(DMA1 + 0xA8u)

_Static_assert(EB_ADC_TIMER_0 == 2u && EB_ADC_CLOCK_HZ == STM32_TIMER_HZ, "TIM2 is the trigger");
_Static_assert(EB_ADC_DMA_0 == 0u, "ADC1 is request 0 of the first channel of DMA1");
_Static_assert(EB_ADC_CHANNELS >= 1u && EB_ADC_CHANNELS <= 16u, "a scan has up to 16 channels");

static const uint8_t inputs[EB_ADC_CHANNELS] = EB_ADC_INPUTS;
static const uint8_t pins[EB_ADC_CHANNELS] = EB_ADC_PINS;
static dma_ring filled;

static void wait_micros(uint32_t micros)
{
    const uint32_t start = port_micros();

    while (port_micros() - start <= micros) {
    }
}

static void turn_converter_on(void)
{
    ADC_CCR = ADC_CCR_BUS_BY_4;
    ADC_CR = 0; /* out of deep power-down */
    ADC_CR = ADC_CR_REGULATOR;
    wait_micros(ADC_REGULATOR_MICROS);
    ADC_CR = ADC_CR_REGULATOR | ADC_CR_CALIBRATE; /* single-ended inputs */
    (void)stm32_await(&ADC_CR, ADC_CR_CALIBRATE, 0);
    wait_micros(ADC_AFTER_CALIBRATION_MICROS);
    ADC_ISR = ADC_ISR_READY;
    ADC_CR = ADC_CR_REGULATOR | ADC_CR_ON;
    (void)stm32_await(&ADC_ISR, ADC_ISR_READY, ADC_ISR_READY);
}

static void start_converter(void)
{
    uint32_t sequence[4] = {EB_ADC_CHANNELS - 1u};

    if (!(ADC_CR & ADC_CR_ON)) {
        turn_converter_on();
    }
    for (uint32_t c = 0; c < EB_ADC_CHANNELS; c++) {
        stm32_set_pin(pins[c], STM32_MODE_ANALOG, 0, false);
        GPIO_ASCR(pins[c]) |= 1u << (pins[c] % 16u);
        ADC_SMPR(inputs[c]) |= ADC_SMPR_47_CYCLES(inputs[c]);
        sequence[(c + 1u) / 5u] |= ADC_SQR_INPUT(c + 1u, inputs[c]);
    }
    for (uint32_t i = 0; i < 4u; i++) {
        ADC_SQR(5u * i) = sequence[i];
    }
    ADC_CFGR = ADC_CFGR_NO_QUEUE | ADC_CFGR_AT_TIM2 | ADC_CFGR_DMA_FOR_EVER;
    ADC_ISR = ADC_ISR_OVR;
    ADC_CR = ADC_CR_REGULATOR | ADC_CR_START; /* waits for the trigger; zeros leave it on */
}

uint32_t port_adc_start(uint16_t *ring, uint32_t frames)
{
    const uint32_t items = frames * EB_ADC_CHANNELS;

    port_adc_stop();
    dma_ring_start(&filled, items);
    if (items > UINT16_MAX) {
        filled.failed = true; /* CNDTR has 16 bits */
        return port_micros();
    }
    DMA_IFCR = DMA_FLAG_ALL << DMA_FLAGS_AT;
    DMA_CSELR &= ~(0xFu << DMA_FLAGS_AT); /* request 0 */
    DMA_CPAR = ADC_DR;
    DMA_CMAR = (uint32_t)(uintptr_t)ring;
    DMA_CNDTR = items;
    DMA_CCR = DMA_CCR_HIGH_PRIORITY | DMA_CCR_TO_MEMORY_BY_16_BITS | DMA_CCR_CIRCULAR |
              DMA_CCR_INTERRUPTS;
    DMA_CCR |= DMA_CCR_ON;
    start_converter();
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
    RCC_AHB1ENR |= RCC_AHB1ENR_DMA1;
    RCC_AHB2ENR |= RCC_AHB2ENR_ADC;
    (void)RCC_AHB2ENR;
    TIM_CR1(EB_ADC_TIMER_0) = 0;
    if (ADC_CR & ADC_CR_START) {
        ADC_CR = ADC_CR_REGULATOR | ADC_CR_STOP;
        (void)stm32_await(&ADC_CR, ADC_CR_START | ADC_CR_STOP, 0);
    }
    DMA_CCR &= ~DMA_CCR_ON;
}

void port_adc_irq(void)
{
    const uint32_t flags = DMA_ISR >> DMA_FLAGS_AT & DMA_FLAG_ALL;

    DMA_IFCR = flags << DMA_FLAGS_AT;
    if (flags & DMA_FLAG_ERROR) {
        filled.failed = true;
    }
    filled.halves += (flags & DMA_FLAG_HALF ? 1u : 0u) + (flags & DMA_FLAG_END ? 1u : 0u);
    dma_ring_counted(&filled, filled.items - DMA_CNDTR);
}

uint32_t port_adc_frames(void)
{
    const uint32_t halves = filled.halves; /* before the counter */

    return dma_ring_frames(&filled, halves, filled.items - DMA_CNDTR, EB_ADC_CHANNELS);
}

bool port_adc_failed(void)
{
    return filled.failed || ADC_ISR & ADC_ISR_OVR;
}
