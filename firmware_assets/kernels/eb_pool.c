// SPDX-License-Identifier: Apache-2.0
// Copyright edgebio contributors

#include "eb_kernels.h"

/* The part of a window that lies in the image. */
typedef struct {
    const int8_t *first; /* its upper left pixel */
    uint32_t rows, columns;
} part;

/* Restrict `size` elements from `origin` on to those in 0 ... end. */
static uint32_t cut(int32_t *origin, uint32_t size, uint32_t end)
{
    const uint32_t last = (uint32_t)(*origin + (int32_t)size);
    *origin = *origin > 0 ? *origin : 0;
    return (last < end ? last : end) - (uint32_t)*origin;
}

static part under(const eb_window *window, uint32_t row, uint32_t column, const int8_t *input)
{
    int32_t top = (int32_t)(row * window->stride_h) - window->pad_h;
    int32_t left = (int32_t)(column * window->stride_w) - window->pad_w;
    part area;
    area.rows = cut(&top, window->window_h, window->input_h);
    area.columns = cut(&left, window->window_w, window->input_w);
    area.first = input + ((uint32_t)top * window->input_w + (uint32_t)left) * window->channels;
    return area;
}

void eb_run_max_pool(const eb_pool *layer, const int8_t *input, int8_t *output)
{
    const eb_window *window = &layer->window;
    const uint32_t channels = window->channels;
    for (uint32_t row = 0; row < window->output_h; row++) {
        for (uint32_t column = 0; column < window->output_w; column++) {
            const part area = under(window, row, column, input);
            for (uint32_t channel = 0; channel < channels; channel++) {
                const int8_t *line = area.first + channel;
                int32_t largest = layer->low;
                for (uint32_t y = area.rows; y; y--) {
                    const int8_t *x = line;
                    for (uint32_t i = area.columns; i; i--) {
                        largest = *x > largest ? *x : largest;
                        x += channels;
                    }
                    line += window->input_w * channels;
                }
                *output++ = eb_clamp(largest, layer->low, layer->high);
            }
        }
    }
}

void eb_run_average_pool(const eb_pool *layer, const int8_t *input, int8_t *output)
{
    const eb_window *window = &layer->window;
    const uint32_t channels = window->channels;
    for (uint32_t row = 0; row < window->output_h; row++) {
        for (uint32_t column = 0; column < window->output_w; column++) {
            const part area = under(window, row, column, input);
            const int32_t count = (int32_t)(area.rows * area.columns);
            for (uint32_t channel = 0; channel < channels; channel++) {
                const int8_t *line = area.first + channel;
                int32_t sum = 0;
                for (uint32_t y = area.rows; y; y--) {
                    const int8_t *x = line;
                    for (uint32_t i = area.columns; i; i--) {
                        sum += *x;
                        x += channels;
                    }
                    line += window->input_w * channels;
                }
                /* Halves are rounded away from zero: C's division truncates. */
                sum = (sum > 0 ? sum + count / 2 : sum - count / 2) / count;
                *output++ = eb_clamp(sum, layer->low, layer->high);
            }
        }
    }
}
