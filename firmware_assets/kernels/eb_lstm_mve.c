// SPDX-License-Identifier: Apache-2.0
// Copyright edgebio contributors

#include "eb_lstm.h"
#include "eb_mve.h"

/* Products of four gates with sixteen values at a time; weights are [units][steps][4][16]. */

#if EB_HAS_MVE

static void add_products(const eb_lstm_products *part, uint32_t unit, uint32_t count,
                         const int8_t *x, int32_t gates[4])
{
    const int8_t *w = part->weights + unit * ((count + 15u) / 16u) * 64u;
    const int32_t *bias = part->bias + 4u * unit;
    int32_t s0 = bias[0], s1 = bias[1], s2 = bias[2], s3 = bias[3];
    for (uint32_t done = 0; done < count; done += 16u) {
        const int8x16_t values = vldrbq_z_s8(x + done, vctp8q(count - done));
        s0 = vmladavaq_s8(s0, values, vldrbq_s8(w));
        s1 = vmladavaq_s8(s1, values, vldrbq_s8(w + 16));
        s2 = vmladavaq_s8(s2, values, vldrbq_s8(w + 32));
        s3 = vmladavaq_s8(s3, values, vldrbq_s8(w + 48));
        w += 64;
    }
    /* A shift to the left comes before the multiplication; to the right, halves of negative values
     * are rounded down, away from zero. */
    const int32_t sums[4] = {s0, s1, s2, s3};
    const int32x4_t shift = vldrwq_s32(part->shift);
    const int32x4_t right = vminq_s32(shift, vdupq_n_s32(0));
    int32x4_t sum = vshlq_s32(vldrwq_s32(sums), vsubq_s32(shift, right));
    sum = vqrdmulhq_s32(sum, vldrwq_s32(part->multiplier));
    sum = vaddq_s32(sum, vshrq_n_s32(vandq_s32(sum, right), 31));
    sum = vrshlq_s32(sum, right);
    sum = vminq_s32(vmaxq_s32(sum, vdupq_n_s32(INT16_MIN)), vdupq_n_s32(INT16_MAX));
    vstrwq_s32(gates, vaddq_s32(vldrwq_s32(gates), sum));
}

#else

static void add_products(const eb_lstm_products *part, uint32_t unit, uint32_t count,
                         const int8_t *x, int32_t gates[4])
{
    const int8_t *w = part->weights + unit * ((count + 15u) / 16u) * 64u;
    for (uint32_t gate = 0; gate < 4u; gate++) {
        int32_t sum = part->bias[4u * unit + gate];
        for (uint32_t i = 0; i < count; i++) {
            sum += w[i / 16u * 64u + 16u * gate + i % 16u] * x[i];
        }
        sum = eb_requantize(sum, part->multiplier[gate], part->shift[gate]);
        gates[gate] += eb_lstm_saturated(sum);
    }
}

#endif

void eb_run_lstm_mve(const eb_lstm *layer, const int8_t *input, int8_t *output, int8_t *scratch)
{
    eb_lstm_run(layer, input, output, scratch, add_products);
}
