// SPDX-License-Identifier: Apache-2.0
// Copyright edgebio contributors

/* Fixed point as in gemmlowp, besides that of eb_kernels.h: for quotients, roots, logarithms. */
#ifndef EB_FIXED_POINT_H
#define EB_FIXED_POINT_H

#include "eb_kernels.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Of a value other than 0. */
static inline uint32_t eb_leading_zeros(uint32_t value)
{
#if defined(__GNUC__)
    return (uint32_t)__builtin_clz(value);
#else
    uint32_t zeros = 0;
    while (!(value & 0x80000000u)) {
        value <<= 1;
        zeros++;
    }
    return zeros;
#endif
}

/* RoundingDivideByPOT: value / 2^exponent, halves away from zero; the exponent is at least 1. */
static inline int32_t eb_rounding_shift(int32_t value, uint32_t exponent)
{
    return (((value + (value >> 31)) >> (exponent - 1u)) + 1) >> 1;
}

/* SaturatingRoundingMultiplyByPOT of an exponent of at least 0. */
static inline int32_t eb_saturating_shift(int32_t value, uint32_t exponent)
{
    const int64_t wide = (int64_t)value * ((int64_t)1 << exponent);
    return wide > INT32_MAX ? INT32_MAX : wide < INT32_MIN ? INT32_MIN : (int32_t)wide;
}

/* one_over_one_plus_x_for_x_in_0_1: three Newton-Raphson steps towards 1 / (1 + x) in Q2.29, x and
 * the result in Q0.31. */
static inline int32_t eb_one_over_one_plus(int32_t x)
{
    const int32_t half = (int32_t)(((int64_t)x + INT32_MAX + 1) / 2);
    int32_t estimate = 1515870810 + eb_high_multiply(half, -1010580540); /* 48/17 - 32/17 * half */
    for (int step = 0; step < 3; step++) {
        const int32_t error = (1 << 29) - eb_high_multiply(half, estimate);
        estimate += (int32_t)((uint32_t)eb_high_multiply(estimate, error) << 2);
    }
    /* Halved, in Q0.31; the only value that does not fit saturates. */
    return estimate >= (1 << 30) ? INT32_MAX : (int32_t)((uint32_t)estimate << 1);
}

#ifdef __cplusplus
}
#endif

#endif
