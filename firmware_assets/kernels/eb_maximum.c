// SPDX-License-Identifier: Apache-2.0
// Copyright edgebio contributors

#include "eb_kernels.h"

void eb_run_maximum(const eb_maximum *layer, const int8_t *input_1, const int8_t *input_2,
                    int8_t *output)
{
    const uint32_t rows = eb_row_count(layer->size);
    for (uint32_t row = 0; row < rows; row++) {
        const int8_t *x = input_1 + eb_row_start(layer->size, layer->step_1, row);
        const int8_t *y = input_2 + eb_row_start(layer->size, layer->step_2, row);
        for (uint32_t i = 0; i < layer->size[3]; i++) {
            *output++ = *x > *y ? *x : *y;
            x += layer->step_1[3];
            y += layer->step_2[3];
        }
    }
}
