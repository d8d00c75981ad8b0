// SPDX-License-Identifier: Apache-2.0
// Copyright edgebio contributors

/* Kernels of int8 networks. Each computes, bit for bit, what the reference kernel of TensorFlow
 * Lite Micro computes; generated code (model.c) calls them with constant parameters.
 *
 * Layout: activations are [height][width][channels], one image. All sizes are checked when the
 * code is generated, so nothing is checked here. Accumulators are proven not to overflow,
 * except in the kernels named *_wrapping.
 */
#ifndef EB_KERNELS_H
#define EB_KERNELS_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Each layer stays one function with one symbol, so that it can be measured separately. */
#if defined(__GNUC__) && !defined(__clang__)
#define EB_LAYER __attribute__((noinline, noclone))
#elif defined(__clang__)
#define EB_LAYER __attribute__((noinline))
#else
#define EB_LAYER
#endif

/* Loops that take a function as an argument are inlined for each function. */
#if defined(__GNUC__)
#define EB_INLINE static inline __attribute__((always_inline))
#define EB_NOINLINE __attribute__((noinline))
#else
#define EB_INLINE static inline
#define EB_NOINLINE
#endif

/* A function all in assembly, and its parameters: clang allows no C in it, not even `(void)x`. */
#define EB_NAKED __attribute__((naked, noinline))
#define EB_UNUSED __attribute__((unused))

/* One output channel: start value of its accumulator, and requantization of the sum. */
typedef struct {
    int32_t bias; /* with the input's zero point folded in: bias - zero point * sum(weights) */
    int32_t multiplier; /* real factor = multiplier * 2^(shift - 31) */
    int32_t shift;
} eb_channel;

/* Output zero point, and the range that the fused activation allows. */
typedef struct {
    int16_t zero_point;
    int8_t low;
    int8_t high;
} eb_range;

/* A window that slides over an image. `pad` is the padding before the first row and column. */
typedef struct {
    uint16_t input_h, input_w, channels;
    uint16_t output_h, output_w;
    uint16_t window_h, window_w;
    uint16_t stride_h, stride_w;
    uint16_t dilation_h, dilation_w;
    uint16_t pad_h, pad_w;
} eb_window;

/* Four neighboring output channels, for kernels with doubled sums: then the upper half of
 * sum * multiplier is the rounded product that the reference computes. */
typedef struct {
    int32_t bias[4]; /* doubled, as the weights are */
    struct {
        int32_t multiplier;
        int32_t rounding; /* half of 2^shift, plus the zero point shifted up */
        uint32_t shift;   /* to the right, at least 1 */
    } output[4];
} eb_quad;

/* Four neighboring output channels whose sums are scaled so that one multiplication requantizes
 * them: the upper half of sum * multiplier, rounded, then shifted by 12. */
typedef struct {
    int32_t bias[4];
    int32_t multiplier[4];
} eb_scales;

/* Four neighboring output channels, for kernels that have them in the lanes of a vector. */
typedef struct {
    int32_t bias[4];
    int32_t multiplier[4];
    int32_t shift[4]; /* below 0: to the right */
} eb_lanes;

/* Rows of inputs times a matrix: FULLY_CONNECTED. */
typedef struct {
    const int8_t *weights; /* [outputs][inputs] */
    const eb_channel *channels;
    uint32_t rows, inputs, outputs;
    eb_range range;
} eb_fully_connected;

/* Requantization of a doubled sum, to the right. */
typedef struct {
    int32_t multiplier;
    int32_t rounding; /* half of 2^shift, plus the zero point shifted up */
    uint32_t shift;   /* at least 1 */
} eb_rescale;

/* The same for the DSP extension; scratch: the inputs of a row as int16, 2 * steps * 4 bytes. */
typedef struct {
    const int8_t *weights; /* [outputs / 4][steps][4][4 inputs] */
    const int32_t *biases; /* doubled */
    const eb_rescale *rescales;
    uint32_t rescale_step; /* 1, or 0 if all outputs have the same */
    uint32_t rows, inputs, outputs;
    uint32_t steps; /* fours of inputs, the last one padded with zeros */
    uint8_t clamped;
    int8_t low, high;
} eb_fully_connected_fours;

/* CONV_2D, with the MAX_POOL_2D behind it. Scratch: one patch of window_h * window_w * channels
 * bytes unless it is direct, and before it `outputs` bytes if there is a pool. */
