// SPDX-License-Identifier: Apache-2.0
// Copyright edgebio contributors

#include "eb_dsp.h"
#include "eb_kernels.h"

/* ADD, SUB and MUL with broadcast. In a row, at least one input moves with the output; the other one
 * may be one element that is repeated. */

enum { FIRST = 1, SECOND = 2, BOTH = 3 }; /* inputs that move */

/* Neighboring rows. */
typedef struct {
    const int8_t *input_1, *input_2;
    int8_t *output;
    uint32_t rows, count;    /* elements of a row */
    uint32_t step_1, step_2; /* from row to row */
} block;

/* A requantization to the right. Halves of negative values are rounded down, away from zero. */
typedef struct {
    int32_t multiplier;
    int32_t rounding; /* half of 2^shift, plus the zero point shifted up */
    uint32_t shift;
    int32_t low, high;
} last_step;

static last_step last_step_of(int32_t multiplier, int32_t shift, eb_range range)
{
    const int32_t scale = (int32_t)(1u << (uint32_t)-shift);
    const last_step last = {multiplier, scale / 2 + range.zero_point * scale, (uint32_t)-shift,
                            range.low, range.high};
    return last;
}

EB_INLINE int8_t finish(const last_step *last, int32_t doubled, int clamped)
{
    const int32_t rounding = last->rounding + (doubled >> 31);
    const int32_t value =
        eb_saturate8(eb_smmlar(doubled, last->multiplier, rounding) >> last->shift);
    return clamped ? eb_clamp(value, last->low, last->high) : (int8_t)value;
}

/* Twice a sum. The first input is the one with the larger scale: half of it, with 20 spare bits, is
 * exact without rounding. */
typedef struct {
    int32_t factor_1, offset_1;
    int32_t zero_2; /* shifted as the elements are, by 21 bits */
    int32_t multiplier_2;
    int32_t rounding_2; /* half of 2^shift_2 */
    uint32_t shift_2;   /* to the right, at least 1 */
    int32_t factor_2;   /* 2 or -2 */
    last_step last;
} sum_job;

EB_INLINE int32_t first_of(const sum_job *job, int32_t value)
{
    return value * job->factor_1 + job->offset_1;
}

EB_INLINE int32_t second_of(const sum_job *job, int32_t value)
{
    const int32_t wide = (int32_t)((uint32_t)value << 21) - job->zero_2;
    const int32_t high = eb_smmlar(wide, job->multiplier_2, job->rounding_2);
    return ((high + (wide >> 31)) >> job->shift_2) * job->factor_2;
}

EB_INLINE void add(const sum_job *work, block part, int moves, int clamped)
{
    const sum_job job = *work; /* no store changes it */
    for (uint32_t row = 0; row < part.rows; row++) {
        const int8_t *x = part.input_1, *y = part.input_2;
        const int8_t *const end = part.output + part.count;
        const int32_t first = first_of(&job, *x), second = second_of(&job, *y);
        while (part.output != end) {
            const int32_t doubled = (moves & FIRST ? first_of(&job, *x++) : first) +
                                    (moves & SECOND ? second_of(&job, *y++) : second);
            *part.output++ = finish(&job.last, doubled, clamped);
        }
        part.input_1 += part.step_1;
        part.input_2 += part.step_2;
    }
}

static void add_block(const void *work, const block *part, int moves, int clamped)
{
    if (moves == BOTH) {
        if (clamped) {
            add(work, *part, BOTH, 1);
        } else {
            add(work, *part, BOTH, 0);
        }
    } else if (moves == FIRST) {
        if (clamped) {
            add(work, *part, FIRST, 1);
        } else {
            add(work, *part, FIRST, 0);
        }
    } else if (clamped) {
        add(work, *part, SECOND, 1);
    } else {
        add(work, *part, SECOND, 0);
    }
}

typedef struct {
    int32_t zero_1, zero_2;
    last_step last;
} product_job;

EB_INLINE void multiply(const product_job *work, block part, int moves, int clamped)
{
    const product_job job = *work; /* no store changes it */
    for (uint32_t row = 0; row < part.rows; row++) {
        const int8_t *x = part.input_1, *y = part.input_2;
        const int8_t *const end = part.output + part.count;
        const int32_t factor = 2 * (*y - job.zero_2), offset = job.zero_1 * factor;
        while (part.output != end) {
            const int32_t doubled = moves == BOTH ? (*x++ - job.zero_1) * (2 * (*y++ - job.zero_2))
                                                  : *x++ * factor - offset;
            *part.output++ = finish(&job.last, doubled, clamped);
        }
        part.input_1 += part.step_1;
        part.input_2 += part.step_2;
    }
}

