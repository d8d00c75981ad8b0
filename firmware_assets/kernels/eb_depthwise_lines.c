// SPDX-License-Identifier: Apache-2.0
// Copyright edgebio contributors

#include <stdbool.h>

#include "eb_depthwise_planes.h"

/* Windows of any size. In a plane, two neighbors along a line are a word. With stride 1 the outputs
 * of a word are an even and an odd one, whose windows begin at its lower and at its upper half: each
 * has the weights in other pairs. With stride 2 there are even ones only. */
typedef struct {
    const uint32_t *weights; /* of a channel */
    const uint32_t *line;    /* where the first window begins */
    int8_t *output;
    int32_t bias, multiplier, rounding;
    uint32_t shift;
    uint32_t steps, slots;
    uint32_t slot_words; /* from a line under the window to the next */
    uint32_t output_step;
} job;

EB_INLINE int8_t finish(const job *work, int32_t sum)
{
    /* Halves of negative values are rounded down, away from zero. */
    const int32_t rounding = work->rounding + (sum >> 31);
    const int32_t scaled = eb_smmlar(sum, work->multiplier, rounding);
    return (int8_t)eb_saturate8(scaled >> work->shift);
}

/* Add the products of a step, of the outputs of two neighboring words. */
EB_INLINE void add_step(int32_t sums[4], uint32_t first, uint32_t second, const uint32_t *w,
                        bool odd)
{
    sums[0] = eb_smlad(first, w[0], sums[0]);
    sums[2] = eb_smlad(second, w[0], sums[2]);
    if (odd) {
        sums[1] = eb_smlad(first, w[1], sums[1]);
        sums[3] = eb_smlad(second, w[1], sums[3]);
    }
}

/* A line of outputs. It is a function of its own, so that its loops have all registers. */
EB_INLINE void run_line(const job *channel, uint32_t count, bool odd, bool one_slot)
{
    const job copy = *channel; /* which no store to the output can change */
    const job *const work = &copy;
    const uint32_t each = odd ? 2u : 1u; /* outputs of a word */
    const uint32_t step = work->output_step;
    const uint32_t *start = work->line;
    int8_t *output = work->output;
    for (;;) {
        int32_t sums[4] = {work->bias, work->bias, work->bias, work->bias};
        const uint32_t *w = work->weights;
        const uint32_t *line = start;
        uint32_t slots = one_slot ? 1u : work->slots;
        do {
            const uint32_t *x = line;
            uint32_t first = *x++;
            uint32_t steps = work->steps;
            for (; steps >= 2u; steps -= 2u) {
                const uint32_t second = *x++;
                add_step(sums, first, second, w, odd);
                w += each;
                first = *x++;
                add_step(sums, second, first, w, odd);
                w += each;
            }
            if (steps) {
                add_step(sums, first, *x, w, odd);
                w += each;
            }
            line += work->slot_words;
        } while (!one_slot && --slots);
        output[0] = finish(work, sums[0]);
        if (count >= 2u * each) {
            if (odd) {
                output[step] = finish(work, sums[1]);
                output += step;
            }
            output[step] = finish(work, sums[2]);
            output += step;
            if (odd) {
                output[step] = finish(work, sums[3]);
                output += step;
            }
            output += step;
            start += 2;
            count -= 2u * each;
            if (count) {
                continue;
            }
            return;
        }
        if (count > 1u) {
            output[step] = finish(work, sums[1]);
        }
        if (count > 2u) {
            output[2u * step] = finish(work, sums[2]);
        }
        return;
    }
}

EB_NOINLINE static void run_odd_and_even(const job *work, uint32_t count)
{
    run_line(work, count, true, false);
}

EB_NOINLINE static void run_one_slot(const job *work, uint32_t count)
{
    run_line(work, count, true, true);
}

EB_NOINLINE static void run_even(const job *work, uint32_t count)
{
    run_line(work, count, false, false);
}

EB_INLINE void each_channel(const eb_depthwise_planar *layer, const int8_t *input, int8_t *output,
                            int8_t *scratch, bool odd)
{
    uint32_t *const planes = (uint32_t *)(void *)scratch;
    const uint32_t pitch = layer->pitch;
    const uint32_t outputs = 2u * layer->pairs + layer->singles;
    const uint32_t words = (uint32_t)layer->slots * layer->steps * (odd ? 2u : 1u);
    job work = {
        .steps = layer->steps,
        .slots = layer->slots,
        .slot_words = layer->slot_step * pitch,
        .output_step = layer->output_step,
    };
    for (uint32_t line = 0; line < layer->lines; line += layer->band) {
        const uint32_t rest = layer->lines - line;
        const uint32_t lines = rest < layer->band ? rest : layer->band;
        const uint32_t under = (layer->slots - 1u) * layer->slot_step + 1u;
        const uint32_t taken = (lines - 1u) * layer->line_stride + under;
        const int32_t first = (int32_t)(line * layer->line_stride) - layer->across_pad;
        for (uint32_t channel = 0; channel < layer->channels; channel++) {
            const uint32_t part = channel % 4u;
            const eb_quad *const quad = layer->quads + channel / 4u;
            if (part == 0u) {
                eb_spread(layer, first, taken, input + channel, planes);
            }
            work.bias = quad->bias[part];
            work.multiplier = quad->output[part].multiplier;
            work.rounding = quad->output[part].rounding;
            work.shift = quad->output[part].shift;
            work.weights = (const uint32_t *)(const void *)layer->weights + words * channel;
            work.line = planes + part * taken * pitch;
            work.output = output + line * layer->output_line + channel;
            for (uint32_t i = 0; i < lines; i++) {
                if (odd && layer->slots == 1u) {
                    run_one_slot(&work, outputs);
                } else if (odd) {
                    run_odd_and_even(&work, outputs);
                } else {
                    run_even(&work, outputs);
                }
                work.line += layer->line_stride * pitch;
                work.output += layer->output_line;
            }
        }
    }
    if (layer->clamped) {
        const uint32_t size = layer->lines * outputs * layer->channels;
        for (uint32_t i = 0; i < size; i++) {
            output[i] = eb_clamp(output[i], layer->low, layer->high);
        }
    }
}

void eb_run_depthwise_lines(const eb_depthwise_planar *layer, const int8_t *input, int8_t *output,
                            int8_t *scratch)
{
    each_channel(layer, input, output, scratch, true);
}

void eb_run_depthwise_lines_by_2(const eb_depthwise_planar *layer, const int8_t *input,
                                 int8_t *output, int8_t *scratch)
{
    each_channel(layer, input, output, scratch, false);
}
