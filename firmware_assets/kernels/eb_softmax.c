// SPDX-License-Identifier: Apache-2.0
// Copyright edgebio contributors

#include "eb_kernels.h"

/* gemmlowp's RoundingDivideByPOT of a nonnegative value: halves are rounded up. */
static int32_t rounding_shift(int32_t value, uint32_t exponent)
{
    const uint32_t mask = ((uint32_t)1 << exponent) - 1u;
    return (value >> exponent) + (((uint32_t)value & mask) > (mask >> 1) ? 1 : 0);
}

static uint32_t leading_zeros(uint32_t value)
{
    uint32_t zeros = 0;
    while (!(value & 0x80000000u)) {
        value <<= 1;
        zeros++;
    }
    return zeros;
}

/* gemmlowp's one_over_one_plus_x_for_x_in_0_1: three Newton-Raphson steps towards 1 / (1 + x) in
 * Q2.29, x and the result in Q0.31. */
static int32_t one_over_one_plus(int32_t x)
{
    const int32_t half = (int32_t)(((int64_t)x + INT32_MAX + 1) / 2);
    int32_t estimate = 1515870810 + eb_high_multiply(half, -1010580540); /* 48/17 - 32/17 * half */
    for (int step = 0; step < 3; step++) {
        const int32_t error = (1 << 29) - eb_high_multiply(half, estimate);
        estimate += (int32_t)((uint32_t)eb_high_multiply(estimate, error) << 2);
    }
    /* Halved, in Q0.31; the only value that does not fit saturates. */
    return estimate >= (1 << 30) ? INT32_MAX : (int32_t)((uint32_t)estimate << 1);
}

static int32_t exponential(const eb_softmax *layer, int32_t distance)
{
    return distance < layer->count ? layer->exponentials[distance] : 0;
}

void eb_run_softmax(const eb_softmax *layer, const int8_t *input, int8_t *output)
{
    for (uint32_t row = 0; row < layer->rows; row++) {
        int32_t largest = INT8_MIN;
        for (uint32_t i = 0; i < layer->classes; i++) {
            largest = input[i] > largest ? input[i] : largest;
        }
        int32_t sum = 0; /* Q12.19 */
        for (uint32_t i = 0; i < layer->classes; i++) {
            sum += rounding_shift(exponential(layer, largest - input[i]), 12);
        }
        const uint32_t headroom = leading_zeros((uint32_t)sum);
        const int32_t reciprocal =
            one_over_one_plus((int32_t)(((uint32_t)sum << headroom) - 0x80000000u));
        const uint32_t exponent = 12u - headroom + 23u;
        for (uint32_t i = 0; i < layer->classes; i++) {
            const int32_t share =
                eb_high_multiply(reciprocal, exponential(layer, largest - input[i]));
            output[i] = eb_clamp(rounding_shift(share, exponent) + INT8_MIN, INT8_MIN, INT8_MAX);
        }
        input += layer->classes;
        output += layer->classes;
    }
}
