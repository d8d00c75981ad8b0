// SPDX-License-Identifier: Apache-2.0
// Copyright edgebio contributors

#include "eb_mve.h"

/* ADD, SUB and MUL with broadcast, four elements at a time. */

/* A row of elements. Four of them advance by a step of 4, or by 0 if they are one that is repeated
 * along the row. */
typedef struct {
    const int8_t *x, *y;
    int8_t *output;
    uint32_t x_step, y_step;
    uint32_t count;
    int32_t multiplier_1, multiplier_2;
    int32_t multiplier, shift;
    int32_t zero_point;
    int32_t zero_1, zero_2;
    int32_t shift_1, shift_2;
} row_job;

#if EB_HAS_MVE

#define ENTER                                                                                      \
    "push {r4-r11, lr}\n\t"                                                                        \
    "vpush {d8-d15}\n\t"                                                                           \
    "ldmia r0!, {r1-r12}\n\t"                                                                      \
    "vdup.32 q4, r12\n\t"                                                                          \
    "ldmia r0, {r0, r12, lr}\n\t"                                                                  \
    "vdup.32 q5, r0\n\t"                                                                           \
    "vdup.32 q6, r12\n\t"                                                                          \
    "vdup.32 q7, lr\n\t"                                                                           \
    "wlstp.32 lr, r6, 2f\n"                                                                        \
    "1:\n\t"                                                                                       \
    "vldrb.s32 q0, [r1]\n\t"                                                                       \
    "add r1, r4\n\t"                                                                               \
    "vldrb.s32 q1, [r2]\n\t"                                                                       \
    "add r2, r5\n\t"                                                                               \
    "vsub.i32 q0, q0, q4\n\t"                                                                      \
    "vsub.i32 q1, q1, q5\n\t"

/* Scale an input with 20 spare bits; halves of negative values are rounded down, away from zero, if
 * there is a shift. */
#define SCALED(x, multiplier, shift)                                                               \
    "vshl.i32 " x ", " x ", #20\n\t"                                                               \
    "vqrdmulh.s32 " x ", " x ", " multiplier "\n\t"                                                \
    "vand q2, " x ", " shift "\n\t"                                                                \
    "vshr.s32 q2, q2, #31\n\t"                                                                     \
    "vadd.i32 " x ", " x ", q2\n\t"                                                                \
    "vrshl.s32 " x ", " x ", " shift "\n\t"

#define FINISH                                                                                     \
    "vqrdmulh.s32 q0, q0, r9\n\t"                                                                  \
    "vshr.s32 q1, q0, #31\n\t"                                                                     \
    "vadd.i32 q0, q0, q1\n\t"                                                                      \
    "vrshl.s32 q0, r10\n\t"                                                                        \
    "vqmovnb.s32 q0, q0\n\t"                                                                       \
    "vqadd.s16 q0, q0, r11\n\t"                                                                    \
    "vqmovnb.s16 q0, q0\n\t"                                                                       \
    "vstrb.32 q0, [r3], #4\n\t"                                                                    \
    "letp lr, 1b\n"                                                                                \
    "2:\n\t"                                                                                       \
    "vpop {d8-d15}\n\t"                                                                            \
    "pop {r4-r11, pc}"

EB_NAKED static void add(EB_UNUSED const row_job *work)
{
    __asm__(ENTER SCALED("q0", "r7", "q6")
                SCALED("q1", "r8", "q7") "vadd.i32 q0, q0, q1\n\t" FINISH);
}

EB_NAKED static void subtract(EB_UNUSED const row_job *work)
{
    __asm__(ENTER SCALED("q0", "r7", "q6")
                SCALED("q1", "r8", "q7") "vsub.i32 q0, q0, q1\n\t" FINISH);
}

EB_NAKED static void multiply(EB_UNUSED const row_job *work)
{
    __asm__(ENTER "vmul.i32 q0, q0, q1\n\t" FINISH);
}

#else

typedef int32_t combine(const row_job *work, int32_t x, int32_t y);

static void each_element(const row_job *work, combine *combined)
{
    for (uint32_t i = 0; i < work->count; i++) {
        const int32_t x = work->x[i / 4u * work->x_step + i % 4u] - work->zero_1;
        const int32_t y = work->y[i / 4u * work->y_step + i % 4u] - work->zero_2;
        const int32_t value =
            eb_requantize(combined(work, x, y), work->multiplier, work->shift) + work->zero_point;
        work->output[i] = eb_clamp(value, INT8_MIN, INT8_MAX);
    }
}

