// SPDX-License-Identifier: Apache-2.0
// Copyright edgebio contributors

/* CONV_2D of 3x3 by Winograd's F(2x2, 3x3): a tile of 2x2 outputs takes 16 products for each
 * channel instead of 36, in exact integers (Lavin and Gray, arXiv:1509.09308, section 4.1).
 *
 * Tiles read 4x4 pixels; two neighbors, a and b, are computed together, from 4x6. Along each axis
 * the positions have the order 1 2 0 3 of the paper's, so that the sums of the first two are
 * extended to both results: with A = m1 and B = m1 + m2 these are B + m0 and 2A - B - m3. */

#include "eb_winograd.h"

enum {
    POSITIONS = 16,
    TILE_SUMS = 8, /* four channels of both tiles */
    SUMS = TILE_SUMS * (2 + 4 * 2),
};

/* The products of four output channels of two tiles, summed over the input channels. */
typedef struct {
    const int16_t *weights;
    const uint32_t *pixels;
    uint32_t entry; /* into the unrolled steps: bytes that are skipped */
    const int32_t *bias;
    int32_t *sums; /* A, B, then [4 rows][2 columns], each of TILE_SUMS */
    uint32_t steps;
} job;

#if EB_HAS_DSP

#define MAX_STEPS 32u
#define STEP_BYTES 44u

/* The sums in r0-r3 (tile a) and r4-r7 (b), weights at r8, pixels at r9; called only by the
 * function below, with the return address in its frame. */
// clang-format off
__attribute__((used)) EB_NAKED static void eb_sum_position(void)
{
    __asm__("str lr, [sp, #12]\n\t"
            "add pc, r10\n\t"
            ".rept 32\n\t"
            "ldrd r10, r11, [r9], #128\n\t"
            "ldrd r12, lr, [r8], #8\n\t"
            "smlad r0, r10, r12, r0\n\t"
            "smlad r4, r11, r12, r4\n\t"
            "smlad r1, r10, lr, r1\n\t"
            "smlad r5, r11, lr, r5\n\t"
            "ldrd r12, lr, [r8], #8\n\t"
            "smlad r2, r10, r12, r2\n\t"
            "smlad r6, r11, r12, r6\n\t"
            "smlad r3, r10, lr, r3\n\t"
            "smlad r7, r11, lr, r7\n\t"
            ".endr\n\t"
            "ldr pc, [sp, #12]");
}

#define SUM(row, column)                                                                           \
    "ldrd r9, r10, [sp]\n\t"                                                                       \
    "add r9, r9, #32*" row "+8*" column "\n\t"                                                     \
    "bl eb_sum_position\n\t"
#define STORE(offset)                                                                              \
    "ldr r12, [sp, #8]\n\t"                                                                        \
    "add r12, r12, #" offset "\n\t"                                                                \
    "stmia r12, {r0-r7}\n\t"
#define TWICE_LESS(a, b)                                                                           \
    "ldrd r10, r11, [r12], #8\n\t"                                                                 \
    "rsb " a ", " a ", r10, lsl #1\n\t"                                                            \
    "rsb " b ", " b ", r11, lsl #1\n\t"
#define ROW(row)                                                                                   \
    SUM(row, "0")                                                                                  \
    "ldr r12, [sp, #8]\n\t"                                                                        \
    "stmia r12, {r0-r7}\n\t"                                                                       \
    SUM(row, "1") STORE("32") SUM(row, "2") STORE("64+64*" row)                                    \
    "sub r9, r12, #32+64*" row "\n\t"                                                              \
    "ldmia r9, {r0-r7}\n\t"                                                                        \
    "sub r12, r12, #64+64*" row "\n\t"                                                             \
    TWICE_LESS("r0", "r1") TWICE_LESS("r2", "r3") TWICE_LESS("r4", "r5") TWICE_LESS("r6", "r7")    \
    SUM(row, "3") STORE("96+64*" row)
#define ZERO                                                                                       \
    "adr r12, 9f\n\t"                                                                              \
    "ldmia r12, {r0-r7}\n\t"

EB_NAKED static void sum_quad(EB_UNUSED const job *work)
{
    __asm__("push {r4-r11, lr}\n\t"
            "ldmia r0, {r8-r12}\n\t"
            "sub sp, #16\n\t"
            "strd r9, r10, [sp]\n\t"
            "str r12, [sp, #8]\n\t"
            "ldmia r11, {r0-r3}\n\t"
            "ldmia r11, {r4-r7}\n\t"
            ROW("0") ZERO ROW("1") ZERO ROW("2") ZERO ROW("3")
            "add sp, #16\n\t"
            "pop {r4-r11, pc}\n\t"
            ".p2align 2\n"
            "9:\n\t"
            ".word 0, 0, 0, 0, 0, 0, 0, 0");
}
// clang-format on

