// SPDX-License-Identifier: Apache-2.0
// Copyright edgebio contributors

#include "eb_fixed_point.h"
#include "eb_kernels.h"

enum { SUM_BITS = 12, LOG_BITS = 5, WIDE_BITS = LOG_BITS + 1 }; /* integer bits */

/* log(sum) in Q5.26 of a sum in Q12.19, as the reference's log_x_for_x_greater_than_or_equal_to_1:
 * the sum is written as r * 2^power, r around 2^(-1/4), whose logarithm is a quotient of
 * polynomials of r - 2^(-1/4). */
static int32_t logarithm(int32_t sum)
{
    const int32_t log_2 = 1488522236, sqrt_half = 1518500250, fourth_root_half = 1805811301;
    const int32_t alpha_n = 117049297, alpha_d = 127690142;
    const int32_t alpha_i = 1057819769, alpha_f = 638450708;
    const int32_t quarter = 1 << (31 - WIDE_BITS - 2);
    const int32_t zeros_a = (int32_t)eb_leading_zeros((uint32_t)sum);
    const int32_t scaled = eb_saturating_shift(sum, (uint32_t)zeros_a - 1u);
    const int32_t r_a = eb_saturating_shift(eb_high_multiply(scaled, sqrt_half), 1);
    const int32_t power_a = (SUM_BITS - zeros_a) * (1 << (31 - WIDE_BITS)) + quarter;
    const int32_t lowered = eb_high_multiply(sum, sqrt_half);
    const int32_t headroom_b = (int32_t)eb_leading_zeros((uint32_t)lowered) - 1;
    const int32_t r_b = eb_saturating_shift(sum, (uint32_t)headroom_b);
    const int32_t power_b = (SUM_BITS - headroom_b) * (1 << (31 - WIDE_BITS)) - quarter;
    const int32_t r = r_a < r_b ? r_a : r_b;
    const int32_t power = power_a > power_b ? power_a : power_b;

    const int32_t p = (int32_t)(((int64_t)r + fourth_root_half + 1) / 2);
    const int32_t q = 2 * (r - fourth_root_half);
    const int32_t square = eb_high_multiply(q, q);
    const int32_t numerator =
        eb_high_multiply(q, r) + eb_high_multiply(eb_high_multiply(q, square), alpha_n);
    const int32_t denominator =
        eb_high_multiply(p, alpha_i + q + eb_high_multiply(alpha_d, square)) +
        eb_high_multiply(q, alpha_f);
    const int32_t fraction = eb_high_multiply(eb_rounding_shift(numerator, WIDE_BITS),
                                              eb_one_over_one_plus(denominator));
    return eb_saturating_shift(eb_high_multiply(power, log_2) + fraction, 1);
}

void eb_run_log_softmax(const eb_log_softmax *layer, const int8_t *input, int8_t *output)
{
    for (uint32_t row = 0; row < layer->rows; row++) {
        int32_t largest = INT8_MIN;
        for (uint32_t i = 0; i < layer->classes; i++) {
            largest = input[i] > largest ? input[i] : largest;
        }
        int32_t sum = 0;
        for (uint32_t i = 0; i < layer->classes; i++) {
            const int32_t distance = largest - input[i];
            if (distance < layer->count) {
                sum += eb_rounding_shift(layer->exponentials[distance], SUM_BITS);
            }
        }
        const int32_t log_sum = logarithm(sum);
        /* From this distance on, Q5.26 does not hold the result. */
        const int32_t limit =
            -eb_requantize(log_sum + INT32_MIN, layer->inverse_multiplier, layer->inverse_shift);
        for (uint32_t i = 0; i < layer->classes; i++) {
            const int32_t distance = largest - input[i];
            int32_t value = INT8_MIN;
            if (distance < layer->count && distance < limit) {
                const int32_t scaled = eb_requantize(-distance, layer->multiplier, layer->shift);
                value = eb_rounding_shift(scaled - log_sum, 22) + INT8_MAX; /* to Q4.4 */
            }
            output[i] = eb_clamp(value, INT8_MIN, INT8_MAX);
        }
        input += layer->classes;
        output += layer->classes;
    }
}
