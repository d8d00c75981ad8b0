// SPDX-License-Identifier: Apache-2.0
// Copyright edgebio contributors

/* STM32L4: TIM2, ADC1 and a channel of DMA1, by RM0351: chapters on ADC (18), DMA (11) and TIM2 (31). */
#include "chip.h"
#include "eb_board.h"

#define DMA 0x40020000u
#define ISR DMA
#define IFCR (DMA + 4u)
#define CCR (DMA + 8u + 20u * EB_ADC_DMA_0)
#define CNDTR (CCR + 4u)
#define ADC 0x50040000u
#define ADC_CR (ADC + 8u)
#define TIM2 0x40000000u

static const uint8_t inputs[EB_ADC_CHANNELS] = EB_ADC_INPUTS;
static uint32_t flags, left, length, adc_flags;
static bool on, calibrated, regulated, enabled, started;

void chip_reset(void)
{
    flags = left = length = adc_flags = 0;
    on = calibrated = regulated = enabled = started = false;
    *cell(CCR) = *cell(TIM2) = *cell(ADC) = 0;
    *cell(ADC_CR) = 1u << 29; /* in deep power-down */
}

void chip_settle(void)
{
    const uint32_t cr = *cell(ADC_CR);

    flags &= ~(*cell(IFCR) >> 4u * EB_ADC_DMA_0);
    *cell(IFCR) = 0;
    if ((*cell(CCR) & 1u) && !on) {
        left = length = *cell(CNDTR);
    }
    on = *cell(CCR) & 1u;
    if (*cell(ADC) != adc_flags) { /* ones clear */
        adc_flags &= ~*cell(ADC);
        *cell(ADC) = adc_flags;
    }
    regulated = regulated || (cr & 1u << 28 && !(cr & 1u << 29));
    if (cr & 1u << 31) {
        check(regulated && !(cr & 1u), "calibration needs the regulator, and ADEN 0");
        calibrated = true;
        *cell(ADC_CR) &= ~(1u << 31);
    }
    if (cr & 1u) {
        check(calibrated, "on before the calibration");
        enabled = true;
        adc_flags |= 1u; /* ready */
        *cell(ADC) = adc_flags;
    }
    started = (started || (enabled && cr & 1u << 2)) && !(cr & 1u << 4); /* ADSTART, ADSTP */
    *cell(ADC_CR) &= ~(1u << 4 | 1u << 2 | 1u << 0);
    *cell(ADC_CR) |= (started ? 1u << 2 : 0u) | (enabled ? 1u << 0 : 0u); /* zeros change nothing */
}

bool chip_runs(void)
{
    return on && (*cell(ADC_CR) & 5u) == 5u && (*cell(ADC + 0xCu) & 3u) == 3u &&
           (*cell(TIM2) & 1u) && !(adc_flags & 1u << 4);
}

void chip_item(void)
{
    check(*cell(CCR + 12u) == (uint32_t)(uintptr_t)sim_ring, "CMAR");
    sim_ring[length - left] = sim_code(sim_total);
    left--;
    if (left == length / 2u) {
        flags |= 5u; /* GIF, HTIF */
    }
    if (left == 0) {
        flags |= 3u; /* GIF, TCIF */
        left = length;
    }
}

void chip_show(void)
{
    *cell(ISR) = flags << 4u * EB_ADC_DMA_0;
    if (on) {
        *cell(CNDTR) = left;
    }
}

bool chip_interrupts(void)
{
    return flags != 0;
}

void chip_check(void)
{
    const uint32_t ccr = *cell(CCR);

    check((ccr & 0xEu) == 0xEu && !(ccr >> 4 & 1u), "DMA: interrupts, direction");
    check((ccr >> 5 & 7u) == 5u, "DMA: CIRC, PINC, MINC");
    check((ccr >> 8 & 15u) == 5u && !(ccr >> 14 & 1u), "DMA: sizes");
    check((*cell(DMA + 0xA8u) >> 4u * EB_ADC_DMA_0 & 15u) == 0u, "CSELR: request 0, table 44");
    check(*cell(CCR + 8u) == ADC + 0x40u, "CPAR");
    check(*cell(CNDTR) == sim_items, "CNDTR");
    check((*cell(ADC + 0xCu) >> 6 & 0x3Fu) == 0x1Bu, "CFGR: rising edge of TIM2 TRGO, EXT11");
    check((*cell(ADC + 0x30u) & 15u) == EB_ADC_CHANNELS - 1u, "SQR1: length");
    for (uint32_t c = 0; c < EB_ADC_CHANNELS; c++) {
        const uint32_t place = c + 1u; /* SQ1 is the second field of SQR1 */
        const uint32_t sqr = *cell(ADC + 0x30u + place / 5u * 4u);
        check((sqr >> place % 5u * 6u & 31u) == inputs[c], "SQR: order of channels");
        const uint32_t in = inputs[c];
        const uint32_t smpr = *cell(ADC + (in < 10u ? 0x14u : 0x18u));
        check((smpr >> (in < 10u ? in : in - 10u) * 3u & 7u) == 4u, "SMPR: 47.5 cycles");
    }
    check(*cell(0x50040308u) == 3u << 16, "CCR: the bus by 4");
    check(*cell(TIM2 + 4u) == 2u << 4 && *cell(TIM2 + 0x2Cu) == EB_ADC_DIVIDER - 1u, "TIM2");
    check(*cell(TIM2 + 0x24u) == EB_ADC_DIVIDER - 1u, "TIM2: the first trigger at once");
}

bool chip_overrun(void)
{
    adc_flags |= 1u << 4; /* OVR */
    *cell(ADC) = adc_flags;
    return true;
}
