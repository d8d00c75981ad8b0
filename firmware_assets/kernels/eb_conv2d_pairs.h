/* CONV_2D two pixels at a time: what the kernels with wide and with narrow weights share. */
#ifndef EB_CONV2D_PAIRS_H
#define EB_CONV2D_PAIRS_H

#include "eb_dsp.h"
#include "eb_kernels.h"

/* All channels of two pixels, a and b, from their patches; or, without `output_b`, the largest of
 * `pairs` pairs of pixels, whose patches lie one behind the other, into `output_a`. */
typedef void eb_pixels(const eb_conv2d_pairs *layer, const uint32_t *patches, uint32_t pairs,
                       int8_t *output_a, int8_t *output_b);

/* Where the window of a pixel begins in the input; negative in the padding. */
typedef struct {
    int32_t top, left;
} eb_corner;

static inline eb_corner eb_corner_of(const eb_window *window, uint32_t row, uint32_t column)
{
    const eb_corner corner = {(int32_t)(row * window->stride_h) - window->pad_h,
                              (int32_t)(column * window->stride_w) - window->pad_w};
    return corner;
}

/* The patches of two pixels, widened to int16 and interleaved: two taps of a, the same two of b.
 * `pad` is a pixel of padding. */
void eb_widen_patches(const eb_conv2d_pairs *layer, eb_corner a, eb_corner b, const int8_t *input,
                      const int8_t *pad, uint32_t *patch);

/* Set what no patch writes: a last step that has no taps; and behind the patches, where the layer
 * has padding, a pixel of it, which is returned. */
const int8_t *eb_prepare(const eb_conv2d_pairs *layer, uint32_t *patches, uint32_t count);

/* Let through what the fused activation does. */
void eb_clamp_pixel(const eb_conv2d_pairs *layer, int8_t *pixel);

/* Make an int8 of the doubled sum of one of four channels. */
static inline int8_t eb_finish_doubled(const eb_quad *quad, uint32_t channel, int32_t sum)
{
    /* Halves of negative values go down: away from zero. */
    const int32_t rounding = quad->output[channel].rounding + (sum >> 31);
    const int32_t scaled = eb_smmlar(sum, quad->output[channel].multiplier, rounding);
    return (int8_t)eb_saturate8(scaled >> quad->output[channel].shift);
}

EB_INLINE void eb_each_pair(const eb_conv2d_pairs *layer, const int8_t *input, int8_t *output,
                            int8_t *scratch, eb_pixels *two_pixels)
{
    const eb_window *window = &layer->window;
    uint32_t *const patch = (uint32_t *)(void *)scratch;
    const int8_t *const pad = eb_prepare(layer, patch, 1);
    int8_t *output_a = output;
    eb_corner a = {0, 0};
    for (uint32_t row = 0; row < window->output_h; row++) {
        for (uint32_t column = 0; column < window->output_w; column++) {
            const eb_corner corner = eb_corner_of(window, row, column);
            const int is_last = row + 1u == window->output_h && column + 1u == window->output_w;
            if (output_a == output) {
                a = corner;
                output += layer->outputs;
                if (!is_last) {
                    continue;
                }
                output = output_a; /* an odd pixel is its own partner */
            }
            eb_widen_patches(layer, a, corner, input, pad, patch);
            two_pixels(layer, patch, 1, output_a, output);
            if (layer->clamped) {
                eb_clamp_pixel(layer, output_a);
                eb_clamp_pixel(layer, output);
            }
            output += layer->outputs;
            output_a = output;
        }
    }
}

EB_INLINE void eb_each_pool(const eb_conv2d_pairs *layer, const int8_t *input, int8_t *output,
                            int8_t *scratch, eb_pixels *largest_pixel)
{
    const eb_window *window = &layer->window;
    const uint32_t pixels = (uint32_t)layer->pool_h * layer->pool_w;
    const uint32_t pairs = (pixels + 1u) / 2u;
    uint32_t *const patches = (uint32_t *)(void *)scratch;
    const int8_t *const pad = eb_prepare(layer, patches, pairs);
    for (uint32_t row = 0; row < window->output_h; row++) {
        for (uint32_t column = 0; column < window->output_w; column++) {
            uint32_t *patch = patches;
            eb_corner a = {0, 0};
            uint32_t y = row * layer->pool_h;
            uint32_t x = column * layer->pool_w;
            for (uint32_t pixel = 0; pixel < pixels; pixel++) {
                const eb_corner corner = eb_corner_of(window, y, x);
                if (++x == (column + 1u) * layer->pool_w) {
                    x = column * layer->pool_w;
                    y++;
                }
                if (pixel % 2u == 0u) {
                    a = corner;
                    if (pixel + 1u < pixels) {
                        continue;
                    }
                }
                eb_widen_patches(layer, a, corner, input, pad, patch);
                patch += 2u * layer->steps;
            }
            largest_pixel(layer, patches, pairs, output, 0);
            if (layer->clamped) {
                eb_clamp_pixel(layer, output);
            }
            output += layer->outputs;
        }
    }
}

#endif
