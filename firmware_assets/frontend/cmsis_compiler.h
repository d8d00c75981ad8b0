// SPDX-License-Identifier: Apache-2.0
// Copyright edgebio contributors

/* The compiler-specific part of CMSIS-DSP, for its q15 FFT, on the target and on the host.
 *
 * CMSIS-DSP 1.10 includes this file by name. EB_FFT_NUMERICS_DSP chooses the numerics:
 *   1: SIMD32 order, as on Cortex-M4, M7 and M33. With the DSP extension the intrinsics are
 *      instructions; without it (host, M0, M3) they are the same arithmetic in portable C.
 *   0: plain C order, as on Cortex-M0, M0+ and M3, on any CPU.
 * Either way every bit is the same on every machine.
 */
#ifndef EB_CMSIS_COMPILER_H
#define EB_CMSIS_COMPILER_H

#include <stdint.h>

#define __ASM __asm__
#define __ALIGNED(x) __attribute__((aligned(x)))
#define __STATIC_INLINE static inline
#define __STATIC_FORCEINLINE static inline __attribute__((always_inline))
#define __WEAK __attribute__((weak))

#if !defined(EB_FFT_NUMERICS_DSP)
#error "EB_FFT_NUMERICS_DSP must be 0 (plain C numerics) or 1 (SIMD32 numerics)"
#endif

#if defined(__ARM_FEATURE_DSP) && __ARM_FEATURE_DSP && EB_FFT_NUMERICS_DSP
#define EB_NATIVE_SIMD32 1
#include <arm_acle.h>
#else
#define EB_NATIVE_SIMD32 0
/* arm_math_types.h, included later, chooses its code path by this macro. */
#undef __ARM_FEATURE_DSP
#if EB_FFT_NUMERICS_DSP && defined(__SSE2__)
/* x86-64 has instructions that make the host twin faster. */
#include <emmintrin.h>
#endif
#endif

/* On a little-endian host, CMSIS-DSP may read two halves as one word. */
#if !defined(__arm__) && defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define __ARM_FEATURE_UNALIGNED 1
#endif

#if EB_FFT_NUMERICS_DSP && !defined(ARM_MATH_DSP)
#define ARM_MATH_DSP 1
#endif

