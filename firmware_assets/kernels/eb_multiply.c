// SPDX-License-Identifier: Apache-2.0
// Copyright edgebio contributors

#include "eb_kernels.h"

/* Four outputs at a time, so that an input is loaded once for four products. */
void eb_multiply_row(const int8_t *weights, const eb_channel *channels, eb_range range,
                     uint32_t inputs, uint32_t outputs, const int8_t *input, int8_t *output)
{
    uint32_t o = 0;
    for (; o + 4u <= outputs; o += 4u) {
        const int8_t *w0 = weights;
        const int8_t *w1 = w0 + inputs;
        const int8_t *w2 = w1 + inputs;
        const int8_t *w3 = w2 + inputs;
        int32_t s0 = channels[0].bias;
        int32_t s1 = channels[1].bias;
        int32_t s2 = channels[2].bias;
        int32_t s3 = channels[3].bias;
        for (uint32_t i = 0; i < inputs; i++) {
            const int32_t x = input[i];
            s0 += w0[i] * x;
            s1 += w1[i] * x;
            s2 += w2[i] * x;
            s3 += w3[i] * x;
        }
        output[o] = (int8_t)eb_finish(s0, channels, range);
        output[o + 1u] = (int8_t)eb_finish(s1, channels + 1, range);
        output[o + 2u] = (int8_t)eb_finish(s2, channels + 2, range);
        output[o + 3u] = (int8_t)eb_finish(s3, channels + 3, range);
        weights = w3 + inputs;
        channels += 4;
    }
    for (; o < outputs; o++) {
        int32_t sum = channels->bias;
        for (uint32_t i = 0; i < inputs; i++) {
            sum += weights[i] * input[i];
        }
        output[o] = (int8_t)eb_finish(sum, channels++, range);
        weights += inputs;
    }
}
