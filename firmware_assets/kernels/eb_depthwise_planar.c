// SPDX-License-Identifier: Apache-2.0
// Copyright edgebio contributors

#include "eb_depthwise_planes.h"

/* One channel of a band of lines. Planes hold int16, two neighbors along a line in a word, so that
 * a line of three taps takes an SMLAD and another product. */
typedef struct {
    int32_t bias;
    int32_t multiplier;
    int32_t rounding;
    uint32_t shift;
    uint32_t output_step;
    uint32_t entry; /* entry into the pairs: bytes that are skipped at first */
    const uint32_t *end;
    uint32_t pair_bytes, single_bytes; /* of a line of the plane */
    uint32_t line_rest;   /* bytes from the end of a line's outputs to the next line's */
    uint32_t output_rest; /* the same for the output */
    uint32_t lines;
    const uint32_t *weights;
    const uint32_t *line[3];
    int8_t *output;
} job;

#if EB_HAS_DSP

/* The weights of a line in two registers, w0 w1 and w1 w2; its data at `line`: p0 p1, p2 p3. */
#define LINE_OF_PAIR(line, first, second, sum)                                                     \
    "ldrd r11, r12, [" line "], #4\n\t"                                                            \
    "smlad r9, r11, " first ", " sum "\n\t"                                                        \
    "smlad r10, r12, " second ", r10\n\t"                                                          \
    "smlabt r9, r12, " second ", r9\n\t"                                                           \
    "smlatb r10, r11, " first ", r10\n\t"

#define LINE_OF_SINGLE(line, first, second)                                                        \
    "ldrd r11, r12, [" line "], #4\n\t"                                                            \
    "smlad r9, r11, " first ", r9\n\t"                                                             \
    "smlabt r9, r12, " second ", r9\n\t"

// clang-format off
/* Every instruction takes 4 bytes, so that the loop can be entered at a pair. */
#define PAIR(SCALE)                                                                                \
    "ldr.w r10, [sp]\n\t" LINE_OF_PAIR("r6", "r0", "r1", "r10") LINE_OF_PAIR("r7", "r2", "r3", "r9") \
        LINE_OF_PAIR("r8", "r4", "r5", "r9") "ldrd r11, r12, [sp, #4]\n\t" SCALE("r9") SCALE("r10") \
    "ldrd r11, r12, [sp, #12]\n\t"                                                                 \
    "asr.w r9, r9, r11\n\t"                                                                        \
    "asr.w r10, r10, r11\n\t"                                                                      \
    "ssat r9, #8, r9\n\t"                                                                          \
    "ssat r10, #8, r10\n\t"                                                                        \
    "strb.w r9, [lr]\n\t"                                                                          \
    "strb.w r10, [lr, r12]\n\t"                                                                    \
    "add.w lr, lr, r12, lsl #1\n\t"

#define SINGLE(SCALE)                                                                              \
    "ldr.w r9, [sp]\n\t" LINE_OF_SINGLE("r6", "r0", "r1") LINE_OF_SINGLE("r7", "r2", "r3")         \
        LINE_OF_SINGLE("r8", "r4", "r5") "ldrd r11, r12, [sp, #4]\n\t" SCALE("r9")                 \
    "ldrd r11, r12, [sp, #12]\n\t"                                                                 \
    "asr.w r9, r9, r11\n\t"                                                                        \
    "ssat r9, #8, r9\n\t"                                                                          \
    "strb.w r9, [lr]\n\t"                                                                          \
    "add.w lr, lr, r12\n\t"
// clang-format on

#define SCALE_RELU(x) "smmlar " x ", " x ", r11, r12\n\t"

/* Halves of negative values are rounded down, away from zero. */
#define SCALE_ANY(x)                                                                               \
    "smmulr " x ", " x ", r11\n\t"                                                                 \
    "add.w " x ", " x ", " x ", asr #31\n\t"                                                       \
    "add.w " x ", " x ", r12\n\t"

// clang-format off
#define PLANE(SCALE)                                                                               \
    "push {r4-r11, lr}\n\t"                                                                        \
    "ldmia r0!, {r1-r12}\n\t"                                                                      \
    "push {r1-r12}\n\t"                                                                            \
    "ldmia r0, {r4, r6, r7, r8, lr}\n\t"                                                           \
    "adr r1, 1f\n\t"                                                                               \
    "ldr r0, [sp, #20]\n\t"                                                                        \
    "add r1, r1, r0\n\t"                                                                           \
    "orr r1, #1\n\t"                                                                               \
    "str r1, [sp, #20]\n\t"                                                                        \
    "ldmia r4, {r0-r5}\n"                                                                          \
    "0:\n\t"                                                                                       \
    "ldr r11, [sp, #28]\n\t"                                                                       \
    "add r11, r6\n\t"                                                                              \
    "str r11, [sp, #24]\n\t"                                                                       \
    "cmp r11, r6\n\t"                                                                              \
    "beq 2f\n\t"                                                                                   \
    "ldr pc, [sp, #20]\n\t"                                                                        \
    ".p2align 2\n"                                                                                 \
    "1:\n\t" PAIR(SCALE) PAIR(SCALE) PAIR(SCALE) PAIR(SCALE)                                       \
    "ldr r11, [sp, #24]\n\t"                                                                       \
    "cmp r6, r11\n\t"                                                                              \
    "bne 1b\n"                                                                                     \
    "2:\n\t"                                                                                       \
    "ldr r11, [sp, #32]\n\t"                                                                       \
    "cmp r11, #0\n\t"                                                                              \
    "beq 4f\n\t"                                                                                   \
    "add r11, r6\n\t"                                                                              \
    "str r11, [sp, #24]\n"                                                                         \
    "3:\n\t" SINGLE(SCALE)                                                                         \
    "ldr r11, [sp, #24]\n\t"                                                                       \
    "cmp r6, r11\n\t"                                                                              \
    "bne 3b\n"                                                                                     \
    "4:\n\t"                                                                                       \
    "ldrd r11, r12, [sp, #36]\n\t"                                                                 \
    "add r6, r11\n\t"                                                                              \
    "add r7, r11\n\t"                                                                              \
    "add r8, r11\n\t"                                                                              \
    "ldr r11, [sp, #44]\n\t"                                                                       \
    "add lr, r12\n\t"                                                                              \
    "subs r11, #1\n\t"                                                                             \
    "str r11, [sp, #44]\n\t"                                                                       \
    "bne 0b\n\t"                                                                                   \
    "add sp, #48\n\t"                                                                              \
    "pop {r4-r11, pc}"
