// SPDX-License-Identifier: Apache-2.0
// Copyright edgebio contributors

#include "eb_conv2d_mve.h"

/* The pixels under a pool are summed two at a time, and the largest sums are requantized. */

/* A line of outputs, each the largest of several pixels. */
typedef struct {
    int8_t *output;
    int32_t zero_point;
    const int8_t *weights_end;
    const int8_t *weights;
    uint32_t entry;       /* into the steps: bytes of code that are skipped at first */
    uint32_t bytes;       /* of the taps of a pixel */
    uint32_t skip;        /* from the end of an output to the next one */
    uint32_t count;       /* outputs */
    uint32_t advance;     /* from the taps of an output to those of the next */
    const int8_t *origin; /* taps of the first pixel */
    uint32_t next_along;  /* from the taps of a pixel to those of its neighbors under the pool */
    uint32_t next_across;
    uint32_t *places; /* offsets of all pixels from the origin, an even number */
    uint32_t *places_end;
    uint32_t steps;
} pool_job;

typedef void pool_kernel(const pool_job *work);

#if EB_HAS_MVE

/* Largest sums of both pixels in q0. */
#define LARGER                                                                                     \
    "vmov d0, r0, r2\n\t"                                                                          \
    "vmov d2, r8, r10\n\t"                                                                         \
    "vmov d1, r4, r6\n\t"                                                                          \
    "vmov d3, r12, lr\n\t"                                                                         \
    "vmax.s32 q0, q0, q1\n\t"

/* Sums of q0 to int8: multipliers and shifts at r1, the zero point in r2. */
#define FINISH                                                                                     \
    "vldrw.32 q1, [r1], #16\n\t"                                                                   \
    "vqrdmulh.s32 q0, q0, q1\n\t"                                                                  \
    "vldrw.32 q2, [r1], #16\n\t" EB_LOWER_NEGATIVE("q0", "q1") "vrshl.s32 q0, q0, q2\n\t"          \
                                                               "vqmovnb.s32 q0, q0\n\t"            \
                                                               "vqadd.s16 q0, q0, r2\n\t"          \
                                                               "vqmovnb.s16 q0, q0\n\t"

// clang-format off
/* Pixels at r9 r11 and r3 r7, up to nine steps; the taps of the first step of three of them stay in
 * q5 q6 q7. The stack: output, zero point, end of the weights, weights, both entries, bytes of
 * weights of a pixel, skip, outputs, advance. */
EB_NAKED static void pool_2x2(EB_UNUSED const pool_job *work)
{
    __asm__("push {r4-r11, lr}\n\t"
            "vpush {d8-d15}\n\t"
            "ldmia r0, {r1-r12}\n\t" /* r6 bytes, r7 skip, r8 count, r9 advance, r10 origin */
            "mov r0, r11\n\t"
            "add r10, #64\n\t"
            "adr r11, 1f\n\t"
            "add r11, r5\n\t"
            "orr r11, #1\n\t"
            "adr lr, 2f\n\t"
            "add lr, r5\n\t"
            "orr lr, #1\n\t"
            "lsl r6, r6, #2\n\t"
            "add r6, #16\n\t"
            "push {r6-r9}\n\t"
            "push {r11, lr}\n\t"
            "push {r1-r4}\n\t"
            "mov r5, r1\n\t"
            "mov r9, r10\n\t"
            "add r11, r9, r0\n\t"
            "add r3, r9, r12\n\t"
            "add r7, r11, r12\n"
            "5:\n\t"
            "ldr r1, [sp, #12]\n\t"
            "vldrb.8 q5, [r9, #-64]\n\t"
            "vldrb.8 q6, [r11, #-64]\n\t"
            "vldrb.8 q7, [r3, #-64]\n"
            "0:\n\t" EB_START
            "ldr pc, [sp, #16]\n\t"
            ".p2align 2\n"
            "1:\n\t" EB_UPPER_STEPS("r9", "r11")
            EB_STEP_AT("r9", "r11", "-48")
            EB_STEP("", "q5", "", "q6") LARGER
            "ldr r0, [sp, #24]\n\t"
            "vmov q4, q0\n\t"
            "sub r1, r0\n\t" EB_START
            "ldr pc, [sp, #20]\n\t"
            ".p2align 2\n"
            "2:\n\t" EB_UPPER_STEPS("r3", "r7")
            EB_STEP_AT("r3", "r7", "-48")
            EB_STEP("", "q7", EB_LOAD("q1", "r7, #-64]"), "q1") LARGER
            "ldrd r2, r4, [sp, #4]\n\t"
            "vmax.s32 q0, q0, q4\n\t" FINISH
            "cmp r1, r4\n\t"
            "vstrb.32 q0, [r5], #4\n\t"
            "bne 0b\n\t"
            "ldrd r0, r2, [sp, #28]\n\t"
            "ldr r4, [sp, #36]\n\t"
            "add r5, r0\n\t"
            "add r9, r4\n\t"
            "add r11, r4\n\t"
            "add r3, r4\n\t"
            "add r7, r4\n\t"
            "subs r2, #1\n\t"
            "str r2, [sp, #32]\n\t"
            "bne 5b\n\t"
            "add sp, #40\n\t"
            "vpop {d8-d15}\n\t"
            "pop {r4-r11, pc}");
}

