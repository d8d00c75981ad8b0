// SPDX-License-Identifier: Apache-2.0
// Copyright edgebio contributors

#include "eb_kernels.h"

/* C's roundf (halves away from zero) without the math library. */
static int32_t round_half_away(float value)
{
    const int32_t whole = (int32_t)value;
    const float rest = value - (float)whole; /* exact: no more bits than `value` has */
    return whole + (rest >= 0.5f) - (rest <= -0.5f);
}

void eb_run_quantize(float scale, int32_t zero_point, uint32_t count, const float *input,
                     int8_t *output)
{
    for (uint32_t i = 0; i < count; i++) {
        const float steps = input[i] / scale;
        /* Clamped before the conversion to an integer; NaN becomes the smallest value. */
        const float cut = steps > 512.0f ? 512.0f : steps > -512.0f ? steps : -512.0f;
        output[i] = eb_clamp(round_half_away(cut) + zero_point, INT8_MIN, INT8_MAX);
    }
}

void eb_run_dequantize(float scale, int32_t zero_point, uint32_t count, const int8_t *input,
                       float *output)
{
    for (uint32_t i = 0; i < count; i++) {
        output[i] = scale * (float)(input[i] - zero_point);
    }
}
