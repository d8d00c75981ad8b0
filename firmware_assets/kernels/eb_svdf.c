// SPDX-License-Identifier: Apache-2.0
// Copyright edgebio contributors

#include <string.h>

#include "eb_kernels.h"

/* The feature of the newest frame; like the reference, it is clamped before the zero point. */
static int32_t next_feature(const eb_svdf *layer, uint32_t filter, const int8_t *input)
{
    const int8_t *w = layer->feature_weights + filter * layer->inputs;
    int32_t sum = layer->feature_bias[filter];
    for (uint32_t i = 0; i < layer->inputs; i++) {
        sum += w[i] * input[i];
    }
    const int32_t low = layer->wide ? INT16_MIN : INT8_MIN;
    const int32_t high = layer->wide ? INT16_MAX : INT8_MAX;
    const int32_t value = eb_requantize(sum, layer->feature_multiplier, layer->feature_shift);
    return (value < low ? low : value > high ? high : value) + layer->state_zero_point;
}

/* Moves a filter's features by one, and sums them with its weights over time. */
static int32_t sum_wide(const eb_svdf *layer, const int16_t *weights, int16_t *features,
                        int32_t newest)
{
    const uint32_t last = layer->memory - 1u;
    memmove(features, features + 1, last * sizeof *features);
    features[last] = (int16_t)(uint16_t)newest;
    int32_t sum = 0;
    for (uint32_t i = 0; i <= last; i++) {
        sum += weights[i] * (features[i] - layer->state_zero_point);
    }
    return sum;
}

static int32_t sum_narrow(const eb_svdf *layer, const int16_t *weights, int8_t *features,
                          int32_t newest)
{
    const uint32_t last = layer->memory - 1u;
    memmove(features, features + 1, last);
    features[last] = (int8_t)(uint8_t)newest;
    int32_t sum = 0;
    for (uint32_t i = 0; i <= last; i++) {
        sum += weights[i] * (features[i] - layer->state_zero_point);
    }
    return sum;
}

void eb_run_svdf(const eb_svdf *layer, const int8_t *input, int8_t *output, void *state)
{
    const eb_channel channel = {0, layer->multiplier, layer->shift};
    uint32_t filter = 0;
    for (uint32_t unit = 0; unit < layer->units; unit++) {
        int32_t sum = layer->bias[unit];
        for (uint32_t i = 0; i < layer->rank; i++) {
            const int32_t newest = next_feature(layer, filter, input);
            const uint32_t at = filter++ * layer->memory;
            const int16_t *const weights = layer->time_weights + at;
            sum += layer->wide ? sum_wide(layer, weights, (int16_t *)state + at, newest)
                               : sum_narrow(layer, weights, (int8_t *)state + at, newest);
        }
        output[unit] = (int8_t)eb_finish(sum, &channel, layer->range);
    }
}
