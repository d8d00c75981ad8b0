// SPDX-License-Identifier: Apache-2.0
// Copyright edgebio contributors

#include "eb_mve.h"

/* Four channels of two pixels are summed at once: sixteen taps take 6 loads and 8 VMLADAVA for
 * their 128 products. The pixels of a line have their taps in a strip of columns, as
 * [columns][window_h][channels], so that those under a window are neighbors wherever it is. */

/* A line of pixels: two at a time. */
typedef struct {
    int8_t *output_a, *output_b;
    int32_t zero_point;
    const int8_t *weights_end;
    uint32_t entry; /* entry into the loop: bytes that are skipped at first */
    const int8_t *weights;
    const eb_lanes *lanes;
    const int8_t *pixel_a;
    uint32_t step; /* from a pixel's taps to the next one's */
    uint32_t pairs;
    uint32_t skip;  /* from the end of a pixel's outputs to the pixel after the next one */
    uint32_t bytes; /* taps of a pixel, a multiple of 16 */
} line_job;

/* A line of outputs, each the largest of several pixels. */
typedef struct {
    int8_t *output;
    const eb_lanes *next_lanes; /* where the loop is */
    int32_t zero_point;
    const int8_t *weights_end;
    uint32_t entry;
    const int8_t *weights;
    const eb_lanes *lanes;
    uint32_t *places; /* of their taps, an even number; they advance from output to output */
    uint32_t *places_end;
    uint32_t count;
    uint32_t advance; /* from the taps of a pixel to those of the next */
    uint32_t bytes;
    uint32_t skip;
    const int8_t *origin; /* places are addresses or, on a PC, offsets from here */
} pool_job;

#if EB_HAS_MVE

/* The sums in r0 r2 r4 r6 (pixel a) and r8 r10 r12 lr (b); weights at r1, taps at r3 and r5. */
#define STEP(accumulate)                                                                           \
    "vldrb.8 q0, [r3], #16\n\t"                                                                    \
    "vldrb.8 q2, [r1], #16\n\t"                                                                    \
    "vmladav" accumulate ".s8 r0, q0, q2\n\t"                                                      \
    "vldrb.8 q1, [r5], #16\n\t"                                                                    \
    "vmladav" accumulate ".s8 r8, q1, q2\n\t"                                                      \
    "vldrb.8 q3, [r1], #16\n\t"                                                                    \
    "vmladav" accumulate ".s8 r2, q0, q3\n\t"                                                      \
    "vldrb.8 q2, [r1], #16\n\t"                                                                    \
    "vmladav" accumulate ".s8 r10, q1, q3\n\t"                                                     \
    "vldrb.8 q3, [r1], #16\n\t"                                                                    \
    "vmladav" accumulate ".s8 r4, q0, q2\n\t"                                                      \
    "vmladav" accumulate ".s8 r12, q1, q2\n\t"                                                     \
    "vmladav" accumulate ".s8 r6, q0, q3\n\t"                                                      \
    "vmladav" accumulate ".s8 lr, q1, q3\n\t"

// clang-format off
/* Eight steps of 56 bytes are unrolled. The loop is entered so that the number of steps after
 * the first one is right, although it repeats in multiples of eight. */
#define SUM                                                                                        \
    STEP("")                                                                                       \
    "ldr pc, [sp, #16]\n\t"                                                                        \
    ".p2align 2\n"                                                                                 \
    "1:\n\t"                                                                                       \
    ".rept 8\n\t" STEP("a") ".endr\n\t"                                                            \
    "cmp r3, r7\n\t"                                                                               \
    "bne 1b\n\t"                                                                                   \
    "vmov d0, r0, r2\n\t"                                                                          \
    "vmov d2, r8, r10\n\t"                                                                         \
    "vmov d1, r4, r6\n\t"                                                                          \
    "vmov d3, r12, lr\n\t"
// clang-format on

/* The job is on the stack, since all registers are in use. */
#define ENTER                                                                                      \
    "push {r4-r11, lr}\n\t"                                                                        \
    "ldmia r0!, {r1-r12}\n\t"                                                                      \
    "adr lr, 1f\n\t"                                                                               \
    "add r5, r5, lr\n\t"                                                                           \
    "orr r5, #1\n\t"