typedef struct {
    const int8_t *weights; /* [outputs][window_h][window_w][channels] */
    const eb_channel *channels;
    eb_window window; /* its output is that of the pool */
    uint16_t outputs;
    uint16_t pool_h, pool_w; /* of the MAX_POOL_2D behind it; 1 for none */
    uint8_t direct;          /* a window of one pixel and no padding: no patch is gathered */
    int8_t pad_value; /* the input's zero point: it makes the folded bias exact at the border */
    eb_range range;
} eb_conv2d;

/* TRANSPOSE_CONV; a channel's bias is without the zero point, as few taps may reach an output. */
typedef struct {
    const int8_t *weights; /* [outputs][window_h][window_w][depth] */
    const eb_channel *channels;
    uint16_t input_h, input_w, depth;
    uint16_t output_h, output_w, outputs;
    uint16_t window_h, window_w;
    uint16_t stride_h, stride_w;
    uint16_t pad_h, pad_w; /* outputs that are cut off before the first */
    int16_t zero_point;
    eb_range range;
} eb_transpose_conv;

/* CONV_2D, with the MAX_POOL_2D behind it if pool_h * pool_w > 1, for the DSP extension. The taps
 * of a pixel are widened to int16 in runs of neighboring bytes: four have the order 0 2 1 3, as
 * SXTB16 gives them, and the rest of a run comes in pairs. Two taps are a step. Scratch: patches of
 * two pixels, 8 * steps bytes each, as many as the pool needs; behind them a pixel of padding if
 * the image has borders, or the copy if it is copied. */
typedef struct {
    /* Narrow: int8_t, [outputs / 2][steps / 2][2][4 taps]; else int16_t, times 2 or the factor of
     * the channel, [outputs / 4][steps][4][2 taps]. */
    const void *weights;
    const eb_quad *quads;    /* of the kernels with wide and narrow weights, */
    const eb_scales *scales; /* and of the one with scaled weights */
    eb_window window; /* its output is that of the pool, its input the copy if there is one */
    uint16_t outputs, steps;
    uint16_t pool_h, pool_w;
    uint16_t inside_h, inside_w;  /* windows that begin below these lie in the image */
    uint16_t runs, run;           /* of a row of the window: their number, and bytes of each */
    uint16_t copy_h, copy_w;      /* the input, if it is copied with its padding around it, */
    uint16_t copy_top, copy_left; /* and how much of that comes first */
    uint8_t borders;              /* windows read padding that is not copied */
    uint8_t clamped;              /* the range is smaller than int8: `low` to `high` */
    int8_t pad_value, low, high;
} eb_conv2d_pairs;

/* CONV_2D of 3x3 and stride 1 in tiles of 2x2 outputs, or of one that is their maximum, for the DSP
 * extension; `channels` is a multiple of 4, at most 64. Scratch: two tiles, 112 * channels bytes,
 * and a pixel of padding. */
typedef struct {
    const int16_t *weights; /* [outputs / 4][4][4 positions][channels / 2][4][2], transformed */
    const eb_quad *quads;   /* biases times 4 */
    eb_window window;       /* its output is that of the pool */
    uint16_t outputs;
    uint8_t relu;    /* nothing below the zero point is allowed, so its rounding does not matter */
    uint8_t clamped; /* the range is smaller than int8: `low` to `high` */
    int8_t pad_value, low, high;
} eb_conv2d_winograd;

/* CONV_2D, with the MAX_POOL_2D behind it if there is one, and FULLY_CONNECTED, for Helium. Lines of
 * pixels run along one axis of the image; sizes and steps are along the lines or across them.
 * Scratch: a strip of slots * channels bytes per column for each line under a pool, and the bytes
 * that the last sixteen taps of a pixel read behind them; before them 4 bytes per place. */
typedef struct {
    const int8_t *weights; /* [outputs / 4], each: 4 biases, [steps][4][16 taps] from the last step
                            * to the first, 4 multipliers, 4 shifts; taps padded with zeros */
    uint16_t outputs, steps;
    uint16_t channels;
    uint16_t slots, dilation;         /* lines under a window, and from one to the next */
    uint16_t columns;                 /* of a strip */
    uint16_t along, across;           /* of the input, pixels */
    uint32_t along_step, across_step; /* bytes from a pixel to its neighbor */
    uint16_t along_pad, across_pad;   /* before the first pixel */
    uint16_t lines, line_stride;      /* of the output, and from one to the next before pooling */
    uint16_t count, stride;           /* outputs of a line, and pixels before pooling */
    uint16_t last;                    /* outputs of the last line; fewer only of a pixel's window */
    uint32_t output_step, output_line; /* bytes from an output to the next, along and across */
    uint16_t pool_along, pool_across;
    uint16_t places; /* pixels of a pool, rounded up to a multiple of 4; none of 2x2 */
    int16_t zero_point;
    uint8_t direct;  /* a window of one pixel, no padding, multiples of 16: no strip is needed */
    uint8_t clamped; /* the range is smaller than int8: `low` to `high` */
    int8_t pad_value, low, high;
} eb_conv2d_mve;