static int32_t scaled(int32_t value, int32_t multiplier, int32_t shift)
{
    return eb_requantize(value * (1 << 20), multiplier, shift);
}

static int32_t sum(const row_job *work, int32_t x, int32_t y)
{
    return scaled(x, work->multiplier_1, work->shift_1) +
           scaled(y, work->multiplier_2, work->shift_2);
}

static int32_t difference(const row_job *work, int32_t x, int32_t y)
{
    return scaled(x, work->multiplier_1, work->shift_1) -
           scaled(y, work->multiplier_2, work->shift_2);
}

static int32_t product(const row_job *work, int32_t x, int32_t y)
{
    (void)work;
    return x * y;
}

static void add(const row_job *work)
{
    each_element(work, sum);
}

static void subtract(const row_job *work)
{
    each_element(work, difference);
}

static void multiply(const row_job *work)
{
    each_element(work, product);
}

#endif

/* Place of an input that is repeated along the row, copied four times; or the input itself. */
static const int8_t *repeated(const int8_t *from, uint32_t step, int8_t copies[4])
{
    if (step) {
        return from;
    }
    for (uint32_t i = 0; i < 4u; i++) {
        copies[i] = *from;
    }
    return copies;
}

/* The sizes and steps of an eb_add or eb_mul. */
typedef struct {
    const uint16_t *size;
    const uint32_t *step_1, *step_2;
    eb_range range;
} rows;

static void each_row(rows all, row_job work, const int8_t *input_1, const int8_t *input_2,
                     int8_t *output, void (*run)(const row_job *))
{
    const uint32_t count = eb_row_count(all.size);
    work.count = all.size[3];
    work.x_step = all.step_1[3] ? 4u : 0u;
    work.y_step = all.step_2[3] ? 4u : 0u;
    work.zero_point = all.range.zero_point;
    for (uint32_t i = 0; i < count; i++) {
        int8_t copies_1[4], copies_2[4];
        const int8_t *x = input_1 + eb_row_start(all.size, all.step_1, i);
        const int8_t *y = input_2 + eb_row_start(all.size, all.step_2, i);
        work.x = repeated(x, work.x_step, copies_1);
        work.y = repeated(y, work.y_step, copies_2);
        work.output = output + i * work.count;
        run(&work);
    }
    if (all.range.low > INT8_MIN || all.range.high < INT8_MAX) {
        eb_clamp_bytes(output, count * work.count, all.range.low, all.range.high);
    }
}

static void add_rows(const eb_add *layer, const int8_t *input_1, const int8_t *input_2,
                     int8_t *output, void (*run)(const row_job *))
{
    const row_job work = {
        .multiplier_1 = layer->multiplier_1,
        .multiplier_2 = layer->multiplier_2,
        .multiplier = layer->multiplier,
        .shift = layer->shift,
        .zero_1 = layer->zero_point_1,
        .zero_2 = layer->zero_point_2,
        .shift_1 = layer->shift_1,
        .shift_2 = layer->shift_2,
    };
    const rows all = {layer->size, layer->step_1, layer->step_2, layer->range};
    each_row(all, work, input_1, input_2, output, run);
}

void eb_run_add_rows_mve(const eb_add *layer, const int8_t *input_1, const int8_t *input_2,
                         int8_t *output)
{
    add_rows(layer, input_1, input_2, output, add);
}

void eb_run_sub_mve(const eb_add *layer, const int8_t *input_1, const int8_t *input_2,
                    int8_t *output)
{
    add_rows(layer, input_1, input_2, output, subtract);
}

void eb_run_mul_mve(const eb_mul *layer, const int8_t *input_1, const int8_t *input_2,
                    int8_t *output)
{
    const row_job work = {
        .multiplier = layer->multiplier,
        .shift = layer->shift,
        .zero_1 = layer->zero_point_1,
        .zero_2 = layer->zero_point_2,
    };
    const rows all = {layer->size, layer->step_1, layer->step_2, layer->range};
    each_row(all, work, input_1, input_2, output, multiply);
}