/* Halves of negative values are rounded down, away from zero. */
#define LOWER_NEGATIVE(x, scratch)                                                                 \
    "vshr.s32 " scratch ", " x ", #31\n\t"                                                         \
    "vadd.i32 " x ", " x ", " scratch "\n\t"

// clang-format off
#define LINE(lower)                                                                                \
    ENTER                                                                                          \
    "push {r1-r12}\n\t"                                                                            \
    "mov r9, r12\n"                                                                                \
    "5:\n\t"                                                                                       \
    "ldrd r3, r5, [sp, #28]\n\t"                                                                   \
    "ldrd r1, r11, [sp, #20]\n\t"                                                                  \
    "add r5, r3\n\t"                                                                               \
    "add r7, r3, r9\n"                                                                             \
    "0:\n\t" SUM                                                                                   \
    "vldrw.32 q2, [r11], #16\n\t"                                                                  \
    "ldmia sp, {r0, r2, r4, r6}\n\t"                                                               \
    "vadd.i32 q0, q0, q2\n\t"                                                                      \
    "vldrw.32 q3, [r11], #16\n\t"                                                                  \
    "vadd.i32 q1, q1, q2\n\t"                                                                      \
    "vqrdmulh.s32 q0, q0, q3\n\t"                                                                  \
    "sub r3, r3, r9\n\t"                                                                           \
    "vqrdmulh.s32 q1, q1, q3\n\t" lower                                                            \
    "vldrw.32 q2, [r11], #16\n\t"                                                                  \
    "vrshl.s32 q0, q0, q2\n\t"                                                                     \
    "sub r5, r5, r9\n\t"                                                                           \
    "vrshl.s32 q1, q1, q2\n\t"                                                                     \
    "vqmovnb.s32 q0, q0\n\t"                                                                       \
    "vqmovnt.s32 q0, q1\n\t"                                                                       \
    "cmp r1, r6\n\t"                                                                               \
    "vqadd.s16 q0, q0, r4\n\t"                                                                     \
    "vqmovnb.s16 q0, q0\n\t"                                                                       \
    "vshr.u32 q1, q0, #16\n\t"                                                                     \
    "vstrb.32 q0, [r0], #4\n\t"                                                                    \
    "vstrb.32 q1, [r2], #4\n\t"                                                                    \
    "strd r0, r2, [sp]\n\t"                                                                        \
    "bne 0b\n\t"                                                                                   \
    "ldrd r4, r6, [sp, #36]\n\t"                                                                   \
    "ldr r8, [sp, #32]\n\t"                                                                        \
    "add r0, r6\n\t"                                                                               \
    "add r2, r6\n\t"                                                                               \
    "strd r0, r2, [sp]\n\t"                                                                        \
    "add r3, r3, r8, lsl #1\n\t"                                                                   \
    "str r3, [sp, #28]\n\t"                                                                        \
    "subs r4, #1\n\t"                                                                              \
    "str r4, [sp, #36]\n\t"                                                                        \
    "bne 5b\n\t"                                                                                   \
    "add sp, #48\n\t"                                                                              \
    "pop {r4-r11, pc}"
// clang-format on

EB_NAKED static void line_relu(EB_UNUSED const line_job *work)
{
    __asm__(LINE(""));
}

EB_NAKED static void line_any(EB_UNUSED const line_job *work)
{
    __asm__(LINE(LOWER_NEGATIVE("q0", "q2") LOWER_NEGATIVE("q1", "q3")));
}

