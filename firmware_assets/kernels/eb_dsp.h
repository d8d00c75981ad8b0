// SPDX-License-Identifier: Apache-2.0
// Copyright edgebio contributors

/* The few instructions of Arm's DSP extension (Cortex-M4, M7, M33, M55) that the *_dsp kernels
 * use. On other CPUs they are plain C, so that a PC can run and check the same kernels. */
#ifndef EB_DSP_H
#define EB_DSP_H

#include <stdint.h>
#include <string.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Four int8 as a word; the address need not be aligned. */
static inline uint32_t eb_load4(const int8_t *from)
{
    uint32_t word;
    memcpy(&word, from, sizeof word);
    return word;
}

static inline void eb_store4(int8_t *to, uint32_t word)
{
    memcpy(to, &word, sizeof word);
}

/* Two int16 as a word, `low` in the lower half. */
static inline uint32_t eb_pair(int32_t low, int32_t high)
{
    return ((uint32_t)low & 0xffffu) | ((uint32_t)high << 16);
}

#if defined(__ARM_FEATURE_DSP) && defined(__GNUC__)
#define EB_HAS_DSP 1

/* Bytes 0 and 2 as two int16. */
static inline uint32_t eb_sxtb16(uint32_t word)
{
    uint32_t pair;
    __asm__("sxtb16 %0, %1" : "=r"(pair) : "r"(word));
    return pair;
}

/* Bytes 1 and 3 as two int16. */
static inline uint32_t eb_sxtb16_odd(uint32_t word)
{
    uint32_t pair;
    __asm__("sxtb16 %0, %1, ror #8" : "=r"(pair) : "r"(word));
    return pair;
}

/* `pair` plus bytes 0 and 2; below, plus bytes 1 and 3. */
static inline uint32_t eb_sxtab16(uint32_t pair, uint32_t word)
{
    __asm__("sxtab16 %0, %0, %1" : "+r"(pair) : "r"(word));
    return pair;
}

static inline uint32_t eb_sxtab16_odd(uint32_t pair, uint32_t word)
{
    __asm__("sxtab16 %0, %0, %1, ror #8" : "+r"(pair) : "r"(word));
    return pair;
}

/* The larger of each of four int8. */
static inline uint32_t eb_max4(uint32_t a, uint32_t b)
{
    uint32_t larger;
    __asm__("ssub8 %0, %1, %2\n\tsel %0, %1, %2" : "=&r"(larger) : "r"(a), "r"(b) : "cc");
    return larger;
}

/* The lower halves of two pairs; below, the upper halves. */
static inline uint32_t eb_lower(uint32_t a, uint32_t b)
{
    uint32_t pair;
    __asm__("pkhbt %0, %1, %2, lsl #16" : "=r"(pair) : "r"(a), "r"(b));
    return pair;
}

static inline uint32_t eb_upper(uint32_t a, uint32_t b)
{
    uint32_t pair;
    __asm__("pkhtb %0, %2, %1, asr #16" : "=r"(pair) : "r"(a), "r"(b));
    return pair;
}

/* sum + both products of two pairs. */
static inline int32_t eb_smlad(uint32_t a, uint32_t b, int32_t sum)
{
    __asm__("smlad %0, %1, %2, %0" : "+r"(sum) : "r"(a), "r"(b));
    return sum;
}

/* sum + the product of the lower halves; below, of the upper halves. */
static inline int32_t eb_smlabb(uint32_t a, uint32_t b, int32_t sum)
{
    __asm__("smlabb %0, %1, %2, %0" : "+r"(sum) : "r"(a), "r"(b));
    return sum;
}

static inline int32_t eb_smlatt(uint32_t a, uint32_t b, int32_t sum)
{
    __asm__("smlatt %0, %1, %2, %0" : "+r"(sum) : "r"(a), "r"(b));
    return sum;
}

/* The upper half of the rounded 64-bit product; below, plus `sum`. */
static inline int32_t eb_smmulr(int32_t a, int32_t b)
{
    int32_t result;
    __asm__("smmulr %0, %1, %2" : "=r"(result) : "r"(a), "r"(b));
    return result;
}

static inline int32_t eb_smmlar(int32_t a, int32_t b, int32_t sum)
{
    int32_t result;
    __asm__("smmlar %0, %1, %2, %3" : "=r"(result) : "r"(a), "r"(b), "r"(sum));
    return result;
}

static inline int32_t eb_saturate8(int32_t value)
{
    int32_t result;
    __asm__("ssat %0, #8, %1" : "=r"(result) : "r"(value));
    return result;
}

#else
#define EB_HAS_DSP 0

static inline int32_t eb_smmulr(int32_t a, int32_t b)
{
    return (int32_t)(((int64_t)a * b + ((int64_t)1 << 31)) >> 32);
}

static inline int32_t eb_smmlar(int32_t a, int32_t b, int32_t sum)
{
    const int64_t high = (((int64_t)a * b + ((int64_t)1 << 31)) >> 32) + sum;
    return (int32_t)high;
}

static inline int32_t eb_saturate8(int32_t value)
{
    return value < INT8_MIN ? INT8_MIN : value > INT8_MAX ? INT8_MAX : value;
}

static inline uint32_t eb_lower(uint32_t a, uint32_t b)
{
    return (a & 0xffffu) | (b << 16);
}

static inline uint32_t eb_upper(uint32_t a, uint32_t b)
{
    return (a >> 16) | (b & 0xffff0000u);
}

static inline int32_t eb_half(uint32_t pair, uint32_t shift)
{
    return (int16_t)(uint16_t)(pair >> shift);
}

static inline uint32_t eb_sxtb16(uint32_t word)
{
    const uint32_t low = (uint32_t)(int32_t)(int8_t)word & 0xffffu;
    const uint32_t high = (uint32_t)(int32_t)(int8_t)(word >> 16) << 16;
    return high | low;
}

static inline uint32_t eb_sxtb16_odd(uint32_t word)
{
    return eb_sxtb16(word >> 8);
}

static inline uint32_t eb_sxtab16(uint32_t pair, uint32_t word)
{
    const uint32_t bytes = eb_sxtb16(word);
    return ((pair + bytes) & 0xffffu) | ((pair & 0xffff0000u) + (bytes & 0xffff0000u));
}

static inline uint32_t eb_sxtab16_odd(uint32_t pair, uint32_t word)
{
    return eb_sxtab16(pair, word >> 8);
}

static inline uint32_t eb_max4(uint32_t a, uint32_t b)
{
    uint32_t larger = 0;
    for (uint32_t shift = 0; shift < 32u; shift += 8u) {
        const uint32_t from = (int8_t)(a >> shift) >= (int8_t)(b >> shift) ? a : b;
        larger |= from & ((uint32_t)0xff << shift);
    }
    return larger;
}

static inline int32_t eb_smlabb(uint32_t a, uint32_t b, int32_t sum)
{
    return sum + eb_half(a, 0) * eb_half(b, 0);
}

static inline int32_t eb_smlatt(uint32_t a, uint32_t b, int32_t sum)
{
    return sum + eb_half(a, 16) * eb_half(b, 16);
}

static inline int32_t eb_smlad(uint32_t a, uint32_t b, int32_t sum)
{
    return eb_smlatt(a, b, eb_smlabb(a, b, sum));
}

#endif

#ifdef __cplusplus
}
#endif

#endif
