// SPDX-License-Identifier: Apache-2.0
// Copyright edgebio contributors

#include "eb_kernels.h"

enum { HEADROOM = 1 << 20 };

void eb_run_sub(const eb_add *layer, const int8_t *input_1, const int8_t *input_2, int8_t *output)
{
    const uint32_t rows = eb_row_count(layer->size);
    for (uint32_t row = 0; row < rows; row++) {
        const int8_t *x = input_1 + eb_row_start(layer->size, layer->step_1, row);
        const int8_t *y = input_2 + eb_row_start(layer->size, layer->step_2, row);
        for (uint32_t i = 0; i < layer->size[3]; i++) {
            const int32_t scaled_1 = eb_requantize((*x - layer->zero_point_1) * HEADROOM,
                                                   layer->multiplier_1, layer->shift_1);
            const int32_t scaled_2 = eb_requantize((*y - layer->zero_point_2) * HEADROOM,
                                                   layer->multiplier_2, layer->shift_2);
            const int32_t difference =
                eb_requantize(scaled_1 - scaled_2, layer->multiplier, layer->shift);
            *output++ =
                eb_clamp(difference + layer->range.zero_point, layer->range.low, layer->range.high);
            x += layer->step_1[3];
            y += layer->step_2[3];
        }
    }
}
