// SPDX-License-Identifier: Apache-2.0
// Copyright edgebio contributors

#include "eb_mve.h"

enum { LONG = 32 }; /* bytes of a block, from which a copy pays for its own loop */

void eb_run_concatenation_mve(const eb_concatenation *layer, const int8_t *const *inputs,
                              int8_t *output)
{
    uint32_t row = 0;
    for (uint32_t i = 0; i < layer->inputs; i++) {
        row += layer->blocks[i];
    }
    for (uint32_t i = 0; i < layer->inputs; i++) {
        const uint32_t block = layer->blocks[i];
        if (block > LONG || layer->rows == 1u) {
            for (uint32_t k = 0; k < layer->rows; k++) {
                eb_copy_bytes(output + k * row, inputs[i] + k * block, block);
            }
        } else {
            eb_copy_pieces(output, row, inputs[i], block, block, layer->rows);
        }
        output += block;
    }
}
