// SPDX-License-Identifier: Apache-2.0
// Copyright edgebio contributors

#include <string.h>

#include "eb_kernels.h"

const int8_t *eb_patch(const eb_window *window, int8_t pad_value, uint32_t row, uint32_t column,
                       const int8_t *input, int8_t *scratch)
{
    int8_t *patch = scratch;
    if (!scratch) {
        const uint32_t pixel = row * window->stride_h * window->input_w + column * window->stride_w;
        return input + pixel * window->channels;
    }
    const int32_t top = (int32_t)(row * window->stride_h) - window->pad_h;
    const int32_t left = (int32_t)(column * window->stride_w) - window->pad_w;
    const uint32_t channels = window->channels;
    const uint32_t span = window->window_w * channels;
    for (uint32_t ky = 0; ky < window->window_h; ky++) {
        const int32_t y = top + (int32_t)(ky * window->dilation_h);
        if (y < 0 || y >= window->input_h) {
            memset(patch, pad_value, span);
            patch += span;
            continue;
        }
        const int8_t *line = input + (uint32_t)y * window->input_w * channels;
        if (window->dilation_w == 1 && left >= 0 &&
            left + window->window_w <= (int32_t)window->input_w) {
            memcpy(patch, line + (uint32_t)left * channels, span);
            patch += span;
            continue;
        }
        for (uint32_t kx = 0; kx < window->window_w; kx++) {
            const int32_t x = left + (int32_t)(kx * window->dilation_w);
            if (x < 0 || x >= window->input_w) {
                memset(patch, pad_value, channels);
            } else {
                memcpy(patch, line + (uint32_t)x * channels, channels);
            }
            patch += channels;
        }
    }
    return scratch;
}
