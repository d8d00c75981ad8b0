// SPDX-License-Identifier: Apache-2.0
// Copyright edgebio contributors

#include "eb_dsp.h"
#include "eb_kernels.h"

/* Elements of both inputs with 21 spare bits: 20 as in the reference, doubled so that the
 * upper half of a product is what the reference computes. */
static inline int32_t scaled(int32_t value, int32_t zero, int32_t multiplier)
{
    return eb_smmlar((int32_t)((uint32_t)value << 21) - zero, multiplier, 0);
}

static inline int32_t finished(const eb_add_flat *layer, int32_t sum)
{
    /* Halves of negative values are rounded down, away from zero. */
    const int32_t rounding = layer->rounding + (sum >> 31);
    return eb_saturate8(eb_smmlar(2 * sum, layer->multiplier, rounding) >> layer->shift);
}

void eb_run_add_dsp(const eb_add_flat *layer, const int8_t *input_1, const int8_t *input_2,
                    int8_t *output)
{
    const eb_add_flat own = *layer; /* no store changes it */
    const int8_t *const end = input_1 + own.count;
    while (input_1 != end) {
        const int32_t first = scaled(*input_1++, own.zero_1, own.multiplier_1);
        int32_t second = scaled(*input_2++, own.zero_2, own.multiplier_2);
        if (own.shift_2) {
            second = (second + own.rounding_2 + (second >> 31)) >> own.shift_2;
        }
        int32_t value = finished(&own, first + second);
        if (own.clamped) {
            value = eb_clamp(value, own.low, own.high);
        }
        *output++ = (int8_t)value;
    }
}
