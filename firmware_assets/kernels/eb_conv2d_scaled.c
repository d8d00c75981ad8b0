// SPDX-License-Identifier: Apache-2.0
// Copyright edgebio contributors

#include "eb_conv2d_quads.h"

/* CONV_2D with weights widened to int16 and scaled, so that one multiplication requantizes. */

#if EB_HAS_DSP

/* Sums of a and of b, multiplier; outputs at r10 and r11. */
#define FINISH_BOTH(a, b, multiplier)                                                              \
    "smmulr " a ", " a ", " multiplier "\n\t"                                                      \
    "smmulr " b ", " b ", " multiplier "\n\t"                                                      \
    "ssat " a ", #8, " a ", asr #12\n\t"                                                           \
    "ssat " b ", #8, " b ", asr #12\n\t"                                                           \
    "strb " a ", [r10], #1\n\t"                                                                    \
    "strb " b ", [r11], #1\n\t"

#define FINISH(a, multiplier)                                                                      \
    "smmulr " a ", " a ", " multiplier "\n\t"                                                      \
    "ssat " a ", #8, " a ", asr #12\n\t"                                                           \
    "strb " a ", [r10], #1\n\t"

// clang-format off
/* Finish four sums of one pixel and advance. */
#define FINISH_PIXEL                                                                               \
    "ldr r12, [sp, #12]\n\t"                                                                       \
    "ldr r10, [sp, #16]\n\t"                                                                       \
    "ldrd r9, lr, [r12, #16]\n\t" FINISH("r0", "r9") FINISH("r1", "lr")                            \
    "ldrd r9, lr, [r12, #24]\n\t" FINISH("r2", "r9") FINISH("r3", "lr")                            \
    "ldr r0, [sp, #24]\n\t"                                                                        \
    "add r12, #32\n\t"                                                                             \
    "str r10, [sp, #16]\n\t"                                                                       \
    "str r12, [sp, #12]\n\t"                                                                       \
    "cmp r12, r0\n\t"

EB_NAKED static void sum_two_pixels(EB_UNUSED const eb_quads_job *work)
{
    __asm__(EB_ENTER
            "ldr r8, [sp]\n"
            "0:\n\t"
            "ldr r12, [sp, #12]\n\t"
            "ldr r9, [sp, #4]\n\t"
            "ldmia r12, {r0-r3}\n\t"
            "ldmia r12, {r4-r7}\n\t" EB_SUM_QUAD
            "ldr r12, [sp, #12]\n\t"
            "ldrd r10, r11, [sp, #16]\n\t"
            "ldrd r9, lr, [r12, #16]\n\t"
            FINISH_BOTH("r0", "r4", "r9") FINISH_BOTH("r1", "r5", "lr")
            "ldrd r9, lr, [r12, #24]\n\t"
            FINISH_BOTH("r2", "r6", "r9") FINISH_BOTH("r3", "r7", "lr")
            "ldr r0, [sp, #24]\n\t"
            "add r12, #32\n\t"
            "strd r10, r11, [sp, #16]\n\t"
            "str r12, [sp, #12]\n\t"
            "cmp r12, r0\n\t"
            "bne 0b\n\t" EB_LEAVE);
}

EB_NAKED static void sum_one_pixel(EB_UNUSED const eb_quads_job *work)
{
    __asm__(EB_ENTER
            "ldr r8, [sp]\n"
            "0:\n\t"
            "ldr r12, [sp, #12]\n\t"
            "ldr r9, [sp, #4]\n\t"
            "ldmia r12, {r0-r3}\n\t" EB_SUM_QUAD_OF_ONE FINISH_PIXEL
            "bne 0b\n\t" EB_LEAVE);
}

/* The largest values so far are behind the job, at 44. */
EB_NAKED static void sum_largest_pixel(EB_UNUSED const eb_quads_job *work)
{
    __asm__(EB_ENTER
            "0:\n\t" EB_LARGEST_QUAD FINISH_PIXEL
            "bne 0b\n\t" EB_LEAVE);
}
// clang-format on

#else

static int8_t finish(const eb_scales *row, uint32_t channel, int32_t sum)
{
    return (int8_t)eb_saturate8(eb_smmulr(sum, row->multiplier[channel]) >> 12);
}

static void sum_two_pixels(const eb_quads_job *work)
{
    const int16_t *weights = work->weights;
    int8_t *output_a = work->output_a;
    int8_t *output_b = work->output_b;
    for (const eb_scales *row = work->row; row != work->rows_end; row++) {
        int32_t a[4];
        int32_t b[4];
        weights = eb_sum_quad(row->bias, weights, work->patch, work->end, a, b);
        for (uint32_t i = 0; i < 4u; i++) {
            *output_a++ = finish(row, i, a[i]);
            *output_b++ = finish(row, i, b[i]);
        }
    }
}

static void sum_one_pixel(const eb_quads_job *work)
{
    const int16_t *weights = work->weights;
    int8_t *output = work->output_a;
    for (const eb_scales *row = work->row; row != work->rows_end; row++) {
        int32_t a[4];
        int32_t b[4];
        weights = eb_sum_quad(row->bias, weights, work->patch, work->end, a, b);
        for (uint32_t i = 0; i < 4u; i++) {
            *output++ = finish(row, i, a[i]);
        }
    }
}

static void sum_largest_pixel(const eb_quads_job *work)
{
    const int16_t *weights = work->weights;
    int8_t *output = work->output_a;
    for (const eb_scales *row = work->row; row != work->rows_end; row++) {
        int32_t largest[4];
        weights = eb_largest_quad(row->bias, weights, work, largest);
        for (uint32_t i = 0; i < 4u; i++) {
            *output++ = finish(row, i, largest[i]);
        }
    }
}

#endif

static void two_pixels(const eb_conv2d_pairs *layer, void *work, const uint32_t *patches,
                       int8_t *output_a, int8_t *output_b)
{
    (void)patches;
    if (output_a == output_b) { /* the last of an odd number */
        eb_quads_job own = *(eb_quads_job *)work;
        own.entry = ((0u - layer->steps) & 15u) * 28u;
        eb_each_quad(layer, &own, sizeof(eb_scales), output_a, NULL, sum_one_pixel);
        return;
    }
    eb_each_quad(layer, work, sizeof(eb_scales), output_a, output_b, sum_two_pixels);
}

static void largest_pixel(const eb_conv2d_pairs *layer, void *work, const uint32_t *patches,
                          int8_t *output_a, int8_t *output_b)
{
    (void)patches;
    eb_each_quad(layer, work, sizeof(eb_scales), output_a, output_b, sum_largest_pixel);
}

void eb_run_conv2d_scaled(const eb_conv2d_pairs *layer, const int8_t *input, int8_t *output,
                          int8_t *scratch)
{
    eb_quads_job work = eb_quads_job_of(layer, layer->scales, sizeof(eb_scales), scratch);
    eb_each_pair(layer, &work, input, output, scratch, two_pixels);
}

void eb_run_conv2d_scaled_pooled(const eb_conv2d_pairs *layer, const int8_t *input, int8_t *output,
                                 int8_t *scratch)
{
    eb_quads_job work = eb_quads_job_of(layer, layer->scales, sizeof(eb_scales), scratch);
    eb_each_pool(layer, &work, input, output, scratch, largest_pixel);
}
