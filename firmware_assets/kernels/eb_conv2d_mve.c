// SPDX-License-Identifier: Apache-2.0
// Copyright edgebio contributors

#include "eb_conv2d_mve.h"

/* Four channels of two pixels are summed at once: sixteen taps take 6 loads and 8 VMLADAVA for
 * their 128 products. The last pixel of an odd number has eight channels at once: 9 loads. */

/* A line of pixels: two at a time. */
typedef struct {
    const int8_t *weights;
    const int8_t *weights_end;
    uint32_t ahead; /* offset of the second step's taps if they are few, of the last if many */
    int8_t *output_a, *output_b;
    const int8_t *pixel_a, *pixel_b;
    uint32_t entry; /* into the steps: bytes of code that are skipped at first */
    int32_t zero_point;
    uint32_t output_advance; /* from the end of a pixel's outputs to the pixel after the next one */
    uint32_t pixel_advance;
    uint32_t pairs;
    uint32_t steps;
} pairs_job;

typedef void pairs_kernel(const pairs_job *work);

/* A pixel: eight channels at a time. */
typedef struct {
    const int8_t *weights;
    uint32_t block; /* bytes */
    const int8_t *weights_end;
    uint32_t bytes; /* of the taps */
    int8_t *output;
    int32_t zero_point;
    const int8_t *pixel;
    uint32_t entry;
    uint32_t steps;
} single_job;

#if EB_HAS_MVE

/* Sums of q0 (pixel a) and q1 (b) to the outputs at r5 and r7; multipliers and shifts at r1. */
#define FINISH_PAIR(lower)                                                                         \
    "vmov d0, r0, r2\n\t"                                                                          \
    "vldrw.32 q2, [r1], #16\n\t"                                                                   \
    "vmov d1, r4, r6\n\t"                                                                          \
    "vmov d2, r8, r10\n\t"                                                                         \
    "vqrdmulh.s32 q0, q0, q2\n\t"                                                                  \
    "vmov d3, r12, lr\n\t"                                                                         \
    "vldrw.32 q3, [r1], #16\n\t"                                                                   \
    "vqrdmulh.s32 q1, q1, q2\n\t" lower "vrshl.s32 q0, q0, q3\n\t"                                 \
    "vrshl.s32 q1, q1, q3\n\t"                                                                     \
    "vqmovnb.s32 q0, q0\n\t"                                                                       \
    "vqmovnt.s32 q0, q1\n\t"                                                                       \
    "vqadd.s16 q0, q0, q7\n\t"                                                                     \
    "vqmovnb.s16 q0, q0\n\t"                                                                       \
    "vstrb.32 q0, [r5], #4\n\t"                                                                    \
    "vshr.u32 q0, q0, #16\n\t"                                                                     \
    "vstrb.32 q0, [r7], #4\n\t"

#define LOWER_PAIR EB_LOWER_NEGATIVE("q0", "q2") EB_LOWER_NEGATIVE("q1", "q2")

/* Any number of steps but the first one, whose taps r3 points to: nine are unrolled. The loop is
 * entered so that the number of steps is right, although it repeats in multiples of nine. */
#define MANY_STEPS(a, b)                                                                           \
    ".p2align 2\n"                                                                                 \
    "1:\n\t"                                                                                       \
    ".rept 9\n\t" EB_STEP(EB_LOAD("q0", "r9], #-16"), "q0", EB_LOAD("q1", "r11], #-16"),           \
                          "q1") ".endr\n\t"                                                        \
                                "cmp r9, r3\n\t"                                                   \
                                "bne 1b\n\t" EB_STEP("", a, "", b)

/* The job is on the stack, since all registers are in use. */
#define ENTER(places)                                                                              \
    "push {r4-r11, lr}\n\t"                                                                        \
    "vpush {d8-d15}\n\t"                                                                           \
    "ldmia r0, {r1-r12}\n\t"                                                                       \
    "adr lr, 1f\n\t"                                                                               \
    "add r8, r8, lr\n\t"                                                                           \
    "orr r8, #1\n\t" places "vdup.16 q7, r9\n\t"                                                   \
    "push {r1-r12}\n"