// clang-format on

EB_NAKED static void plane_relu(EB_UNUSED const job *work)
{
    __asm__(PLANE(SCALE_RELU));
}

EB_NAKED static void plane_any(EB_UNUSED const job *work)
{
    __asm__(PLANE(SCALE_ANY));
}

enum { PAIR_BYTES_RELU = 4 * 27, PAIR_BYTES_ANY = 4 * 31 };

#else

enum { PAIR_BYTES_RELU = 0, PAIR_BYTES_ANY = 0 };

static void plane_any(const job *work)
{
    const uint32_t *line[3] = {work->line[0], work->line[1], work->line[2]};
    const uint32_t *const w = work->weights;
    int8_t *output = work->output;
    for (uint32_t i = 0; i < work->lines; i++) {
        for (uint32_t at = 0; at < work->pair_bytes + work->single_bytes; at += 4u) {
            int32_t first = work->bias;
            int32_t second = work->bias;
            for (uint32_t tap = 0; tap < 3u; tap++) {
                const uint32_t *const p = line[tap]++;
                first = eb_smlad(p[0], w[2u * tap], first);
                first = eb_smlabb(p[1], w[2u * tap + 1u] >> 16, first);
                second = eb_smlad(p[1], w[2u * tap + 1u], second);
                second = eb_smlabb(p[0] >> 16, w[2u * tap], second);
            }
            const int32_t sums[2] = {first, second};
            for (uint32_t sum = 0; sum < (at < work->pair_bytes ? 2u : 1u); sum++) {
                const int32_t rounding = work->rounding + (sums[sum] >> 31);
                const int32_t scaled = eb_smmlar(sums[sum], work->multiplier, rounding);
                *output = (int8_t)eb_saturate8(scaled >> work->shift);
                output += work->output_step;
            }
        }
        for (uint32_t tap = 0; tap < 3u; tap++) {
            line[tap] += (int32_t)work->line_rest / 4;
        }
        output += (int32_t)work->output_rest;
    }
}

/* The same: where they differ, the activation clamps both. */
static void plane_relu(const job *work)
{
    plane_any(work);
}

#endif

EB_INLINE void each_channel(const eb_depthwise_planar *layer, const int8_t *input, int8_t *output,
                            int8_t *scratch, void (*run_plane)(const job *), uint32_t pair_bytes)
{
    uint32_t *const planes = (uint32_t *)(void *)scratch;
    const uint32_t pitch = layer->pitch;
    const uint32_t outputs = 2u * layer->pairs + layer->singles;
    job work = {
        .output_step = layer->output_step,
        .entry = ((0u - layer->pairs) & 3u) * pair_bytes,
        .pair_bytes = 4u * layer->pairs,
        .single_bytes = 4u * layer->singles,
        .line_rest = 4u * (layer->line_stride * pitch - layer->pairs - layer->singles),
        .output_rest = layer->output_line - outputs * layer->output_step,
    };
    for (uint32_t line = 0; line < layer->lines; line += layer->band) {
        const uint32_t rest = layer->lines - line;
        const uint32_t lines = rest < layer->band ? rest : layer->band;
        const uint32_t taken = (lines - 1u) * layer->line_stride + 3u;
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
            work.lines = lines;
            work.weights = (const uint32_t *)(const void *)(layer->weights + 12u * channel);
            for (uint32_t tap = 0; tap < 3u; tap++) {
                work.line[tap] = planes + (part * taken + tap) * pitch;
            }
            work.output = output + line * layer->output_line + channel;
            run_plane(&work);
        }
    }
    if (layer->clamped) {
        const uint32_t size = layer->lines * outputs * layer->channels;
        for (uint32_t i = 0; i < size; i++) {
            output[i] = eb_clamp(output[i], layer->low, layer->high);
        }
    }
}

void eb_run_depthwise_planar_relu(const eb_depthwise_planar *layer, const int8_t *input,
                                  int8_t *output, int8_t *scratch)
{
    each_channel(layer, input, output, scratch, plane_relu, PAIR_BYTES_RELU);
}

void eb_run_depthwise_planar(const eb_depthwise_planar *layer, const int8_t *input, int8_t *output,
                             int8_t *scratch)
{
    each_channel(layer, input, output, scratch, plane_any, PAIR_BYTES_ANY);
}