/* A window in one vector: the weights of four channels stay in q0-q3, multipliers and shifts in q4
 * and q5, for all outputs of the line. Pixels at r1 r3 r5 r7, sums in r6 r8 r10 r12. */
#define PIXEL(at, low, high)                                                                       \
    "vldrb.8 q7, [" at "]\n\t"                                                                     \
    "vmladav.s8 r6, q7, q0\n\t"                                                                    \
    "add " at ", r11\n\t"                                                                          \
    "vmladav.s8 r8, q7, q1\n\t"                                                                    \
    "vmladav.s8 r10, q7, q2\n\t"                                                                   \
    "vmladav.s8 r12, q7, q3\n\t"                                                                   \
    "vmov " low ", r6, r8\n\t"                                                                     \
    "vmov " high ", r10, r12\n\t"

EB_NAKED static void pool_2x2_fours(EB_UNUSED const pool_job *work)
{
    __asm__("push {r4-r11, lr}\n\t"
            "vpush {d8-d15}\n\t"
            "ldmia r0, {r1-r12}\n\t" /* r7 skip, r8 count, r9 advance, r10 origin */
            "add r11, r10\n\t"
            "push {r10, r11}\n\t"
            "add r10, r12\n\t"
            "add r11, r12\n\t"
            "mov r5, r10\n\t"
            "mov r6, r11\n\t"
            "pop {r10, r11}\n\t"
            "push {r5, r6}\n\t"
            "push {r1-r4, r7-r11}\n" /* r10 r11: the other two pixels */
            "0:\n\t"
            "ldr r4, [sp, #12]\n\t"
            "ldrd r1, r3, [sp, #28]\n\t"
            "ldrd r5, r7, [sp, #36]\n\t"
            "vldrw.32 q0, [r4, #16]\n\t"
            "vldrw.32 q1, [r4, #32]\n\t"
            "vldrw.32 q2, [r4, #48]\n\t"
            "vldrw.32 q3, [r4, #64]\n\t"
            "vldrw.32 q4, [r4, #80]\n\t"
            "vldrw.32 q5, [r4, #96]\n\t"
            "ldrd r0, r9, [sp]\n\t"
            "ldrd r2, lr, [sp, #16]\n\t"
            "ldr r11, [sp, #24]\n\t"
            "dls lr, lr\n"
            "1:\n\t" PIXEL("r1", "d12", "d13")
            PIXEL("r3", "d14", "d15")
            "vmax.s32 q6, q6, q7\n\t" PIXEL("r5", "d14", "d15")
            "vmax.s32 q6, q6, q7\n\t" PIXEL("r7", "d14", "d15")
            "vmax.s32 q6, q6, q7\n\t"
            "vldrw.32 q7, [r4]\n\t"
            "vadd.i32 q6, q6, q7\n\t"
            "vqrdmulh.s32 q6, q6, q4\n\t" EB_LOWER_NEGATIVE("q6", "q7")
            "vrshl.s32 q6, q6, q5\n\t"
            "vqmovnb.s32 q6, q6\n\t"
            "vqadd.s16 q6, q6, r9\n\t"
            "vqmovnb.s16 q6, q6\n\t"
            "vstrb.32 q6, [r0]\n\t"
            "add r0, r2\n\t"
            "le lr, 1b\n\t"
            "ldr r0, [sp]\n\t"
            "ldr r2, [sp, #8]\n\t"
            "add r0, #4\n\t"
            "add r4, #112\n\t"
            "str r0, [sp]\n\t"
            "str r4, [sp, #12]\n\t"
            "cmp r4, r2\n\t"
            "bne 0b\n\t"
            "add sp, #44\n\t"
            "vpop {d8-d15}\n\t"
            "pop {r4-r11, pc}");
}

