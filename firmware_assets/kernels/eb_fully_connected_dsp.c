// SPDX-License-Identifier: Apache-2.0
// Copyright edgebio contributors

#include "eb_dsp.h"
#include "eb_kernels.h"

/* Widen the inputs; four have the order 0 2 1 3, as SXTB16 gives them. */
static void widen(const int8_t *from, uint32_t count, uint32_t *to)
{
    for (; count >= 4u; count -= 4u) {
        const uint32_t word = eb_load4(from);
        to[0] = eb_sxtb16(word);
        to[1] = eb_sxtb16_odd(word);
        from += 4;
        to += 2;
    }
    if (count) {
        to[0] = eb_pair(from[0], count == 3u ? from[2] : 0);
        to[1] = eb_pair(count > 1u ? from[1] : 0, 0);
    }
}

/* Sums of four outputs, four products of each at a time; returns where the next four's weights
 * begin. */
#if EB_HAS_DSP

/* Arguments in r0-r3; sums in r3-r6, weights in r7-r10, inputs in r11 and r12. */
#define PRODUCTS(word, sum)                                                                        \
    "sxtb16 lr, " word "\n\t"                                                                      \
    "sxtb16 " word ", " word ", ror #8\n\t"                                                        \
    "smlad " sum ", lr, r11, " sum "\n\t"                                                          \
    "smlad " sum ", " word ", r12, " sum "\n\t"

// clang-format off
EB_NAKED static const int8_t *
sum_quad(EB_UNUSED const int8_t *weights, EB_UNUSED const uint32_t *x,
         EB_UNUSED uint32_t steps, EB_UNUSED int32_t sums[4])
{
    __asm__("push {r3-r11, lr}\n\t"
            "mov r3, #0\n\t"
            "mov r4, r3\n\t"
            "mov r5, r3\n\t"
            "mov r6, r3\n"
            "1:\n\t"
            "ldrd r11, r12, [r1], #8\n\t"
            "ldmia r0!, {r7-r10}\n\t" PRODUCTS("r7", "r3") PRODUCTS("r8", "r4")
                PRODUCTS("r9", "r5") PRODUCTS("r10", "r6") "subs r2, #1\n\t"
            "bne 1b\n\t"
            "pop {r1}\n\t"
            "stmia r1, {r3-r6}\n\t"
            "pop {r4-r11, pc}");
}
// clang-format on

#else

static const int8_t *sum_quad(const int8_t *weights, const uint32_t *x, uint32_t steps,
                              int32_t sums[4])
{
    sums[0] = sums[1] = sums[2] = sums[3] = 0;
    for (; steps; steps--) {
        for (uint32_t i = 0; i < 4u; i++) {
            const uint32_t word = eb_load4(weights);
            sums[i] = eb_smlad(eb_sxtb16(word), x[0], sums[i]);
            sums[i] = eb_smlad(eb_sxtb16_odd(word), x[1], sums[i]);
            weights += 4;
        }
        x += 2;
    }
    return weights;
}

#endif

void eb_run_fully_connected_dsp(const eb_fully_connected_fours *layer, const int8_t *input,
                                int8_t *output, int8_t *scratch)
{
    /* Copies, as a store to the output could change the layer for all that the compiler knows. */
    const uint32_t steps = layer->steps;
    const uint32_t rescale_step = layer->rescale_step;
    const int32_t low = layer->clamped ? layer->low : INT8_MIN;
    const int32_t high = layer->clamped ? layer->high : INT8_MAX;
    uint32_t *const x = (uint32_t *)(void *)scratch;
    for (uint32_t row = 0; row < layer->rows; row++) {
        const int8_t *weights = layer->weights;
        const int32_t *bias = layer->biases;
        const eb_rescale *rescale = layer->rescales;
        widen(input, layer->inputs, x);
        for (uint32_t rest = layer->outputs; rest;) {
            int32_t sums[4];
            weights = sum_quad(weights, x, steps, sums);
            const uint32_t count = rest < 4u ? rest : 4u;
            for (uint32_t i = 0; i < count; i++) {
                const int32_t sum = *bias++ + 2 * sums[i];
                /* Halves of negative values are rounded down, away from zero. */
                const int32_t rounding = rescale->rounding + (sum >> 31);
                const int32_t scaled = eb_smmlar(sum, rescale->multiplier, rounding);
                *output++ = eb_clamp(scaled >> rescale->shift, low, high);
                rescale += rescale_step;
            }
            rest -= count;
        }
        input += layer->inputs;
    }
}
