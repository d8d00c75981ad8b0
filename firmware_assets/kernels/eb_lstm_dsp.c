// SPDX-License-Identifier: Apache-2.0
// Copyright edgebio contributors

#include "eb_dsp.h"
#include "eb_lstm.h"

/* Products of four gates with four values at a time; weights are [units][steps][4 gates][4]. */

/* Sums of the four gates, in registers. */
typedef struct {
    int32_t gate_0, gate_1, gate_2, gate_3;
} gate_sums;

static inline int32_t add_four(int32_t sum, uint32_t weights, uint32_t even, uint32_t odd)
{
    return eb_smlad(odd, eb_sxtb16_odd(weights), eb_smlad(even, eb_sxtb16(weights), sum));
}

static inline gate_sums add_step(gate_sums sums, const int8_t *w, uint32_t values)
{
    const uint32_t even = eb_sxtb16(values);
    const uint32_t odd = eb_sxtb16_odd(values);
    sums.gate_0 = add_four(sums.gate_0, eb_load4(w), even, odd);
    sums.gate_1 = add_four(sums.gate_1, eb_load4(w + 4), even, odd);
    sums.gate_2 = add_four(sums.gate_2, eb_load4(w + 8), even, odd);
    sums.gate_3 = add_four(sums.gate_3, eb_load4(w + 12), even, odd);
    return sums;
}

static inline int32_t finished(const eb_lstm_products *part, uint32_t gate, int32_t sum)
{
    return eb_lstm_saturated(eb_requantize(sum, part->multiplier[gate], part->shift[gate]));
}

static void add_products(const eb_lstm_products *part, uint32_t unit, uint32_t count,
                         const int8_t *x, int32_t gates[4])
{
    const int8_t *w = part->weights + unit * ((count + 3u) / 4u) * 16u;
    const int32_t *bias = part->bias + 4u * unit;
    gate_sums sums = {bias[0], bias[1], bias[2], bias[3]};
    for (uint32_t i = count / 4u; i; i--) {
        sums = add_step(sums, w, eb_load4(x));
        w += 16;
        x += 4;
    }
    if (count % 4u) {
        uint32_t values = 0;
        memcpy(&values, x, count % 4u);
        sums = add_step(sums, w, values);
    }
    gates[0] += finished(part, 0, sums.gate_0);
    gates[1] += finished(part, 1, sums.gate_1);
    gates[2] += finished(part, 2, sums.gate_2);
    gates[3] += finished(part, 3, sums.gate_3);
}

void eb_run_lstm_dsp(const eb_lstm *layer, const int8_t *input, int8_t *output, int8_t *scratch)
{
    eb_lstm_run(layer, input, output, scratch, add_products);
}
