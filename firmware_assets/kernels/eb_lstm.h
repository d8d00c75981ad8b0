// SPDX-License-Identifier: Apache-2.0
// Copyright edgebio contributors

/* UNIDIRECTIONAL_SEQUENCE_LSTM without its products, which have a kernel for each kernel set. */
#ifndef EB_LSTM_H
#define EB_LSTM_H

#include <stddef.h>
#include <string.h>

#include "eb_kernels.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { EB_LSTM_INPUT, EB_LSTM_FORGET, EB_LSTM_CELL, EB_LSTM_OUTPUT };

/* sigmoid(i / 24) in Q0.16, with the reference's values, not all of which are the nearest. */
static const uint16_t eb_lstm_sigmoids[256] = {
    32768, 33451, 34133, 34813, 35493, 36169, 36843, 37513, 38180, 38841, 39498, 40149, 40794,
    41432, 42064, 42688, 43304, 43912, 44511, 45102, 45683, 46255, 46817, 47369, 47911, 48443,
    48964, 49475, 49975, 50464, 50942, 51409, 51865, 52311, 52745, 53169, 53581, 53983, 54374,
    54755, 55125, 55485, 55834, 56174, 56503, 56823, 57133, 57433, 57724, 58007, 58280, 58544,
    58800, 59048, 59288, 59519, 59743, 59959, 60168, 60370, 60565, 60753, 60935, 61110, 61279,
    61441, 61599, 61750, 61896, 62036, 62172, 62302, 62428, 62549, 62666, 62778, 62886, 62990,
    63090, 63186, 63279, 63368, 63454, 63536, 63615, 63691, 63765, 63835, 63903, 63968, 64030,
    64090, 64148, 64204, 64257, 64308, 64357, 64405, 64450, 64494, 64536, 64576, 64614, 64652,
    64687, 64721, 64754, 64786, 64816, 64845, 64873, 64900, 64926, 64950, 64974, 64997, 65019,
    65039, 65060, 65079, 65097, 65115, 65132, 65149, 65164, 65179, 65194, 65208, 65221, 65234,
    65246, 65258, 65269, 65280, 65291, 65301, 65310, 65319, 65328, 65337, 65345, 65352, 65360,
    65367, 65374, 65381, 65387, 65393, 65399, 65404, 65410, 65415, 65420, 65425, 65429, 65433,
    65438, 65442, 65445, 65449, 65453, 65456, 65459, 65462, 65465, 65468, 65471, 65474, 65476,
    65479, 65481, 65483, 65485, 65488, 65489, 65491, 65493, 65495, 65497, 65498, 65500, 65501,
    65503, 65504, 65505, 65507, 65508, 65509, 65510, 65511, 65512, 65513, 65514, 65515, 65516,
    65517, 65517, 65518, 65519, 65520, 65520, 65521, 65522, 65522, 65523, 65523, 65524, 65524,
    65525, 65525, 65526, 65526, 65526, 65527, 65527, 65528, 65528, 65528, 65529, 65529, 65529,
    65529, 65530, 65530, 65530, 65530, 65531, 65531, 65531, 65531, 65531, 65532, 65532, 65532,
    65532, 65532, 65532, 65533, 65533, 65533, 65533, 65533, 65533, 65533, 65533, 65534, 65534,
    65534, 65534, 65534, 65534, 65534, 65534, 65534, 65534, 65535,
};

static inline int16_t eb_lstm_saturated(int32_t value)
{
    return (int16_t)(value < INT16_MIN ? INT16_MIN : value > INT16_MAX ? INT16_MAX : value);
}

/* Q3.12 to Q0.15 by the table, whose steps are 1/24: value * 3 / 512 of them. */
static inline int32_t eb_lstm_sigmoid(int32_t value)
{
    const int32_t scaled = value * 3;
    const uint32_t magnitude = (uint32_t)(scaled < 0 ? -scaled : scaled);
    const uint32_t place = magnitude >> 9;
    uint32_t result = 0x7fffu << 10;
    if (place < 255u) {
        const uint32_t rise = (uint32_t)eb_lstm_sigmoids[place + 1u] - eb_lstm_sigmoids[place];
        result = ((uint32_t)eb_lstm_sigmoids[place] << 9) + (magnitude & 0x1ffu) * rise;
    }
    result = scaled >= 0 ? result + (1u << 9) : (1u << 25) - result + (1u << 9) - 1u;
    return (int32_t)(result >> 10);
}

