// SPDX-License-Identifier: Apache-2.0
// Copyright edgebio contributors

#include "eb_mve.h"

/* Four channels at a time, a window of each in one vector: two instructions for all its products.
 *
 * Each channel of a group has a plane of columns along the lines, [columns][slots], in which the
 * lines of the input take turns: line y of it is in slot y % slots. So the taps under a window are
 * neighbors except for the rotation of the slots, which the order of the weights compensates. */

enum { GROUP = 16 };

/* A line of outputs of several groups of four channels. */
typedef struct {
    const int8_t *planes; /* where the windows of the line begin */
    uint32_t pitch;       /* bytes of a plane */
    const int8_t *weights;
    uint32_t weight_step; /* bytes of a channel's weights */
    const uint8_t *order; /* which of them goes where */
    const eb_lanes *lanes;
    int8_t *output;
    uint32_t output_step;
    int32_t zero_point;
    uint32_t count;
    uint32_t fours;
    uint32_t step; /* from a window to the next */
} job;

#if EB_HAS_MVE

// clang-format off
/* Channel by channel: weights in q0-q3, planes at r1 r3 r5 r7, sums in r6 r8 r10 r12 from biases at
 * r4. */
#define WINDOW(x, low, high, next)                                                                 \
    "ldmia r4, {r6, r8, r10, r12}\n\t"                                                             \
    "vldrb.8 " x ", [r1]" next("r1")                                                               \
    "vmladava.s8 r6, " x ", q0\n\t"                                                                \
    "vldrb.8 " x ", [r3]" next("r3")                                                               \
    "vmladava.s8 r8, " x ", q1\n\t"                                                                \
    "vldrb.8 " x ", [r5]" next("r5")                                                               \
    "vmladava.s8 r10, " x ", q2\n\t"                                                               \
    "vldrb.8 " x ", [r7]" next("r7")                                                               \
    "vmladava.s8 r12, " x ", q3\n\t"                                                               \
    "vmov " low ", r6, r8\n\t"                                                                     \
    "vmov " high ", r10, r12\n\t"
// clang-format on

#define NEXT_BY_1(pointer) ", #1\n\t"
#define NEXT_BY_3(pointer) ", #3\n\t"
#define NEXT_BY_STEP(pointer) "\n\tadd " pointer ", r11\n\t"

/* A RELU hides how halves of negative values are rounded: down, away from zero, before the shift.
 * The shifts are loaded again then. */
#define HIDDEN(x)
#define AWAY_FROM_ZERO(x)                                                                          \
    "vshr.s32 q6, " x ", #31\n\t"                                                                  \
    "vadd.i32 " x ", " x ", q6\n\t"                                                                \
    "vldrw.32 q6, [r4, #32]\n\t"

