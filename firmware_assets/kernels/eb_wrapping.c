// SPDX-License-Identifier: Apache-2.0
// Copyright edgebio contributors

#include "eb_kernels.h"

/* Sums are unsigned integers, whose wrapping is defined; in any order of the terms, the lower 32
 * bits are the same. */
static int8_t finish(uint32_t sum, const eb_channel *channel, eb_range range)
{
    return (int8_t)eb_finish((int32_t)sum, channel, range);
}

static void multiply_row(const int8_t *weights, const eb_channel *channels, eb_range range,
                         uint32_t inputs, uint32_t outputs, const int8_t *input, int8_t *output)
{
    for (uint32_t o = 0; o < outputs; o++) {
        uint32_t sum = (uint32_t)channels[o].bias;
        for (uint32_t i = 0; i < inputs; i++) {
            sum += (uint32_t)(*weights++ * input[i]);
        }
        output[o] = finish(sum, &channels[o], range);
    }
}

void eb_run_fully_connected_wrapping(const eb_fully_connected *layer, const int8_t *input,
                                     int8_t *output)
{
    for (uint32_t row = 0; row < layer->rows; row++) {
        multiply_row(layer->weights, layer->channels, layer->range, layer->inputs, layer->outputs,
                     input, output);
        input += layer->inputs;
        output += layer->outputs;
    }
}

void eb_run_conv2d_wrapping(const eb_conv2d *layer, const int8_t *input, int8_t *output,
                            int8_t *scratch)
{
    const eb_window *window = &layer->window;
    const uint32_t inputs = (uint32_t)window->window_h * window->window_w * window->channels;
    for (uint32_t row = 0; row < window->output_h; row++) {
        for (uint32_t column = 0; column < window->output_w; column++) {
            const int8_t *patch = eb_patch(window, layer->pad_value, row, column, input, scratch);
            multiply_row(layer->weights, layer->channels, layer->range, inputs, layer->outputs,
                         patch, output);
            output += layer->outputs;
        }
    }
}

void eb_run_depthwise_wrapping(const eb_depthwise *layer, const int8_t *input, int8_t *output,
                               int8_t *scratch)
{
    const eb_window *window = &layer->window;
    const uint32_t taps = (uint32_t)window->window_h * window->window_w;
    const uint32_t channels = window->channels;
    const uint32_t outputs = channels * layer->multiplier;
    for (uint32_t row = 0; row < window->output_h; row++) {
        for (uint32_t column = 0; column < window->output_w; column++) {
            const int8_t *patch = eb_patch(window, layer->pad_value, row, column, input, scratch);
            for (uint32_t o = 0; o < outputs; o++) {
                uint32_t sum = (uint32_t)layer->channels[o].bias;
                for (uint32_t tap = 0; tap < taps; tap++) {
                    sum += (uint32_t)(layer->weights[tap * outputs + o] *
                                      patch[tap * channels + o / layer->multiplier]);
                }
                *output++ = finish(sum, &layer->channels[o], layer->range);
            }
        }
    }
}