#define NEXT_PAIR                                                                                  \
    "ldrd r0, r2, [sp, #36]\n\t"                                                                   \
    "ldr r4, [sp, #44]\n\t"                                                                        \
    "add r5, r0\n\t"                                                                               \
    "add r7, r0\n\t"                                                                               \
    "strd r5, r7, [sp, #12]\n\t"                                                                   \
    "add r9, r2\n\t"                                                                               \
    "add r11, r2\n\t"                                                                              \
    "strd r9, r11, [sp, #20]\n\t"                                                                  \
    "subs r4, #1\n\t"                                                                              \
    "str r4, [sp, #44]\n\t"                                                                        \
    "bne 5b\n\t"                                                                                   \
    "add sp, #48\n\t"                                                                              \
    "vpop {d8-d15}\n\t"                                                                            \
    "pop {r4-r11, pc}"

// clang-format off
/* Up to nine steps. The first one's taps stay in q4 and q5, and the second one's in q6. */
#define FEW(lower)                                                                                 \
    ENTER("add r6, #64\n\t"                                                                        \
          "add r7, #64\n\t")                                                                       \
    "5:\n\t"                                                                                       \
    "ldrd r9, r11, [sp, #20]\n\t"                                                                  \
    "ldrd r1, r3, [sp]\n\t"                                                                        \
    "ldrd r0, r5, [sp, #8]\n\t"                                                                    \
    "ldr r7, [sp, #16]\n\t"                                                                        \
    "add r0, r9\n\t"                                                                               \
    "vldrb.8 q4, [r9, #-64]\n\t"                                                                   \
    "vldrb.8 q5, [r11, #-64]\n\t"                                                                  \
    "vldrb.8 q6, [r0, #-64]\n"                                                                     \
    "0:\n\t" EB_START                                                                              \
    "ldr pc, [sp, #28]\n\t"                                                                        \
    ".p2align 2\n"                                                                                 \
    "1:\n\t" EB_UPPER_STEPS("r9", "r11")                                                           \
    EB_STEP("", "q6", EB_LOAD("q1", "r11, #-48]"), "q1")                                           \
    EB_STEP("", "q4", "", "q5") FINISH_PAIR(lower)                                                 \
    "cmp r1, r3\n\t"                                                                               \
    "bne 0b\n\t" NEXT_PAIR

/* More steps; the first one's taps stay in q4 and q5. */
#define MANY(lower)                                                                                \
    ENTER("add r6, r3\n\t"                                                                         \
          "add r7, r3\n\t")                                                                        \
    "5:\n\t"                                                                                       \
    "ldrd r9, r11, [sp, #20]\n\t"                                                                  \
    "ldr r1, [sp]\n\t"                                                                             \
    "ldrd r3, r5, [sp, #8]\n\t"                                                                    \
    "sub r0, r11, r3\n\t"                                                                          \
    "sub r3, r9, r3\n\t"                                                                           \
    "ldr r7, [sp, #16]\n\t"                                                                        \
    "vldrb.8 q4, [r3]\n\t"                                                                         \
    "vldrb.8 q5, [r0]\n"                                                                           \
    "0:\n\t" EB_START                                                                              \
    "ldr pc, [sp, #28]\n\t" MANY_STEPS("q4", "q5") FINISH_PAIR(lower)                           \
    "ldrd r0, r2, [sp, #4]\n\t"                                                                    \
    "add r9, r2\n\t"                                                                               \
    "add r11, r2\n\t"                                                                              \
    "cmp r1, r0\n\t"                                                                               \
    "bne 0b\n\t" NEXT_PAIR
// clang-format on

EB_NAKED static void few_relu(EB_UNUSED const pairs_job *work)
{
    __asm__(FEW(""));
}

EB_NAKED static void few_any(EB_UNUSED const pairs_job *work)
{
    __asm__(FEW(LOWER_PAIR));
}

EB_NAKED static void many_relu(EB_UNUSED const pairs_job *work)
{
    __asm__(MANY(""));
}

EB_NAKED static void many_any(EB_UNUSED const pairs_job *work)
{
    __asm__(MANY(LOWER_PAIR));
}