#ifdef __cplusplus
extern "C" {
#endif

__STATIC_FORCEINLINE uint8_t __CLZ(uint32_t value)
{
    return value ? (uint8_t)__builtin_clz(value) : 32U;
}

__STATIC_FORCEINLINE uint32_t __ROR(uint32_t value, uint32_t bits)
{
    bits &= 31U;
    return bits ? (value >> bits) | (value << (32U - bits)) : value;
}

#if EB_NATIVE_SIMD32

#define __SSAT(value, bits) ((int32_t)__ssat((value), (bits)))
#define __USAT(value, bits) ((uint32_t)__usat((value), (bits)))
#define __QADD(x, y) __qadd((x), (y))
#define __QSUB(x, y) __qsub((x), (y))
#define __QADD8(x, y) __qadd8((x), (y))
#define __QSUB8(x, y) __qsub8((x), (y))
#define __QADD16(x, y) __qadd16((x), (y))
#define __QSUB16(x, y) __qsub16((x), (y))
#define __QASX(x, y) __qasx((x), (y))
#define __QSAX(x, y) __qsax((x), (y))
#define __SHADD16(x, y) __shadd16((x), (y))
#define __SHSUB16(x, y) __shsub16((x), (y))
#define __SHASX(x, y) __shasx((x), (y))
#define __SHSAX(x, y) __shsax((x), (y))
#define __SMUAD(x, y) __smuad((x), (y))
#define __SMUADX(x, y) __smuadx((x), (y))
#define __SMUSD(x, y) __smusd((x), (y))
#define __SMUSDX(x, y) __smusdx((x), (y))
#define __SMLAD(x, y, sum) __smlad((x), (y), (sum))
#define __SMLADX(x, y, sum) __smladx((x), (y), (sum))
#define __SMLSDX(x, y, sum) __smlsdx((x), (y), (sum))
#define __SMLALD(x, y, sum) __smlald((x), (y), (sum))
#define __SMLALDX(x, y, sum) __smlaldx((x), (y), (sum))
#define __SXTB16(x) __sxtb16((x))

#else

__STATIC_FORCEINLINE int32_t __SSAT(int32_t value, uint32_t bits)
{
    const int32_t top = (int32_t)((1U << (bits - 1U)) - 1U);
    return value > top ? top : value < -top - 1 ? -top - 1 : value;
}

__STATIC_FORCEINLINE uint32_t __USAT(int32_t value, uint32_t bits)
{
    const int32_t top = (int32_t)((1U << bits) - 1U);
    return (uint32_t)(value > top ? top : value < 0 ? 0 : value);
}

#if EB_FFT_NUMERICS_DSP

/* The halves of a register, sign-extended, and two halves as a register. */
#define EB_LOW(x) ((int32_t)(int16_t)(uint16_t)(uint32_t)(x))
#define EB_HIGH(x) ((int32_t)(int16_t)(uint16_t)((uint32_t)(x) >> 16))
#define EB_PACK(high, low)                                                                         \
    ((int32_t)(((uint32_t)(uint16_t)(high) << 16) | (uint32_t)(uint16_t)(low)))
/* A sum that wraps like a register; signed overflow would be undefined in C. */
#define EB_WRAP(a, b) ((int32_t)((uint32_t)(a) + (uint32_t)(b)))

#define EB_SIMD32(name, high, low)                                                                 \
    __STATIC_FORCEINLINE int32_t name(int32_t x, int32_t y)                                        \
    {                                                                                              \
        return EB_PACK(high, low);                                                                 \
    }

#if defined(__SSE2__)
#define EB_SSE(name, of)                                                                           \
    __STATIC_FORCEINLINE int32_t name(int32_t x, int32_t y)                                        \
    {                                                                                              \
        return _mm_cvtsi128_si32(of(_mm_cvtsi32_si128(x), _mm_cvtsi32_si128(y)));                  \
    }
EB_SSE(__QADD16, _mm_adds_epi16)
EB_SSE(__QSUB16, _mm_subs_epi16)
EB_SSE(__SMUAD, _mm_madd_epi16)
#else
EB_SIMD32(__QADD16, __SSAT(EB_HIGH(x) + EB_HIGH(y), 16), __SSAT(EB_LOW(x) + EB_LOW(y), 16))
EB_SIMD32(__QSUB16, __SSAT(EB_HIGH(x) - EB_HIGH(y), 16), __SSAT(EB_LOW(x) - EB_LOW(y), 16))

__STATIC_FORCEINLINE int32_t __SMUAD(int32_t x, int32_t y)
{
    return EB_WRAP(EB_LOW(x) * EB_LOW(y), EB_HIGH(x) * EB_HIGH(y));
}
#endif

EB_SIMD32(__QASX, __SSAT(EB_HIGH(x) + EB_LOW(y), 16), __SSAT(EB_LOW(x) - EB_HIGH(y), 16))
EB_SIMD32(__QSAX, __SSAT(EB_HIGH(x) - EB_LOW(y), 16), __SSAT(EB_LOW(x) + EB_HIGH(y), 16))
/* Means of both halves at once, as unsigned numbers: floor((a + b) / 2) is the bits common to a and
 * b plus half of those that differ; floor((a - b) / 2) is the mean of a and ~b, rounded up. */
__STATIC_FORCEINLINE int32_t __SHADD16(int32_t x, int32_t y)
{
    const uint32_t a = (uint32_t)x ^ 0x80008000U, b = (uint32_t)y ^ 0x80008000U;
    return (int32_t)(((a & b) + (((a ^ b) >> 1) & 0x7FFF7FFFU)) ^ 0x80008000U);
}

__STATIC_FORCEINLINE int32_t __SHSUB16(int32_t x, int32_t y)
{
    const uint32_t a = (uint32_t)x ^ 0x80008000U, b = ~((uint32_t)y ^ 0x80008000U);
    return (int32_t)(((a | b) - (((a ^ b) >> 1) & 0x7FFF7FFFU)) ^ 0x80008000U);
}

EB_SIMD32(__SHASX, (EB_HIGH(x) + EB_LOW(y)) >> 1, (EB_LOW(x) - EB_HIGH(y)) >> 1)
EB_SIMD32(__SHSAX, (EB_HIGH(x) - EB_LOW(y)) >> 1, (EB_LOW(x) + EB_HIGH(y)) >> 1)

__STATIC_FORCEINLINE int32_t __SMUADX(int32_t x, int32_t y)
{
    return EB_WRAP(EB_LOW(x) * EB_HIGH(y), EB_HIGH(x) * EB_LOW(y));
}

__STATIC_FORCEINLINE int32_t __SMUSD(int32_t x, int32_t y)
{
    return EB_LOW(x) * EB_LOW(y) - EB_HIGH(x) * EB_HIGH(y);
}

__STATIC_FORCEINLINE int32_t __SMUSDX(int32_t x, int32_t y)
{
    return EB_LOW(x) * EB_HIGH(y) - EB_HIGH(x) * EB_LOW(y);
}

__STATIC_FORCEINLINE int32_t __SMLAD(int32_t x, int32_t y, int32_t sum)
{
    return EB_WRAP(__SMUAD(x, y), sum);
}

__STATIC_FORCEINLINE int32_t __SMLADX(int32_t x, int32_t y, int32_t sum)
{
    return EB_WRAP(__SMUADX(x, y), sum);
}

__STATIC_FORCEINLINE int32_t __SMLSDX(int32_t x, int32_t y, int32_t sum)
{
    return EB_WRAP(__SMUSDX(x, y), sum);
}

/* For functions in CMSIS-DSP's headers that the FFT does not use. */
__STATIC_FORCEINLINE int32_t __QADD(int32_t x, int32_t y)
{
    const int64_t sum = (int64_t)x + y;
    return sum > INT32_MAX ? INT32_MAX : sum < INT32_MIN ? INT32_MIN : (int32_t)sum;
}

__STATIC_FORCEINLINE int32_t __QSUB(int32_t x, int32_t y)
{
    const int64_t difference = (int64_t)x - y;
    return difference > INT32_MAX   ? INT32_MAX
           : difference < INT32_MIN ? INT32_MIN
                                    : (int32_t)difference;
}

#endif /* EB_FFT_NUMERICS_DSP */
#endif /* EB_NATIVE_SIMD32 */

#define __PKHBT(bottom, top, shift)                                                                \
    ((int32_t)(((uint32_t)(bottom) & 0xFFFFU) | (((uint32_t)(top) << (shift)) & 0xFFFF0000U)))
#define __PKHTB(top, bottom, shift)                                                                \
    ((int32_t)(((uint32_t)(top) & 0xFFFF0000U) | ((uint32_t)((bottom) >> (shift)) & 0xFFFFU)))

#ifdef __cplusplus
}
#endif

#endif
