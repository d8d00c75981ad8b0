// SPDX-License-Identifier: Apache-2.0
// Copyright edgebio contributors

/* Four channels of two pixels are summed at once: a step of two taps takes 3 loads of two words and
 * 8 SMLAD for its 16 products. Shared by the kernels that requantize differently. */
#ifndef EB_CONV2D_QUADS_H
#define EB_CONV2D_QUADS_H

#include <stddef.h>

#include "eb_conv2d_pairs.h"

#ifdef __cplusplus
extern "C" {
#endif

/* State of the loops, which advance from four channels to the next. */
typedef struct {
    const int16_t *weights;
    const uint32_t *patch;
    const uint32_t *end; /* of the patch */
    const void *row;     /* of the table: biases and requantization of four channels */
    int8_t *output_a, *output_b;
    const void *rows_end;
    uint32_t left;  /* for the largest of several pixels, the remaining `pairs` */
    uint32_t pairs; /* for the largest pixel */
    uint32_t patch_bytes;
    uint32_t entry; /* entry into the loop: bytes that are skipped at first */
} eb_quads_job;

#if EB_HAS_DSP

/* The sums in r0-r3 (pixel a) and r4-r7 (b), weights at r8, patch at r9. Sixteen steps of 44 bytes
 * are unrolled. The loop is entered so that the number of steps is right, although it repeats in
 * multiples of sixteen. All registers are in use, so the job is on the stack. */
#define EB_SUM_QUAD                                                                                \
    "ldr pc, [sp, #40]\n\t"                                                                        \
    ".p2align 2\n"                                                                                 \
    "1:\n\t"                                                                                       \
    ".rept 16\n\t"                                                                                 \
    "ldrd r10, r11, [r9], #8\n\t"                                                                  \
    "ldrd r12, lr, [r8], #8\n\t"                                                                   \
    "smlad r0, r10, r12, r0\n\t"                                                                   \
    "smlad r4, r11, r12, r4\n\t"                                                                   \
    "smlad r1, r10, lr, r1\n\t"                                                                    \
    "smlad r5, r11, lr, r5\n\t"                                                                    \
    "ldrd r12, lr, [r8], #8\n\t"                                                                   \
    "smlad r2, r10, r12, r2\n\t"                                                                   \
    "smlad r6, r11, r12, r6\n\t"                                                                   \
    "smlad r3, r10, lr, r3\n\t"                                                                    \
    "smlad r7, r11, lr, r7\n\t"                                                                    \
    ".endr\n\t"                                                                                    \
    "ldr r10, [sp, #8]\n\t"                                                                        \
    "cmp r9, r10\n\t"                                                                              \
    "bne 1b\n\t"

/* The same for pixel a alone: 28 bytes a step. */
#define EB_SUM_QUAD_OF_ONE                                                                         \
    "ldr pc, [sp, #40]\n\t"                                                                        \
    ".p2align 2\n"                                                                                 \
    "1:\n\t"                                                                                       \
    ".rept 16\n\t"                                                                                 \
    "ldr.w r10, [r9], #8\n\t"                                                                      \
    "ldrd r12, lr, [r8], #8\n\t"                                                                   \
    "smlad r0, r10, r12, r0\n\t"                                                                   \
    "smlad r1, r10, lr, r1\n\t"                                                                    \
    "ldrd r12, lr, [r8], #8\n\t"                                                                   \
    "smlad r2, r10, r12, r2\n\t"                                                                   \
    "smlad r3, r10, lr, r3\n\t"                                                                    \
    ".endr\n\t"                                                                                    \
    "ldr r10, [sp, #8]\n\t"                                                                        \
    "cmp r9, r10\n\t"                                                                              \
    "bne 1b\n\t"

#define EB_ENTER                                                                                   \
    "push {r4-r11, lr}\n\t"                                                                        \
    "ldmia r0, {r1-r11}\n\t"                                                                       \
    "adr r0, 1f\n\t"                                                                               \
    "add r11, r11, r0\n\t"                                                                         \
    "orr r11, #1\n\t"                                                                              \
    "sub sp, #16\n\t"                                                                              \
    "push {r1-r11}\n\t"

#define EB_LEAVE                                                                                   \
    "add sp, #60\n\t"                                                                              \
    "pop {r4-r11, pc}"

#define EB_LARGER(a, b)                                                                            \
    "cmp " a ", " b "\n\t"                                                                         \
    "it lt\n\t"                                                                                    \
    "movlt " a ", " b "\n\t"

/* The largest of four sums of several pairs of pixels, to r0-r3; those so far are at 44. The next
 * patch begins where one ends. */
// clang-format off
#define EB_LARGEST_QUAD                                                                            \
    "mov r0, #0x80000000\n\t"                                                                      \
    "mov r1, r0\n\t"                                                                               \
    "strd r0, r1, [sp, #44]\n\t"                                                                   \
    "strd r0, r1, [sp, #52]\n\t"                                                                   \
    "ldr r0, [sp, #32]\n\t"                                                                        \
    "str r0, [sp, #28]\n\t"                                                                        \
    "ldr r9, [sp, #4]\n"                                                                           \
    "2:\n\t"                                                                                       \
    "ldr r10, [sp, #36]\n\t"                                                                       \
    "ldr r8, [sp]\n\t"                                                                             \
    "add r10, r9\n\t"                                                                              \
    "ldr r12, [sp, #12]\n\t"                                                                       \
    "str r10, [sp, #8]\n\t"                                                                        \
    "ldmia r12, {r0-r3}\n\t"                                                                       \
    "ldmia r12, {r4-r7}\n\t" EB_SUM_QUAD                                                           \
    EB_LARGER("r0", "r4") EB_LARGER("r1", "r5") EB_LARGER("r2", "r6") EB_LARGER("r3", "r7")        \
    "ldrd r4, r5, [sp, #44]\n\t"                                                                   \
    "ldrd r6, r7, [sp, #52]\n\t"                                                                   \
    EB_LARGER("r0", "r4") EB_LARGER("r1", "r5") EB_LARGER("r2", "r6") EB_LARGER("r3", "r7")        \
    "ldr r11, [sp, #28]\n\t"                                                                       \
    "strd r0, r1, [sp, #44]\n\t"                                                                   \
    "strd r2, r3, [sp, #52]\n\t"                                                                   \
    "subs r11, #1\n\t"                                                                             \
    "str r11, [sp, #28]\n\t"                                                                       \
    "bne 2b\n\t"                                                                                   \
    "str r8, [sp]\n\t"
// clang-format on

#else

/* Biases, and sums of both pixels. */
static inline const int16_t *eb_sum_quad(const int32_t bias[4], const int16_t *weights,
                                         const uint32_t *patch, const uint32_t *end, int32_t a[4],
                                         int32_t b[4])
{
    for (uint32_t i = 0; i < 4u; i++) {
        a[i] = b[i] = bias[i];
    }
    for (; patch != end; patch += 2) {
        for (uint32_t i = 0; i < 4u; i++) {
            const uint32_t taps = eb_pair(weights[0], weights[1]);
            a[i] = eb_smlad(patch[0], taps, a[i]);
            b[i] = eb_smlad(patch[1], taps, b[i]);
            weights += 2;
        }
    }
    return weights;
}

/* The largest of the sums of several pairs of pixels. */
static inline const int16_t *eb_largest_quad(const int32_t bias[4], const int16_t *weights,
                                             const eb_quads_job *work, int32_t largest[4])
{
    const int16_t *next = weights;
    const uint32_t *patch = work->patch;
    largest[0] = largest[1] = largest[2] = largest[3] = INT32_MIN;
    for (uint32_t pair = 0; pair < work->pairs; pair++) {
        const uint32_t *const end = patch + work->patch_bytes / 4u;
        int32_t a[4];
        int32_t b[4];
        next = eb_sum_quad(bias, weights, patch, end, a, b);
        for (uint32_t i = 0; i < 4u; i++) {
            largest[i] = a[i] > largest[i] ? a[i] : largest[i];
            largest[i] = b[i] > largest[i] ? b[i] : largest[i];
        }
        patch = end;
    }
    return next;
}

#endif

/* The job of a layer whose table has rows of `row_bytes`; only the outputs are missing. */
static inline eb_quads_job eb_quads_job_of(const eb_conv2d_pairs *layer, const void *table,
                                           uint32_t row_bytes, const int8_t *scratch)
{
    const uint32_t steps = layer->steps;
    const uint32_t *const patch = (const uint32_t *)(const void *)scratch;
    eb_quads_job work;
    work.weights = (const int16_t *)layer->weights;
    work.patch = patch;
    work.end = patch + 2u * steps;
    work.row = table;
    work.output_a = NULL;
    work.output_b = NULL;
    work.rows_end = (const char *)table + layer->outputs / 4u * row_bytes;
    work.left = 0;
    work.pairs = eb_pairs_of(layer);
    work.patch_bytes = 8u * steps;
    work.entry = ((0u - steps) & 15u) * 44u;
    return work;
}

/* The outputs that remain after the fours go through `rest`. */
EB_INLINE void eb_each_quad(const eb_conv2d_pairs *layer, eb_quads_job *work, uint32_t row_bytes,
                            int8_t *output_a, int8_t *output_b,
                            void (*sum_quads)(const eb_quads_job *))
{
    const uint32_t quads = layer->outputs / 4u;
    const uint32_t left = layer->outputs % 4u;
    work->output_a = output_a;
    work->output_b = output_b;
    if (quads) {
        sum_quads(work);
    }
    if (left) {
        int8_t rest[8];
        eb_quads_job last = *work;
        last.weights += quads * layer->steps * 8u;
        last.row = work->rows_end;
        last.rows_end = (const char *)work->rows_end + row_bytes;
        last.output_a = rest;
        last.output_b = rest + 4;
        sum_quads(&last);
        for (uint32_t i = 0; i < left; i++) {
            output_a[4u * quads + i] = rest[i];
            if (output_b) {
                output_b[4u * quads + i] = rest[4u + i];
            }
        }
    }
}

#ifdef __cplusplus
}
#endif

#endif