/* Weights at r1 and r3, taps at r9. */
EB_NAKED static void run_single(EB_UNUSED const single_job *work)
{
    __asm__("push {r4-r11, lr}\n\t"
            "ldmia r0, {r1-r8}\n\t"
            "adr lr, 1f\n\t"
            "add r8, r8, lr\n\t"
            "orr r8, #1\n\t"
            "sub r11, r7, #16\n\t" /* in front of the taps */
            "add r10, r11, r4\n\t" /* the last ones */
            "push {r3, r6, r8, r10}\n\t"
            "mov r7, r2\n\t"
            "add r3, r1, r2\n"
            "0:\n\t"
            "ldr r9, [sp, #12]\n\t"
            "ldmia r1!, {r0, r2, r4, r6}\n\t"
            "ldmia r3!, {r8, r10, r12, lr}\n\t"
            "ldr pc, [sp, #8]\n\t"
            ".p2align 2\n"
            "1:\n\t"
            ".rept 8\n\t"
            "vldrb.8 q0, [r9], #-16\n\t"
            "vldrb.8 q1, [r1], #16\n\t"
            "vmladava.s8 r0, q0, q1\n\t"
            "vldrb.8 q2, [r1], #16\n\t"
            "vmladava.s8 r2, q0, q2\n\t"
            "vldrb.8 q1, [r1], #16\n\t"
            "vmladava.s8 r4, q0, q1\n\t"
            "vldrb.8 q2, [r1], #16\n\t"
            "vmladava.s8 r6, q0, q2\n\t"
            "vldrb.8 q1, [r3], #16\n\t"
            "vmladava.s8 r8, q0, q1\n\t"
            "vldrb.8 q2, [r3], #16\n\t"
            "vmladava.s8 r10, q0, q2\n\t"
            "vldrb.8 q1, [r3], #16\n\t"
            "vmladava.s8 r12, q0, q1\n\t"
            "vldrb.8 q2, [r3], #16\n\t"
            "vmladava.s8 lr, q0, q2\n\t"
            ".endr\n\t"
            "cmp r9, r11\n\t"
            "bne 1b\n\t"
            "vmov d0, r0, r2\n\t"
            "vldrw.32 q2, [r1], #16\n\t"
            "vmov d1, r4, r6\n\t"
            "vmov d2, r8, r10\n\t"
            "vqrdmulh.s32 q0, q0, q2\n\t"
            "vldrw.32 q3, [r3], #16\n\t"
            "vmov d3, r12, lr\n\t"
            "ldrd r0, r2, [sp]\n\t"
            "vqrdmulh.s32 q1, q1, q3\n\t" EB_LOWER_NEGATIVE("q0", "q2")
                EB_LOWER_NEGATIVE("q1", "q3") "vldrw.32 q2, [r1], #16\n\t"
                                              "vrshl.s32 q0, q0, q2\n\t"
                                              "vldrw.32 q3, [r3], #16\n\t"
                                              "vrshl.s32 q1, q1, q3\n\t"
                                              "add r1, r7\n\t"
                                              "vqmovnb.s32 q0, q0\n\t"
                                              "vqmovnt.s32 q0, q1\n\t"
                                              "cmp r3, r0\n\t"
                                              "vqadd.s16 q0, q0, r2\n\t"
                                              "add r3, r7\n\t"
                                              "vqmovnb.s16 q0, q0\n\t"
                                              "vstrb.32 q0, [r5], #4\n\t"
                                              "vshr.u32 q0, q0, #16\n\t"
                                              "vstrb.32 q0, [r5], #4\n\t"
                                              "bne 0b\n\t"
                                              "add sp, #16\n\t"
                                              "pop {r4-r11, pc}");
}

#else

/* All channels of a pixel; returns the end of its outputs. */
static int8_t *each_channel(const int8_t *block, const int8_t *end, uint32_t steps,
                            const int8_t *taps, int32_t zero_point, int8_t *output)
{
    for (; block != end; block += eb_block_bytes(steps)) {
        for (uint32_t i = 0; i < 4u; i++) {
            const int32_t sum = eb_block_sum(block, steps, i, taps);
            *output++ = eb_block_finish(block, steps, i, zero_point, sum);
        }
    }
    return output;
}

