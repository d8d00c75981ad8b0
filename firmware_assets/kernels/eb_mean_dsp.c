// SPDX-License-Identifier: Apache-2.0
// Copyright edgebio contributors

#include "eb_kernels.h"
#include "eb_sums_dsp.h"

void eb_run_mean_dsp(const eb_mean *layer, const int8_t *input, int8_t *output)
{
    for (uint32_t outer = 0; outer < layer->outer; outer++) {
        for (uint32_t inner = 0; inner < layer->inner; inner += 4u) {
            int32_t sums[4] = {layer->offset, layer->offset, layer->offset, layer->offset};
            eb_sum_pixels(input + inner, layer->inner, layer->reduced_2, sums);
            for (uint32_t i = 0; i < 4u; i++) {
                const int32_t mean = eb_requantize(sums[i], layer->multiplier, layer->shift);
                *output++ = eb_clamp(mean + layer->zero_point, INT8_MIN, INT8_MAX);
            }
        }
        input += layer->reduced_2 * layer->inner;
    }
}
