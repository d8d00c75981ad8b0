// SPDX-License-Identifier: Apache-2.0
// Copyright edgebio contributors

#include <string.h>

#include "eb_kernels.h"

/* Elements of the output for one index of `axis`. */
static uint32_t block(const eb_pad *layer, uint32_t axis)
{
    uint32_t elements = 1;
    for (uint32_t i = axis + 1u; i < 4u; i++) {
        elements *= (uint32_t)layer->size[i] + layer->before[i] + layer->after[i];
    }
    return elements;
}

static int8_t *fill(int8_t *output, int8_t value, uint32_t count)
{
    memset(output, value, count);
    return output + count;
}

void eb_run_pad(const eb_pad *layer, const int8_t *input, int8_t *output)
{
    const uint32_t blocks[4] = {block(layer, 0), block(layer, 1), block(layer, 2), 1u};
    const uint16_t *before = layer->before;
    const uint16_t *after = layer->after;
    output = fill(output, layer->value, before[0] * blocks[0]);
    for (uint32_t a = 0; a < layer->size[0]; a++) {
        output = fill(output, layer->value, before[1] * blocks[1]);
        for (uint32_t b = 0; b < layer->size[1]; b++) {
            output = fill(output, layer->value, before[2] * blocks[2]);
            for (uint32_t c = 0; c < layer->size[2]; c++) {
                output = fill(output, layer->value, before[3]);
                memcpy(output, input, layer->size[3]);
                output += layer->size[3];
                input += layer->size[3];
                output = fill(output, layer->value, after[3]);
            }
            output = fill(output, layer->value, after[2] * blocks[2]);
        }
        output = fill(output, layer->value, after[1] * blocks[1]);
    }
    fill(output, layer->value, after[0] * blocks[0]);
}
