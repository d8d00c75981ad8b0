// SPDX-License-Identifier: Apache-2.0
// Copyright edgebio contributors

#include "eb_conv2d_quads.h"

/* CONV_2D with weights widened to int16 and doubled. */

#if EB_HAS_DSP

/* Multiplier, rounding and shift come from r12 on. Halves of negative values are rounded down, away
 * from zero. */
#define FINISH(a)                                                                                  \
    "ldmia r12!, {r8, r9, lr}\n\t"                                                                 \
    "add r9, r9, " a ", asr #31\n\t"                                                               \
    "smmlar " a ", " a ", r8, r9\n\t"                                                              \
    "asrs " a ", " a ", lr\n\t"                                                                    \
    "ssat " a ", #8, " a "\n\t"                                                                    \
    "strb " a ", [r10], #1\n\t"

// clang-format off
/* Finish four sums of one pixel and advance. */
#define FINISH_PIXEL                                                                               \
    "ldr r12, [sp, #12]\n\t"                                                                       \
    "ldr r10, [sp, #16]\n\t"                                                                       \
    "add r12, #16\n\t" FINISH("r0") FINISH("r1") FINISH("r2") FINISH("r3")                         \
    "ldr r0, [sp, #24]\n\t"                                                                        \
    "str r10, [sp, #16]\n\t"                                                                       \
    "str r12, [sp, #12]\n\t"                                                                       \
    "cmp r12, r0\n\t"

EB_NAKED static void sum_two_pixels(EB_UNUSED const eb_quads_job *work)
{
    __asm__(EB_ENTER
            "0:\n\t"
            "ldr r12, [sp, #12]\n\t"
            "ldrd r8, r9, [sp]\n\t"
            "ldmia r12, {r0-r3}\n\t"
            "ldmia r12, {r4-r7}\n\t" EB_SUM_QUAD
            "str r8, [sp]\n\t"
            "ldr r12, [sp, #12]\n\t"
            "ldr r10, [sp, #16]\n\t"
            "add r12, #16\n\t" FINISH("r0") FINISH("r1") FINISH("r2") FINISH("r3")
            "sub r12, #48\n\t"
            "str r10, [sp, #16]\n\t"
            "ldr r10, [sp, #20]\n\t" FINISH("r4") FINISH("r5") FINISH("r6") FINISH("r7")
            "ldr r0, [sp, #24]\n\t"
            "str r10, [sp, #20]\n\t"
            "str r12, [sp, #12]\n\t"
            "cmp r12, r0\n\t"
            "bne 0b\n\t" EB_LEAVE);
}

EB_NAKED static void sum_one_pixel(EB_UNUSED const eb_quads_job *work)
{
    __asm__(EB_ENTER
            "0:\n\t"
            "ldr r12, [sp, #12]\n\t"
            "ldrd r8, r9, [sp]\n\t"
            "ldmia r12, {r0-r3}\n\t" EB_SUM_QUAD_OF_ONE
            "str r8, [sp]\n\t" FINISH_PIXEL
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

static void sum_two_pixels(const eb_quads_job *work)
{
    const int16_t *weights = work->weights;
    int8_t *output_a = work->output_a;
    int8_t *output_b = work->output_b;
    for (const eb_quad *row = work->row; row != work->rows_end; row++) {
        int32_t a[4];
        int32_t b[4];
        weights = eb_sum_quad(row->bias, weights, work->patch, work->end, a, b);
        for (uint32_t i = 0; i < 4u; i++) {
            *output_a++ = eb_finish_doubled(row, i, a[i]);
            *output_b++ = eb_finish_doubled(row, i, b[i]);
        }
    }
}

static void sum_one_pixel(const eb_quads_job *work)
{
    const int16_t *weights = work->weights;
    int8_t *output = work->output_a;
    for (const eb_quad *row = work->row; row != work->rows_end; row++) {
        int32_t a[4];
        int32_t b[4];
        weights = eb_sum_quad(row->bias, weights, work->patch, work->end, a, b);
        for (uint32_t i = 0; i < 4u; i++) {
            *output++ = eb_finish_doubled(row, i, a[i]);
        }
    }
}

static void sum_largest_pixel(const eb_quads_job *work)
{
    const int16_t *weights = work->weights;
    int8_t *output = work->output_a;
    for (const eb_quad *row = work->row; row != work->rows_end; row++) {
        int32_t largest[4];
        weights = eb_largest_quad(row->bias, weights, work, largest);
        for (uint32_t i = 0; i < 4u; i++) {
            *output++ = eb_finish_doubled(row, i, largest[i]);
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
        eb_each_quad(layer, &own, sizeof(eb_quad), output_a, NULL, sum_one_pixel);
        return;
    }
    eb_each_quad(layer, work, sizeof(eb_quad), output_a, output_b, sum_two_pixels);
}

static void largest_pixel(const eb_conv2d_pairs *layer, void *work, const uint32_t *patches,
                          int8_t *output_a, int8_t *output_b)
{
    (void)patches;
    eb_each_quad(layer, work, sizeof(eb_quad), output_a, output_b, sum_largest_pixel);
}

void eb_run_conv2d_wide(const eb_conv2d_pairs *layer, const int8_t *input, int8_t *output,
                        int8_t *scratch)
{
    eb_quads_job work = eb_quads_job_of(layer, layer->quads, sizeof(eb_quad), scratch);
    eb_each_pair(layer, &work, input, output, scratch, two_pixels);
}

void eb_run_conv2d_wide_pooled(const eb_conv2d_pairs *layer, const int8_t *input, int8_t *output,
                               int8_t *scratch)
{
    eb_quads_job work = eb_quads_job_of(layer, layer->quads, sizeof(eb_quad), scratch);
    eb_each_pool(layer, &work, input, output, scratch, largest_pixel);
}
