// SPDX-License-Identifier: Apache-2.0
// Copyright edgebio contributors

/* Sums over pixels, four channels at a time. */
#ifndef EB_SUMS_DSP_H
#define EB_SUMS_DSP_H

#include "eb_dsp.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Add `count` pixels that lie `step` bytes apart to the sums of four channels. */
static inline void eb_sum_pixels(const int8_t *from, uint32_t step, uint32_t count, int32_t sums[4])
{
    while (count) {
        uint32_t part = count < 255u ? count : 255u; /* more could overflow a half */
        uint32_t even = 0;                           /* channels 0 and 2 */
        uint32_t odd = 0;
        count -= part;
        for (; part >= 4u; part -= 4u) {
            for (uint32_t i = 0; i < 4u; i++) {
                const uint32_t word = eb_load4(from);
                even = eb_sxtab16(even, word);
                odd = eb_sxtab16_odd(odd, word);
                from += step;
            }
        }
        for (; part; part--) {
            const uint32_t word = eb_load4(from);
            even = eb_sxtab16(even, word);
            odd = eb_sxtab16_odd(odd, word);
            from += step;
        }
        sums[0] += (int16_t)(uint16_t)even;
        sums[1] += (int16_t)(uint16_t)odd;
        sums[2] += (int16_t)(uint16_t)(even >> 16);
        sums[3] += (int16_t)(uint16_t)(odd >> 16);
    }
}

#ifdef __cplusplus
}
#endif

#endif
