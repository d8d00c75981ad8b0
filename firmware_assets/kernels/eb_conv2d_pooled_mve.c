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

/* The larger sums of both pixels. */
#define LARGER(to)                                                                                 \
    "vmov d0, r0, r2\n\t"                                                                          \
    "vmov d2, r8, r10\n\t"                                                                         \
    "vmov d1, r4, r6\n\t"                                                                          \
    "vmov d3, r12, lr\n\t"                                                                         \
    "vmax.s32 " to ", q0, q1\n\t"

/* Any number of steps, down to the taps at r3: eight are unrolled. The loop is entered so that
 * the number of steps is right, although it repeats in multiples of eight. */
#define ALL_STEPS                                                                                  \
    ".p2align 2\n"                                                                                 \
    "1:\n\t"                                                                                       \
    ".rept 8\n\t" EB_STEP(EB_LOAD("q0", "r9], #-16"), "q0", EB_LOAD("q1", "r11], #-16"),           \
                          "q1") ".endr\n\t"                                                        \
                                "cmp r9, r3\n\t"                                                   \
                                "bne 1b\n\t"

/* Sums of q0 to int8: multipliers and shifts at r1, the zero point in r2. */
#define FINISH(lower)                                                                              \
    "vldrw.32 q1, [r1], #16\n\t"                                                                   \
    "vqrdmulh.s32 q0, q0, q1\n\t"                                                                  \
    "vldrw.32 q2, [r1], #16\n\t" lower "vrshl.s32 q0, q0, q2\n\t"                                  \
    "vqmovnb.s32 q0, q0\n\t"                                                                       \
    "vqadd.s16 q0, q0, r2\n\t"                                                                     \
    "vqmovnb.s16 q0, q0\n\t"

/* Products of a step by two channels: four pixels, sums in r0 r2 r4 r6 and r8 r10 r12 lr. */
#define STEP_OF_4(accumulate, load_a, a, load_b, b, load_c, c, load_d, d)                          \
    load_a "vldrb.8 q0, [r1], #16\n\t"                                                             \
           "vldrb.8 q1, [r1], #16\n\t"                                                             \
           "vmladav" accumulate ".s8 r0, " a ", q0\n\t" load_b "vmladav" accumulate ".s8 r8, " a   \
           ", q1\n\t" load_c "vmladav" accumulate ".s8 r2, " b ", q0\n\t"                          \
           "vmladav" accumulate ".s8 r10, " b ", q1\n\t" load_d "vmladav" accumulate ".s8 r4, " c  \
           ", q0\n\t"                                                                              \
           "vmladav" accumulate ".s8 r12, " c ", q1\n\t"                                           \
           "vmladav" accumulate ".s8 r6, " d ", q0\n\t"                                            \
           "vmladav" accumulate ".s8 lr, " d ", q1\n\t"

#define STEP_OF_4_AT(offset)                                                                       \
    STEP_OF_4("a", EB_LOAD("q2", "r9, #" offset "]"), "q2", EB_LOAD("q3", "r11, #" offset "]"),    \
              "q3", EB_LOAD("q2", "r3, #" offset "]"), "q2", EB_LOAD("q3", "r7, #" offset "]"),    \
              "q3")

/* The first step, whose taps stay in q4-q7, then the others from the last one on: eight have 56
 * bytes of code each. The largest sums of both channels in r0 and r8. */
#define TWO_CHANNELS(entry, label)                                                                 \
    STEP_OF_4("", "", "q4", "", "q5", "", "q6", "", "q7")                                          \
    "ldr pc, [sp, #" entry "]\n\t"                                                                 \
    ".p2align 2\n" label ":\n\t" STEP_OF_4_AT("64") STEP_OF_4_AT("48") STEP_OF_4_AT("32")          \
        STEP_OF_4_AT("16") STEP_OF_4_AT("0") STEP_OF_4_AT("-16") STEP_OF_4_AT("-32")               \
            STEP_OF_4_AT("-48") "vmov d0, r2, r4\n\t"                                              \
                                "vmov d2, r10, r12\n\t"                                            \
                                "vmov d1, r6, r6\n\t"                                              \
                                "vmov d3, lr, lr\n\t"                                              \
                                "vmaxv.s32 r0, q0\n\t"                                             \
                                "vmaxv.s32 r8, q1\n\t"

// clang-format off
/* Pixels at r9 r11 r3 r7, up to nine steps, twice two channels. The stack: four largest
 * sums, output, zero point, end of the weights, weights, both entries, skip, outputs,
 * advance. */
