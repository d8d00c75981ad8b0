// SPDX-License-Identifier: Apache-2.0
// Copyright edgebio contributors

/* From a converter's codes to the model's counts: an optional high-pass, which removes the offset of the
 * electrode, then a factor. Integers only, so that every machine computes the same counts. */
#ifndef EB_SCALE_H
#define EB_SCALE_H

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* counts = (code - zero) x multiplier / 2^shift, rounded half up, within int16. Codes have at most 25 bits,
 * `multiplier` is positive, `shift` is 1 to 55.
 *
 * The high-pass has one pole: it subtracts the mean of the codes before, whose time constant is
 * 2^highpass samples. The mean starts at the first code. 0 is no high-pass, at most 30. */
typedef struct {
    int32_t zero;
    int32_t multiplier;
    uint8_t shift;
    uint8_t highpass;
} eb_scale;

/* State of the high-pass of one channel; all zero before the first code. */
typedef struct {
    int64_t sum; /* mean x 2^highpass */
    bool started;
} eb_highpass;

/* Count of a channel's next code. Without a high-pass `state` may be NULL. */
static inline int16_t eb_scale_count(const eb_scale *scale, eb_highpass *state, int32_t code)
{
    int32_t value = code - scale->zero;
    if (scale->highpass) {
        if (!state->started) {
            state->started = true;
            state->sum = (int64_t)value * ((int64_t)1 << scale->highpass);
        }
        value -= (int32_t)(state->sum >> scale->highpass);
        state->sum += value;
    }
    const int64_t half = (int64_t)1 << (scale->shift - 1u);
    const int64_t count = ((int64_t)value * scale->multiplier + half) >> scale->shift;
    return (int16_t)(count > INT16_MAX ? INT16_MAX : count < INT16_MIN ? INT16_MIN : count);
}

#ifdef __cplusplus
}
#endif

#endif