/* DEPTHWISE_CONV_2D; scratch: one patch if there is padding, else none. */
typedef struct {
    const int8_t *weights; /* [window_h][window_w][channels * multiplier] */
    const eb_channel *channels;
    eb_window window;
    uint16_t multiplier; /* outputs for each input channel */
    int8_t pad_value;
    eb_range range;
} eb_depthwise;

/* DEPTHWISE_CONV_2D, four channels at a time, for the DSP extension. Lines run along one axis of the
 * image, whichever takes fewer instructions; sizes and steps are along the lines or across them.
 * Scratch: four planes of int16 for `band` lines of outputs. */
typedef struct {
    const int16_t *weights; /* doubled; planar, for 3x3: [channels][3 lines][w0 w1 w1 w2]; lines:
                             * [channels][slots][steps][w0 w1, 0 w0], the latter for stride 1 only */
    const eb_quad *quads;
    uint16_t channels;                 /* a multiple of 4 */
    uint16_t along, across;            /* of the input, pixels */
    uint32_t along_step, across_step;  /* bytes from a pixel to its neighbor */
    uint16_t along_pad, across_pad;    /* before the first pixel */
    uint16_t lines, line_stride;       /* of the output, in lines of the input */
    uint16_t band;                     /* lines of the output at a time */
    uint16_t pairs, singles;           /* outputs of a line: two at a time, then one at a time */
    uint16_t pitch;                    /* words of a line of a plane */
    uint16_t slots, slot_step;         /* lines under a window, and their distance */
    uint16_t steps;                    /* words of a line's weights, for each output of a word */
    uint32_t output_step, output_line; /* bytes from an output to the next, along and across */
    uint8_t clamped;
    int8_t pad_value, low, high;
} eb_depthwise_planar;

/* DEPTHWISE_CONV_2D with windows of up to 16 pixels, for Helium. Lines run along one axis of the
 * image, whichever takes fewer instructions; sizes and steps are along the lines or across them.
 * Scratch: planes of sixteen channels, and the bytes that the last vector reads behind them. */
typedef struct {
    const int8_t *weights; /* [channels][along][across], and a zero after those of each channel */
    const uint8_t *order;  /* [slots][16]: which weight goes where, by the rotation of the slots */
    const eb_lanes *lanes;
    uint16_t channels;                 /* a multiple of 4 */
    uint16_t slots;                    /* lines under a window */
    uint16_t pitch;                    /* bytes of a plane */
    uint16_t weight_step;              /* bytes of a channel's weights */
    uint16_t along, across;            /* of the input, pixels */
    uint32_t along_step, across_step;  /* bytes from a pixel to its neighbor */
    uint16_t along_pad, across_pad;    /* before the first pixel */
    uint16_t lines, line_stride;       /* of the output, in lines of the input */
    uint16_t count, step;              /* outputs of a line, and their distance in a plane */
    uint32_t output_step, output_line; /* bytes from an output to the next, along and across */
    int16_t zero_point;
    uint8_t relu; /* nothing below the zero point is allowed, so its rounding does not matter */
    uint8_t clamped;
    int8_t pad_value, low, high;
} eb_depthwise_mve;

/* MAX_POOL_2D and AVERAGE_POOL_2D; padding is ignored. */
typedef struct {
    eb_window window;
    int8_t low, high;
} eb_pool;

/* MEAN and SUM over up to two runs of axes: [outer][reduced_1][middle][reduced_2][inner]. */
typedef struct {
    uint32_t outer, reduced_1, middle, reduced_2, inner;
    int32_t offset; /* -zero point * elements of a sum */
    int32_t multiplier, shift;
    int16_t zero_point;
} eb_mean;

/* REDUCE_MAX over the same. */
typedef struct {
    uint32_t outer, reduced_1, middle, reduced_2, inner;
} eb_reduce_max;