// clang-format off
#define LINE(next, lower)                                                                          \
    "push {r4-r11, lr}\n\t"                                                                        \
    "vpush {d8-d15}\n\t"                                                                           \
    "ldmia r0!, {r1-r12}\n\t"                                                                      \
    "push {r1-r12}\n\t"                                                                            \
    "mov r11, r12\n"                                                                               \
    "0:\n\t"                                                                                       \
    "ldrd r1, r2, [sp]\n\t"                                                                        \
    "ldr r6, [sp, #16]\n\t"                                                                        \
    "add r3, r1, r2\n\t"                                                                           \
    "add r5, r3, r2\n\t"                                                                           \
    "add r7, r5, r2\n\t"                                                                           \
    "add r4, r7, r2\n\t"                                                                           \
    "str r4, [sp]\n\t"                                                                             \
    "vldrb.8 q7, [r6]\n\t"                                                                         \
    "ldrd r2, r4, [sp, #8]\n\t"                                                                    \
    "vldrb.u8 q0, [r2, q7]\n\t"                                                                    \
    "add r2, r4\n\t"                                                                               \
    "vldrb.u8 q1, [r2, q7]\n\t"                                                                    \
    "add r2, r4\n\t"                                                                               \
    "vldrb.u8 q2, [r2, q7]\n\t"                                                                    \
    "add r2, r4\n\t"                                                                               \
    "vldrb.u8 q3, [r2, q7]\n\t"                                                                    \
    "add r2, r4\n\t"                                                                               \
    "str r2, [sp, #8]\n\t"                                                                         \
    "ldrd r4, r0, [sp, #20]\n\t"                                                                   \
    "vldrw.32 q5, [r4, #16]\n\t"                                                                   \
    "add r2, r4, #48\n\t"                                                                          \
    "vldrw.32 q6, [r4, #32]\n\t"                                                                   \
    "add r8, r0, #4\n\t"                                                                           \
    "strd r2, r8, [sp, #20]\n\t"                                                                   \
    "ldrd r2, r9, [sp, #28]\n\t"                                                                   \
    "ldr lr, [sp, #36]\n\t"                                                                        \
    "lsr lr, lr, #1\n\t"                                                                           \
    "wls lr, lr, 2f\n"                                                                             \
    "1:\n\t" WINDOW("q7", "d14", "d15", next)                                                      \
    "vqrdmulh.s32 q7, q7, q5\n\t"                                                                  \
    WINDOW("q4", "d8", "d9", next)                                                                 \
    "vqrdmulh.s32 q4, q4, q5\n\t" lower("q7") "vrshl.s32 q7, q7, q6\n\t"                           \
    lower("q4") "vrshl.s32 q4, q4, q6\n\t"                                                         \
    "vqmovnb.s32 q7, q7\n\t"                                                                       \
    "vqmovnt.s32 q7, q4\n\t"                                                                       \
    "vqadd.s16 q7, q7, r9\n\t"                                                                     \
    "vqmovnb.s16 q7, q7\n\t"                                                                       \
    "vstrb.32 q7, [r0]\n\t"                                                                        \
    "vshr.u32 q7, q7, #16\n\t"                                                                     \
    "add r0, r2\n\t"                                                                               \
    "vstrb.32 q7, [r0]\n\t"                                                                        \
    "add r0, r2\n\t"                                                                               \
    "le lr, 1b\n"                                                                                  \
    "2:\n\t"                                                                                       \
    "ldrd r6, r8, [sp, #36]\n\t"                                                                   \
    "lsls r6, r6, #31\n\t"                                                                         \
    "beq 3f\n\t" WINDOW("q7", "d14", "d15", next)                                                  \
    "vqrdmulh.s32 q7, q7, q5\n\t" lower("q7") "vrshl.s32 q7, q7, q6\n\t"                           \
    "vqmovnb.s32 q7, q7\n\t"                                                                       \
    "vqadd.s16 q7, q7, r9\n\t"                                                                     \
    "vqmovnb.s16 q7, q7\n\t"                                                                       \
    "vstrb.32 q7, [r0]\n\t"                                                                        \
    "ldr r8, [sp, #40]\n"                                                                          \
    "3:\n\t"                                                                                       \
    "subs r8, #1\n\t"                                                                              \
    "str r8, [sp, #40]\n\t"                                                                        \
    "bne 0b\n\t"                                                                                   \
    "add sp, #48\n\t"                                                                              \
    "vpop {d8-d15}\n\t"                                                                            \
    "pop {r4-r11, pc}"
// clang-format on

EB_NAKED static void line_relu_by_1(EB_UNUSED const job *work)
{
    __asm__(LINE(NEXT_BY_1, HIDDEN));
}

EB_NAKED static void line_relu_by_3(EB_UNUSED const job *work)
{
    __asm__(LINE(NEXT_BY_3, HIDDEN));
}

EB_NAKED static void line_relu(EB_UNUSED const job *work)
{
    __asm__(LINE(NEXT_BY_STEP, HIDDEN));
}

EB_NAKED static void line_any_by_1(EB_UNUSED const job *work)
{
    __asm__(LINE(NEXT_BY_1, AWAY_FROM_ZERO));
}

EB_NAKED static void line_any(EB_UNUSED const job *work)
{
    __asm__(LINE(NEXT_BY_STEP, AWAY_FROM_ZERO));
}