/* The first input moves. */
static void multiply_block(const void *work, const block *part, int moves, int clamped)
{
    if (moves == BOTH) {
        if (clamped) {
            multiply(work, *part, BOTH, 1);
        } else {
            multiply(work, *part, BOTH, 0);
        }
    } else if (clamped) {
        multiply(work, *part, FIRST, 1);
    } else {
        multiply(work, *part, FIRST, 0);
    }
}

/* An input and its steps. */
typedef struct {
    const int8_t *from;
    const uint32_t *step;
} operand;

static void each_block(const uint16_t size[4], operand first, operand second, int8_t *output,
                       void (*run)(const void *work, const block *part, int moves, int clamped),
                       const void *work, eb_range range)
{
    const int clamped = range.low > INT8_MIN || range.high < INT8_MAX;
    const int moves = first.step[3] == second.step[3] ? BOTH : first.step[3] ? FIRST : SECOND;
    block part = {.rows = size[2],
                  .count = size[3],
                  .step_1 = first.step[2],
                  .step_2 = second.step[2],
                  .output = output};
    for (uint32_t a = 0; a < size[0]; a++) {
        for (uint32_t b = 0; b < size[1]; b++) {
            part.input_1 = first.from + a * first.step[0] + b * first.step[1];
            part.input_2 = second.from + a * second.step[0] + b * second.step[1];
            run(work, &part, moves, clamped);
            part.output += part.rows * part.count;
        }
    }
}

/* The sum of both inputs times 1 or -1. */
static void add_rows(const eb_add *layer, const int8_t *input_1, const int8_t *input_2,
                     int8_t *output, int32_t sign_2)
{
    const operand inputs[] = {{input_1, layer->step_1}, {input_2, layer->step_2}};
    const int swapped = layer->multiplier_1 != 1 << 30 || layer->shift_1;
    const int32_t sign = swapped ? sign_2 : 1;
    const int32_t zero_1 = swapped ? layer->zero_point_2 : layer->zero_point_1;
    const int32_t zero_2 = swapped ? layer->zero_point_1 : layer->zero_point_2;
    const int32_t shift_2 = swapped ? layer->shift_1 : layer->shift_2;
    sum_job job = {
        .factor_1 = sign * (1 << 20),
        .offset_1 = -zero_1 * sign * (1 << 20),
        .zero_2 = zero_2 * (1 << 21),
        .factor_2 = swapped ? 2 : 2 * sign_2,
        .last = last_step_of(layer->multiplier, layer->shift, layer->range),
    };
    if (shift_2) {
        job.multiplier_2 = swapped ? layer->multiplier_1 : layer->multiplier_2;
        job.shift_2 = (uint32_t)-shift_2;
        job.rounding_2 = (int32_t)(1u << (job.shift_2 - 1u));
    } else { /* both scales are equal: minus twice the half is exact, and then halved */
        job.multiplier_2 = INT32_MIN;
        job.shift_2 = 1;
        job.rounding_2 = 1;
        job.factor_2 = -job.factor_2;
    }
    each_block(layer->size, inputs[swapped], inputs[!swapped], output, add_block, &job,
               layer->range);
}

void eb_run_add_rows_dsp(const eb_add *layer, const int8_t *input_1, const int8_t *input_2,
                         int8_t *output)
{
    add_rows(layer, input_1, input_2, output, 1);
}

void eb_run_sub_dsp(const eb_add *layer, const int8_t *input_1, const int8_t *input_2,
                    int8_t *output)
{
    add_rows(layer, input_1, input_2, output, -1);
}

void eb_run_mul_dsp(const eb_mul *layer, const int8_t *input_1, const int8_t *input_2,
                    int8_t *output)
{
    const operand inputs[] = {{input_1, layer->step_1}, {input_2, layer->step_2}};
    const int swapped = layer->step_1[3] < layer->step_2[3];
    const product_job job = {
        swapped ? layer->zero_point_2 : layer->zero_point_1,
        swapped ? layer->zero_point_1 : layer->zero_point_2,
        last_step_of(layer->multiplier, layer->shift, layer->range),
    };
    each_block(layer->size, inputs[swapped], inputs[!swapped], output, multiply_block, &job,
               layer->range);
}
