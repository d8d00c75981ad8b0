// SPDX-License-Identifier: Apache-2.0
// Copyright edgebio contributors

#include "eb_dsp.h"
#include "eb_kernels.h"

/* Weights and inputs of four neighboring channels are a word each: 2 loads, 4 SXTB16 and 4
 * multiply-accumulates of halves are 4 products. */
static void four_channels(const eb_depthwise *layer, const eb_taps *taps, uint32_t channel,
                          int8_t *output)
{
    const eb_channel *channels = layer->channels + channel;
    const uint32_t weight_step = layer->window.channels;
    /* A window of one column is traversed as one row is. */
    const uint32_t is_column = layer->window.window_w == 1u;
    const uint32_t tap_step = is_column ? taps->row_step : taps->tap_step;
    const uint32_t columns = is_column ? layer->window.window_h : layer->window.window_w;
    const int8_t *w = layer->weights + channel;
    const int8_t *row = taps->origin + channel;
    int32_t s0 = channels[0].bias;
    int32_t s1 = channels[1].bias;
    int32_t s2 = channels[2].bias;
    int32_t s3 = channels[3].bias;
    for (uint32_t rows = is_column ? 1u : layer->window.window_h; rows; rows--) {
        const int8_t *x = row;
        for (uint32_t column = columns; column; column--) {
            const uint32_t four_w = eb_load4(w);
            const uint32_t four_x = eb_load4(x);
            const uint32_t even_w = eb_sxtb16(four_w);
            const uint32_t even_x = eb_sxtb16(four_x);
            const uint32_t odd_w = eb_sxtb16_odd(four_w);
            const uint32_t odd_x = eb_sxtb16_odd(four_x);
            s0 = eb_smlabb(even_w, even_x, s0);
            s1 = eb_smlabb(odd_w, odd_x, s1);
            s2 = eb_smlatt(even_w, even_x, s2);
            s3 = eb_smlatt(odd_w, odd_x, s3);
            w += weight_step;
            x += tap_step;
        }
        row += taps->row_step;
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

void eb_run_depthwise_dsp(const eb_depthwise *layer, const int8_t *input, int8_t *output,
                          int8_t *scratch)
{
    eb_depthwise_image(layer, four_channels, input, output, scratch);
}