/* Spread pixels of `channels` bytes, which lie `from_step` apart, to planes `pitch` apart. */
static void spread(int8_t *to, uint32_t to_step, uint32_t pitch, const int8_t *from,
                   uint32_t from_step, uint32_t channels, uint32_t count)
{
    if (channels == GROUP) {
        const uint16x8_t low = vmulq_n_u16(vidupq_n_u16(0, 1), (uint16_t)pitch);
        const uint16x8_t high = vaddq_n_u16(low, (uint16_t)(8u * pitch));
        /* An odd pixel first. */
        __asm__ volatile("lsrs lr, %[count], #1\n\t"
                         "bcc 2f\n\t"
                         "vldrb.u16 q0, [%[from]]\n\t"
                         "vldrb.u16 q1, [%[from], #8]\n\t"
                         "add %[from], %[from_step]\n\t"
                         "vstrb.16 q0, [%[to], %q[low]]\n\t"
                         "vstrb.16 q1, [%[to], %q[high]]\n\t"
                         "add %[to], %[to_step]\n"
                         "2:\n\t"
                         "wls lr, lr, 3f\n"
                         "1:\n\t"
                         "vldrb.u16 q0, [%[from]]\n\t"
                         "vldrb.u16 q1, [%[from], #8]\n\t"
                         "add %[from], %[from_step]\n\t"
                         "vstrb.16 q0, [%[to], %q[low]]\n\t"
                         "vstrb.16 q1, [%[to], %q[high]]\n\t"
                         "add %[to], %[to_step]\n\t"
                         "vldrb.u16 q0, [%[from]]\n\t"
                         "vldrb.u16 q1, [%[from], #8]\n\t"
                         "add %[from], %[from_step]\n\t"
                         "vstrb.16 q0, [%[to], %q[low]]\n\t"
                         "vstrb.16 q1, [%[to], %q[high]]\n\t"
                         "add %[to], %[to_step]\n\t"
                         "le lr, 1b\n"
                         "3:"
                         : [to] "+r"(to), [from] "+l"(from)
                         : [count] "r"(count), [to_step] "r"(to_step), [from_step] "r"(from_step),
                           [low] "w"(low), [high] "w"(high)
                         : "q0", "q1", "lr", "cc", "memory");
        return;
    }
    const uint32x4_t offsets = vmulq_n_u32(vidupq_n_u32(0, 1), pitch);
    for (uint32_t channel = 0; channel < channels; channel += 4u) {
        int8_t *four_to = to;
        const int8_t *four = from + channel;
        __asm__ volatile("dls lr, %[count]\n"
                         "1:\n\t"
                         "vldrb.u32 q0, [%[from]]\n\t"
                         "add %[from], %[from_step]\n\t"
                         "vstrb.32 q0, [%[to], %q[offsets]]\n\t"
                         "add %[to], %[to_step]\n\t"
                         "le lr, 1b"
                         : [to] "+r"(four_to), [from] "+l"(four)
                         : [count] "r"(count), [to_step] "r"(to_step), [from_step] "r"(from_step),
                           [offsets] "w"(offsets)
                         : "q0", "lr", "memory");
        to += 4u * pitch;
    }
}

/* Spread padding likewise. */
static void spread_pad(int8_t *to, uint32_t to_step, uint32_t pitch, int32_t value,
                       uint32_t channels, uint32_t count)
{
    const uint16x8_t low = vmulq_n_u16(vidupq_n_u16(0, 1), (uint16_t)pitch);
    for (; channels; channels -= 4u) {
        int8_t *four = to;
        if (channels == GROUP) {
            const uint16x8_t high = vaddq_n_u16(low, (uint16_t)(8u * pitch));
            __asm__ volatile("vdup.16 q0, %[value]\n\t"
                             "dls lr, %[count]\n"
                             "1:\n\t"
                             "vstrb.16 q0, [%[to], %q[low]]\n\t"
                             "vstrb.16 q0, [%[to], %q[high]]\n\t"
                             "add %[to], %[to_step]\n\t"
                             "le lr, 1b"
                             : [to] "+r"(four)
                             : [count] "r"(count), [to_step] "r"(to_step), [value] "r"(value),
                               [low] "w"(low), [high] "w"(high)
                             : "q0", "lr", "memory");
            return;
        }
        for (uint32_t i = 0; i < count; i++) {
            vstrbq_scatter_offset_p_s16(four, low, vdupq_n_s16((int16_t)value), vctp16q(4));
            four += to_step;
        }
        to += 4u * pitch;
    }
}

#else