static void pool_2x2_step(const pool_job *work)
{
    pool_job fours = *work;
    fours.skip += (uint32_t)(work->weights_end - work->weights) / 28u; /* the whole output */
    pool_2x2_fours(&fours);
}

/* Any pool, any number of steps; the largest sums so far are in q4. The stack: output, zero point,
 * end of the weights, weights, entry, bytes of taps, skip, outputs, advance, places and their end;
 * the places are addresses of what lies in front of the taps. */
EB_NAKED static void pool_any(EB_UNUSED const pool_job *work)
{
    __asm__("push {r4-r11, lr}\n\t"
            "vpush {d8, d9}\n\t"
            "ldrd r1, r2, [r0, #48]\n\t"
            "push {r1, r2}\n\t"
            "ldmia r0, {r1-r9}\n\t"
            "adr lr, 1f\n\t"
            "add r5, lr\n\t"
            "orr r5, #1\n\t"
            "push {r1-r9}\n\t"
            "mov r7, r6\n"
            "5:\n\t"
            "ldr r1, [sp, #12]\n"
            "0:\n\t"
            "ldr r5, [sp, #36]\n\t"
            "vmov.i32 q4, #0x80000000\n"
            "2:\n\t"
            "ldrd r3, r11, [r5], #8\n\t"
            "add r9, r3, r7\n\t"
            "add r11, r7\n\t" EB_START
            "ldr pc, [sp, #16]\n\t" EB_ALL_STEPS LARGER
            "ldr r0, [sp, #40]\n\t"
            "vmax.s32 q4, q4, q0\n\t"
            "cmp r5, r0\n\t"
            "beq 3f\n\t"
            "sub r1, r1, r7, lsl #2\n\t"
            "sub r1, #16\n\t"
            "b 2b\n"
            "3:\n\t"
            "ldmia sp, {r0, r2, r4}\n\t"
            "vmov q0, q4\n\t" FINISH
            "vstrb.32 q0, [r0], #4\n\t"
            "str r0, [sp]\n\t"
            "cmp r1, r4\n\t"
            "bne 0b\n\t"
            "ldrd r2, r4, [sp, #24]\n\t"
            "ldr r6, [sp, #32]\n\t"
            "add r0, r2\n\t"
            "str r0, [sp]\n\t"
            "ldrd r3, r5, [sp, #36]\n"
            "4:\n\t"
            "vldrw.32 q0, [r3]\n\t"
            "vadd.i32 q0, q0, r6\n\t"
            "vstrw.32 q0, [r3], #16\n\t"
            "cmp r3, r5\n\t"
            "blo 4b\n\t"
            "subs r4, #1\n\t"
            "str r4, [sp, #28]\n\t"
            "bne 5b\n\t"
            "add sp, #44\n\t"
            "vpop {d8, d9}\n\t"
            "pop {r4-r11, pc}");
}
// clang-format on

#else

static int32_t largest_sum(const pool_job *work, const int8_t *block, uint32_t channel,
                           uint32_t output)
{
    const int8_t *const origin = work->origin + output * work->advance;
    int32_t largest = INT32_MIN;
    for (const uint32_t *place = work->places; place != work->places_end; place++) {
        const int32_t sum = eb_block_sum(block, work->steps, channel, origin + *place);
        largest = sum > largest ? sum : largest;
    }
    return largest;
}

static void pool_any(const pool_job *work)
{
    const uint32_t block = eb_block_bytes(work->steps);
    const uint32_t outputs = (uint32_t)(work->weights_end - work->weights) / block * 4u;
    for (uint32_t i = 0; i < work->count; i++) {
        int8_t *const output = work->output + i * (outputs + work->skip);
        for (uint32_t k = 0; k < outputs; k++) {
            const int8_t *const weights = work->weights + k / 4u * block;
            output[k] = eb_block_finish(weights, work->steps, k % 4u, work->zero_point,
                                        largest_sum(work, weights, k % 4u, i));
        }
    }
}

static void pool_2x2(const pool_job *work)
{
    uint32_t places[4] = {0, work->next_along, work->next_across,
                          work->next_along + work->next_across};
    pool_job any = *work;
    any.places = places;
    any.places_end = places + 4;
    pool_any(&any);
}

static void pool_2x2_step(const pool_job *work)
{
    pool_2x2(work);
}

#endif

