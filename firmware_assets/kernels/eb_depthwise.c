// SPDX-License-Identifier: Apache-2.0
// Copyright edgebio contributors

#include <stdbool.h>

#include "eb_kernels.h"

static bool inside(const eb_window *window, int32_t top, int32_t left)
{
    return top >= 0 && left >= 0 &&
           top + (window->window_h - 1) * window->dilation_h < window->input_h &&
           left + (window->window_w - 1) * window->dilation_w < window->input_w;
}

static int8_t one_output(const eb_depthwise *layer, const eb_taps *taps, uint32_t channel,
                         uint32_t out)
{
    const eb_window *window = &layer->window;
    const int8_t *w = layer->weights + out;
    int32_t sum = layer->channels[out].bias;
    for (uint32_t ky = 0; ky < window->window_h; ky++) {
        const int8_t *x = taps->origin + ky * taps->row_step + channel;
        for (uint32_t kx = 0; kx < window->window_w; kx++) {
            sum += *w * *x;
            w += (uint32_t)window->channels * layer->multiplier;
            x += taps->tap_step;
        }
    }
    return (int8_t)eb_finish(sum, layer->channels + out, layer->range);
}

void eb_depthwise_image(const eb_depthwise *layer, eb_four_channels *four_channels,
                        const int8_t *input, int8_t *output, int8_t *scratch)
{
    const eb_window *window = &layer->window;
    const uint32_t channels = window->channels;
    for (uint32_t row = 0; row < window->output_h; row++) {
        const int32_t top = (int32_t)(row * window->stride_h) - window->pad_h;
        for (uint32_t column = 0; column < window->output_w; column++) {
            const int32_t left = (int32_t)(column * window->stride_w) - window->pad_w;
            eb_taps taps = {scratch, window->window_w * channels, channels};
            if (inside(window, top, left)) {
                taps.origin = input + ((uint32_t)top * window->input_w + (uint32_t)left) * channels;
                taps.row_step = (uint32_t)window->dilation_h * window->input_w * channels;
                taps.tap_step = window->dilation_w * channels;
            } else {
                eb_patch(window, layer->pad_value, row, column, input, scratch);
            }
            uint32_t channel = 0;
            if (layer->multiplier == 1) {
                for (; channel + 4u <= channels; channel += 4u) {
                    four_channels(layer, &taps, channel, output);
                    output += 4;
                }
            }
            for (; channel < channels; channel++) {
                for (uint32_t m = 0; m < layer->multiplier; m++) {
                    *output++ = one_output(layer, &taps, channel, channel * layer->multiplier + m);
                }
            }
        }
    }
}

static void four_channels(const eb_depthwise *layer, const eb_taps *taps, uint32_t channel,
                          int8_t *output)
{
    const eb_window *window = &layer->window;
    const eb_channel *channels = layer->channels + channel;
    const int8_t *w = layer->weights + channel;
    int32_t s0 = channels[0].bias;
    int32_t s1 = channels[1].bias;
    int32_t s2 = channels[2].bias;
    int32_t s3 = channels[3].bias;
    for (uint32_t ky = 0; ky < window->window_h; ky++) {
        const int8_t *x = taps->origin + ky * taps->row_step + channel;
        for (uint32_t kx = 0; kx < window->window_w; kx++) {
            s0 += w[0] * x[0];
            s1 += w[1] * x[1];
            s2 += w[2] * x[2];
            s3 += w[3] * x[3];
            w += window->channels;
            x += taps->tap_step;
        }
    }
    /* All before the first store: as far as the compiler knows, a store could change the range. */
    s0 = eb_finish(s0, channels, layer->range);
    s1 = eb_finish(s1, channels + 1, layer->range);
    s2 = eb_finish(s2, channels + 2, layer->range);
    s3 = eb_finish(s3, channels + 3, layer->range);
    output[0] = (int8_t)s0;
    output[1] = (int8_t)s1;
    output[2] = (int8_t)s2;
    output[3] = (int8_t)s3;
}

void eb_run_depthwise(const eb_depthwise *layer, const int8_t *input, int8_t *output,
                      int8_t *scratch)
{
    eb_depthwise_image(layer, four_channels, input, output, scratch);
}
