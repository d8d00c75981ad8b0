// SPDX-License-Identifier: Apache-2.0
// Copyright edgebio contributors

#include "eb_kernels.h"
#include "eb_sums_dsp.h"

void eb_add_pixels_dsp(int32_t *sums, const int8_t *pixels, uint32_t count, uint32_t channels)
{
    for (uint32_t i = 0; i < channels; i += 4u) {
        eb_sum_pixels(pixels + i, channels, count, sums + i);
    }
}

void eb_subtract_pixels_dsp(int32_t *sums, const int8_t *pixels, uint32_t count, uint32_t channels)
{
    for (uint32_t i = 0; i < channels; i += 4u) {
        int32_t leaving[4] = {0};
        eb_sum_pixels(pixels + i, channels, count, leaving);
        for (uint32_t k = 0; k < 4u; k++) {
            sums[i + k] -= leaving[k];
        }
    }
}