static void line_any(const job *work)
{
    for (uint32_t channel = 0; channel < 4u * work->fours; channel++) {
        const int8_t *taps = work->planes + channel * work->pitch;
        const int8_t *const weights = work->weights + channel * work->weight_step;
        int8_t *output = work->output + channel;
        for (uint32_t i = 0; i < work->count; i++) {
            int32_t sum = 0;
            for (uint32_t tap = 0; tap < 16u; tap++) {
                sum += weights[work->order[tap]] * taps[tap];
            }
            *output =
                eb_finish_lane(work->lanes + channel / 4u, channel % 4u, work->zero_point, sum);
            output += work->output_step;
            taps += work->step;
        }
    }
}

static void line_relu(const job *work)
{
    line_any(work);
}

static void line_relu_by_1(const job *work)
{
    line_any(work);
}

static void line_relu_by_3(const job *work)
{
    line_any(work);
}

static void line_any_by_1(const job *work)
{
    line_any(work);
}

static void spread(int8_t *to, uint32_t to_step, uint32_t pitch, const int8_t *from,
                   uint32_t from_step, uint32_t channels, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        for (uint32_t channel = 0; channel < channels; channel++) {
            to[channel * pitch + i * to_step] = from[channel + i * from_step];
        }
    }
}

static void spread_pad(int8_t *to, uint32_t to_step, uint32_t pitch, int32_t value,
                       uint32_t channels, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        for (uint32_t channel = 0; channel < channels; channel++) {
            to[channel * pitch + i * to_step] = (int8_t)value;
        }
    }
}

#endif

static void run_line(const eb_depthwise_mve *layer, const job *work)
{
    if (work->step == 1u) {
        (layer->relu ? line_relu_by_1 : line_any_by_1)(work);
    } else if (!layer->relu) {
        line_any(work);
    } else if (work->step == 3u) {
        line_relu_by_3(work);
    } else {
        line_relu(work);
    }
}

/* All lines of a group of channels. */
static void run_group(const eb_depthwise_mve *layer, const int8_t *input, uint32_t channels,
                      job work, int8_t *planes)
{
    const uint32_t slots = layer->slots;
    const uint32_t pitch = work.pitch;
    int8_t *const inside = planes + layer->along_pad * slots;
    const int8_t *const weights = work.weights;
    const eb_lanes *const lanes = work.lanes;
    int8_t *const output = work.output;
    eb_fill_bytes(planes, layer->pad_value, channels * pitch);
    uint32_t next = layer->across_pad; /* lines before it are padding, like all lines at first */
    for (uint32_t line = 0; line < layer->lines; line++) {
        const uint32_t first = line * layer->line_stride;
        if (next < first) {
            next = first;
        }
        for (; next < first + slots; next++) {
            const uint32_t y = next - layer->across_pad;
            int8_t *const to = inside + next % slots;
            if (y < layer->across) {
                spread(to, slots, pitch, input + y * layer->across_step, layer->along_step,
                       channels, layer->along);
            } else {
                spread_pad(to, slots, pitch, layer->pad_value, channels, layer->along);
            }
        }
        work.planes = planes;
        work.order = layer->order + first % slots * 16u;
        work.weights = weights;
        work.lanes = lanes;
        work.output = output + line * layer->output_line;
        run_line(layer, &work);
    }
}

void eb_run_depthwise_mve(const eb_depthwise_mve *layer, const int8_t *input, int8_t *output,
                          int8_t *scratch)
{
    const uint32_t channels = layer->channels;
    job work = {
        .planes = scratch,
        .pitch = layer->pitch,
        .weights = layer->weights,
        .weight_step = layer->weight_step,
        .order = layer->order,
        .lanes = layer->lanes,
        .output = output,
        .output_step = layer->output_step,
        .zero_point = layer->zero_point,
        .count = layer->count,
        .fours = 0,
        .step = layer->step,
    };
    for (uint32_t channel = 0; channel < channels; channel += GROUP) {
        const uint32_t some = channels - channel < GROUP ? channels - channel : GROUP;
        work.weights = layer->weights + channel * layer->weight_step;
        work.lanes = layer->lanes + channel / 4u;
        work.output = output + channel;
        work.fours = some / 4u;
        run_group(layer, input + channel, some, work, scratch);
    }
    if (layer->clamped) {
        eb_clamp_bytes(output, layer->lines * layer->count * channels, layer->low, layer->high);
    }
}
