// SPDX-License-Identifier: Apache-2.0
// Copyright edgebio contributors

#include <string.h>

#include "eb_kernels.h"

void eb_run_gather(const eb_gather *layer, const int8_t *input, int8_t *output)
{
    const uint32_t *const offsets_0 = layer->offsets;
    const uint32_t *const offsets_1 = offsets_0 + layer->size[0];
    const uint32_t *const offsets_2 = offsets_1 + layer->size[1];
    const uint32_t *const offsets_3 = offsets_2 + layer->size[2];
    for (uint32_t a = 0; a < layer->size[0]; a++) {
        for (uint32_t b = 0; b < layer->size[1]; b++) {
            for (uint32_t c = 0; c < layer->size[2]; c++) {
                const int8_t *const row = input + offsets_0[a] + offsets_1[b] + offsets_2[c];
                for (uint32_t d = 0; d < layer->size[3]; d++) {
                    memcpy(output, row + offsets_3[d], layer->block);
                    output += layer->block;
                }
            }
        }
    }
}