static void few_any(const pairs_job *work)
{
    int8_t *outputs[2] = {work->output_a, work->output_b};
    const int8_t *const pixels[2] = {work->pixel_a, work->pixel_b};
    for (uint32_t i = 0; i < 2u * work->pairs; i++) {
        int8_t *const to = outputs[i % 2u];
        outputs[i % 2u] =
            each_channel(work->weights, work->weights_end, work->steps,
                         pixels[i % 2u] + i / 2u * work->pixel_advance, work->zero_point, to);
        outputs[i % 2u] += i / 2u + 1u < work->pairs ? work->output_advance : 0u;
    }
}

static void few_relu(const pairs_job *work)
{
    few_any(work);
}

static void many_any(const pairs_job *work)
{
    few_any(work);
}

static void many_relu(const pairs_job *work)
{
    few_any(work);
}

static void run_single(const single_job *work)
{
    each_channel(work->weights, work->weights_end, work->steps, work->pixel, work->zero_point,
                 work->output);
}

#endif

/* Pixels of a line, `step` bytes apart. */
typedef struct {
    const int8_t *pixel;
    uint32_t step;
    int8_t *output;
    uint32_t count;
} line;

/* Some blocks for all pixels of a line, two at a time; an odd pixel is left. */
static void each_pair(const eb_conv2d_mve *layer, pairs_kernel *kernel, pairs_job *work,
                      line pixels)
{
    work->output_a = pixels.output;
    work->output_b = pixels.output + layer->output_step;
    work->pixel_a = pixels.pixel;
    work->pixel_b = pixels.pixel + pixels.step;
    work->pairs = pixels.count / 2u;
    if (work->pairs) {
        kernel(work);
    }
}

/* One pixel, as its own partner. */
static void one_pixel(pairs_kernel *kernel, pairs_job *work, const int8_t *pixel, int8_t *output)
{
    work->pixel_a = work->pixel_b = pixel;
    work->output_a = work->output_b = output;
    work->pairs = 1;
    kernel(work);
}

/* The last pixel of an odd number: eight channels at a time, then the rest. */
static void odd_pixel(const eb_conv2d_mve *layer, pairs_kernel *kernel, pairs_job *work,
                      const int8_t *pixel, int8_t *output)
{
    const uint32_t block = eb_block_bytes(layer->steps);
    const uint32_t eights = layer->outputs / 8u;
    const uint32_t left = layer->outputs % 8u;
    int8_t rest[8];
    single_job single = {
        .weights = layer->weights,
        .block = block,
        .weights_end = layer->weights + 2u * eights * block,
        .bytes = 16u * layer->steps,
        .output = output,
        .zero_point = layer->zero_point,
        .pixel = pixel,
        .entry = ((0u - layer->steps) & 7u) * 68u,
        .steps = layer->steps,
    };
    if (eights) {
        run_single(&single);
    }
    if (left > 4u) {
        single.weights = single.weights_end;
        single.weights_end += 2u * block;
        single.output = rest;
        run_single(&single);
    } else if (left) {
        work->weights = single.weights_end;
        work->weights_end = single.weights_end + block;
        one_pixel(kernel, work, pixel, rest);
    }
    for (uint32_t i = 0; i < left; i++) {
        output[8u * eights + i] = rest[i];
    }
}

/* The channels that remain after the fours, of all pixels but an odd one. */
static void each_rest(const eb_conv2d_mve *layer, pairs_kernel *kernel, pairs_job *work,
                      line pixels, uint32_t left)
{
    for (uint32_t count = pixels.count / 2u * 2u; count; count--) {
        int8_t rest[4];
        one_pixel(kernel, work, pixels.pixel, rest);
        for (uint32_t i = 0; i < left; i++) {
            pixels.output[i] = rest[i];
        }
        pixels.output += layer->output_step;
        pixels.pixel += pixels.step;
    }
}

