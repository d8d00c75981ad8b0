// SPDX-License-Identifier: Apache-2.0
// Copyright edgebio contributors

#include "eb_kernels.h"

enum { ONE = 1 << 10 };

/* Exact: at most 31 bits, as a weight is at most ONE. */
static int32_t mix(int32_t first, int32_t second, int32_t weight)
{
    return first * (ONE - weight) + second * weight;
}

void eb_run_resize_bilinear(const eb_resize_bilinear *layer, const int8_t *input, int8_t *output)
{
    const int16_t *const rows = layer->places;
    const int16_t *const columns = rows + 3u * layer->output_h;
    const uint32_t line = (uint32_t)layer->input_w * layer->channels;
    for (uint32_t y = 0; y < layer->output_h; y++) {
        const int16_t *const row = rows + 3u * y;
        const int8_t *const above = input + (uint32_t)row[0] * line;
        const int8_t *const below = input + (uint32_t)row[1] * line;
        for (uint32_t x = 0; x < layer->output_w; x++) {
            const int16_t *const column = columns + 3u * x;
            const uint32_t left = (uint32_t)column[0] * layer->channels;
            const uint32_t right = (uint32_t)column[1] * layer->channels;
            for (uint32_t c = 0; c < layer->channels; c++) {
                const int32_t sum = mix(mix(above[left + c], above[right + c], column[2]),
                                        mix(below[left + c], below[right + c], column[2]), row[2]);
                /* Halves away from zero. */
                *output++ = (int8_t)((sum + (sum > 0 ? 1 << 19 : -(1 << 19))) / (1 << 20));
            }
        }
    }
}