// clang-format off
/* The largest so far in q4. */
EB_NAKED static void pool_any(EB_UNUSED const pool_job *work)
{
    __asm__(ENTER
            "vpush {d8, d9}\n\t"
            "ldr r0, [r0]\n\t"
            "push {r0}\n\t"
            "push {r1-r12}\n\t"
            "mov r9, r12\n"
            "5:\n\t"
            "ldr r1, [sp, #20]\n"
            "0:\n\t"
            "ldr r11, [sp, #28]\n\t"
            "vmov.i32 q4, #0x80000000\n"
            "2:\n\t"
            "ldrd r3, r5, [r11], #8\n\t"
            "add r7, r3, r9\n\t" SUM
            "ldr r0, [sp, #32]\n\t"
            "vmax.s32 q0, q0, q1\n\t"
            "cmp r11, r0\n\t"
            "vmax.s32 q4, q4, q0\n\t"
            "beq 3f\n\t"
            "sub r1, r1, r9, lsl #2\n\t"
            "b 2b\n"
            "3:\n\t"
            "ldmia sp, {r0, r2, r4, r6}\n\t"
            "vldrw.32 q0, [r2], #16\n\t"
            "vadd.i32 q4, q4, q0\n\t"
            "vldrw.32 q1, [r2], #16\n\t"
            "vqrdmulh.s32 q4, q4, q1\n\t" LOWER_NEGATIVE("q4", "q0")
            "vldrw.32 q2, [r2], #16\n\t"
            "vrshl.s32 q4, q4, q2\n\t"
            "vqmovnb.s32 q4, q4\n\t"
            "vqadd.s16 q4, q4, r4\n\t"
            "cmp r1, r6\n\t"
            "vqmovnb.s16 q4, q4\n\t"
            "vstrb.32 q4, [r0], #4\n\t"
            "strd r0, r2, [sp]\n\t"
            "bne 0b\n\t"
            "ldr r4, [sp, #48]\n\t"
            "ldr r2, [sp, #24]\n\t"
            "add r0, r4\n\t"
            "strd r0, r2, [sp]\n\t"
            "ldrd r4, r6, [sp, #36]\n\t"
            "ldrd r3, r5, [sp, #28]\n"
            "4:\n\t"
            "vldrw.32 q0, [r3]\n\t"
            "vadd.i32 q0, q0, r6\n\t"
            "vstrw.32 q0, [r3], #16\n\t"
            "cmp r3, r5\n\t"
            "blo 4b\n\t"
            "subs r4, #1\n\t"
            "str r4, [sp, #36]\n\t"
            "bne 5b\n\t"
            "add sp, #52\n\t"
            "vpop {d8, d9}\n\t"
            "pop {r4-r11, pc}");
}
// clang-format on

#else

static int32_t sum_of(const int8_t *weights, const int8_t *taps, uint32_t bytes, uint32_t channel)
{
    int32_t sum = 0;
    for (uint32_t i = 0; i < bytes; i++) {
        sum += weights[i / 16u * 64u + 16u * channel + i % 16u] * taps[i];
    }
    return sum;
}

static void line_any(const line_job *work)
{
    const uint32_t four = 4u * work->bytes;
    const uint32_t fours = (uint32_t)(work->weights_end - work->weights) / four;
    int8_t *const outputs[2] = {work->output_a, work->output_b};
    for (uint32_t pixel = 0; pixel < 2u * work->pairs; pixel++) {
        const int8_t *const taps = work->pixel_a + pixel * work->step;
        int8_t *const to = outputs[pixel % 2u] + pixel / 2u * (work->skip + 4u * fours);
        for (uint32_t i = 0; i < 4u * fours; i++) {
            const int32_t sum = sum_of(work->weights + i / 4u * four, taps, work->bytes, i % 4u);
            to[i] = eb_finish_lane(work->lanes + i / 4u, i % 4u, work->zero_point, sum);
        }
    }
}

static void line_relu(const line_job *work)
{
    line_any(work);
}

static void pool_any(const pool_job *work)
{
    const uint32_t four = 4u * work->bytes;
    const uint32_t fours = (uint32_t)(work->weights_end - work->weights) / four;
    int8_t *output = work->output;
    for (uint32_t count = 0; count < work->count; count++) {
        for (uint32_t i = 0; i < 4u * fours; i++) {
            int32_t largest = INT32_MIN;
            for (const uint32_t *place = work->places; place != work->places_end; place++) {
                const int32_t sum = sum_of(work->weights + i / 4u * four, work->origin + *place,
                                           work->bytes, i % 4u);
                largest = sum > largest ? sum : largest;
            }
            *output++ = eb_finish_lane(work->lanes + i / 4u, i % 4u, work->zero_point, largest);
        }
        output += work->skip;
        for (uint32_t *place = work->places; place != work->places_end; place++) {
            *place += work->advance;
        }
    }
}

