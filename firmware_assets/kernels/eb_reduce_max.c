// SPDX-License-Identifier: Apache-2.0
// Copyright edgebio contributors

#include "eb_kernels.h"

void eb_run_reduce_max(const eb_reduce_max *layer, const int8_t *input, int8_t *output)
{
    const uint32_t row = layer->reduced_2 * layer->inner;
    const uint32_t plane = layer->middle * row;
    for (uint32_t outer = 0; outer < layer->outer; outer++) {
        for (uint32_t middle = 0; middle < layer->middle; middle++) {
            for (uint32_t inner = 0; inner < layer->inner; inner++) {
                int32_t largest = INT8_MIN;
                for (uint32_t i = 0; i < layer->reduced_1; i++) {
                    const int8_t *x = input + i * plane + middle * row + inner;
                    for (uint32_t j = 0; j < layer->reduced_2; j++) {
                        largest = *x > largest ? *x : largest;
                        x += layer->inner;
                    }
                }
                *output++ = (int8_t)largest;
            }
        }
        input += layer->reduced_1 * plane;
    }
}
