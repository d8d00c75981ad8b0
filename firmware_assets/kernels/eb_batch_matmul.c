// SPDX-License-Identifier: Apache-2.0
// Copyright edgebio contributors

#include "eb_kernels.h"

static int8_t *multiply(const eb_batch_matmul *layer, const int8_t *first, const int8_t *second,
                        int8_t *output)
{
    for (uint32_t row = 0; row < layer->rows; row++) {
        for (uint32_t column = 0; column < layer->columns; column++) {
            const int8_t *x = first + row * layer->row_step;
            const int8_t *y = second + column * layer->column_step;
            int32_t sum = 0;
            for (uint32_t i = 0; i < layer->depth; i++) {
                sum += (*x - layer->zero_point_1) * (*y - layer->zero_point_2);
                x += layer->depth_step_1;
                y += layer->depth_step_2;
            }
            const int32_t value = eb_requantize(sum, layer->multiplier, layer->shift);
            *output++ = eb_clamp(value + layer->zero_point, INT8_MIN, INT8_MAX);
        }
    }
    return output;
}

void eb_run_batch_matmul(const eb_batch_matmul *layer, const int8_t *input_1, const int8_t *input_2,
                         int8_t *output)
{
    const uint32_t *const step_1 = layer->batch_step_1;
    const uint32_t *const step_2 = layer->batch_step_2;
    for (uint32_t a = 0; a < layer->batches[0]; a++) {
        for (uint32_t b = 0; b < layer->batches[1]; b++) {
            for (uint32_t c = 0; c < layer->batches[2]; c++) {
                output = multiply(layer, input_1 + a * step_1[0] + b * step_1[1] + c * step_1[2],
                                  input_2 + a * step_2[0] + b * step_2[1] + c * step_2[2], output);
            }
        }
    }
}