#endif

/* Bytes of the loop to skip, so that `steps` are computed in total. */
static uint32_t entry_of(uint32_t steps)
{
    return (steps > 1u ? (1u - steps) & 7u : 8u) * 56u;
}

static uint32_t column_bytes(const eb_conv2d_mve *layer)
{
    return (uint32_t)layer->window.window_h * layer->window.channels;
}

/* Columns of a strip that lie in the image; those before them are padding. */
typedef struct {
    uint32_t before, count;
} columns;

static columns columns_of(const eb_conv2d_mve *layer)
{
    const uint32_t all = layer->columns;
    const uint32_t before = layer->window.pad_w < all ? layer->window.pad_w : all;
    const uint32_t width = layer->window.input_w;
    return (columns){before, all - before < width ? all - before : width};
}

/* Padding at both ends of the strips stays. */
static void prepare_strips(const eb_conv2d_mve *layer, int8_t *strip)
{
    const columns inside = columns_of(layer);
    const uint32_t column = column_bytes(layer);
    const uint32_t after = inside.before + inside.count;
    for (uint32_t i = 0; i < layer->pool_h; i++) {
        eb_fill_bytes(strip, layer->pad_value, inside.before * column);
        eb_fill_bytes(strip + after * column, layer->pad_value, (layer->columns - after) * column);
        strip += layer->columns * column;
    }
}

/* The strip of a line of pixels. */
static void fill_strip(const eb_conv2d_mve *layer, uint32_t row, const int8_t *input, int8_t *strip)
{
    const eb_window *window = &layer->window;
    const columns inside = columns_of(layer);
    const uint32_t channels = window->channels;
    const uint32_t column = column_bytes(layer);
    int32_t y = (int32_t)(row * window->stride_h) - window->pad_h;
    strip += inside.before * column;
    for (uint32_t i = 0; i < window->window_h; i++) {
        if (y < 0 || y >= window->input_h) {
            eb_fill_pieces(strip, column, layer->pad_value, channels, inside.count);
        } else {
            eb_copy_pieces(strip, column, input + (uint32_t)y * window->input_w * channels,
                           channels, inside.count);
        }
        strip += channels;
        y += window->dilation_h;
    }
}

static void run_line(const eb_conv2d_mve *layer, const line_job *work)
{
    if (layer->relu) {
        line_relu(work);
    } else {
        line_any(work);
    }
}

/* An odd pixel is its own partner. */
static void each_pair(const eb_conv2d_mve *layer, line_job work)
{
    const uint32_t count = layer->window.output_w;
    const uint32_t outputs = layer->outputs;
    work.output_b = work.output_a + outputs;
    work.pairs = count / 2u;
    if (work.pairs) {
        run_line(layer, &work);
    }
    if (count % 2u) {
        work.pixel_a += (count - 1u) * work.step;
        work.output_a += (count - 1u) * outputs;
        work.output_b = work.output_a;
        work.step = 0;
        work.pairs = 1;
        run_line(layer, &work);
    }
}

/* The outputs that remain after the fours: one pixel at a time. */
static void each_rest(const eb_conv2d_mve *layer, line_job work, uint32_t left)
{
    int8_t *output = work.output_a;
    const uint32_t step = work.step;
    int8_t rest[4];
    work.output_a = rest;
    work.output_b = rest;
    work.step = 0;
    work.pairs = 1;
    for (uint32_t i = layer->window.output_w; i; i--) {
        run_line(layer, &work);
        for (uint32_t k = 0; k < left; k++) {
            output[k] = rest[k];
        }
        output += layer->outputs;
        work.pixel_a += step;
    }
}

