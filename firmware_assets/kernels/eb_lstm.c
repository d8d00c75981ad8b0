// SPDX-License-Identifier: Apache-2.0
// Copyright edgebio contributors

#include "eb_lstm.h"

/* Each value is loaded once. */
static void add_products(const eb_lstm_products *part, uint32_t unit, uint32_t count,
                         const int8_t *x, int32_t gates[4])
{
    const int8_t *w = part->weights + 4u * unit * count;
    const int32_t *bias = part->bias + 4u * unit;
    int32_t s0 = bias[0], s1 = bias[1], s2 = bias[2], s3 = bias[3];
    for (const int8_t *const end = x + count; x != end; x++) {
        const int32_t value = *x;
        s0 += w[0] * value;
        s1 += w[1] * value;
        s2 += w[2] * value;
        s3 += w[3] * value;
        w += 4;
    }
    const int32_t sums[4] = {s0, s1, s2, s3};
    for (int gate = 0; gate < 4; gate++) {
        gates[gate] +=
            eb_lstm_saturated(eb_requantize(sums[gate], part->multiplier[gate], part->shift[gate]));
    }
}

void eb_run_lstm(const eb_lstm *layer, const int8_t *input, int8_t *output, int8_t *scratch)
{
    eb_lstm_run(layer, input, output, scratch, add_products);
}
