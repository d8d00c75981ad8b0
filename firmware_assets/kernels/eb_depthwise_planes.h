// SPDX-License-Identifier: Apache-2.0
// Copyright edgebio contributors

/* Four channels of an image as planes of int16, two neighbors along a line in a word. */
#ifndef EB_DEPTHWISE_PLANES_H
#define EB_DEPTHWISE_PLANES_H

#include "eb_dsp.h"
#include "eb_kernels.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Neighbors a and b, four channels of each, into four planes. */
static inline void eb_spread_pair(uint32_t a, uint32_t b, uint32_t *to, uint32_t plane)
{
    const uint32_t even_a = eb_sxtb16(a);
    const uint32_t even_b = eb_sxtb16(b);
    const uint32_t odd_a = eb_sxtb16_odd(a);
    const uint32_t odd_b = eb_sxtb16_odd(b);
    to[0] = eb_lower(even_a, even_b);
    to[plane] = eb_lower(odd_a, odd_b);
    to[2u * plane] = eb_upper(even_a, even_b);
    to[3u * plane] = eb_upper(odd_a, odd_b);
}

/* Four channels of a line that lies in the image. */
static inline void eb_spread_line(const eb_depthwise_planar *layer, const int8_t *from,
                                  uint32_t *to, uint32_t plane)
{
    const uint32_t padding = 0x01010101u * (uint8_t)layer->pad_value;
    const uint32_t step = layer->along_step;
    const int32_t size = layer->along;
    const uint32_t *const end = to + layer->pitch;
    int32_t along = -(int32_t)layer->along_pad;
    from += along * (int32_t)step;
    while (to != end) {
        const uint32_t inner = along < 0 ? 0 : (uint32_t)(size - along) / 2u;
        const uint32_t room = (uint32_t)(end - to);
        const uint32_t *const stop = to + (along < size && inner < room ? inner : room);
        if (along < 0 || along + 1 >= size) { /* at a border */
            const uint32_t a = along >= 0 && along < size ? eb_load4(from) : padding;
            const uint32_t b = along >= -1 && along + 1 < size ? eb_load4(from + step) : padding;
            eb_spread_pair(a, b, to++, plane);
            from += 2u * step;
            along += 2;
            continue;
        }
        along += 2 * (int32_t)(stop - to);
        while (to != stop) {
            const uint32_t a = eb_load4(from);
            eb_spread_pair(a, eb_load4(from + step), to++, plane);
            from += 2u * step;
        }
    }
}

/* Four channels of some lines, from `first` on, as planes with their padding. */
static inline void eb_spread(const eb_depthwise_planar *layer, int32_t first, uint32_t lines,
                             const int8_t *input, uint32_t *planes)
{
    const uint32_t plane = lines * layer->pitch; /* words */
    const uint32_t padding = eb_pair(layer->pad_value, layer->pad_value);
    for (int32_t line = first; line < first + (int32_t)lines; line++) {
        if (line >= 0 && line < layer->across) {
            eb_spread_line(layer, input + (uint32_t)line * layer->across_step, planes, plane);
            planes += layer->pitch;
            continue;
        }
        for (uint32_t i = layer->pitch; i; i--) {
            planes[0] = padding;
            planes[plane] = padding;
            planes[2u * plane] = padding;
            planes[3u * plane] = padding;
            planes++;
        }
    }
}

#ifdef __cplusplus
}
#endif

#endif
