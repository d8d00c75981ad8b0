// SPDX-License-Identifier: Apache-2.0
// Copyright edgebio contributors

#include "eb_depthwise_planes.h"

/* Neighbors a and b, four channels of each, into four planes. */
EB_INLINE void spread_pair(uint32_t a, uint32_t b, uint32_t *to, uint32_t plane)
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
static void spread_line(const eb_depthwise_planar *layer, const int8_t *from, uint32_t *to,
                        uint32_t plane)
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
            spread_pair(a, b, to++, plane);
            from += 2u * step;
            along += 2;
            continue;
        }
        along += 2 * (int32_t)(stop - to);
        while (to != stop) {
            const uint32_t a = eb_load4(from);
            spread_pair(a, eb_load4(from + step), to++, plane);
            from += 2u * step;
        }
    }
}

void eb_spread(const eb_depthwise_planar *layer, int32_t first, uint32_t lines, const int8_t *input,
               uint32_t *planes)
{
    const uint32_t plane = lines * layer->pitch; /* words */
    const uint32_t padding = eb_pair(layer->pad_value, layer->pad_value);
    for (int32_t line = first; line < first + (int32_t)lines; line++) {
        if (line >= 0 && line < layer->across) {
            spread_line(layer, input + (uint32_t)line * layer->across_step, planes, plane);
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
