// SPDX-License-Identifier: Apache-2.0
// Copyright edgebio contributors

/* STM32F4: TIM2, ADC1 and a stream of DMA2, by RM0090: chapters on ADC (13), DMA (10) and TIM2 (18). */
#include "chip.h"
#include "eb_board.h"

#define STREAM (EB_ADC_DMA_0 % 8u)
#define DMA 0x40026400u
#define ISR (DMA + STREAM / 4u * 4u)
#define IFCR (DMA + 8u + STREAM / 4u * 4u)
#define CR (DMA + 0x10u + 0x18u * STREAM)
#define NDTR (CR + 4u)
#define ADC 0x40012000u
#define TIM2 0x40000000u

static const uint8_t flag_places[4] = {0, 6, 16, 22}; /* 10.5.1 */
static const uint8_t inputs[EB_ADC_CHANNELS] = EB_ADC_INPUTS;
static uint32_t flags, left, length;
static bool on;

void chip_reset(void)
{
    flags = left = length = 0;
    on = false;
    *cell(CR) = *cell(TIM2) = *cell(ADC) = *cell(ADC + 8u) = 0;
}

void chip_settle(void)
{
    flags &= ~(*cell(IFCR) >> flag_places[STREAM % 4u]);
    *cell(IFCR) = 0;
    if ((*cell(CR) & 1u) && !on) {
        check(flags == 0, "flags of an earlier run, 10.3.17");
        left = length = *cell(NDTR);
    }
    on = *cell(CR) & 1u;
    if (!(*cell(ADC + 8u) & 1u << 8)) {
        *cell(ADC) &= ~(1u << 5); /* DMA off: the overrun ends when it is cleared */
    }
}

bool chip_runs(void)
{
    const uint32_t wanted = 1u << 0 | 3u << 8; /* ADON, DMA, DDS */

    return on && (*cell(ADC + 8u) & wanted) == wanted && (*cell(TIM2) & 1u) &&
           !(*cell(ADC) & 1u << 5);
}

void chip_item(void)
{
    check(*cell(CR + 4u + 8u) == (uint32_t)(uintptr_t)sim_ring, "M0AR");
    sim_ring[length - left] = sim_code(sim_total);
    left--;
    if (left == length / 2u) {
        flags |= 1u << 4;
    }
    if (left == 0) {
        flags |= 1u << 5;
        left = length;
    }
}

void chip_show(void)
{
    *cell(ISR) = flags << flag_places[STREAM % 4u];
    if (on) {
        *cell(NDTR) = left;
    }
}

bool chip_interrupts(void)
{
    return flags != 0; /* HTIE and TCIE are checked */
}

void chip_check(void)
{
    const uint32_t cr = *cell(CR);

    check((cr & 0x1Cu) == 0x1Cu && (cr >> 6 & 3u) == 0u, "DMA: interrupts, direction");
    check((cr >> 8 & 1u) && !(cr >> 9 & 1u) && (cr >> 10 & 1u), "DMA: CIRC, PINC, MINC");
    check((cr >> 11 & 3u) == 1u && (cr >> 13 & 3u) == 1u, "DMA: sizes");
    check(cr >> 25 == 0u, "DMA: channel 0, table 43");
    check(*cell(CR + 8u) == ADC + 0x4Cu, "PAR");
    check(*cell(NDTR) == sim_items, "NDTR");
    check(*cell(ADC + 4u) == 1u << 8, "CR1: scan, 12 bits");
    check((*cell(ADC + 8u) >> 24 & 0x3Fu) == 0x16u, "CR2: rising edge of TIM2 TRGO");
    check((*cell(ADC + 0x2Cu) >> 20 & 15u) == EB_ADC_CHANNELS - 1u, "SQR1: length");
    for (uint32_t c = 0; c < EB_ADC_CHANNELS; c++) {
        const uint32_t sqr = *cell(ADC + (c < 6u ? 0x34u : c < 12u ? 0x30u : 0x2Cu));
        check((sqr >> c % 6u * 5u & 31u) == inputs[c], "SQR: order of channels");
        const uint32_t in = inputs[c];
        const uint32_t smpr = *cell(ADC + (in < 10u ? 0x10u : 0x0Cu));
        check((smpr >> (in < 10u ? in : in - 10u) * 3u & 7u) == 3u, "SMPR: 56 cycles");
    }
    check(*cell(0x40012304u) == 1u << 16, "CCR: the bus by 4");
    check(*cell(TIM2 + 4u) == 2u << 4 && *cell(TIM2 + 0x2Cu) == EB_ADC_DIVIDER - 1u, "TIM2");
    check(*cell(TIM2 + 0x24u) == EB_ADC_DIVIDER - 1u, "TIM2: the first trigger at once");
}

bool chip_overrun(void)
{
    *cell(ADC) |= 1u << 5; /* OVR */
    return true;
}
