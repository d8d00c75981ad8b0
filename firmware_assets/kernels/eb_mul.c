// SPDX-License-Identifier: Apache-2.0
// Copyright edgebio contributors

#include "eb_kernels.h"

void eb_run_mul(const eb_mul *layer, const int8_t *input_1, const int8_t *input_2, int8_t *output)
{
    const uint32_t rows = eb_row_count(layer->size);
    for (uint32_t row = 0; row < rows; row++) {
        const int8_t *x = input_1 + eb_row_start(layer->size, layer->step_1, row);
        const int8_t *y = input_2 + eb_row_start(layer->size, layer->step_2, row);
        for (uint32_t i = 0; i < layer->size[3]; i++) {
            const int32_t product = (*x - layer->zero_point_1) * (*y - layer->zero_point_2);
            const int32_t value = eb_requantize(product, layer->multiplier, layer->shift);
            *output++ =
                eb_clamp(value + layer->range.zero_point, layer->range.low, layer->range.high);
            x += layer->step_1[3];
            y += layer->step_2[3];
        }
    }
}