/* ADD. Both inputs are scaled to twice the larger of their scales, with 20 spare bits. */
typedef struct {
    uint16_t size[4];   /* of the output */
    uint32_t step_1[4]; /* elements from one index to the next; 0 if the input is repeated */
    uint32_t step_2[4];
    int16_t zero_point_1, zero_point_2;
    int32_t multiplier_1, shift_1;
    int32_t multiplier_2, shift_2;
    int32_t multiplier, shift;
    eb_range range;
} eb_add;

/* MUL; steps as of ADD. */
typedef struct {
    uint16_t size[4];
    uint32_t step_1[4];
    uint32_t step_2[4];
    int16_t zero_point_1, zero_point_2;
    int32_t multiplier, shift;
    eb_range range;
} eb_mul;

/* MINIMUM and MAXIMUM; steps as of ADD. */
typedef struct {
    uint16_t size[4];
    uint32_t step_1[4];
    uint32_t step_2[4];
} eb_minimum;
typedef eb_minimum eb_maximum;

/* PRELU: elements are rescaled, negative ones times their slope. */
typedef struct {
    const int8_t *slopes;
    uint16_t size[4];
    uint32_t step[4]; /* of the slopes */
    int16_t zero_point, slope_zero_point, output_zero_point;
    int32_t multiplier, shift;
    int32_t slope_multiplier, slope_shift;
} eb_prelu;

/* CONCATENATION: `rows` times one block of each input. */
typedef struct {
    uint32_t rows;
    uint32_t inputs;
    const uint32_t *blocks; /* elements of a row, of each input */
} eb_concatenation;

/* TRANSPOSE, STRIDED_SLICE and the like: the element at (a, b, c, d) is the input's at
 * start + a * step[0] + b * step[1] + c * step[2] + d * step[3]. */
typedef struct {
    uint32_t start;
    uint32_t size[4];
    int32_t step[4];
} eb_copy;

/* GATHER, MIRROR_PAD and RESIZE_NEAREST_NEIGHBOR: the block at (a, b, c, d) is the input's at the sum
 * of their offsets along the four axes. */
typedef struct {
    const uint32_t *offsets; /* of all places along each axis, one axis after the other */
    uint32_t size[4];
    uint32_t block; /* neighboring elements */
} eb_gather;

/* ARG_MAX of [outer][size][inner] along the middle axis; the first of equal ones. */
typedef struct {
    uint32_t outer, size, inner;
} eb_arg_max;

/* RESIZE_BILINEAR; a pixel lies between two rows and two columns, whose weights are of 1024. */
typedef struct {
    const int16_t *places; /* [rows, then columns][first, second, weight of the second] */
    uint16_t input_w, channels;
    uint16_t output_h, output_w;
} eb_resize_bilinear;

/* BATCH_MATMUL: the inputs by elements between neighbors, 0 where they are repeated. */
typedef struct {
    uint32_t batches[3], batch_step_1[3], batch_step_2[3];
    uint32_t rows, columns, depth;
    uint32_t row_step, depth_step_1;
    uint32_t column_step, depth_step_2;
    int16_t zero_point_1, zero_point_2, zero_point;
    int32_t multiplier, shift;
} eb_batch_matmul;

/* SVDF: each filter makes one feature of the newest frame, whose last `memory` ones are the state,
 * [filters][memory], oldest first. */
typedef struct {
    const int8_t *feature_weights;        /* [filters][inputs] */
    const int32_t *feature_bias;          /* [filters], with the zero point folded in */
    const int16_t *time_weights;          /* [filters][memory] */
    const int32_t *bias;                  /* [units] */
    uint16_t inputs, units, rank, memory; /* filters: units * rank */
    uint8_t wide;                         /* the state is int16, else int8 */
    int32_t feature_multiplier, feature_shift;
    int32_t multiplier, shift;
    int16_t state_zero_point;
    eb_range range;
} eb_svdf;

/* Products of the four gates (input, forget, cell, output), interleaved, and requantization of
 * their sums to Q3.12. */
typedef struct {
    const int8_t *weights; /* [units][inputs][4]; for the extensions in steps of 4 or 16 inputs,
                            * padded with zeros: [units][steps][4][inputs] */
    const int32_t *bias;   /* [units][4], with the zero point folded in */
    int32_t multiplier[4], shift[4];
} eb_lstm_products;

