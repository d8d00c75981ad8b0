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

static columns columns_of(const eb_conv2d_mve *layer, uint32_t all)
{
    const uint32_t before = layer->along_pad < all ? layer->along_pad : all;
    return (columns){before, all - before < layer->along ? all - before : layer->along};
}

void eb_prepare_strip(const eb_conv2d_mve *layer, int8_t *strip)
{
    const columns inside = columns_of(layer, layer->columns);
    const uint32_t column = column_bytes(layer);
    const uint32_t after = inside.before + inside.count;
    eb_fill_bytes(strip, layer->pad_value, inside.before * column);
    eb_fill_bytes(strip + after * column, layer->pad_value, (layer->columns - after) * column);
}

#if EB_HAS_MVE

/* How pixels of 4, 8 or 16 bytes are copied to columns, which are aligned to 4: sixteen bytes at a
 * time, by words. */
typedef struct {
    uint32x4_t offsets; /* of four words */
    uint32_t count;     /* words of a row */
    uint32_t step;      /* from four words to the next ones */
} words;

static int has_words(const eb_conv2d_mve *layer)
{
    const uint32_t channels = layer->channels;
    return layer->along_step == channels && (channels == 4u || channels == 8u || channels == 16u);
}

static words words_of(const eb_conv2d_mve *layer, uint32_t count)
{
    const uint32_t column = column_bytes(layer);
    const uint32_t each = layer->channels / 4u;
    const uint32x4_t lane = vidupq_n_u32(0, 1);
    const uint32x4_t pixel = vshlq_r_u32(lane, each == 1u ? 0 : each == 2u ? -1 : -2);
    const uint32x4_t word = vandq_u32(lane, vdupq_n_u32(each - 1u));
    return (words){vaddq_u32(vmulq_n_u32(pixel, column), vshlq_n_u32(word, 2)), count * each,
                   column * 4u / each};
}

static void copy_row(words row, int8_t *to, const int8_t *from)
{
    __asm__ volatile("dlstp.32 lr, %[count]\n"
                     "1:\n\t"
                     "vldrb.8 q0, [%[from]], #16\n\t"
                     "vstrw.32 q0, [%[to], %q[offsets]]\n\t"
                     "add %[to], %[step]\n\t"
                     "letp lr, 1b"
                     : [to] "+r"(to), [from] "+r"(from)
                     : [count] "r"(row.count), [step] "r"(row.step), [offsets] "w"(row.offsets)
                     : "q0", "lr", "memory");
}

/* Copy a row to two places. */
static void copy_row_twice(words row, int8_t *to, uint32x4_t second, const int8_t *from)
{
    __asm__ volatile("dlstp.32 lr, %[count]\n"
                     "1:\n\t"
                     "vldrb.8 q0, [%[from]], #16\n\t"
                     "vstrw.32 q0, [%[to], %q[offsets]]\n\t"
                     "vstrw.32 q0, [%[to], %q[second]]\n\t"
                     "add %[to], %[step]\n\t"
                     "letp lr, 1b"
                     : [to] "+r"(to), [from] "+r"(from)
                     : [count] "r"(row.count), [step] "r"(row.step), [offsets] "w"(row.offsets),
                       [second] "w"(second)
                     : "q0", "lr", "memory");
}

/* Fill two strips with neighboring lines, whose slots all lie in the image. */
static void fill_pair(const eb_conv2d_mve *layer, const int8_t *input, uint32_t count,
                      int8_t *strip, uint32_t pitch)
{
    const words row = words_of(layer, count);
    const uint32_t channels = layer->channels;
    const uint32x4_t second = vaddq_n_u32(row.offsets, pitch - channels);
    copy_row(row, strip, input);
    for (uint32_t i = layer->slots - 1u; i; i--) {
        strip += channels;
        input += layer->across_step;
        copy_row_twice(row, strip, second, input);
    }
    copy_row(row, strip + pitch, input + layer->across_step);
}

#endif

/* Copy rows of the image into neighboring slots. */
static void copy_rows(const eb_conv2d_mve *layer, int8_t *to, const int8_t *from, uint32_t count,
                      uint32_t rows)
{
    const uint32_t channels = layer->channels;
    const uint32_t row_step = layer->dilation * layer->across_step;
#if EB_HAS_MVE
    if (has_words(layer)) {
        const words row = words_of(layer, count);
        for (; rows; rows--) {
            copy_row(row, to, from);
            to += channels;
            from += row_step;
        }
        return;
    }
#endif
    for (; rows; rows--) {
        eb_copy_pieces(to, column_bytes(layer), from, layer->along_step, channels, count);
        to += channels;
        from += row_step;
    }
}

void eb_fill_strip(const eb_conv2d_mve *layer, uint32_t line, uint32_t all, const int8_t *input,
                   int8_t *strip)
{
    const columns inside = columns_of(layer, all);
    const uint32_t channels = layer->channels;
    const uint32_t column = column_bytes(layer);
    uint32_t outside = 0; /* slots before the image */
    uint32_t rows = 0;    /* slots that lie in it */
    int32_t y = (int32_t)(line * layer->line_stride) - layer->across_pad;
    for (; y < 0; y += layer->dilation) {
        outside++;
    }
    for (int32_t at = y; at < layer->across && outside + rows < layer->slots;) {
        at += layer->dilation;
        rows++;
    }
    strip += inside.before * column;
    if (rows < layer->slots) {
        eb_fill_bytes(strip, layer->pad_value, inside.count * column);
    }
    if (!rows || !inside.count) {
        return;
    }
    strip += outside * channels;
    input += (uint32_t)y * layer->across_step;
    if (layer->across_step == channels && layer->dilation == 1u) { /* they are neighbors there */
        eb_copy_pieces(strip, column, input, layer->along_step, rows * channels, inside.count);
    } else {
        copy_rows(layer, strip, input, inside.count, rows);
    }
}

void eb_fill_strips(const eb_conv2d_mve *layer, uint32_t line, const int8_t *input, int8_t *strips,
                    uint32_t pitch)
{
#if EB_HAS_MVE
    const int32_t y = (int32_t)line - layer->across_pad;
    if (layer->pool_across == 2u && layer->line_stride == 1u && layer->dilation == 1u && y >= 0 &&
        y + layer->slots < layer->across && has_words(layer)) {
        const columns inside = columns_of(layer, layer->columns);
        fill_pair(layer, input + (uint32_t)y * layer->across_step, inside.count,
                  strips + inside.before * column_bytes(layer), pitch);
        return;
    }
#endif
    for (uint32_t i = 0; i < layer->pool_across; i++) {
        eb_fill_strip(layer, line + i, layer->columns, input, strips + i * pitch);
    }
}
