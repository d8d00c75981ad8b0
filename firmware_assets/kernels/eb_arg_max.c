// SPDX-License-Identifier: Apache-2.0
// Copyright edgebio contributors

#include "eb_kernels.h"

void eb_run_arg_max(const eb_arg_max *layer, const int8_t *input, int32_t *output)
{
    for (uint32_t a = 0; a < layer->outer; a++) {
        for (uint32_t b = 0; b < layer->inner; b++) {
            uint32_t best = 0;
            for (uint32_t i = 1; i < layer->size; i++) {
                if (input[i * layer->inner + b] > input[best * layer->inner + b]) {
                    best = i;
                }
            }
            *output++ = (int32_t)best;
        }
        input += layer->size * layer->inner;
    }
}