/* UNIDIRECTIONAL_SEQUENCE_LSTM, from zero state; scratch: the cell state, 2 * units bytes. */
typedef struct {
    eb_lstm_products input, recurrent;
    uint32_t steps;
    uint16_t inputs, units;
    int32_t forget_multiplier, forget_shift; /* forget gate * cell state */
    int32_t update_multiplier, update_shift; /* input gate * cell gate */
    int32_t hidden_multiplier, hidden_shift; /* output gate * tanh(cell state) */
    int16_t hidden_zero_point;
    int16_t clip;       /* bound of the cell state; 0 for none */
    int16_t cell_shift; /* from the cell state to Q3.12, to the left */
} eb_lstm;

/* ADD of two inputs of the output's shape, the one with the smaller scale second, for the DSP
 * extension. */
typedef struct {
    uint32_t count;
    int32_t zero_1, zero_2; /* zero points, shifted as the elements are */
    int32_t multiplier_1, multiplier_2;
    int32_t rounding_2; /* half of 2^shift_2 */
    uint32_t shift_2;   /* to the right */
    int32_t multiplier;
    int32_t rounding; /* half of 2^shift, plus the zero point shifted up */
    uint32_t shift;
    uint8_t clamped;
    int8_t low, high;
} eb_add_flat;

/* ADD of two inputs of the output's shape, the one with the smaller scale second, for Helium. The
 * sum has twice the scale of the first, which is shifted up by one bit less, without multiplier. */
typedef struct {
    uint32_t count;
    int32_t zero_1, zero_2; /* zero points, shifted as the elements are: by 19 and 20 */
    int32_t multiplier_2, shift_2;
    int32_t multiplier, shift; /* shift below 0: to the right */
    int16_t zero_point;
    uint8_t clamped;
    int8_t low, high;
} eb_add_mve;

/* PAD of up to four axes. */
typedef struct {
    uint16_t size[4];   /* of the input */
    uint16_t before[4]; /* elements of padding before and after it */
    uint16_t after[4];
    int8_t value;
} eb_pad;

/* SOFTMAX over the last axis. */
typedef struct {
    const int32_t *exponentials; /* exp(-d * scale * beta), Q0.31, d = 0 ... count - 1 */
    uint16_t count;              /* the exponential of a larger distance is 0 */
    uint32_t rows, classes;
} eb_softmax;

/* LOG_SOFTMAX over the last axis. */
typedef struct {
    const int32_t *exponentials; /* exp(-d * scale), Q0.31, d = 0 ... count - 1 */
    uint16_t count;              /* the exponential of a larger distance is 0 */
    uint32_t rows, classes;
    int32_t multiplier, shift; /* of a distance to Q5.26, and back */
    int32_t inverse_multiplier, inverse_shift;
} eb_log_softmax;

/* L2_NORMALIZATION of rows. */
typedef struct {
    uint32_t rows, depth;
    int16_t zero_point;
} eb_l2_normalization;

/* value * multiplier / 2^31 rounded to nearest, halves up: gemmlowp's
 * SaturatingRoundingDoublingHighMul. It saturates only for a negative multiplier, which no scale
 * has. All supported compilers shift negative numbers to the right arithmetically. */
static inline int32_t eb_high_multiply(int32_t value, int32_t multiplier)
{
    return (int32_t)(((int64_t)value * multiplier + (1 << 30)) >> 31);
}

/* value * multiplier * 2^(shift - 31), rounded twice as the reference does: by the multiplication,
 * then by the shift (gemmlowp's RoundingDivideByPOT), halves away from zero. */
static inline int32_t eb_requantize(int32_t value, int32_t multiplier, int32_t shift)
{
    if (shift >= 0) {
        return eb_high_multiply((int32_t)((uint32_t)value << shift), multiplier);
    }
    const int32_t high = eb_high_multiply(value, multiplier);
    const int32_t lowered = high + (high >> 31); /* halves up are now away from zero */
    return ((lowered >> (-shift - 1)) + 1) >> 1;
}

static inline int8_t eb_clamp(int32_t value, int32_t low, int32_t high)
{
    return (int8_t)(value < low ? low : value > high ? high : value);
}

/* Requantize a sum of products to int8. */
static inline int32_t eb_finish(int32_t sum, const eb_channel *channel, eb_range range)
{
    const int32_t value =
        eb_requantize(sum, channel->multiplier, channel->shift) + range.zero_point;
    return value < range.low ? range.low : value > range.high ? range.high : value;
}

