// SPDX-License-Identifier: Apache-2.0
// Copyright edgebio contributors

/* CONV_2D two pixels at a time: shared by the kernels with wide and with narrow weights. */
#ifndef EB_CONV2D_PAIRS_H
#define EB_CONV2D_PAIRS_H

#include "eb_kernels.h"
#include "eb_quad.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Memory of a kernel: `image` is the input or its copy, `pad` a pixel of padding. */
typedef struct {
    const int8_t *image, *pad;
    uint32_t *patches;
} eb_source;

/* Computes all channels of two pixels, a and b, from their patches; or, without `output_b`, the
 * largest of several pairs of pixels, whose patches are contiguous, into `output_a`. */
typedef void eb_pixels(const eb_conv2d_pairs *layer, void *work, const uint32_t *patches,
                       int8_t *output_a, int8_t *output_b);

/* Where the window of a pixel begins in the image; negative in the padding. */
typedef struct {
    int32_t top, left;
} eb_corner;

static inline eb_corner eb_corner_of(const eb_window *window, uint32_t row, uint32_t column)
{
    const eb_corner corner = {(int32_t)(row * window->stride_h) - window->pad_h,
                              (int32_t)(column * window->stride_w) - window->pad_w};
    return corner;
}

static inline uint32_t eb_pairs_of(const eb_conv2d_pairs *layer)
{
    return ((uint32_t)layer->pool_h * layer->pool_w + 1u) / 2u;
}

/* Initialize what no patch writes in `scratch`: a last step without taps, padding, the copy. */
eb_source eb_prepare(const eb_conv2d_pairs *layer, const int8_t *input, int8_t *scratch);

/* The patches of two pixels, interleaved: two taps of a, the same two of b. */
void eb_widen_patches(const eb_conv2d_pairs *layer, const eb_source *source, eb_corner a,
                      eb_corner b, uint32_t *patch);

/* Clamp a pixel to the range of the fused activation. */
void eb_clamp_pixel(const eb_conv2d_pairs *layer, int8_t *pixel);

EB_INLINE void eb_each_pair(const eb_conv2d_pairs *layer, void *work, const int8_t *input,
                            int8_t *output, int8_t *scratch, eb_pixels *two_pixels)
{
    const eb_source source = eb_prepare(layer, input, scratch);
    const uint32_t rows = layer->window.output_h;
    const uint32_t columns = layer->window.output_w;
    int8_t *output_a = output;
    eb_corner a = {0, 0};
    for (uint32_t row = 0; row < rows; row++) {
        for (uint32_t column = 0; column < columns; column++) {
            const eb_corner corner = eb_corner_of(&layer->window, row, column);
            if (output_a == output) {
                a = corner;
                output += layer->outputs;
                if (row + 1u < rows || column + 1u < columns) {
                    continue;
                }
                output = output_a; /* an odd pixel is paired with itself */
            }
            eb_widen_patches(layer, &source, a, corner, source.patches);
            two_pixels(layer, work, source.patches, output_a, output);
            if (layer->clamped) {
                eb_clamp_pixel(layer, output_a);
                eb_clamp_pixel(layer, output);
            }
            output += layer->outputs;
            output_a = output;
        }
    }
}

EB_INLINE void eb_each_pool(const eb_conv2d_pairs *layer, void *work, const int8_t *input,
                            int8_t *output, int8_t *scratch, eb_pixels *largest_pixel)
{
    const eb_source source = eb_prepare(layer, input, scratch);
    const uint32_t pixels = (uint32_t)layer->pool_h * layer->pool_w;
    for (uint32_t row = 0; row < layer->window.output_h; row++) {
        for (uint32_t column = 0; column < layer->window.output_w; column++) {
            uint32_t *patch = source.patches;
            eb_corner a = {0, 0};
            uint32_t y = row * layer->pool_h;
            uint32_t x = column * layer->pool_w;
            for (uint32_t pixel = 0; pixel < pixels; pixel++) {
                const eb_corner corner = eb_corner_of(&layer->window, y, x);
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
                eb_widen_patches(layer, &source, a, corner, patch);
                patch += 2u * layer->steps;
            }
            largest_pixel(layer, work, source.patches, output, 0);
            if (layer->clamped) {
                eb_clamp_pixel(layer, output);
            }
            output += layer->outputs;
        }
    }
}

#ifdef __cplusplus
}
#endif

#endif
