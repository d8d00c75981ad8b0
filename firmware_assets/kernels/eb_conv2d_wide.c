// SPDX-License-Identifier: Apache-2.0
// Copyright edgebio contributors

#include <stddef.h>

#include "eb_conv2d_pairs.h"

/* Four channels of two pixels are summed at once: a step of two taps takes 3 loads of two words and
 * 8 SMLAD for its 16 products. */

/* State of the loops below, which advance from quad to quad. */
typedef struct {
    const int16_t *weights;
    const uint32_t *patch;
    const uint32_t *end; /* of the patch */
    const eb_quad *quad;
    int8_t *output_a, *output_b;
    uint32_t quads;
    uint32_t relu;  /* for two pixels; for the largest one, the remaining `pairs` */
    uint32_t pairs; /* for the largest pixel */
    uint32_t patch_bytes;
    uint32_t entry; /* entry into the loop: bytes that are skipped at first */
} job;

#if EB_HAS_DSP

/* The sums in r0-r3 (pixel a) and r4-r7 (b), weights at r8, patch at r9. Sixteen steps of 44 bytes
 * are unrolled. The loop is entered so that the number of steps is right, although it repeats in
 * multiples of sixteen. All registers are in use, so the job is on the stack. */
#define SUM_QUAD                                                                                   \
    "mov r4, r0\n\t"                                                                               \
    "mov r5, r1\n\t"                                                                               \
    "mov r6, r2\n\t"                                                                               \
    "mov r7, r3\n\t"                                                                               \
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
#define SUM_QUAD_OF_ONE                                                                            \
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

#define ENTER                                                                                      \
    "push {r4-r11, lr}\n\t"                                                                        \
    "ldmia r0, {r1-r11}\n\t"                                                                       \
    "adr r0, 1f\n\t"                                                                               \
    "add r11, r11, r0\n\t"                                                                         \
    "orr r11, #1\n\t"                                                                              \
    "sub sp, #16\n\t"                                                                              \
    "push {r1-r11}\n\t"

#define LEAVE                                                                                      \
    "add sp, #60\n\t"                                                                              \
    "pop {r4-r11, pc}"

/* Multiplier, rounding and shift come from r12 on. */
#define FINISH_BOTH(a, b)                                                                          \
    "ldmia r12!, {r8, r9, lr}\n\t"                                                                 \
    "smmlar " a ", " a ", r8, r9\n\t"                                                              \
    "smmlar " b ", " b ", r8, r9\n\t"                                                              \
    "asrs " a ", " a ", lr\n\t"                                                                    \
    "asrs " b ", " b ", lr\n\t"                                                                    \
    "ssat " a ", #8, " a "\n\t"                                                                    \
    "ssat " b ", #8, " b "\n\t"                                                                    \
    "strb " a ", [r10], #1\n\t"                                                                    \
    "strb " b ", [r11], #1\n\t"

/* Halves of negative values are rounded down, away from zero. */
#define FINISH(a)                                                                                  \
    "ldmia r12!, {r8, r9, lr}\n\t"                                                                 \
    "add r9, r9, " a ", asr #31\n\t"                                                               \
    "smmlar " a ", " a ", r8, r9\n\t"                                                              \
    "asrs " a ", " a ", lr\n\t"                                                                    \
    "ssat " a ", #8, " a "\n\t"                                                                    \
    "strb " a ", [r10], #1\n\t"

#define LARGER(a, b)                                                                               \
    "cmp " a ", " b "\n\t"                                                                         \
    "it lt\n\t"                                                                                    \
    "movlt " a ", " b "\n\t"

// clang-format off
EB_NAKED static void sum_two_pixels(EB_UNUSED const job *work)
{
    __asm__(ENTER
            "0:\n\t"
            "ldr r12, [sp, #12]\n\t"
            "ldrd r8, r9, [sp]\n\t"
            "ldmia r12!, {r0-r3}\n\t"
            "str r12, [sp, #12]\n\t" SUM_QUAD
            "str r8, [sp]\n\t"
            "ldr r8, [sp, #28]\n\t"
            "ldr r12, [sp, #12]\n\t"
            "ldrd r10, r11, [sp, #16]\n\t"
            "cmp r8, #0\n\t"
            "beq 2f\n\t" FINISH_BOTH("r0", "r4") FINISH_BOTH("r1", "r5") FINISH_BOTH("r2", "r6")
                FINISH_BOTH("r3", "r7") "strd r10, r11, [sp, #16]\n\t"
            "b 3f\n"
            "2:\n\t" FINISH("r0") FINISH("r1") FINISH("r2") FINISH("r3")
            "ldr r12, [sp, #12]\n\t"
            "str r10, [sp, #16]\n\t"
            "mov r10, r11\n\t" FINISH("r4") FINISH("r5") FINISH("r6") FINISH("r7")
            "str r10, [sp, #20]\n"
            "3:\n\t"
            "ldr r0, [sp, #24]\n\t"
            "str r12, [sp, #12]\n\t"
            "subs r0, #1\n\t"
            "str r0, [sp, #24]\n\t"
            "bne 0b\n\t" LEAVE);
}

