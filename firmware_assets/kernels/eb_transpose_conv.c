// SPDX-License-Identifier: Apache-2.0
// Copyright edgebio contributors

#include "eb_kernels.h"

/* First tap of a window, and the input under it, for the output at `place` along an axis: the taps
 * that reach it are a stride apart, and each following one is over the input before. */
typedef struct {
    uint32_t tap, input, taps;
} reach;

static reach find_reach(uint32_t place, uint32_t pad, uint32_t stride, uint32_t window,
                        uint32_t inputs)
{
    uint32_t tap = (place + pad) % stride;
    uint32_t input = (place + pad) / stride;
    if (input >= inputs) { /* behind the last one */
        tap += (input - (inputs - 1u)) * stride;
        input = inputs - 1u;
    }
    const uint32_t fit = tap < window ? (window - tap + stride - 1u) / stride : 0u;
    const reach result = {tap, input, fit < input + 1u ? fit : input + 1u};
    return result;
}

static int32_t sum_products(const eb_transpose_conv *layer, const reach *rows, const reach *columns,
                            const int8_t *weights, const int8_t *input)
{
    const uint32_t depth = layer->depth;
    int32_t sum = 0;
    for (uint32_t i = 0; i < rows->taps; i++) {
        const uint32_t row = rows->tap + i * layer->stride_h;
        const int8_t *const line = input + (rows->input - i) * layer->input_w * depth;
        for (uint32_t j = 0; j < columns->taps; j++) {
            const uint32_t column = columns->tap + j * layer->stride_w;
            const int8_t *w = weights + (row * layer->window_w + column) * depth;
            const int8_t *x = line + (columns->input - j) * depth;
            for (const int8_t *const end = x + depth; x != end; x++) {
                sum += (*x - layer->zero_point) * *w++;
            }
        }
    }
    return sum;
}

void eb_run_transpose_conv(const eb_transpose_conv *layer, const int8_t *input, int8_t *output)
{
    const uint32_t taps = (uint32_t)layer->window_h * layer->window_w * layer->depth;
    for (uint32_t y = 0; y < layer->output_h; y++) {
        const reach rows =
            find_reach(y, layer->pad_h, layer->stride_h, layer->window_h, layer->input_h);
        for (uint32_t x = 0; x < layer->output_w; x++) {
            const reach columns =
                find_reach(x, layer->pad_w, layer->stride_w, layer->window_w, layer->input_w);
            for (uint32_t i = 0; i < layer->outputs; i++) {
                const eb_channel *const channel = layer->channels + i;
                const uint32_t sum = (uint32_t)sum_products(layer, &rows, &columns,
                                                            layer->weights + i * taps, input);
                /* A bias at the end of int32, of a dead channel, wraps as in the reference. */
                const uint32_t biased = sum + (uint32_t)channel->bias;
                *output++ = (int8_t)eb_finish((int32_t)biased, channel, layer->range);
            }
        }
    }
}
