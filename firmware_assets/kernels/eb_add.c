// SPDX-License-Identifier: Apache-2.0
// Copyright edgebio contributors

#include "eb_kernels.h"

enum { HEADROOM = 1 << 20 };

void eb_run_add(const eb_add *layer, const int8_t *input_1, const int8_t *input_2, int8_t *output)
{
    for (uint32_t a = 0; a < layer->size[0]; a++) {
        for (uint32_t b = 0; b < layer->size[1]; b++) {
            for (uint32_t c = 0; c < layer->size[2]; c++) {
                const int8_t *x =
                    input_1 + a * layer->step_1[0] + b * layer->step_1[1] + c * layer->step_1[2];
                const int8_t *y =
                    input_2 + a * layer->step_2[0] + b * layer->step_2[1] + c * layer->step_2[2];
                for (uint32_t d = 0; d < layer->size[3]; d++) {
                    const int32_t scaled_1 = eb_requantize((*x - layer->zero_point_1) * HEADROOM,
                                                           layer->multiplier_1, layer->shift_1);
                    const int32_t scaled_2 = eb_requantize((*y - layer->zero_point_2) * HEADROOM,
                                                           layer->multiplier_2, layer->shift_2);
                    const int32_t sum =
                        eb_requantize(scaled_1 + scaled_2, layer->multiplier, layer->shift);
                    *output++ = eb_clamp(sum + layer->range.zero_point, layer->range.low,
                                         layer->range.high);
                    x += layer->step_1[3];
                    y += layer->step_2[3];
                }
            }
        }
    }
}
