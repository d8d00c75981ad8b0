// SPDX-License-Identifier: Apache-2.0
// Copyright edgebio contributors

#include "eb_kernels.h"

static void pixel(const eb_conv2d *layer, uint32_t row, uint32_t column, const int8_t *input,
                  int8_t *output, int8_t *scratch)
{
    const eb_window *window = &layer->window;
    const uint32_t inputs = (uint32_t)window->window_h * window->window_w * window->channels;
    const int8_t *patch = eb_patch(window, layer->pad_value, row, column, input, scratch);
    eb_multiply_row(layer->weights, layer->channels, layer->range, inputs, layer->outputs, patch,
                    output);
}

/* Each output pixel is one row of products over the patch under its window. */
void eb_run_conv2d(const eb_conv2d *layer, const int8_t *input, int8_t *output, int8_t *scratch)
{
    for (uint32_t row = 0; row < layer->window.output_h; row++) {
        for (uint32_t column = 0; column < layer->window.output_w; column++) {
            pixel(layer, row, column, input, output, scratch);
            output += layer->outputs;
        }
    }
}

void eb_run_conv2d_pooled(const eb_conv2d *layer, const int8_t *input, int8_t *output,
                          int8_t *scratch)
{
    const uint32_t pool = (uint32_t)layer->pool_h * layer->pool_w;
    int8_t *const candidate = scratch;
    int8_t *const patch = layer->direct ? 0 : scratch + layer->outputs;
    for (uint32_t row = 0; row < layer->window.output_h; row++) {
        for (uint32_t column = 0; column < layer->window.output_w; column++) {
            for (uint32_t i = 0; i < pool; i++) {
                const uint32_t y = row * layer->pool_h + i / layer->pool_w;
                const uint32_t x = column * layer->pool_w + i % layer->pool_w;
                pixel(layer, y, x, input, i ? candidate : output, patch);
                for (uint32_t o = 0; i && o < layer->outputs; o++) {
                    output[o] = candidate[o] > output[o] ? candidate[o] : output[o];
                }
            }
            output += layer->outputs;
        }
    }
}