void eb_run_fully_connected(const eb_fully_connected *layer, const int8_t *input, int8_t *output);
void eb_run_conv2d(const eb_conv2d *layer, const int8_t *input, int8_t *output, int8_t *scratch);
void eb_run_conv2d_pooled(const eb_conv2d *layer, const int8_t *input, int8_t *output,
                          int8_t *scratch);
void eb_run_depthwise(const eb_depthwise *layer, const int8_t *input, int8_t *output,
                      int8_t *scratch);
void eb_run_transpose_conv(const eb_transpose_conv *layer, const int8_t *input, int8_t *output);
void eb_run_mean(const eb_mean *layer, const int8_t *input, int8_t *output);
void eb_run_reduce_max(const eb_reduce_max *layer, const int8_t *input, int8_t *output);
void eb_run_pad(const eb_pad *layer, const int8_t *input, int8_t *output);
void eb_run_concatenation(const eb_concatenation *layer, const int8_t *const *inputs,
                          int8_t *output);
void eb_run_copy(const eb_copy *layer, const int8_t *input, int8_t *output);
void eb_run_gather(const eb_gather *layer, const int8_t *input, int8_t *output);
void eb_run_arg_max(const eb_arg_max *layer, const int8_t *input, int32_t *output);
void eb_run_resize_bilinear(const eb_resize_bilinear *layer, const int8_t *input, int8_t *output);
void eb_run_batch_matmul(const eb_batch_matmul *layer, const int8_t *input_1, const int8_t *input_2,
                         int8_t *output);
void eb_run_svdf(const eb_svdf *layer, const int8_t *input, int8_t *output, void *state);
void eb_run_lstm(const eb_lstm *layer, const int8_t *input, int8_t *output, int8_t *scratch);

/* The following may overwrite their input (ADD ... MAXIMUM: either one of the output's size; the
 * pools: if there is no padding). */
void eb_run_max_pool(const eb_pool *layer, const int8_t *input, int8_t *output);
void eb_run_average_pool(const eb_pool *layer, const int8_t *input, int8_t *output);
void eb_run_add(const eb_add *layer, const int8_t *input_1, const int8_t *input_2, int8_t *output);
void eb_run_sub(const eb_add *layer, const int8_t *input_1, const int8_t *input_2, int8_t *output);
void eb_run_mul(const eb_mul *layer, const int8_t *input_1, const int8_t *input_2, int8_t *output);
void eb_run_minimum(const eb_minimum *layer, const int8_t *input_1, const int8_t *input_2,
                    int8_t *output);
void eb_run_maximum(const eb_maximum *layer, const int8_t *input_1, const int8_t *input_2,
                    int8_t *output);
void eb_run_prelu(const eb_prelu *layer, const int8_t *input, int8_t *output);
void eb_run_softmax(const eb_softmax *layer, const int8_t *input, int8_t *output);
void eb_run_log_softmax(const eb_log_softmax *layer, const int8_t *input, int8_t *output);
void eb_run_l2_normalization(const eb_l2_normalization *layer, const int8_t *input, int8_t *output);

/* Any operator from one int8 to one int8, as the table of its results for -128 ... 127. */
void eb_run_table(const int8_t table[256], uint32_t count, const int8_t *input, int8_t *output);

/* Slow versions for sums that may exceed 32 bits: they wrap, as they do in the reference on every
 * known machine. */
void eb_run_fully_connected_wrapping(const eb_fully_connected *layer, const int8_t *input,
                                     int8_t *output);
void eb_run_conv2d_wrapping(const eb_conv2d *layer, const int8_t *input, int8_t *output,
                            int8_t *scratch);
void eb_run_depthwise_wrapping(const eb_depthwise *layer, const int8_t *input, int8_t *output,
                               int8_t *scratch);

/* Edges of a network with float32 input or output. */
void eb_run_quantize(float scale, int32_t zero_point, uint32_t count, const float *input,
                     int8_t *output);
void eb_run_dequantize(float scale, int32_t zero_point, uint32_t count, const int8_t *input,
                       float *output);

/* Between the windows of a stream ---------------------------------------------------------- */

/* Move `bytes` of `rows` from `source` down to `target`; they may overlap. `rows` is aligned to 4. */
void eb_move_down(int8_t *rows, uint32_t target, uint32_t source, uint32_t bytes);

/* Add the values of `count` pixels to the sums of their channels, or subtract them. */
void eb_add_pixels(int32_t *sums, const int8_t *pixels, uint32_t count, uint32_t channels);
void eb_subtract_pixels(int32_t *sums, const int8_t *pixels, uint32_t count, uint32_t channels);