void eb_run_conv2d_mve(const eb_conv2d_mve *layer, const int8_t *input, int8_t *output,
                       int8_t *scratch)
{
    const eb_window *window = &layer->window;
    const uint32_t bytes = 16u * layer->steps;
    const uint32_t fours = layer->outputs / 4u;
    const uint32_t left = layer->outputs % 4u;
    const uint32_t line = (uint32_t)window->output_w * layer->outputs;
    line_job work = {
        .zero_point = layer->zero_point,
        .entry = entry_of(layer->steps),
        .pixel_a = scratch,
        .step = window->stride_w * column_bytes(layer),
        .bytes = bytes,
    };
    if (!layer->direct) {
        prepare_strips(layer, scratch);
    }
    for (uint32_t row = 0; row < window->output_h; row++) {
        if (layer->direct) {
            work.pixel_a =
                input + row * window->stride_h * window->input_w * (uint32_t)window->channels;
        } else {
            fill_strip(layer, row, input, scratch);
        }
        work.output_a = output;
        work.weights = layer->weights;
        work.weights_end = layer->weights + 4u * fours * bytes;
        work.lanes = layer->lanes;
        work.skip = 2u * layer->outputs - 4u * fours;
        if (fours) {
            each_pair(layer, work);
        }
        if (left) {
            work.output_a += 4u * fours;
            work.weights = work.weights_end;
            work.weights_end += 4u * bytes;
            work.lanes += fours;
            each_rest(layer, work, left);
        }
        if (layer->clamped) {
            eb_clamp_bytes(output, line, layer->low, layer->high);
        }
        output += line;
    }
}

/* Places of the taps of the first pool's pixels; an odd pixel is paired with itself. */
static void set_places(const eb_conv2d_mve *layer, uint32_t origin, uint32_t *places)
{
    const uint32_t column = column_bytes(layer);
    uint32_t *place = places;
    for (uint32_t y = 0; y < layer->pool_h; y++) {
        uint32_t at = origin + y * layer->columns * column;
        for (uint32_t x = 0; x < layer->pool_w; x++) {
            *place++ = at;
            at += layer->window.stride_w * column;
        }
    }
    while (place != places + layer->places) {
        *place++ = origin;
    }
}

void eb_run_conv2d_pooled_mve(const eb_conv2d_mve *layer, const int8_t *input, int8_t *output,
                              int8_t *scratch)
{
    const eb_window *window = &layer->window;
    const uint32_t bytes = 16u * layer->steps;
    const uint32_t fours = layer->outputs / 4u;
    const uint32_t left = layer->outputs % 4u;
    const uint32_t line = (uint32_t)window->output_w * layer->outputs;
    const uint32_t column = column_bytes(layer);
    const uint32_t pixels = (uint32_t)layer->pool_h * layer->pool_w;
    uint32_t *const places = (uint32_t *)(void *)scratch;
    int8_t *const strips = scratch + 4u * layer->places;
#if EB_HAS_MVE
    const uint32_t origin = (uint32_t)strips;
#else
    const uint32_t origin = 0;
#endif
    pool_job work = {
        .zero_point = layer->zero_point,
        .entry = entry_of(layer->steps),
        .places = places,
        .places_end = places + (pixels + 1u) / 2u * 2u,
        .advance = layer->pool_w * window->stride_w * column,
        .bytes = bytes,
        .origin = strips,
    };
    prepare_strips(layer, strips);
    for (uint32_t row = 0; row < window->output_h; row++) {
        for (uint32_t y = 0; y < layer->pool_h; y++) {
            fill_strip(layer, row * layer->pool_h + y, input, strips + y * layer->columns * column);
        }
        work.output = output;
        work.weights = layer->weights;
        work.weights_end = layer->weights + 4u * fours * bytes;
        work.next_lanes = work.lanes = layer->lanes;
        work.count = window->output_w;
        work.skip = left;
        if (fours) {
            set_places(layer, origin, places);
            pool_any(&work);
        }
        if (left) {
            int8_t rest[4];
            int8_t *to = output + 4u * fours;
            work.weights = work.weights_end;
            work.weights_end += 4u * bytes;
            work.next_lanes = work.lanes += fours;
            work.count = 1;
            work.output = rest;
            set_places(layer, origin, places);
            for (uint32_t i = window->output_w; i; i--) {
                pool_any(&work); /* it moves the places on */
                for (uint32_t k = 0; k < left; k++) {
                    to[k] = rest[k];
                }
                to += layer->outputs;
            }
        }
        if (layer->clamped) {
            eb_clamp_bytes(output, line, layer->low, layer->high);
        }
        output += line;
    }
}
