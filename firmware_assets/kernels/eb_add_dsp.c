// SPDX-License-Identifier: Apache-2.0
// Copyright edgebio contributors

#include "eb_dsp.h"
#include "eb_kernels.h"

/* An element with 21 spare bits: 20 as in the reference, doubled so that the upper half of its
 * product with a multiplier is what the reference computes. */
static inline int32_t widened(int32_t value, int32_t zero)
{
    return (int32_t)((uint32_t)value << 21) - zero;
}

/* With two shifts, both of which round halves of negative values down, away from zero. */
EB_INLINE int32_t sum_of(const eb_add_flat *layer, int32_t value_1, int32_t value_2, int shifted)
{
    const int32_t first = eb_smmulr(widened(value_1, layer->zero_1), layer->multiplier_1);
    const int32_t wide = widened(value_2, layer->zero_2);
    int32_t second = eb_smmlar(wide, layer->multiplier_2, layer->rounding_2);
    if (shifted) { /* the product has the sign of `wide`, as the multiplier is at least 2^30 */
        second = (second + (wide >> 31)) >> layer->shift_2;
    }
    const int32_t sum = first + second;
    const int32_t rounding = layer->rounding + (sum >> 31);
    return eb_saturate8(eb_smmlar(2 * sum, layer->multiplier, rounding) >> layer->shift);
}

EB_INLINE void add(const eb_add_flat *layer, const int8_t *input_1, const int8_t *input_2,
                   int8_t *output, int shifted, int clamped)
{
    const eb_add_flat own = *layer; /* no store changes it */
    const int8_t *const end = input_1 + own.count;
    while (input_1 != end) {
        const int32_t value = sum_of(&own, *input_1++, *input_2++, shifted);
        *output++ = clamped ? eb_clamp(value, own.low, own.high) : (int8_t)value;
    }
}

void eb_run_add_dsp(const eb_add_flat *layer, const int8_t *input_1, const int8_t *input_2,
                    int8_t *output)
{
    if (layer->clamped) {
        if (layer->shift_2) {
            add(layer, input_1, input_2, output, 1, 1);
        } else {
            add(layer, input_1, input_2, output, 0, 1);
        }
    } else if (layer->shift_2) {
        add(layer, input_1, input_2, output, 1, 0);
    } else {
        add(layer, input_1, input_2, output, 0, 0);
    }
}