EB_NAKED static void sum_one_pixel(EB_UNUSED const job *work)
{
    __asm__(ENTER
            "0:\n\t"
            "ldr r12, [sp, #12]\n\t"
            "ldrd r8, r9, [sp]\n\t"
            "ldmia r12!, {r0-r3}\n\t"
            "str r12, [sp, #12]\n\t" SUM_QUAD_OF_ONE
            "str r8, [sp]\n\t"
            "ldr r12, [sp, #12]\n\t"
            "ldr r10, [sp, #16]\n\t" FINISH("r0") FINISH("r1") FINISH("r2") FINISH("r3")
            "ldr r0, [sp, #24]\n\t"
            "str r12, [sp, #12]\n\t"
            "str r10, [sp, #16]\n\t"
            "subs r0, #1\n\t"
            "str r0, [sp, #24]\n\t"
            "bne 0b\n\t" LEAVE);
}

/* The largest values so far are behind the job, at 44. */
EB_NAKED static void sum_largest_pixel(EB_UNUSED const job *work)
{
    __asm__(ENTER
            "0:\n\t"
            "mov r0, #0x80000000\n\t"
            "mov r1, r0\n\t"
            "strd r0, r1, [sp, #44]\n\t"
            "strd r0, r1, [sp, #52]\n\t"
            "ldr r0, [sp, #32]\n\t"
            "str r0, [sp, #28]\n\t"
            "ldr r9, [sp, #4]\n"
            "2:\n\t"
            "ldr r10, [sp, #36]\n\t"
            "ldr r8, [sp]\n\t"
            "add r10, r9\n\t"
            "ldr r12, [sp, #12]\n\t"
            "str r10, [sp, #8]\n\t"
            "ldmia r12!, {r0-r3}\n\t" SUM_QUAD LARGER("r0", "r4") LARGER("r1", "r5")
                LARGER("r2", "r6") LARGER("r3", "r7")
            "ldrd r4, r5, [sp, #44]\n\t"
            "ldrd r6, r7, [sp, #52]\n\t" LARGER("r0", "r4") LARGER("r1", "r5") LARGER("r2", "r6")
                LARGER("r3", "r7")
            "ldr r11, [sp, #28]\n\t"
            "strd r0, r1, [sp, #44]\n\t"
            "strd r2, r3, [sp, #52]\n\t"
            "subs r11, #1\n\t"
            "str r11, [sp, #28]\n\t"
            "bne 2b\n\t" /* the next patch begins where this one ends */
            "str r8, [sp]\n\t"
            "ldr r12, [sp, #12]\n\t"
            "ldr r10, [sp, #16]\n\t"
            "add r12, #16\n\t" FINISH("r0") FINISH("r1") FINISH("r2") FINISH("r3")
            "ldr r0, [sp, #24]\n\t"
            "str r12, [sp, #12]\n\t"
            "str r10, [sp, #16]\n\t"
            "subs r0, #1\n\t"
            "str r0, [sp, #24]\n\t"
            "bne 0b\n\t" LEAVE);
}
// clang-format on

#else

