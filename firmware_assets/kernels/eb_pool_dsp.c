// SPDX-License-Identifier: Apache-2.0
// Copyright edgebio contributors

#include "eb_kernels.h"
#include "eb_sums_dsp.h"

/* The first pixel under the window of an output, channels from `channel` on. */
static const int8_t *corner(const eb_window *window, uint32_t row, uint32_t column,
                            const int8_t *input)
{
    const uint32_t pixel = row * window->stride_h * window->input_w + column * window->stride_w;
    return input + pixel * window->channels;
}

void eb_run_max_pool_dsp(const eb_pool *layer, const int8_t *input, int8_t *output)
{
    const eb_window *window = &layer->window;
    const uint32_t channels = window->channels;
    const uint32_t line = window->input_w * channels;
    for (uint32_t row = 0; row < window->output_h; row++) {
        for (uint32_t column = 0; column < window->output_w; column++) {
            const int8_t *const first = corner(window, row, column, input);
            for (uint32_t channel = 0; channel < channels; channel += 4u) {
                uint32_t largest = 0x80808080u;
                const int8_t *from = first + channel;
                for (uint32_t y = window->window_h; y; y--) {
                    const int8_t *x = from;
                    for (uint32_t i = window->window_w; i; i--) {
                        largest = eb_max4(largest, eb_load4(x));
                        x += channels;
                    }
                    from += line;
                }
                if (layer->low > INT8_MIN) {
                    largest = eb_max4(largest, 0x01010101u * (uint8_t)layer->low);
                }
                if (layer->high < INT8_MAX) { /* xor leaves the smaller value */
                    const uint32_t high = 0x01010101u * (uint8_t)layer->high;
                    largest ^= high ^ eb_max4(largest, high);
                }
                eb_store4(output, largest);
                output += 4;
            }
        }
    }
}

void eb_run_average_pool_dsp(const eb_pool *layer, const int8_t *input, int8_t *output)
{
    const eb_window *window = &layer->window;
    const uint32_t channels = window->channels;
    const uint32_t line = window->input_w * channels;
    const int32_t count = window->window_h * window->window_w;
    const int is_whole = window->window_w == window->input_w; /* rows follow each other */
    const uint32_t rows = is_whole ? 1u : window->window_h;
    const uint32_t pixels = is_whole ? (uint32_t)count : window->window_w;
    for (uint32_t row = 0; row < window->output_h; row++) {
        for (uint32_t column = 0; column < window->output_w; column++) {
            const int8_t *const first = corner(window, row, column, input);
            for (uint32_t channel = 0; channel < channels; channel += 4u) {
                int32_t sums[4] = {0, 0, 0, 0};
                for (uint32_t y = 0; y < rows; y++) {
                    eb_sum_pixels(first + y * line + channel, channels, pixels, sums);
                }
                for (uint32_t i = 0; i < 4u; i++) {
                    /* Halves are rounded away from zero: C's division truncates. */
                    const int32_t half = sums[i] > 0 ? count / 2 : -(count / 2);
                    *output++ = eb_clamp((sums[i] + half) / count, layer->low, layer->high);
                }
            }
        }
    }
}