/* tanh(x) = 2 * sigmoid(2 * x) - 1; `shift` to the left scales the value to Q3.12. */
static inline int32_t eb_lstm_hyperbolic_tangent(int32_t value, int32_t shift)
{
    const int32_t scaled =
        shift >= 0 ? value * (3 * (1 << shift)) : (value * 3 + (1 << (-shift - 1))) >> -shift;
    const uint32_t magnitude = (uint32_t)(scaled < 0 ? -scaled : scaled);
    const uint32_t place = magnitude >> 8;
    uint32_t result = 0xffffu << 8;
    if (place < 255u) {
        const uint32_t rise = (uint32_t)eb_lstm_sigmoids[place + 1u] - eb_lstm_sigmoids[place];
        result = ((uint32_t)eb_lstm_sigmoids[place] << 8) + (magnitude & 0xffu) * rise;
    }
    const int32_t above = (int32_t)result - (1 << 23);
    return (scaled >= 0 ? above + (1 << 7) : -above + (1 << 7) - 1) >> 8;
}

static inline int16_t eb_lstm_next_cell(const eb_lstm *layer, const int32_t gates[4], int32_t cell)
{
    const int32_t forget = eb_lstm_sigmoid(eb_lstm_saturated(gates[EB_LSTM_FORGET]));
    const int32_t share = eb_lstm_sigmoid(eb_lstm_saturated(gates[EB_LSTM_INPUT]));
    const int32_t news = eb_lstm_hyperbolic_tangent(eb_lstm_saturated(gates[EB_LSTM_CELL]), 0);
    const int32_t retained = eb_lstm_saturated(
        eb_requantize(forget * cell, layer->forget_multiplier, layer->forget_shift));
    const int32_t added = eb_lstm_saturated(
        eb_requantize(share * news, layer->update_multiplier, layer->update_shift));
    const int32_t next = eb_lstm_saturated(retained + added);
    if (layer->clip == 0) {
        return (int16_t)next;
    }
    return (int16_t)(next > layer->clip ? layer->clip : next < -layer->clip ? -layer->clip : next);
}

/* Adds one unit's products of all four gates with `count` values, requantized to Q3.12. */
typedef void eb_lstm_add_products(const eb_lstm_products *part, uint32_t unit, uint32_t count,
                                  const int8_t *x, int32_t gates[4]);

EB_INLINE void eb_lstm_run(const eb_lstm *layer, const int8_t *input, int8_t *output,
                           int8_t *scratch, eb_lstm_add_products *add)
{
    int16_t *const cells = (int16_t *)(void *)scratch;
    const int8_t *hidden = NULL; /* the output of the step before */
    memset(cells, 0, layer->units * sizeof *cells);
    for (uint32_t step = 0; step < layer->steps; step++) {
        for (uint32_t unit = 0; unit < layer->units; unit++) {
            int32_t gates[4] = {0, 0, 0, 0};
            add(&layer->input, unit, layer->inputs, input, gates);
            if (hidden) { /* before the first step its product is 0 */
                add(&layer->recurrent, unit, layer->units, hidden, gates);
            }
            cells[unit] = eb_lstm_next_cell(layer, gates, cells[unit]);
            const int32_t open = eb_lstm_sigmoid(eb_lstm_saturated(gates[EB_LSTM_OUTPUT]));
            const int32_t shown = eb_lstm_hyperbolic_tangent(cells[unit], layer->cell_shift);
            const int32_t value =
                eb_requantize(shown * open, layer->hidden_multiplier, layer->hidden_shift);
            output[unit] = eb_clamp(value + layer->hidden_zero_point, INT8_MIN, INT8_MAX);
        }
        hidden = output;
        output += layer->units;
        input += layer->inputs;
    }
}

#ifdef __cplusplus
}
#endif

#endif