static const int16_t *sum(const eb_quad *quad, const int16_t *weights, const uint32_t *patch,
                          const uint32_t *end, int32_t a[4], int32_t b[4])
{
    for (uint32_t i = 0; i < 4u; i++) {
        a[i] = b[i] = quad->bias[i];
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

static void sum_two_pixels(const job *work)
{
    const int16_t *weights = work->weights;
    for (uint32_t quad = 0; quad < work->quads; quad++) {
        int32_t a[4];
        int32_t b[4];
        weights = sum(work->quad + quad, weights, work->patch, work->end, a, b);
        for (uint32_t i = 0; i < 4u; i++) {
            work->output_a[4u * quad + i] = eb_finish_doubled(work->quad + quad, i, a[i]);
            work->output_b[4u * quad + i] = eb_finish_doubled(work->quad + quad, i, b[i]);
        }
    }
}

static void sum_one_pixel(const job *work)
{
    const int16_t *weights = work->weights;
    for (uint32_t quad = 0; quad < work->quads; quad++) {
        int32_t a[4];
        int32_t b[4];
        weights = sum(work->quad + quad, weights, work->patch, work->end, a, b);
        for (uint32_t i = 0; i < 4u; i++) {
            work->output_a[4u * quad + i] = eb_finish_doubled(work->quad + quad, i, a[i]);
        }
    }
}

static void sum_largest_pixel(const job *work)
{
    const int16_t *weights = work->weights;
    const int16_t *next = weights;
    for (uint32_t quad = 0; quad < work->quads; quad++) {
        int32_t largest[4] = {INT32_MIN, INT32_MIN, INT32_MIN, INT32_MIN};
        const uint32_t *patch = work->patch;
        for (uint32_t pair = 0; pair < work->pairs; pair++) {
            const uint32_t *const end = patch + work->patch_bytes / 4u;
            int32_t a[4];
            int32_t b[4];
            next = sum(work->quad + quad, weights, patch, end, a, b);
            for (uint32_t i = 0; i < 4u; i++) {
                largest[i] = a[i] > largest[i] ? a[i] : largest[i];
                largest[i] = b[i] > largest[i] ? b[i] : largest[i];
            }
            patch = end;
        }
        weights = next;
        for (uint32_t i = 0; i < 4u; i++) {
            work->output_a[4u * quad + i] = eb_finish_doubled(work->quad + quad, i, largest[i]);
        }
    }
}

#endif

static job job_of(const eb_conv2d_pairs *layer)
{
    const uint32_t steps = layer->steps;
    return (job){
        .relu = layer->relu,
        .pairs = eb_pairs_of(layer),
        .patch_bytes = 8u * steps,
        .entry = ((0u - steps) & 15u) * 44u,
    };
}

/* The outputs that remain after the fours go through `rest`. */
EB_INLINE void each_quad(const eb_conv2d_pairs *layer, job work, const uint32_t *patches,
                         int8_t *output_a, int8_t *output_b, void (*sum_quads)(const job *))
{
    const uint32_t steps = layer->steps;
    const uint32_t quads = layer->outputs / 4u;
    const uint32_t left = layer->outputs % 4u;
    work.weights = layer->weights;
    work.patch = patches;
    work.end = patches + 2u * steps;
    work.quad = layer->quads;
    work.output_a = output_a;
    work.output_b = output_b;
    work.quads = quads;
    if (quads) {
        sum_quads(&work);
    }
    if (left) {
        int8_t rest[8];
        work.weights += quads * steps * 8u;
        work.quad += quads;
        work.output_a = rest;
        work.output_b = rest + 4;
        work.quads = 1;
        sum_quads(&work);
        for (uint32_t i = 0; i < left; i++) {
            output_a[4u * quads + i] = rest[i];
            if (output_b) {
                output_b[4u * quads + i] = rest[4u + i];
            }
        }
    }
}

static void two_pixels(const eb_conv2d_pairs *layer, const void *work, const uint32_t *patches,
                       int8_t *output_a, int8_t *output_b)
{
    job own = *(const job *)work;
    if (output_a == output_b) { /* the last of an odd number */
        own.entry = ((0u - layer->steps) & 15u) * 28u;
        each_quad(layer, own, patches, output_a, NULL, sum_one_pixel);
        return;
    }
    each_quad(layer, own, patches, output_a, output_b, sum_two_pixels);
}

static void largest_pixel(const eb_conv2d_pairs *layer, const void *work, const uint32_t *patches,
                          int8_t *output_a, int8_t *output_b)
{
    each_quad(layer, *(const job *)work, patches, output_a, output_b, sum_largest_pixel);
}

void eb_run_conv2d_wide(const eb_conv2d_pairs *layer, const int8_t *input, int8_t *output,
                        int8_t *scratch)
{
    const job work = job_of(layer);
    eb_each_pair(layer, &work, input, output, scratch, two_pixels);
}

void eb_run_conv2d_wide_pooled(const eb_conv2d_pairs *layer, const int8_t *input, int8_t *output,
                               int8_t *scratch)
{
    const job work = job_of(layer);
    eb_each_pool(layer, &work, input, output, scratch, largest_pixel);
}
