// SPDX-License-Identifier: Apache-2.0
// Copyright edgebio contributors

#include "eb_fixed_point.h"
#include "eb_kernels.h"

enum { OUTPUT_BITS = 7 }; /* the output's scale is 1/128 */

/* Multiplier and shift of 1 / sqrt(value), as the reference's GetInvSqrtQuantizedMultiplierExp:
 * five Newton-Raphson steps in Q3.28 for the value scaled to 1/4 ... 1. */
static int32_t inverse_square_root(int32_t value, int32_t *shift)
{
    if (value <= 1) {
        *shift = 0;
        return INT32_MAX;
    }
    int32_t right = 11;
    while (value >= 1 << 29) {
        value /= 4;
        right++;
    }
    while (value < 1 << 27) {
        value *= 4;
        right--;
    }
    const int32_t half = ((value >> 1) + 1) >> 1;
    const int32_t three_halves = (1 << 28) + (1 << 27);
    int32_t x = 1 << 28;
    for (int step = 0; step < 5; step++) {
        const int32_t cube = eb_saturating_shift(eb_high_multiply(eb_high_multiply(x, x), x), 6);
        x = eb_saturating_shift(eb_high_multiply(three_halves, x) - eb_high_multiply(half, cube),
                                3);
    }
    x = eb_high_multiply(x, 1518500250); /* sqrt(1/2) */
    *shift = right < 0 ? 0 : -right;
    return right < 0 ? (int32_t)((uint32_t)x << -right) : x;
}

void eb_run_l2_normalization(const eb_l2_normalization *layer, const int8_t *input, int8_t *output)
{
    for (uint32_t row = 0; row < layer->rows; row++) {
        int32_t sum = 0;
        for (uint32_t i = 0; i < layer->depth; i++) {
            const int32_t x = input[i] - layer->zero_point;
            sum += x * x;
        }
        int32_t shift;
        const int32_t multiplier = inverse_square_root(sum, &shift);
        for (uint32_t i = 0; i < layer->depth; i++) {
            const int32_t x = input[i] - layer->zero_point;
            output[i] =
                eb_clamp(eb_requantize(x, multiplier, shift + OUTPUT_BITS), INT8_MIN, INT8_MAX);
        }
        input += layer->depth;
        output += layer->depth;
    }
}
