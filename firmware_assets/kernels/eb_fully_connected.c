// SPDX-License-Identifier: Apache-2.0
// Copyright edgebio contributors

#include "eb_kernels.h"

void eb_run_fully_connected(const eb_fully_connected *layer, const int8_t *input, int8_t *output)
{
    for (uint32_t row = 0; row < layer->rows; row++) {
        eb_multiply_row(layer->weights, layer->channels, layer->range, layer->inputs,
                        layer->outputs, input, output);
        input += layer->inputs;
        output += layer->outputs;
    }
}
