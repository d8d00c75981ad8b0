#include "eb_conv2d_pairs.h"

/* Widen `count` bytes of a and of b. Four neighbours come out in the order 0 2 1 3. */
static uint32_t *widen(const int8_t *a, const int8_t *b, uint32_t count, uint32_t *to)
{
    uint32_t left = count & ~3u;
#if EB_HAS_DSP
    uint32_t word_a;
    uint32_t word_b;
    uint32_t even_a;
    uint32_t even_b;
    if (left) {
        __asm__ volatile("1:\n\t"
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
                         : [a] "+r"(a), [b] "+r"(b), [to] "+r"(to), [left] "+r"(left),
                           [wa] "=&r"(word_a), [wb] "=&r"(word_b), [ea] "=&r"(even_a),
                           [eb] "=&r"(even_b)
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

static int is_inside(const eb_window *window, eb_corner corner)
{
    return corner.top >= 0 && corner.left >= 0 &&
           corner.top + (window->window_h - 1) * window->dilation_h < window->input_h &&
           corner.left + (window->window_w - 1) * window->dilation_w < window->input_w;
}

static const int8_t *pixel_or_pad(const eb_window *window, int32_t row, int32_t column,
                                  const int8_t *input, const int8_t *pad)
{
    if (row < 0 || row >= window->input_h || column < 0 || column >= window->input_w) {
        return pad;
    }
    return input + ((uint32_t)row * window->input_w + (uint32_t)column) * window->channels;
}

/* One channel: the taps of a window row follow each other. */
static void widen_rows(const eb_window *window, eb_corner a, eb_corner b, const int8_t *input,
                       const int8_t *pad, uint32_t *to)
{
    const int32_t step = window->dilation_w;
    const int32_t line = (int32_t)window->dilation_h * window->input_w;
    if (is_inside(window, a) && is_inside(window, b)) {
        const int8_t *from_a = input + a.top * window->input_w + a.left;
        const int8_t *from_b = input + b.top * window->input_w + b.left;
        for (uint32_t y = window->window_h; y; y--) {
            const int8_t *tap_a = from_a;
            const int8_t *tap_b = from_b;
            uint32_t x = window->window_w;
            for (; x >= 2u; x -= 2u) {
                to[0] = eb_pair(tap_a[0], tap_a[step]);
                to[1] = eb_pair(tap_b[0], tap_b[step]);
                tap_a += 2 * step;
                tap_b += 2 * step;
                to += 2;
            }
            if (x) {
                to[0] = eb_pair(*tap_a, 0);
                to[1] = eb_pair(*tap_b, 0);
                to += 2;
            }
            from_a += line;
            from_b += line;
        }
        return;
    }
    for (uint32_t y = window->window_h; y; y--) {
        for (int32_t x = 0; x < window->window_w; x += 2) {
            int32_t taps[4] = {0, 0, 0, 0};
            for (int32_t i = 0; i < 2 && x + i < window->window_w; i++) {
                const int32_t over = (x + i) * step;
                taps[i] = *pixel_or_pad(window, a.top, a.left + over, input, pad);
                taps[2 + i] = *pixel_or_pad(window, b.top, b.left + over, input, pad);
            }
            to[0] = eb_pair(taps[0], taps[1]);
            to[1] = eb_pair(taps[2], taps[3]);
            to += 2;
        }
        a.top += window->dilation_h;
        b.top += window->dilation_h;
    }
}

void eb_widen_patches(const eb_conv2d_pairs *layer, eb_corner a, eb_corner b, const int8_t *input,
                      const int8_t *pad, uint32_t *patch)
{
    const eb_window *window = &layer->window;
    const uint32_t channels = window->channels;
    if (channels == 1u) {
        widen_rows(window, a, b, input, pad, patch);
        return;
    }
    /* A row of the window is one run of bytes where no pixel ends within a word. */
    if (window->dilation_w == 1u && channels % 4u == 0u && is_inside(window, a) &&
        is_inside(window, b)) {
        const uint32_t line = (uint32_t)window->dilation_h * window->input_w * channels;
        const int8_t *from_a = pixel_or_pad(window, a.top, a.left, input, pad);
        const int8_t *from_b = pixel_or_pad(window, b.top, b.left, input, pad);
        for (uint32_t y = window->window_h; y; y--) {
            patch = widen(from_a, from_b, window->window_w * channels, patch);
            from_a += line;
            from_b += line;
        }
        return;
    }
    for (uint32_t y = window->window_h; y; y--) {
        for (int32_t x = 0; x < window->window_w; x++) {
            const int32_t over = x * window->dilation_w;
            patch = widen(pixel_or_pad(window, a.top, a.left + over, input, pad),
                          pixel_or_pad(window, b.top, b.left + over, input, pad), channels, patch);
        }
        a.top += window->dilation_h;
        b.top += window->dilation_h;
    }
}

const int8_t *eb_prepare(const eb_conv2d_pairs *layer, uint32_t *patches, uint32_t count)
{
    const uint32_t size = 2u * layer->steps;
    for (uint32_t i = 1; i <= count; i++) {
        patches[i * size - 1u] = 0;
        patches[i * size - 2u] = 0;
    }
    int8_t *const pad = (int8_t *)(patches + count * size);
    for (uint32_t i = 0; layer->padded && i < layer->window.channels; i++) {
        pad[i] = layer->pad_value;
    }
    return pad;
}

void eb_clamp_pixel(const eb_conv2d_pairs *layer, int8_t *pixel)
{
    for (uint32_t i = 0; i < layer->outputs; i++) {
        pixel[i] = eb_clamp(pixel[i], layer->low, layer->high);
    }
}