static void convolve(const eb_conv2d_mve *layer, pairs_kernel *kernel, uint32_t entry,
                     uint32_t ahead, const int8_t *input, int8_t *output, int8_t *scratch)
{
    const uint32_t fours = layer->outputs / 4u;
    const uint32_t left = layer->outputs % 4u;
    const uint32_t block = eb_block_bytes(layer->steps);
    const uint32_t advance = layer->line_stride * layer->across_step;
    const uint32_t column = layer->direct ? layer->along_step : layer->slots * layer->channels;
    const int8_t *const rest = layer->weights + fours * block;
    line pixels = {scratch, layer->stride * column, output, layer->count};
    pairs_job work = {
        .weights = layer->weights,
        .weights_end = rest,
        .ahead = ahead,
        .output_a = output,
        .output_b = output,
        .pixel_a = scratch,
        .pixel_b = scratch,
        .entry = entry,
        .zero_point = layer->zero_point,
        .output_advance = 2u * layer->output_step - 4u * fours,
        .pixel_advance = 2u * pixels.step,
        .pairs = 0,
        .steps = layer->steps,
    };
    if (!layer->direct) {
        eb_prepare_strip(layer, scratch);
    }
    for (uint32_t i = 0; i < layer->lines; i++) {
        const uint32_t less = i + 1u < layer->lines ? 0 : layer->count - layer->last;
        pixels.count = layer->count - less;
        if (layer->direct) {
            pixels.pixel = input + i * advance;
        } else {
            eb_fill_strip(layer, i, layer->columns - less, input, scratch);
        }
        if (fours) {
            work.weights = layer->weights;
            work.weights_end = rest;
            each_pair(layer, kernel, &work, pixels);
        }
        if (left) {
            line tail = pixels;
            tail.output += 4u * fours;
            work.weights = rest;
            work.weights_end = rest + block;
            each_rest(layer, kernel, &work, tail, left);
        }
        if (pixels.count % 2u) {
            const uint32_t last = pixels.count - 1u;
            odd_pixel(layer, kernel, &work, pixels.pixel + last * pixels.step,
                      pixels.output + last * layer->output_step);
        }
        pixels.output += layer->output_line;
    }
    if (layer->clamped) {
        const uint32_t all = (layer->lines - 1u) * layer->count + layer->last;
        eb_clamp_bytes(output, all * layer->outputs, layer->low, layer->high);
    }
}

/* Nine steps are unrolled: the second one has 52 bytes of code, since half of it is loaded. */
static void convolve_few(const eb_conv2d_mve *layer, pairs_kernel *kernel, const int8_t *input,
                         int8_t *output, int8_t *scratch)
{
    const uint32_t steps = layer->steps;
    const uint32_t entry = steps > 1u ? (9u - steps) * 56u : 7u * 56u + 52u;
    convolve(layer, kernel, entry, steps > 1u ? 16u : 0u, input, output, scratch);
}

static void convolve_many(const eb_conv2d_mve *layer, pairs_kernel *kernel, const int8_t *input,
                          int8_t *output, int8_t *scratch)
{
    const uint32_t steps = layer->steps;
    const uint32_t entry = (9u - (steps - 1u) % 9u) % 9u * 56u;
    convolve(layer, kernel, entry, 16u * (steps - 1u), input, output, scratch);
}

void eb_run_conv2d_mve(const eb_conv2d_mve *layer, const int8_t *input, int8_t *output,
                       int8_t *scratch)
{
    convolve_few(layer, few_any, input, output, scratch);
}

void eb_run_conv2d_relu_mve(const eb_conv2d_mve *layer, const int8_t *input, int8_t *output,
                            int8_t *scratch)
{
    convolve_few(layer, few_relu, input, output, scratch);
}

void eb_run_conv2d_many_mve(const eb_conv2d_mve *layer, const int8_t *input, int8_t *output,
                            int8_t *scratch)
{
    convolve_many(layer, many_any, input, output, scratch);
}

void eb_run_conv2d_many_relu_mve(const eb_conv2d_mve *layer, const int8_t *input, int8_t *output,
                                 int8_t *scratch)
{
    convolve_many(layer, many_relu, input, output, scratch);
}