/* Places of the taps of the first pool's pixels; an odd pixel is paired with itself. On Helium they
 * are addresses, which advance from output to output. */
static void set_places(const eb_conv2d_mve *layer, const pool_job *work, uint32_t *places)
{
    if (!layer->places) {
        return;
    }
#if EB_HAS_MVE
    const uint32_t origin = (uint32_t)work->origin - 16u;
#else
    const uint32_t origin = 0;
#endif
    uint32_t *place = places;
    for (uint32_t y = 0; y < layer->pool_across; y++) {
        for (uint32_t x = 0; x < layer->pool_along; x++) {
            *place++ = origin + y * work->next_across + x * work->next_along;
        }
    }
    while (place != places + layer->places) {
        *place++ = origin;
    }
}

/* The channels that remain after the fours: one output at a time. */
static void each_rest(const eb_conv2d_mve *layer, pool_kernel *kernel, pool_job work,
                      int8_t *output)
{
    const uint32_t left = layer->outputs % 4u;
    int8_t rest[4];
    work.output = rest;
    work.count = 1;
    for (uint32_t i = layer->count; i; i--) {
        kernel(&work); /* without 2x2, it moves the places on */
        for (uint32_t k = 0; k < left; k++) {
            output[k] = rest[k];
        }
        output += layer->output_step;
        work.origin += work.advance;
    }
}

static void convolve(const eb_conv2d_mve *layer, pool_kernel *kernel, uint32_t entry,
                     const int8_t *input, int8_t *output, int8_t *scratch)
{
    const uint32_t fours = layer->outputs / 4u;
    const uint32_t left = layer->outputs % 4u;
    const uint32_t column = (uint32_t)layer->slots * layer->channels;
    const uint32_t pixels = (uint32_t)layer->pool_along * layer->pool_across;
    const int8_t *const end = layer->weights + fours * eb_block_bytes(layer->steps);
    uint32_t *const places = (uint32_t *)(void *)scratch;
    int8_t *const strips = scratch + 4u * layer->places;
    const uint32_t strip = layer->columns * column;
    pool_job work = {
        .zero_point = layer->zero_point,
        .entry = entry,
        .bytes = 16u * layer->steps,
        .skip = layer->output_step - 4u * fours,
        .advance = layer->pool_along * layer->stride * column,
        .next_along = layer->stride * column,
        .next_across = strip,
        .places = places,
        .places_end = places + (pixels + 1u) / 2u * 2u,
        .origin = strips,
        .steps = layer->steps,
    };
    for (uint32_t i = 0; i < layer->pool_across; i++) {
        eb_prepare_strip(layer, strips + i * strip);
    }
    for (uint32_t row = 0; row < layer->lines; row++) {
        for (uint32_t i = 0; i < layer->pool_across; i++) {
            eb_fill_strip(layer, row * layer->pool_across + i, input, strips + i * strip);
        }
        if (fours) {
            work.output = output;
            work.weights = layer->weights;
            work.weights_end = end;
            work.count = layer->count;
            set_places(layer, &work, places);
            kernel(&work);
        }
        if (left) {
            pool_job rest = work;
            rest.weights = end;
            rest.weights_end = end + eb_block_bytes(layer->steps);
            set_places(layer, &work, places);
            each_rest(layer, kernel, rest, output + 4u * fours);
        }
        output += layer->output_line;
    }
    if (layer->clamped) {
        const uint32_t all = (uint32_t)layer->lines * layer->count * layer->outputs;
        eb_clamp_bytes(output - layer->lines * layer->output_line, all, layer->low, layer->high);
    }
}

/* Eight steps are unrolled. */
void eb_run_conv2d_pooled_mve(const eb_conv2d_mve *layer, const int8_t *input, int8_t *output,
                              int8_t *scratch)
{
    convolve(layer, pool_any, ((0u - layer->steps) & 7u) * 56u, input, output, scratch);
}

/* Nine steps are unrolled. */
void eb_run_conv2d_pooled_2x2_mve(const eb_conv2d_mve *layer, const int8_t *input, int8_t *output,
                                  int8_t *scratch)
{
    convolve(layer, pool_2x2, (9u - layer->steps) * 56u, input, output, scratch);
}

void eb_run_conv2d_pooled_2x2_step_mve(const eb_conv2d_mve *layer, const int8_t *input,
                                       int8_t *output, int8_t *scratch)
{
    convolve(layer, pool_2x2_step, 0, input, output, scratch);
}