#else

#define MAX_STEPS 0u
#define STEP_BYTES 0u

static const int16_t *sum_position(const job *work, const int16_t *weights, uint32_t position,
                                   int32_t sums[TILE_SUMS])
{
    const uint32_t *pixels = work->pixels + 2u * position;
    for (uint32_t step = 0; step < work->steps; step++) {
        for (uint32_t i = 0; i < 4u; i++) {
            const uint32_t taps = eb_pair(weights[0], weights[1]);
            sums[i] = eb_smlad(pixels[0], taps, sums[i]);
            sums[4u + i] = eb_smlad(pixels[1], taps, sums[4u + i]);
            weights += 2;
        }
        pixels += 2u * POSITIONS;
    }
    return weights;
}

static void sum_quad(const job *work)
{
    const int16_t *weights = work->weights;
    int32_t *const first = work->sums;
    int32_t *const second = first + TILE_SUMS;
    for (uint32_t row = 0; row < 4u; row++) {
        int32_t *const left = second + (2u * row + 1u) * TILE_SUMS;
        int32_t *const right = left + TILE_SUMS;
        int32_t sums[TILE_SUMS];
        for (uint32_t i = 0; i < TILE_SUMS; i++) {
            sums[i] = row ? 0 : work->bias[i % 4u];
        }
        weights = sum_position(work, weights, 4u * row, sums);
        memcpy(first, sums, sizeof sums);
        weights = sum_position(work, weights, 4u * row + 1u, sums);
        memcpy(second, sums, sizeof sums);
        weights = sum_position(work, weights, 4u * row + 2u, sums);
        memcpy(left, sums, sizeof sums);
        for (uint32_t i = 0; i < TILE_SUMS; i++) {
            sums[i] = 2 * first[i] - second[i];
        }
        weights = sum_position(work, weights, 4u * row + 3u, sums);
        memcpy(right, sums, sizeof sums);
    }
}

#endif

/* Where the outputs of two tiles go: bytes from an output to the one below and to its right. */
typedef struct {
    int8_t *to;
    uint32_t line, step;
} target;

EB_INLINE int8_t finish(const eb_conv2d_winograd *layer, const eb_quad *quad, uint32_t channel,
                        int32_t sum, int relu, int clamped)
{
    if (!relu) {
        const int8_t value = eb_finish_doubled(quad, channel, sum);
        return clamped ? eb_clamp(value, layer->low, layer->high) : value;
    }
    const int32_t scaled =
        eb_smmlar(sum, quad->output[channel].multiplier, quad->output[channel].rounding);
    return (int8_t)eb_saturate8(scaled >> quad->output[channel].shift);
}

static inline int32_t larger(int32_t a, int32_t b)
{
    return a > b ? a : b;
}

EB_INLINE void finish_tiles(const eb_conv2d_winograd *layer, const eb_quad *quad,
                            const int32_t *sums, target out, int pooled, int relu, int clamped)
{
    for (uint32_t channel = 0; channel < 4u; channel++) {
        const int32_t *sum = sums + 2 * TILE_SUMS + channel;
        int8_t *to = out.to + channel;
        for (uint32_t tile = 0; tile < 2u; tile++) {
            int32_t upper[2];
            int32_t lower[2];
            for (uint32_t column = 0; column < 2u; column++) {
                const int32_t *const at = sum + column * TILE_SUMS;
                const int32_t first = at[0];
                const int32_t second = at[2 * TILE_SUMS];
                /* The sums of these rows are doubled once more; so both halves are exact. */
                upper[column] = at[4 * TILE_SUMS] + ((first + second) >> 1);
                lower[column] = ((first - second) >> 1) - at[6 * TILE_SUMS];
            }
            if (pooled) {
                const int32_t largest =
                    larger(larger(upper[0], upper[1]), larger(lower[0], lower[1]));
                to[0] = finish(layer, quad, channel, largest, relu, clamped);
                to += out.step;
            } else {
                to[0] = finish(layer, quad, channel, upper[0], relu, clamped);
                to[out.line] = finish(layer, quad, channel, lower[0], relu, clamped);
                to += out.step;
                to[0] = finish(layer, quad, channel, upper[1], relu, clamped);
                to[out.line] = finish(layer, quad, channel, lower[1], relu, clamped);
                to += out.step;
            }
            sum += 4;
        }
    }
}

