// SPDX-License-Identifier: Apache-2.0
// Copyright edgebio contributors

#include "eb_kernels.h"

void eb_run_prelu(const eb_prelu *layer, const int8_t *input, int8_t *output)
{
    const uint32_t rows = eb_row_count(layer->size);
    for (uint32_t row = 0; row < rows; row++) {
        const int8_t *slope = layer->slopes + eb_row_start(layer->size, layer->step, row);
        for (uint32_t i = 0; i < layer->size[3]; i++) {
            const int32_t x = *input++ - layer->zero_point;
            int32_t value;
            if (x >= 0) {
                value = eb_requantize(x, layer->multiplier, layer->shift);
            } else {
                value = eb_requantize(x * (*slope - layer->slope_zero_point),
                                      layer->slope_multiplier, layer->slope_shift);
            }
            *output++ = eb_clamp(value + layer->output_zero_point, INT8_MIN, INT8_MAX);
            slope += layer->step[3];
        }
    }
}
