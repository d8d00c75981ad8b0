/* The few instructions of Arm's DSP extension (Cortex-M4, M7, M33, M55) that the *_dsp kernels are
 * made of. Elsewhere they are spelled out in C, so that a PC runs and checks the same kernels. */
#ifndef EB_DSP_H
#define EB_DSP_H

#include <stdint.h>
#include <string.h>

/* Four int8 as a word; the address need not be aligned. */
static inline uint32_t eb_load4(const int8_t *from)
{
    uint32_t word;
    memcpy(&word, from, sizeof word);
    return word;
}

#if defined(__ARM_FEATURE_DSP) && defined(__GNUC__)

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

/* sum + both products of two pairs. */
static inline int32_t eb_smlad(uint32_t a, uint32_t b, int32_t sum)
{
    __asm__("smlad %0, %1, %2, %0" : "+r"(sum) : "r"(a), "r"(b));
    return sum;
}

/* sum + the product of the lower halves, and of the upper halves. */
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

#else

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

#endif
