// SPDX-License-Identifier: Apache-2.0
// Copyright edgebio contributors

/* Transforms of the image for Winograd's F(2x2, 3x3), of two neighboring tiles: first down each of
 * their six columns, then along the rows. Two channels are a word, as SXTB16 gives them. */
#ifndef EB_WINOGRAD_H
#define EB_WINOGRAD_H

#include "eb_conv2d_pairs.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { EB_TILE_COLUMNS = 6 };

#if EB_HAS_DSP

// clang-format off
/* Transform a column: r0-r3 are pointers to its four pixels, r12 to the results, lr counts. */
#define EB_TRANSFORM_COLUMN(order)                                                                 \
    "sxtb16 r8, r5" order "\n\t"                                                                   \
    "sxtb16 r9, r6" order "\n\t"                                                                   \
    "sxtb16 r10, r4" order "\n\t"                                                                  \
    "sxtb16 r11, r7" order "\n\t"                                                                  \
    "ssub16 r10, r10, r9\n\t"                                                                      \
    "ssub16 r11, r8, r11\n\t"                                                                      \
    "ssub16 r9, r9, r8\n\t"                                                                        \
    "sxtab16 r8, r8, r6" order "\n\t"

EB_NAKED static void eb_transform_column(EB_UNUSED const int8_t *const pixels[4],
                                         EB_UNUSED uint32_t groups, EB_UNUSED uint32_t *to)
{
    __asm__("push {r4-r11, lr}\n\t"
            "mov r12, r2\n\t"
            "mov lr, r1\n\t"
            "ldmia r0, {r0-r3}\n"
            "1:\n\t"
            "ldr r4, [r0], #4\n\t"
            "ldr r5, [r1], #4\n\t"
            "ldr r6, [r2], #4\n\t"
            "ldr r7, [r3], #4\n\t"
            EB_TRANSFORM_COLUMN("")
            "stmia r12!, {r8-r11}\n\t"
            EB_TRANSFORM_COLUMN(", ror #8")
            "stmia r12, {r8-r11}\n\t"
            "add r12, #176\n\t"
            "subs lr, #1\n\t"
            "bne 1b\n\t"
            "pop {r4-r11, pc}");
}

#define EB_PAIR_OF_TILES(operator, a, less_a, b, less_b, place)                                    \
    operator " r9, " a ", " less_a "\n\t"                                                          \
    operator " r10, " b ", " less_b "\n\t"                                                         \
    "strd r9, r10, [r1, #" place "]\n\t"
#define EB_TRANSFORM_ROW(word, place)                                                              \
    "ldr r3, [r0, #" word "]\n\t"                                                                  \
    "ldr r4, [r0, #32+" word "]\n\t"                                                               \
    "ldr r5, [r0, #64+" word "]\n\t"                                                               \
    "ldr r6, [r0, #96+" word "]\n\t"                                                               \
    "ldr r7, [r0, #128+" word "]\n\t"                                                              \
    "ldr r8, [r0, #160+" word "]\n\t"                                                              \
    EB_PAIR_OF_TILES("sadd16", "r4", "r5", "r6", "r7", place)                                      \
    EB_PAIR_OF_TILES("ssub16", "r5", "r4", "r7", "r6", place "+8")                                 \
    EB_PAIR_OF_TILES("ssub16", "r3", "r5", "r5", "r7", place "+16")                                \
    EB_PAIR_OF_TILES("ssub16", "r4", "r6", "r6", "r8", place "+24")

EB_NAKED static void eb_transform_rows(EB_UNUSED const uint32_t *columns, EB_UNUSED uint32_t *to,
                                       EB_UNUSED uint32_t groups)
{
    __asm__("push {r4-r10, lr}\n"
            "1:\n\t"
            EB_TRANSFORM_ROW("0", "0") EB_TRANSFORM_ROW("4", "32")
            EB_TRANSFORM_ROW("8", "64") EB_TRANSFORM_ROW("12", "96")
            EB_TRANSFORM_ROW("16", "128") EB_TRANSFORM_ROW("20", "160")
            EB_TRANSFORM_ROW("24", "192") EB_TRANSFORM_ROW("28", "224")
            "add r0, #192\n\t"
            "add r1, #256\n\t"
            "subs r2, #1\n\t"
            "bne 1b\n\t"
            "pop {r4-r10, pc}");
}
// clang-format on

#else

static inline uint32_t eb_sum_halves(uint32_t a, uint32_t b)
{
    return eb_pair(eb_half(a, 0) + eb_half(b, 0), eb_half(a, 16) + eb_half(b, 16));
}

static inline uint32_t eb_subtract_halves(uint32_t a, uint32_t b)
{
    return eb_pair(eb_half(a, 0) - eb_half(b, 0), eb_half(a, 16) - eb_half(b, 16));
}

static inline void eb_transform_column(const int8_t *const pixels[4], uint32_t groups, uint32_t *to)
{
    for (uint32_t group = 0; group < groups; group++) {
        for (uint32_t odd = 0; odd < 2u; odd++) {
            uint32_t pair[4];
            for (uint32_t i = 0; i < 4u; i++) {
                pair[i] = eb_sxtb16(eb_load4(pixels[i] + 4u * group) >> (8u * odd));
            }
            to[4u * odd] = eb_sum_halves(pair[1], pair[2]);
            to[4u * odd + 1u] = eb_subtract_halves(pair[2], pair[1]);
            to[4u * odd + 2u] = eb_subtract_halves(pair[0], pair[2]);
            to[4u * odd + 3u] = eb_subtract_halves(pair[1], pair[3]);
        }
        to += 8 * EB_TILE_COLUMNS;
    }
}

static inline void eb_transform_rows(const uint32_t *columns, uint32_t *to, uint32_t groups)
{
    for (; groups; groups--) {
        for (uint32_t word = 0; word < 8u; word++) {
            for (uint32_t tile = 0; tile < 2u; tile++) {
                const uint32_t *const from = columns + 16u * tile + word;
                to[tile] = eb_sum_halves(from[8], from[16]);
                to[tile + 2u] = eb_subtract_halves(from[16], from[8]);
                to[tile + 4u] = eb_subtract_halves(from[0], from[16]);
                to[tile + 6u] = eb_subtract_halves(from[8], from[24]);
            }
            to += 8;
        }
        columns += 8 * EB_TILE_COLUMNS;
    }
}

#endif

#ifdef __cplusplus
}
#endif

#endif
