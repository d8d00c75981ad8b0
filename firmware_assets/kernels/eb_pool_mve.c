// SPDX-License-Identifier: Apache-2.0
// Copyright edgebio contributors

#include "eb_mve.h"

/* MEAN and pools, sixteen channels at a time. */

enum { LANES = 16 };

#if EB_HAS_MVE

/* Add `count` pixels that lie `step` bytes apart to the sums of up to sixteen channels. */
static void sum_pixels(const int8_t *from, uint32_t step, uint32_t count, uint32_t channels,
                       int32_t sums[LANES])
{
    const mve_pred16_t low = vctp16q(channels);
    const mve_pred16_t high = vctp16q(channels > 8u ? channels - 8u : 0u);
    while (count) {
        uint32_t part = count < 255u ? count : 255u; /* more could overflow 16 bits */
        int16_t halves[LANES];
        count -= part;
        int16x8_t first = vdupq_n_s16(0);
        int16x8_t second = first;
        if (channels == LANES) {
            __asm__ volatile("dls lr, %[part]\n"
                             "1:\n\t"
                             "vldrb.s16 q0, [%[from]]\n\t"
                             "vldrb.s16 q1, [%[from], #8]\n\t"
                             "add %[from], %[step]\n\t"
                             "vadd.i16 %q[first], %q[first], q0\n\t"
                             "vadd.i16 %q[second], %q[second], q1\n\t"
                             "le lr, 1b"
                             : [from] "+l"(from), [first] "+w"(first), [second] "+w"(second)
                             : [part] "r"(part), [step] "r"(step)
                             : "q0", "q1", "lr", "memory");
        } else {
            for (; part; part--) {
                first = vaddq_s16(first, vldrbq_z_s16(from, low));
                second = vaddq_s16(second, vldrbq_z_s16(from + 8, high));
                from += step;
            }
        }
        vst1q_s16(halves, first);
        vst1q_s16(halves + 8, second);
        for (uint32_t i = 0; i < LANES; i += 4u) {
            vst1q_s32(sums + i, vaddq_s32(vld1q_s32(sums + i), vldrhq_s32(halves + i)));
        }
    }
}

static void max_pixels(const eb_pool *layer, const int8_t *from, uint32_t channels, int8_t *output)
{
    const eb_window *window = &layer->window;
    const uint32_t step = window->channels;
    const uint32_t line = (uint32_t)(window->input_w - window->window_w) * step;
    const mve_pred16_t some = vctp8q(channels);
    int8x16_t largest = vdupq_n_s8(layer->low);
    for (uint32_t y = window->window_h; y; y--) {
        for (uint32_t x = window->window_w; x; x--) {
            largest = vmaxq_s8(largest, vldrbq_z_s8(from, some));
            from += step;
        }
        from += line;
    }
    vstrbq_p_s8(output, vminq_s8(largest, vdupq_n_s8(layer->high)), some);
}

/* Requantize sums; a shift to the left comes before the multiplication. */
static void requantize(const eb_mean *layer, const int32_t sums[LANES], uint32_t channels,
                       int8_t *output)
{
    const int32_t left = layer->shift > 0 ? layer->shift : 0;
    const int32_t right = layer->shift < 0 ? layer->shift : 0;
    for (uint32_t i = 0; i < channels; i += 4u) {
        int32x4_t value = vaddq_n_s32(vld1q_s32(sums + i), layer->offset);
        value = vqrdmulhq_n_s32(vshlq_r_s32(value, left), layer->multiplier);
        if (right) { /* halves of negative values are rounded down, away from zero */
            value = vrshlq_n_s32(vaddq_s32(value, vshrq_n_s32(value, 31)), right);
        }
        value = vaddq_n_s32(value, layer->zero_point);
        value = vminq_s32(vmaxq_s32(value, vdupq_n_s32(INT8_MIN)), vdupq_n_s32(INT8_MAX));
        vstrbq_p_s32(output + i, value, vctp32q(channels - i));
    }
}

/* Divide sums, at most 128 * count, by the number of pixels; halves are rounded away from zero. */
static void divide(const eb_pool *layer, const int32_t sums[LANES], int32_t count,
                   uint32_t channels, int8_t *output)
{
    /* The quotient of a magnitude by an inverse that is rounded up: its error of less than
     * 129 * count / 2^31 does not reach 1 / count. */
    const int32_t inverse = (int32_t)(0x80000000u / (uint32_t)count) + 1;
    for (uint32_t i = 0; i < channels; i += 4u) {
        const int32x4_t sum = vld1q_s32(sums + i);
        const int32x4_t magnitude = vaddq_n_s32(vabsq_s32(sum), count / 2);
        int32x4_t value = vqdmulhq_n_s32(magnitude, inverse);
        value = vnegq_m_s32(value, value, vcmpltq_n_s32(sum, 0));
        value = vminq_s32(vmaxq_s32(value, vdupq_n_s32(layer->low)), vdupq_n_s32(layer->high));
        vstrbq_p_s32(output + i, value, vctp32q(channels - i));
    }
}