/* One that clamps rounds negative values, too. */
EB_INLINE void finish_quad(const eb_conv2d_winograd *layer, const eb_quad *quad,
                           const int32_t *sums, target out, int pooled)
{
    if (layer->clamped) {
        finish_tiles(layer, quad, sums, out, pooled, 0, 1);
    } else if (layer->relu) {
        finish_tiles(layer, quad, sums, out, pooled, 1, 0);
    } else {
        finish_tiles(layer, quad, sums, out, pooled, 0, 0);
    }
}

static void transform(const eb_conv2d_winograd *layer, const int8_t *input, const int8_t *pad,
                      int32_t top, int32_t left, uint32_t *pixels, uint32_t *columns)
{
    const eb_window *const window = &layer->window;
    const uint32_t channels = window->channels;
    const int8_t *lines[4];
    for (int32_t i = 0; i < 4; i++) {
        const int32_t y = top + i;
        const int is_inside = y >= 0 && y < window->input_h;
        lines[i] = is_inside ? input + (uint32_t)y * window->input_w * channels : NULL;
    }
    for (int32_t column = 0; column < EB_TILE_COLUMNS; column++) {
        const int32_t x = left + column;
        const int is_inside = x >= 0 && x < window->input_w;
        const int8_t *from[4];
        for (uint32_t i = 0; i < 4u; i++) {
            from[i] = is_inside && lines[i] ? lines[i] + (uint32_t)x * channels : pad;
        }
        eb_transform_column(from, channels / 4u, columns + 8 * column);
    }
    eb_transform_rows(columns, pixels, channels / 4u);
}

/* Size of the outputs of two tiles, at most. */
typedef struct {
    uint32_t rows, columns;
} extent;

static uint32_t smaller(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

EB_INLINE void each_tile(const eb_conv2d_winograd *layer, const int8_t *input, int8_t *output,
                         int8_t *scratch, int pooled)
{
    const eb_window *const window = &layer->window;
    const uint32_t channels = window->channels;
    const uint32_t outputs = layer->outputs;
    const uint32_t quad_weights = POSITIONS * 4u * channels;
    const extent whole = {pooled ? 1u : 2u, pooled ? 2u : 4u};
    uint32_t *const pixels = (uint32_t *)(void *)scratch;
    uint32_t *const columns = pixels + POSITIONS * channels;
    int8_t *const pad = (int8_t *)(columns + 2 * EB_TILE_COLUMNS * channels);
    int32_t sums[SUMS];
    job work = {.pixels = pixels, .sums = sums, .steps = channels / 2u};
    work.entry = (MAX_STEPS - work.steps) * STEP_BYTES - 2u;
    for (uint32_t i = 0; i < channels; i++) {
        pad[i] = layer->pad_value;
    }
    for (uint32_t row = 0; row < window->output_h; row += whole.rows) {
        for (uint32_t column = 0; column < window->output_w; column += whole.columns) {
            const extent size = {smaller(whole.rows, window->output_h - row),
                                 smaller(whole.columns, window->output_w - column)};
            const uint32_t scale = pooled ? 2u : 1u;
            int8_t *const corner = output + (row * window->output_w + column) * outputs;
            transform(layer, input, pad, (int32_t)(row * scale) - window->pad_h,
                      (int32_t)(column * scale) - window->pad_w, pixels, columns);
            work.weights = layer->weights;
            for (uint32_t o = 0; o < outputs; o += 4u) {
                const eb_quad *const quad = layer->quads + o / 4u;
                target out = {corner + o, window->output_w * outputs, outputs};
                work.bias = quad->bias;
                sum_quad(&work);
                work.weights += quad_weights;
                if (size.rows == whole.rows && size.columns == whole.columns && o + 4u <= outputs) {
                    finish_quad(layer, quad, sums, out, pooled);
                    continue;
                }
                int8_t block[32];
                const target beside = {block, 16, 4};
                finish_quad(layer, quad, sums, beside, pooled);
                for (uint32_t y = 0; y < size.rows; y++) {
                    for (uint32_t x = 0; x < size.columns; x++) {
                        for (uint32_t i = 0; i < 4u && o + i < outputs; i++) {
                            out.to[y * out.line + x * out.step + i] = block[16u * y + 4u * x + i];
                        }
                    }
                }
            }
        }
    }
}

void eb_run_conv2d_winograd(const eb_conv2d_winograd *layer, const int8_t *input, int8_t *output,
                            int8_t *scratch)
{
    each_tile(layer, input, output, scratch, 0);
}

void eb_run_conv2d_winograd_pooled(const eb_conv2d_winograd *layer, const int8_t *input,
                                   int8_t *output, int8_t *scratch)
{
    each_tile(layer, input, output, scratch, 1);
}
