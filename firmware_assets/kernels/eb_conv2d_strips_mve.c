// SPDX-License-Identifier: Apache-2.0
// Copyright edgebio contributors

#include "eb_conv2d_mve.h"

static uint32_t column_bytes(const eb_conv2d_mve *layer)
{
    return (uint32_t)layer->slots * layer->channels;
}

/* Columns of a strip that lie in the image; those before them are padding. */
typedef struct {
    uint32_t before, count;
} columns;

static columns columns_of(const eb_conv2d_mve *layer)
{
    const uint32_t all = layer->columns;
    const uint32_t before = layer->along_pad < all ? layer->along_pad : all;
    return (columns){before, all - before < layer->along ? all - before : layer->along};
}

void eb_prepare_strip(const eb_conv2d_mve *layer, int8_t *strip)
{
    const columns inside = columns_of(layer);
    const uint32_t column = column_bytes(layer);
    const uint32_t after = inside.before + inside.count;
    eb_fill_bytes(strip, layer->pad_value, inside.before * column);
    eb_fill_bytes(strip + after * column, layer->pad_value, (layer->columns - after) * column);
}

/* The slots are neighbors in the image: pieces of all of them that lie in it. */
static void fill_with_neighbors(const eb_conv2d_mve *layer, int32_t first, columns inside,
                                const int8_t *input, int8_t *strip)
{
    const uint32_t channels = layer->channels;
    const uint32_t column = column_bytes(layer);
    const int32_t end = first + layer->slots;
    const int32_t from = first > 0 ? first : 0;
    const int32_t to = end < layer->across ? end : layer->across;
    const int32_t slots = to > from ? to - from : 0;
    if (slots < layer->slots) {
        eb_fill_bytes(strip, layer->pad_value, inside.count * column);
    }
    if (slots) {
        eb_copy_pieces(strip + (uint32_t)(from - first) * channels, column,
                       input + (uint32_t)from * channels, layer->along_step,
                       (uint32_t)slots * channels, inside.count);
    }
}

void eb_fill_strip(const eb_conv2d_mve *layer, uint32_t line, const int8_t *input, int8_t *strip)
{
    const columns inside = columns_of(layer);
    const uint32_t channels = layer->channels;
    const uint32_t column = column_bytes(layer);
    int32_t y = (int32_t)(line * layer->line_stride) - layer->across_pad;
    strip += inside.before * column;
    if (layer->across_step == channels && layer->dilation == 1u) {
        fill_with_neighbors(layer, y, inside, input, strip);
        return;
    }
    for (uint32_t i = layer->slots; i; i--) {
        if (y < 0 || y >= layer->across) {
            eb_fill_pieces(strip, column, layer->pad_value, channels, inside.count);
        } else {
            eb_copy_pieces(strip, column, input + (uint32_t)y * layer->across_step,
                           layer->along_step, channels, inside.count);
        }
        strip += channels;
        y += layer->dilation;
    }
}
