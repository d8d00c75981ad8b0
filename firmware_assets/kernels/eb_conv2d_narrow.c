// SPDX-License-Identifier: Apache-2.0
// Copyright edgebio contributors

#include "eb_conv2d_pairs.h"

/* Sums of two pixels a and b for two channels, a0 b0 a1 b1, without the bias and not doubled;
 * returns where the next two channels' weights begin. `twos` are pairs of steps. */
#if EB_HAS_DSP

/* Four words of pixels and two of weights are 16 products: 2 loads, 4 SXTB16 and 8 SMLAD. Arguments
 * in r0-r3; sums in r3-r6, pixels in r7-r10, weights in r11 and r12. */
#define PRODUCTS(word, a, b)                                                                       \
    "sxtb16 lr, " word "\n\t"                                                                      \
    "sxtb16 " word ", " word ", ror #8\n\t"                                                        \
    "smlad " a ", r7, lr, " a "\n\t"                                                               \
    "smlad " b ", r8, lr, " b "\n\t"                                                               \
    "smlad " a ", r9, " word ", " a "\n\t"                                                         \
    "smlad " b ", r10, " word ", " b "\n\t"

// clang-format off
#define SUM_TWO_STEPS                                                                              \
    "ldmia r1!, {r7-r10}\n\t"                                                                      \
    "ldrd r11, r12, [r0], #8\n\t" PRODUCTS("r11", "r3", "r4") PRODUCTS("r12", "r5", "r6")

/* The loop does this twice; an odd number is entered in its middle. */
EB_NAKED static const uint32_t *
sum_two(EB_UNUSED const uint32_t *weights, EB_UNUSED const uint32_t *patch,
        EB_UNUSED uint32_t twos, EB_UNUSED int32_t sums[4])
{
    __asm__("push {r3-r11, lr}\n\t"
            "mov r3, #0\n\t"
            "mov r4, r3\n\t"
            "mov r5, r3\n\t"
            "mov r6, r3\n\t"
            "adds r2, #1\n\t"
            "lsrs r2, r2, #1\n\t"
            "bcc 2f\n"
            "1:\n\t" SUM_TWO_STEPS
            "2:\n\t" SUM_TWO_STEPS
            "subs r2, #1\n\t"
            "bne 1b\n\t"
            "pop {r1}\n\t"
            "stmia r1, {r3-r6}\n\t"
            "pop {r4-r11, pc}");
}
// clang-format on

#else

static const uint32_t *sum_two(const uint32_t *weights, const uint32_t *patch, uint32_t twos,
                               int32_t sums[4])
{
    sums[0] = sums[1] = sums[2] = sums[3] = 0;
    for (; twos; twos--) {
        for (uint32_t channel = 0; channel < 2u; channel++) {
            int32_t *const sum = sums + 2u * channel; /* of a and of b */
            const uint32_t even = eb_sxtb16(weights[channel]);
            const uint32_t odd = eb_sxtb16_odd(weights[channel]);
            sum[0] = eb_smlad(patch[2], odd, eb_smlad(patch[0], even, sum[0]));
            sum[1] = eb_smlad(patch[3], odd, eb_smlad(patch[1], even, sum[1]));
        }
        patch += 4;
        weights += 2;
    }
    return weights;
}

#endif

/* The same, doubled and with the bias: of channels `o` and the next. */
EB_INLINE const uint32_t *sum_whole(const eb_conv2d_pairs *layer, uint32_t o,
                                    const uint32_t *weights, const uint32_t *patch, int32_t a[2],
                                    int32_t b[2])
{
    const int32_t *const bias = layer->quads[o / 4u].bias + o % 4u;
    int32_t sums[4];
    weights = sum_two(weights, patch, layer->steps / 2u, sums);
    a[0] = bias[0] + 2 * sums[0];
    b[0] = bias[0] + 2 * sums[1];
    a[1] = bias[1] + 2 * sums[2];
    b[1] = bias[1] + 2 * sums[3];
    return weights;
}

static void two_pixels(const eb_conv2d_pairs *layer, void *work, const uint32_t *patches,
                       int8_t *output_a, int8_t *output_b)
{
    const uint32_t *weights = layer->weights;
    const uint32_t outputs = layer->outputs;
    (void)work;
    for (uint32_t o = 0; o < outputs; o += 2u) {
        const eb_quad *const quad = layer->quads + o / 4u;
        int32_t a[2];
        int32_t b[2];
        weights = sum_whole(layer, o, weights, patches, a, b);
        const int8_t first_b = eb_finish_doubled(quad, o % 4u, b[0]);
        const int8_t second_a = eb_finish_doubled(quad, o % 4u + 1u, a[1]);
        const int8_t second_b = eb_finish_doubled(quad, o % 4u + 1u, b[1]);
        output_a[o] = eb_finish_doubled(quad, o % 4u, a[0]);
        output_b[o] = first_b;
        if (o + 1u < outputs) {
            output_a[o + 1u] = second_a;
            output_b[o + 1u] = second_b;
        }
    }
}

static int32_t larger(int32_t a, int32_t b)
{
    return a > b ? a : b;
}

static void largest_pixel(const eb_conv2d_pairs *layer, void *work, const uint32_t *patches,
                          int8_t *output, int8_t *none)
{
    const uint32_t *weights = layer->weights;
    const uint32_t *next = weights;
    (void)work;
    (void)none;
    for (uint32_t o = 0; o < layer->outputs; o += 2u) {
        const eb_quad *const quad = layer->quads + o / 4u;
        const uint32_t *patch = patches;
        int32_t first = INT32_MIN;
        int32_t second = INT32_MIN;
        for (uint32_t pair = eb_pairs_of(layer); pair; pair--) {
            int32_t a[2];
            int32_t b[2];
            next = sum_whole(layer, o, weights, patch, a, b);
            first = larger(first, larger(a[0], b[0]));
            second = larger(second, larger(a[1], b[1]));
            patch += 2u * layer->steps;
        }
        weights = next;
        output[o] = eb_finish_doubled(quad, o % 4u, first);
        if (o + 1u < layer->outputs) {
            output[o + 1u] = eb_finish_doubled(quad, o % 4u + 1u, second);
        }
    }
}

void eb_run_conv2d_narrow(const eb_conv2d_pairs *layer, const int8_t *input, int8_t *output,
                          int8_t *scratch)
{
    eb_each_pair(layer, 0, input, output, scratch, two_pixels);
}

void eb_run_conv2d_narrow_pooled(const eb_conv2d_pairs *layer, const int8_t *input, int8_t *output,
                                 int8_t *scratch)
{
    eb_each_pool(layer, 0, input, output, scratch, largest_pixel);
}
