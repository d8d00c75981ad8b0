// SPDX-License-Identifier: Apache-2.0
// Copyright edgebio contributors

#include "eb_kernels.h"

/* Four words at a time: an LDM and an STM. */
typedef struct {
    uint32_t words[4];
}
#if defined(__GNUC__)
__attribute__((may_alias))
#endif
block;

void eb_move_down(int8_t *rows, uint32_t target, uint32_t source, uint32_t bytes)
{
    int8_t *to = rows + target;
    const int8_t *from = rows + source;
    if ((target | source) % sizeof(uint32_t) == 0) {
        for (; bytes >= sizeof(block); bytes -= (uint32_t)sizeof(block)) {
            const block four = *(const block *)(const void *)from; /* they may overlap */
            *(block *)(void *)to = four;
            to += sizeof(block);
            from += sizeof(block);
        }
    }
    for (; bytes; bytes--) {
        *to++ = *from++;
    }
}

void eb_add_pixels(int32_t *sums, const int8_t *pixels, uint32_t count, uint32_t channels)
{
    for (uint32_t channel = 0; channel < channels; channel++) {
        const int8_t *pixel = pixels + channel;
        int32_t sum = 0;
        for (uint32_t i = count; i; i--) {
            sum += *pixel;
            pixel += channels;
        }
        sums[channel] += sum;
    }
}

void eb_subtract_pixels(int32_t *sums, const int8_t *pixels, uint32_t count, uint32_t channels)
{
    for (uint32_t channel = 0; channel < channels; channel++) {
        const int8_t *pixel = pixels + channel;
        int32_t sum = 0;
        for (uint32_t i = count; i; i--) {
            sum += *pixel;
            pixel += channels;
        }
        sums[channel] -= sum;
    }
}

void eb_run_mean_of_sums(const eb_mean *layer, const int32_t *sums, int8_t *output)
{
    for (uint32_t i = 0; i < layer->inner; i++) {
        const int32_t sum = layer->offset + sums[i];
        const int32_t mean = eb_requantize(sum, layer->multiplier, layer->shift);
        output[i] = eb_clamp(mean + layer->zero_point, INT8_MIN, INT8_MAX);
    }
}