#define POOL_2X2(lower)                                                                            \
    "push {r4-r11, lr}\n\t"                                                                        \
    "vpush {d8-d15}\n\t"                                                                           \
    "ldmia r0, {r1-r12}\n\t"                                                                       \
    "mov r0, r11\n\t"                                                                              \
    "add r10, #64\n\t"                                                                             \
    "adr r11, 1f\n\t"                                                                              \
    "add r11, r5\n\t"                                                                              \
    "orr r11, #1\n\t"                                                                              \
    "adr lr, 2f\n\t"                                                                               \
    "add lr, r5\n\t"                                                                               \
    "orr lr, #1\n\t"                                                                               \
    "push {r7-r9}\n\t"                                                                             \
    "push {r11, lr}\n\t"                                                                           \
    "push {r1-r4}\n\t"                                                                             \
    "sub sp, #16\n\t"                                                                              \
    "mov r5, r1\n\t"                                                                               \
    "mov r9, r10\n\t"                                                                              \
    "add r11, r9, r0\n\t"                                                                          \
    "add r3, r9, r12\n\t"                                                                          \
    "add r7, r11, r12\n"                                                                           \
    "5:\n\t"                                                                                       \
    "ldr r1, [sp, #28]\n\t"                                                                        \
    "vldrb.8 q4, [r9, #-64]\n\t"                                                                   \
    "vldrb.8 q5, [r11, #-64]\n\t"                                                                  \
    "vldrb.8 q6, [r3, #-64]\n\t"                                                                   \
    "vldrb.8 q7, [r7, #-64]\n"                                                                     \
    "0:\n\t" TWO_CHANNELS("32", "1")                                                               \
    "strd r0, r8, [sp]\n\t" TWO_CHANNELS("36", "2")                                                \
    "strd r0, r8, [sp, #8]\n\t"                                                                    \
    "vldrw.32 q1, [r1], #16\n\t"                                                                   \
    "vldrw.32 q0, [sp]\n\t"                                                                        \
    "ldrd r2, r4, [sp, #20]\n\t"                                                                   \
    "vadd.i32 q0, q0, q1\n\t" FINISH(lower)                                                        \
    "cmp r1, r4\n\t"                                                                               \
    "vstrb.32 q0, [r5], #4\n\t"                                                                    \
    "bne 0b\n\t"                                                                                   \
    "ldrd r0, r2, [sp, #40]\n\t"                                                                   \
    "ldr r4, [sp, #48]\n\t"                                                                        \
    "add r5, r0\n\t"                                                                               \
    "add r9, r4\n\t"                                                                               \
    "add r11, r4\n\t"                                                                              \
    "add r3, r4\n\t"                                                                               \
    "add r7, r4\n\t"                                                                               \
    "subs r2, #1\n\t"                                                                              \
    "str r2, [sp, #44]\n\t"                                                                        \
    "bne 5b\n\t"                                                                                   \
    "add sp, #52\n\t"                                                                              \
    "vpop {d8-d15}\n\t"                                                                            \
    "pop {r4-r11, pc}"
// clang-format on

EB_NAKED static void pool_2x2_relu(EB_UNUSED const pool_job *work)
{
    __asm__(POOL_2X2(""));
}

EB_NAKED static void pool_2x2(EB_UNUSED const pool_job *work)
{
    __asm__(POOL_2X2(EB_LOWER_NEGATIVE("q0", "q1")));
}

// clang-format off
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
            "ldr pc, [sp, #16]\n\t" ALL_STEPS LARGER("q0")
            "ldr r0, [sp, #40]\n\t"
            "vmax.s32 q4, q4, q0\n\t"
            "cmp r5, r0\n\t"
            "beq 3f\n\t"
            "sub r1, r1, r7, lsl #2\n\t"
            "sub r1, #16\n\t"
            "b 2b\n"
            "3:\n\t"
            "ldmia sp, {r0, r2, r4}\n\t"
            "vmov q0, q4\n\t" FINISH(EB_LOWER_NEGATIVE("q0", "q1"))
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

static void pool_2x2_step(const pool_job *work)
{
    uint32_t places[4] = {0, work->next_along, work->next_across,
                          work->next_along + work->next_across};
    pool_job any = *work;
    any.places = places;
    any.places_end = places + 4;
    pool_any(&any);
}

/* Biases, multipliers and shifts are behind the weights, and those are [2][steps][2][16 taps]. */
static void pool_2x2(const pool_job *work)
{
    int8_t block[16 + 64 * 9 + 32];
    const uint32_t size = eb_block_bytes(work->steps);
    const uint32_t half = 32u * work->steps;
    pool_job four = *work;
    four.weights = block;
    four.weights_end = block + size;
    four.skip = work->skip + (uint32_t)(work->weights_end - work->weights) / size * 4u - 4u;
    for (const int8_t *weights = work->weights; weights != work->weights_end; weights += size) {
        memcpy(block, weights + 2u * half, 16);
        memcpy(block + 16u + 2u * half, weights + 2u * half + 16u, 32);
        for (uint32_t step = 0; step < work->steps; step++) {
            int8_t *const to = block + 16u + (work->steps - 1u - step) * 64u;
            const uint32_t from = step ? work->steps - step : 0u; /* the first step is first */
            memcpy(to, weights + from * 32u, 32);
            memcpy(to + 32, weights + half + from * 32u, 32);
        }
        pool_2x2_step(&four);
        four.output += 4;
    }
}

static void pool_2x2_relu(const pool_job *work)
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
        .output = output,
        .zero_point = layer->zero_point,
        .weights_end = end,
        .weights = layer->weights,
        .entry = entry,
        .bytes = 16u * layer->steps,
        .skip = layer->output_step - 4u * fours,
        .count = layer->count,
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
        eb_fill_strips(layer, row * layer->pool_across, input, strips, strip);
        if (fours) {
            work.output = output;
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

void eb_run_conv2d_pooled_2x2_relu_mve(const eb_conv2d_mve *layer, const int8_t *input,
                                       int8_t *output, int8_t *scratch)
{
    convolve(layer, pool_2x2_relu, (9u - layer->steps) * 56u, input, output, scratch);
}

void eb_run_conv2d_pooled_2x2_step_mve(const eb_conv2d_mve *layer, const int8_t *input,
                                       int8_t *output, int8_t *scratch)
{
    convolve(layer, pool_2x2_step, 0, input, output, scratch);
}