/* The same for CPUs with the DSP extension; the number of channels is a multiple of 4. */
void eb_add_pixels_dsp(int32_t *sums, const int8_t *pixels, uint32_t count, uint32_t channels);
void eb_subtract_pixels_dsp(int32_t *sums, const int8_t *pixels, uint32_t count, uint32_t channels);

/* MEAN of so many `inner` sums of pixels. */
void eb_run_mean_of_sums(const eb_mean *layer, const int32_t *sums, int8_t *output);

/* Kernels for CPUs with the DSP extension. */
void eb_run_fully_connected_dsp(const eb_fully_connected_fours *layer, const int8_t *input,
                                int8_t *output, int8_t *scratch);
/* The number of channels is a multiple of 4. MEAN has one reduced run, windows have no padding. */
void eb_run_mean_dsp(const eb_mean *layer, const int8_t *input, int8_t *output);
void eb_run_lstm_dsp(const eb_lstm *layer, const int8_t *input, int8_t *output, int8_t *scratch);
void eb_run_add_dsp(const eb_add_flat *layer, const int8_t *input_1, const int8_t *input_2,
                    int8_t *output);
/* Shifts to the right by 1 to 22 bits. One input of ADD and SUB is halved: 2^30, shift 0; the other
 * one too, or it is shifted to the right. At least one input moves along the last axis, by 1. */
void eb_run_add_rows_dsp(const eb_add *layer, const int8_t *input_1, const int8_t *input_2,
                         int8_t *output);
void eb_run_sub_dsp(const eb_add *layer, const int8_t *input_1, const int8_t *input_2,
                    int8_t *output);
void eb_run_mul_dsp(const eb_mul *layer, const int8_t *input_1, const int8_t *input_2,
                    int8_t *output);
void eb_run_concatenation_dsp(const eb_concatenation *layer, const int8_t *const *inputs,
                              int8_t *output);
void eb_run_max_pool_dsp(const eb_pool *layer, const int8_t *input, int8_t *output);
void eb_run_average_pool_dsp(const eb_pool *layer, const int8_t *input, int8_t *output);
void eb_run_conv2d_wide(const eb_conv2d_pairs *layer, const int8_t *input, int8_t *output,
                        int8_t *scratch);
void eb_run_conv2d_wide_pooled(const eb_conv2d_pairs *layer, const int8_t *input, int8_t *output,
                               int8_t *scratch);
void eb_run_conv2d_scaled(const eb_conv2d_pairs *layer, const int8_t *input, int8_t *output,
                          int8_t *scratch);
void eb_run_conv2d_scaled_pooled(const eb_conv2d_pairs *layer, const int8_t *input, int8_t *output,
                                 int8_t *scratch);
void eb_run_conv2d_narrow(const eb_conv2d_pairs *layer, const int8_t *input, int8_t *output,
                          int8_t *scratch);
void eb_run_conv2d_narrow_pooled(const eb_conv2d_pairs *layer, const int8_t *input, int8_t *output,
                                 int8_t *scratch);
void eb_run_conv2d_winograd(const eb_conv2d_winograd *layer, const int8_t *input, int8_t *output,
                            int8_t *scratch);
void eb_run_conv2d_winograd_pooled(const eb_conv2d_winograd *layer, const int8_t *input,
                                   int8_t *output, int8_t *scratch);
/* Without and with correct rounding of halves of negative sums, which a RELU hides. */
void eb_run_depthwise_planar_relu(const eb_depthwise_planar *layer, const int8_t *input,
                                  int8_t *output, int8_t *scratch);
void eb_run_depthwise_planar(const eb_depthwise_planar *layer, const int8_t *input, int8_t *output,
                             int8_t *scratch);
/* Any window; along the lines its stride is 1 or 2. */
void eb_run_depthwise_lines(const eb_depthwise_planar *layer, const int8_t *input, int8_t *output,
                            int8_t *scratch);
void eb_run_depthwise_lines_by_2(const eb_depthwise_planar *layer, const int8_t *input,
                                 int8_t *output, int8_t *scratch);
void eb_run_depthwise_dsp(const eb_depthwise *layer, const int8_t *input, int8_t *output,
                          int8_t *scratch);

/* Kernels for Helium. */
/* Up to nine steps, or many; those named relu do not round halves of negative sums correctly, which
 * a RELU hides. The pools of 2x2 have up to nine steps, or one. */
