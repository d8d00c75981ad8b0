// SPDX-License-Identifier: Apache-2.0
// Copyright edgebio contributors

#include "eb_conv2d_pairs.h"

/* Widen a run of `count` bytes of a and of b. */
static inline uint32_t *widen(const int8_t *a, const int8_t *b, uint32_t count, uint32_t *to)
{
    uint32_t left = count & ~3u;
#if EB_HAS_DSP
    uint32_t word_a;
    uint32_t word_b;
    uint32_t even_a;
    uint32_t even_b;
    if (left) {
        __asm__ volatile(
            "1:\n\t"
            "ldr %[wa], [%[a]], #4\n\t"
            "ldr %[wb], [%[b]], #4\n\t"
            "sxtb16 %[ea], %[wa]\n\t"
            "sxtb16 %[eb], %[wb]\n\t"
            "strd %[ea], %[eb], [%[to]], #8\n\t"
            "sxtb16 %[wa], %[wa], ror #8\n\t"
            "sxtb16 %[wb], %[wb], ror #8\n\t"
            "subs %[left], #4\n\t"
            "strd %[wa], %[wb], [%[to]], #8\n\t"
            "bne 1b"
            : [a] "+r"(a), [b] "+r"(b), [to] "+r"(to), [left] "+r"(left), [wa] "=&r"(word_a),
              [wb] "=&r"(word_b), [ea] "=&r"(even_a), [eb] "=&r"(even_b)
            :
            : "cc", "memory");
    }
#else
    for (; left; left -= 4u) {
        const uint32_t word_a = eb_load4(a);
        const uint32_t word_b = eb_load4(b);
        to[0] = eb_sxtb16(word_a);
        to[1] = eb_sxtb16(word_b);
        to[2] = eb_sxtb16_odd(word_a);
        to[3] = eb_sxtb16_odd(word_b);
        a += 4;
        b += 4;
        to += 4;
    }
#endif
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