#else

static void sum_pixels(const int8_t *from, uint32_t step, uint32_t count, uint32_t channels,
                       int32_t sums[LANES])
{
    for (; count; count--) {
        for (uint32_t i = 0; i < channels; i++) {
            sums[i] += from[i];
        }
        from += step;
    }
}

static void max_pixels(const eb_pool *layer, const int8_t *from, uint32_t channels, int8_t *output)
{
    const eb_window *window = &layer->window;
    const uint32_t step = window->channels;
    for (uint32_t i = 0; i < channels; i++) {
        int32_t largest = layer->low;
        for (uint32_t y = 0; y < window->window_h; y++) {
            for (uint32_t x = 0; x < window->window_w; x++) {
                const int32_t value = from[(y * window->input_w + x) * step + i];
                largest = value > largest ? value : largest;
            }
        }
        output[i] = eb_clamp(largest, layer->low, layer->high);
    }
}

static void requantize(const eb_mean *layer, const int32_t sums[LANES], uint32_t channels,
                       int8_t *output)
{
    for (uint32_t i = 0; i < channels; i++) {
        const int32_t mean =
            eb_requantize(sums[i] + layer->offset, layer->multiplier, layer->shift);
        output[i] = eb_clamp(mean + layer->zero_point, INT8_MIN, INT8_MAX);
    }
}

static void divide(const eb_pool *layer, const int32_t sums[LANES], int32_t count,
                   uint32_t channels, int8_t *output)
{
    for (uint32_t i = 0; i < channels; i++) {
        /* C's division truncates. */
        const int32_t half = sums[i] > 0 ? count / 2 : -(count / 2);
        output[i] = eb_clamp((sums[i] + half) / count, layer->low, layer->high);
    }
}

#endif

static uint32_t some_of(uint32_t channels, uint32_t channel)
{
    return channels - channel < LANES ? channels - channel : LANES;
}

void eb_run_mean_mve(const eb_mean *layer, const int8_t *input, int8_t *output)
{
    for (uint32_t outer = 0; outer < layer->outer; outer++) {
        for (uint32_t inner = 0; inner < layer->inner; inner += LANES) {
            const uint32_t some = some_of(layer->inner, inner);
            int32_t sums[LANES] = {0};
            sum_pixels(input + inner, layer->inner, layer->reduced_2, some, sums);
            requantize(layer, sums, some, output);
            output += some;
        }
        input += layer->reduced_2 * layer->inner;
    }
}

static void average_pixels(const eb_pool *layer, const int8_t *from, uint32_t channels,
                           int8_t *output)
{
    const eb_window *window = &layer->window;
    const uint32_t step = window->channels;
    const int32_t count = window->window_h * window->window_w;
    const int is_whole = window->window_w == window->input_w; /* rows follow each other */
    const uint32_t rows = is_whole ? 1u : window->window_h;
    const uint32_t pixels = is_whole ? (uint32_t)count : window->window_w;
    int32_t sums[LANES] = {0};
    for (uint32_t y = 0; y < rows; y++) {
        sum_pixels(from + y * window->input_w * step, step, pixels, channels, sums);
    }
    divide(layer, sums, count, channels, output);
}

EB_INLINE void each_window(const eb_pool *layer, const int8_t *input, int8_t *output,
                           void (*pool)(const eb_pool *, const int8_t *, uint32_t, int8_t *))
{
    const eb_window *window = &layer->window;
    const uint32_t channels = window->channels;
    for (uint32_t row = 0; row < window->output_h; row++) {
        for (uint32_t column = 0; column < window->output_w; column++) {
            const uint32_t pixel =
                row * window->stride_h * window->input_w + column * window->stride_w;
            for (uint32_t channel = 0; channel < channels; channel += LANES) {
                const uint32_t some = some_of(channels, channel);
                pool(layer, input + pixel * channels + channel, some, output);
                output += some;
            }
        }
    }
}

void eb_run_max_pool_mve(const eb_pool *layer, const int8_t *input, int8_t *output)
{
    each_window(layer, input, output, max_pixels);
}

void eb_run_average_pool_mve(const eb_pool *layer, const int8_t *input, int8_t *output)
{
    each_window(layer, input, output, average_pixels);
}
