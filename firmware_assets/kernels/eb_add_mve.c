// SPDX-License-Identifier: Apache-2.0
// Copyright edgebio contributors

#include "eb_mve.h"

#if EB_HAS_MVE

static void add(const eb_add_mve *layer, const int8_t *input_1, const int8_t *input_2,
                int8_t *output)
{
    const int32x4_t zero_1 = vdupq_n_s32(layer->zero_1);
    const int32x4_t zero_2 = vdupq_n_s32(layer->zero_2);
    /* Halves of negative values are rounded down, away from zero, if there is a shift. */
    const int32x4_t shift_2 = vdupq_n_s32(layer->shift_2);
    __asm__ volatile("wlstp.32 lr, %[count], 2f\n"
                     "1:\n\t"
                     "vldrb.s32 q1, [%[from_2]], #4\n\t"
                     "vldrb.s32 q0, [%[from_1]], #4\n\t"
                     "vshl.i32 q1, q1, #20\n\t"
                     "vsub.i32 q1, q1, %q[zero_2]\n\t"
                     "vqrdmulh.s32 q1, q1, %[multiplier_2]\n\t"
                     "vshl.i32 q0, q0, #19\n\t"
                     "vand q2, q1, %q[shift_2]\n\t"
                     "vsub.i32 q0, q0, %q[zero_1]\n\t"
                     "vshr.s32 q2, q2, #31\n\t"
                     "vadd.i32 q1, q1, q2\n\t"
                     "vrshl.s32 q1, q1, %q[shift_2]\n\t"
                     "vadd.i32 q0, q0, q1\n\t"
                     "vqrdmulh.s32 q0, q0, %[multiplier]\n\t"
                     "vshr.s32 q1, q0, #31\n\t"
                     "vadd.i32 q0, q0, q1\n\t"
                     "vrshl.s32 q0, %[shift]\n\t"
                     "vqmovnb.s32 q0, q0\n\t"
                     "vqadd.s16 q0, q0, %[zero_point]\n\t"
                     "vqmovnb.s16 q0, q0\n\t"
                     "vstrb.32 q0, [%[to]], #4\n\t"
                     "letp lr, 1b\n"
                     "2:"
                     : [from_1] "+l"(input_1), [from_2] "+l"(input_2), [to] "+l"(output)
                     : [count] "r"(layer->count), [multiplier_2] "r"(layer->multiplier_2),
                       [multiplier] "r"(layer->multiplier), [shift] "r"(layer->shift),
                       [zero_point] "r"((int32_t)layer->zero_point), [zero_1] "w"(zero_1),
                       [zero_2] "w"(zero_2), [shift_2] "w"(shift_2)
                     : "q0", "q1", "q2", "lr", "memory");
}

#else

static void add(const eb_add_mve *layer, const int8_t *input_1, const int8_t *input_2,
                int8_t *output)
{
    for (uint32_t i = 0; i < layer->count; i++) {
        const int32_t first = input_1[i] * (1 << 19) - layer->zero_1;
        const int32_t second = eb_requantize(input_2[i] * (1 << 20) - layer->zero_2,
                                             layer->multiplier_2, layer->shift_2);
        const int32_t sum = eb_requantize(first + second, layer->multiplier, layer->shift);
        output[i] = eb_clamp(sum + layer->zero_point, INT8_MIN, INT8_MAX);
    }
}

#endif

void eb_run_add_mve(const eb_add_mve *layer, const int8_t *input_1, const int8_t *input_2,
                    int8_t *output)
{
    add(layer, input_1, input_2, output);
    if (layer->clamped) {
        eb_clamp_bytes(output, layer->count, layer->low, layer->high);
    }
}
