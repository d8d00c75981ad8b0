// SPDX-License-Identifier: Apache-2.0
// Copyright edgebio contributors

#include <string.h>

#include "eb_kernels.h"

void eb_run_concatenation(const eb_concatenation *layer, const int8_t *const *inputs,
                          int8_t *output)
{
    for (uint32_t row = 0; row < layer->rows; row++) {
        for (uint32_t i = 0; i < layer->inputs; i++) {
            const uint32_t block = layer->blocks[i];
            memcpy(output, inputs[i] + row * block, block);
            output += block;
        }
    }
}