void eb_run_conv2d_mve(const eb_conv2d_mve *layer, const int8_t *input, int8_t *output,
                       int8_t *scratch);
void eb_run_conv2d_relu_mve(const eb_conv2d_mve *layer, const int8_t *input, int8_t *output,
                            int8_t *scratch);
void eb_run_conv2d_many_mve(const eb_conv2d_mve *layer, const int8_t *input, int8_t *output,
                            int8_t *scratch);
void eb_run_conv2d_many_relu_mve(const eb_conv2d_mve *layer, const int8_t *input, int8_t *output,
                                 int8_t *scratch);
void eb_run_conv2d_pooled_mve(const eb_conv2d_mve *layer, const int8_t *input, int8_t *output,
                              int8_t *scratch);
void eb_run_conv2d_pooled_2x2_mve(const eb_conv2d_mve *layer, const int8_t *input, int8_t *output,
                                  int8_t *scratch);
void eb_run_conv2d_pooled_2x2_relu_mve(const eb_conv2d_mve *layer, const int8_t *input,
                                       int8_t *output, int8_t *scratch);
void eb_run_conv2d_pooled_2x2_step_mve(const eb_conv2d_mve *layer, const int8_t *input,
                                       int8_t *output, int8_t *scratch);
void eb_run_depthwise_mve(const eb_depthwise_mve *layer, const int8_t *input, int8_t *output,
                          int8_t *scratch);
void eb_run_add_mve(const eb_add_mve *layer, const int8_t *input_1, const int8_t *input_2,
                    int8_t *output);
void eb_run_add_rows_mve(const eb_add *layer, const int8_t *input_1, const int8_t *input_2,
                         int8_t *output);
void eb_run_sub_mve(const eb_add *layer, const int8_t *input_1, const int8_t *input_2,
                    int8_t *output);
void eb_run_mul_mve(const eb_mul *layer, const int8_t *input_1, const int8_t *input_2,
                    int8_t *output);
void eb_run_concatenation_mve(const eb_concatenation *layer, const int8_t *const *inputs,
                              int8_t *output);
void eb_run_lstm_mve(const eb_lstm *layer, const int8_t *input, int8_t *output, int8_t *scratch);
/* MEAN has one reduced run, windows have no padding. */
void eb_run_mean_mve(const eb_mean *layer, const int8_t *input, int8_t *output);
void eb_run_max_pool_mve(const eb_pool *layer, const int8_t *input, int8_t *output);
void eb_run_average_pool_mve(const eb_pool *layer, const int8_t *input, int8_t *output);

/* Parts of the kernels ------------------------------------------------------------------ */

/* One row of outputs from one row of inputs. */
void eb_multiply_row(const int8_t *weights, const eb_channel *channels, eb_range range,
                     uint32_t inputs, uint32_t outputs, const int8_t *input, int8_t *output);

/* Start of row `row` of an output of four axes in an input that may be repeated along them. */
static inline uint32_t eb_row_start(const uint16_t size[4], const uint32_t step[4], uint32_t row)
{
    const uint32_t c = row % size[2];
    const uint32_t b = row / size[2] % size[1];
    const uint32_t a = row / size[2] / size[1];
    return a * step[0] + b * step[1] + c * step[2];
}

static inline uint32_t eb_row_count(const uint16_t size[4])
{
    return (uint32_t)size[0] * size[1] * size[2];
}

/* The input under the window of output (row, column), as [window_h][window_w][channels]: gathered
 * into `scratch`, with `pad_value` outside of the image. A window of one pixel that never
 * leaves the image needs no copy: without scratch, the place in the image is returned. */
const int8_t *eb_patch(const eb_window *window, int8_t pad_value, uint32_t row, uint32_t column,
                       const int8_t *input, int8_t *scratch);

/* Taps of one output of DEPTHWISE_CONV_2D, in the image or in a patch of it. */
typedef struct {
    const int8_t *origin;
    uint32_t row_step, tap_step;
} eb_taps;

/* Computes the outputs of four neighboring channels, with one output per channel. */
typedef void eb_four_channels(const eb_depthwise *layer, const eb_taps *taps, uint32_t channel,
                              int8_t *output);

void eb_depthwise_image(const eb_depthwise *layer, eb_four_channels *four_channels,
                        const int8_t *input, int8_t *output, int8_t *scratch);

#ifdef __cplusplus
}
#endif

#endif
