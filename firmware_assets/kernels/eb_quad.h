// SPDX-License-Identifier: Apache-2.0
// Copyright edgebio contributors

/* Requantization of doubled sums of four neighboring channels. */
#ifndef EB_QUAD_H
#define EB_QUAD_H

#include "eb_dsp.h"
#include "eb_kernels.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Requantize the doubled sum of one of four channels. */
static inline int8_t eb_finish_doubled(const eb_quad *quad, uint32_t channel, int32_t sum)
{
    /* Halves of negative values are rounded down, away from zero. */
    const int32_t rounding = quad->output[channel].rounding + (sum >> 31);
    const int32_t scaled = eb_smmlar(sum, quad->output[channel].multiplier, rounding);
    return (int8_t)eb_saturate8(scaled >> quad->output[channel].shift);
}

#ifdef __cplusplus
}
#endif

#endif
