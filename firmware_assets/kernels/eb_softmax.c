// SPDX-License-Identifier: Apache-2.0
// Copyright edgebio contributors

#include "eb_fixed_point.h"
#include "eb_kernels.h"

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
            sum += eb_rounding_shift(exponential(layer, largest - input[i]), 12);
        }
        const uint32_t headroom = eb_leading_zeros((uint32_t)sum);
        const int32_t reciprocal =
            eb_one_over_one_plus((int32_t)(((uint32_t)sum << headroom) - 0x80000000u));
        const uint32_t exponent = 12u - headroom + 23u;
        for (uint32_t i = 0; i < layer->classes; i++) {
            const int32_t share =
                eb_high_multiply(reciprocal, exponential(layer, largest - input[i]));
            output[i] = eb_clamp(eb_rounding_shift(share, exponent) + INT8_MIN, INT8_MIN, INT8_MAX);
        }
        input += layer->classes;
        output += layer->classes;
    }
}
