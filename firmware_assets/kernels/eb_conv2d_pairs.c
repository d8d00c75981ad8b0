// SPDX-License-Identifier: Apache-2.0
// Copyright edgebio contributors

#include "eb_conv2d_pairs.h"

/* Widen fours of a and of b; returns the end of the result. `eights` are pairs of fours. */
#if EB_HAS_DSP

#define WIDEN(a, b, odd_a, odd_b)                                                                  \
    "sxtb16 " a ", " odd_a "\n\t"                                                                  \
    "sxtb16 " b ", " odd_b "\n\t"                                                                  \
    "sxtb16 " odd_a ", " odd_a ", ror #8\n\t"                                                      \
    "sxtb16 " odd_b ", " odd_b ", ror #8\n\t"

// clang-format off
EB_NAKED static uint32_t *widen_eights(EB_UNUSED const int8_t *a, EB_UNUSED const int8_t *b,
                                       EB_UNUSED uint32_t eights, EB_UNUSED uint32_t *to)
{
    __asm__("push {r4-r11, lr}\n"
            "1:\n\t"
            "ldr r10, [r0, #4]\n\t"
            "ldr r6, [r0], #8\n\t"
            "ldr r11, [r1, #4]\n\t"
            "ldr r7, [r1], #8\n\t"
            WIDEN("r4", "r5", "r6", "r7")
            WIDEN("r8", "r9", "r10", "r11")
            "subs r2, #1\n\t"
            "stmia r3!, {r4-r11}\n\t"
            "bne 1b\n\t"
            "mov r0, r3\n\t"
            "pop {r4-r11, pc}");
}
// clang-format on

#else

static uint32_t *widen_eights(const int8_t *a, const int8_t *b, uint32_t eights, uint32_t *to)
{
    for (uint32_t i = 0; i < 2u * eights; i++) {
        const uint32_t word_a = eb_load4(a + 4u * i);
        const uint32_t word_b = eb_load4(b + 4u * i);
        to[0] = eb_sxtb16(word_a);
        to[1] = eb_sxtb16(word_b);
        to[2] = eb_sxtb16_odd(word_a);
        to[3] = eb_sxtb16_odd(word_b);
        to += 4;
    }
    return to;
}

#endif

/* Widen a run of `count` bytes of a and of b. */
static inline uint32_t *widen(const int8_t *a, const int8_t *b, uint32_t count, uint32_t *to)
{
    const uint32_t eights = count & ~7u;
    if (eights) {
        to = widen_eights(a, b, eights / 8u, to);
        a += eights;
        b += eights;
    }
    if (count & 4u) {
        const uint32_t word_a = eb_load4(a);
        const uint32_t word_b = eb_load4(b);
        to[0] = eb_sxtb16(word_a);
        to[1] = eb_sxtb16(word_b);
        to[2] = eb_sxtb16_odd(word_a);
        to[3] = eb_sxtb16_odd(word_b);
        to += 4;
        a += 4;
        b += 4;
    }
    count &= 3u;
    if (count) {
        to[0] = eb_pair(a[0], count > 1u ? a[1] : 0);
        to[1] = eb_pair(b[0], count > 1u ? b[1] : 0);
        to += 2;
        if (count == 3u) {
            to[0] = eb_pair(a[2], 0);
            to[1] = eb_pair(b[2], 0);
            to += 2;
        }
    }
    return to;
}

/* A pixel of the image, or of padding. */
static const int8_t *pixel(const eb_window *window, const eb_source *source, int32_t row,
                           int32_t column)
{
    if (row < 0 || row >= window->input_h || column < 0 || column >= window->input_w) {
        return source->pad;
    }
    return source->image + ((uint32_t)row * window->input_w + (uint32_t)column) * window->channels;
}

/* Some windows leave the image: one pixel at a time. */
static void widen_pixels(const eb_window *window, const eb_source *source, eb_corner a, eb_corner b,
                         uint32_t *patch)
{
    for (uint32_t y = window->window_h; y; y--) {
        for (int32_t x = 0; x < window->window_w; x++) {
            const int32_t over = x * window->dilation_w;
            patch = widen(pixel(window, source, a.top, a.left + over),
                          pixel(window, source, b.top, b.left + over), window->channels, patch);
        }
        a.top += window->dilation_h;
        b.top += window->dilation_h;
    }
}

static int is_inside(const eb_conv2d_pairs *layer, eb_corner corner)
{
    return (uint32_t)corner.top < layer->inside_h && (uint32_t)corner.left < layer->inside_w;
}

void eb_widen_patches(const eb_conv2d_pairs *layer, const eb_source *source, eb_corner a,
                      eb_corner b, uint32_t *patch)
{
    const eb_window *window = &layer->window;
    if (layer->borders && !(is_inside(layer, a) && is_inside(layer, b))) {
        widen_pixels(window, source, a, b, patch);
        return;
    }
    const int32_t width = window->input_w;
    const int32_t channels = window->channels;
    const int8_t *from_a = source->image + (a.top * width + a.left) * channels;
    const int8_t *from_b = source->image + (b.top * width + b.left) * channels;
    const int32_t line = window->dilation_h * width * channels;
    const int32_t step = window->dilation_w * channels;
    for (uint32_t y = window->window_h; y; y--) {
        if (layer->runs == 1u) {
            patch = widen(from_a, from_b, layer->run, patch);
        } else {
            for (int32_t x = 0; x < layer->runs; x++) {
                patch = widen(from_a + x * step, from_b + x * step, layer->run, patch);
            }
        }
        from_a += line;
        from_b += line;
    }
}

/* The input with its padding around it. */
static void copy(const eb_conv2d_pairs *layer, const int8_t *input, int8_t *image)
{
    const uint32_t channels = layer->window.channels;
    const uint32_t size = layer->window.input_h * layer->window.input_w * channels;
    const uint32_t line = layer->window.input_w * channels;
    for (uint32_t i = 0; i < size; i++) {
        image[i] = layer->pad_value;
    }
    image += layer->copy_top * line + layer->copy_left * channels;
    for (uint32_t y = 0; y < layer->copy_h; y++) {
        for (uint32_t i = 0; i < layer->copy_w * channels; i++) {
            image[i] = *input++;
        }
        image += line;
    }
}

eb_source eb_prepare(const eb_conv2d_pairs *layer, const int8_t *input, int8_t *scratch)
{
    const uint32_t size = 2u * layer->steps;
    const uint32_t count = eb_pairs_of(layer);
    eb_source source = {.image = input, .patches = (uint32_t *)(void *)scratch};
    for (uint32_t i = 1; i <= count; i++) {
        source.patches[i * size - 1u] = 0;
        source.patches[i * size - 2u] = 0;
    }
    int8_t *const behind = scratch + 4u * count * size;
    if (layer->copy_h) {
        copy(layer, input, behind);
        source.image = behind;
    } else if (layer->borders) {
        for (uint32_t i = 0; i < layer->window.channels; i++) {
            behind[i] = layer->pad_value;
        }
        source.pad = behind;
    }
    return source;
}

void eb_clamp_pixel(const eb_conv2d_pairs *layer, int8_t *pixel)
{
    for (uint32_t i = 0; i < layer->outputs; i++) {
        pixel[i] = eb_clamp(pixel[i], layer->low, layer->high);
    }
}
