// SPDX-License-Identifier: Apache-2.0
// Copyright edgebio contributors

/* What the convolutions of Helium share: strips of taps, and blocks of weights.
 *
 * The pixels of a line have their taps in a strip of columns, as [columns][slots][channels], so
 * that those under a window are neighbors wherever it is. A line runs along a row or a column of
 * the image; its slots are the lines of the input under a window. Sixteen taps are a step. */
#ifndef EB_CONV2D_MVE_H
#define EB_CONV2D_MVE_H

#include <string.h>

#include "eb_mve.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A block has the weights of four channels: 4 biases, [steps][4][16 taps] from the last step to
 * the first one, 4 multipliers, 4 shifts. */
static inline uint32_t eb_block_bytes(uint32_t steps)
{
    return 64u * steps + 48u;
}

/* Fill what stays in all strips of a layer: the padding at both ends. */
void eb_prepare_strip(const eb_conv2d_mve *layer, int8_t *strip);

/* Fill the strip of the line of pixels `line`, before pooling; `all` its columns. */
void eb_fill_strip(const eb_conv2d_mve *layer, uint32_t line, uint32_t all, const int8_t *input,
                   int8_t *strip);

/* Fill the strips of all lines of pixels under a pool, the first of which is `line`. */
void eb_fill_strips(const eb_conv2d_mve *layer, uint32_t line, const int8_t *input, int8_t *strips,
                    uint32_t pitch);

#if EB_HAS_MVE

/* Products of a step: taps of pixel a and b by four channels, sums in r0 r2 r4 r6 (a) and r8 r10
 * r12 lr (b), weights at r1. The loads of the taps come between the others. */
#define EB_STEP(load_a, a, load_b, b)                                                              \
    load_a "vldrb.8 q2, [r1], #16\n\t"                                                             \
           "vmladava.s8 r0, " a ", q2\n\t" load_b "vmladava.s8 r8, " b ", q2\n\t"                  \
           "vldrb.8 q3, [r1], #16\n\t"                                                             \
           "vmladava.s8 r2, " a ", q3\n\t"                                                         \
           "vldrb.8 q2, [r1], #16\n\t"                                                             \
           "vmladava.s8 r10, " b ", q3\n\t"                                                        \
           "vldrb.8 q3, [r1], #16\n\t"                                                             \
           "vmladava.s8 r4, " a ", q2\n\t"                                                         \
           "vmladava.s8 r12, " b ", q2\n\t"                                                        \
           "vmladava.s8 r6, " a ", q3\n\t"                                                         \
           "vmladava.s8 lr, " b ", q3\n\t"

#define EB_LOAD(to, at) "vldrb.8 " to ", [" at "\n\t"
#define EB_STEP_AT(a, b, offset)                                                                   \
    EB_STEP(EB_LOAD("q0", a ", #" offset "]"), "q0", EB_LOAD("q1", b ", #" offset "]"), "q1")

/* The steps 8 ... 2 of a few; their taps are at fixed places, by pointers to 64 bytes behind the
 * first one. They take 56 bytes of code each. */
#define EB_UPPER_STEPS(a, b)                                                                       \
    EB_STEP_AT(a, b, "64")                                                                         \
    EB_STEP_AT(a, b, "48")                                                                         \
    EB_STEP_AT(a, b, "32")                                                                         \
    EB_STEP_AT(a, b, "16")                                                                         \
    EB_STEP_AT(a, b, "0")                                                                          \
    EB_STEP_AT(a, b, "-16")                                                                        \
    EB_STEP_AT(a, b, "-32")

/* Sums start as biases. */
#define EB_START                                                                                   \
    "ldmia r1, {r0, r2, r4, r6}\n\t"                                                               \
    "ldmia r1!, {r8, r10, r12, lr}\n\t"

/* Halves of negative values are rounded down, away from zero. */
#define EB_LOWER_NEGATIVE(x, scratch)                                                              \
    "vshr.s32 " scratch ", " x ", #31\n\t"                                                         \
    "vadd.i32 " x ", " x ", " scratch "\n\t"

#else

/* Sum of a channel of a block. */
static inline int32_t eb_block_sum(const int8_t *block, uint32_t steps, uint32_t channel,
                                   const int8_t *taps)
{
    int32_t sum;
    memcpy(&sum, block + 4u * channel, sizeof sum);
    block += 16u + 16u * channel;
    for (uint32_t i = 0; i < 16u * steps; i++) {
        sum += block[(steps - 1u - i / 16u) * 64u + i % 16u] * taps[i];
    }
    return sum;
}

static inline int8_t eb_block_finish(const int8_t *block, uint32_t steps, uint32_t channel,
                                     int32_t zero_point, int32_t sum)
{
    int32_t multiplier, shift;
    block += 16u + 64u * steps + 4u * channel;
    memcpy(&multiplier, block, sizeof multiplier);
    memcpy(&shift, block + 16, sizeof shift);
    return eb_clamp(eb_requantize(sum, multiplier, shift) + zero_point, INT8_MIN, INT8_MAX);
}

#endif

#ifdef __cplusplus
}
#endif

#endif
