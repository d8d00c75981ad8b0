#include "eb_conv2d_pairs.h"

/* Sums of two channels over two steps at a time, without the bias and not doubled. */
#if EB_HAS_DSP

/* Four words of pixels and two of weights are 16 products: 2 loads, 4 SXTB16 and 8 SMLAD. */
EB_INLINE const uint32_t *sum_two(const uint32_t *weights, const uint32_t *patch, uint32_t steps,
                                  int32_t *a0, int32_t *b0, int32_t *a1, int32_t *b1)
{
    uint32_t left = steps / 2u;
    uint32_t w_0;
    uint32_t w_1;
    uint32_t even;
    __asm__ volatile("1:\n\t"
                     "ldmia %[x]!, {r4, r5, r6, r8}\n\t"
                     "ldrd %[w0], %[w1], [%[w]], #8\n\t"
                     "sxtb16 %[even], %[w0]\n\t"
                     "sxtb16 %[w0], %[w0], ror #8\n\t"
                     "smlad %[a0], r4, %[even], %[a0]\n\t"
                     "smlad %[b0], r5, %[even], %[b0]\n\t"
                     "smlad %[a0], r6, %[w0], %[a0]\n\t"
                     "smlad %[b0], r8, %[w0], %[b0]\n\t"
                     "sxtb16 %[even], %[w1]\n\t"
                     "sxtb16 %[w1], %[w1], ror #8\n\t"
                     "smlad %[a1], r4, %[even], %[a1]\n\t"
                     "smlad %[b1], r5, %[even], %[b1]\n\t"
                     "smlad %[a1], r6, %[w1], %[a1]\n\t"
                     "smlad %[b1], r8, %[w1], %[b1]\n\t"
                     "subs %[left], #1\n\t"
                     "bne 1b"
                     : [a0] "+r"(*a0), [b0] "+r"(*b0), [a1] "+r"(*a1), [b1] "+r"(*b1),
                       [w] "+r"(weights), [x] "+r"(patch), [left] "+r"(left), [w0] "=&r"(w_0),
                       [w1] "=&r"(w_1), [even] "=&r"(even)
                     :
                     : "r4", "r5", "r6", "r8", "cc", "memory");
    return weights;
}

#else

EB_INLINE const uint32_t *sum_two(const uint32_t *weights, const uint32_t *patch, uint32_t steps,
                                  int32_t *a0, int32_t *b0, int32_t *a1, int32_t *b1)
{
    for (uint32_t left = steps / 2u; left; left--) {
        *a0 = eb_smlad(patch[0], eb_sxtb16(weights[0]), *a0);
        *b0 = eb_smlad(patch[1], eb_sxtb16(weights[0]), *b0);
        *a0 = eb_smlad(patch[2], eb_sxtb16_odd(weights[0]), *a0);
        *b0 = eb_smlad(patch[3], eb_sxtb16_odd(weights[0]), *b0);
        *a1 = eb_smlad(patch[0], eb_sxtb16(weights[1]), *a1);
        *b1 = eb_smlad(patch[1], eb_sxtb16(weights[1]), *b1);
        *a1 = eb_smlad(patch[2], eb_sxtb16_odd(weights[1]), *a1);
        *b1 = eb_smlad(patch[3], eb_sxtb16_odd(weights[1]), *b1);
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
    int32_t a0 = 0;
    int32_t b0 = 0;
    int32_t a1 = 0;
    int32_t b1 = 0;
    weights = sum_two(weights, patch, layer->steps, &a0, &b0, &a1, &b1);
    a[0] = bias[0] + 2 * a0;
    b[0] = bias[0] + 2 * b0;
    a[1] = bias[1] + 2 * a1;
    b[1] = bias[1] + 2 * b1;
    return weights;
}

static void two_pixels(const eb_conv2d_pairs *layer, const void *work, const uint32_t *patches,
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

static void largest_pixel(const eb_conv2d_pairs *layer, const void *work,
                          const uint32_t *patches, int8_t *output, int8_t *none)
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

void eb_run_conv2d_narrow_pooled(const eb_conv2d_pairs *layer, const int8_t *input,
                                 int8_t *output, int8_t *scratch)
{
    eb_each_pool(layer, 0, input, output, scratch, largest_pixel);
}
