// SPDX-License-Identifier: Apache-2.0
// Copyright edgebio contributors

/* What the Helium (MVE) kernels share: copying and clamping bytes, sixteen at a time. On
 * other CPUs this is plain C, so that a PC can run and check the same kernels. */
#ifndef EB_MVE_H
#define EB_MVE_H

#include "eb_kernels.h"

/* Only GCC: clang has no constraint for VPR. */
#if defined(__ARM_FEATURE_MVE) && defined(__GNUC__) && !defined(__clang__)
#define EB_HAS_MVE 1

#include <arm_mve.h>
#else
#define EB_HAS_MVE 0
#endif

#ifdef __cplusplus
extern "C" {
#endif

#if EB_HAS_MVE

static inline void eb_copy_bytes(int8_t *to, const int8_t *from, uint32_t count)
{
    __asm__ volatile("wlstp.8 lr, %[count], 2f\n"
                     "1:\n\t"
                     "vldrb.8 q0, [%[from]], #16\n\t"
                     "vstrb.8 q0, [%[to]], #16\n\t"
                     "letp lr, 1b\n"
                     "2:"
                     : [to] "+r"(to), [from] "+r"(from)
                     : [count] "r"(count)
                     : "q0", "lr", "memory");
}

static inline void eb_fill_bytes(int8_t *to, int32_t value, uint32_t count)
{
    __asm__ volatile("vdup.8 q0, %[value]\n\t"
                     "wlstp.8 lr, %[count], 2f\n"
                     "1:\n\t"
                     "vstrb.8 q0, [%[to]], #16\n\t"
                     "letp lr, 1b\n"
                     "2:"
                     : [to] "+r"(to)
                     : [value] "r"(value), [count] "r"(count)
                     : "q0", "lr", "memory");
}

/* Copy `count` pieces of `bytes` each, which lie `from_step` apart, to places `step` apart. */
static inline void eb_copy_pieces(int8_t *to, uint32_t step, const int8_t *from, uint32_t from_step,
                                  uint32_t bytes, uint32_t count)
{
    if (step == bytes && from_step == bytes) {
        eb_copy_bytes(to, from, bytes * count);
    } else if (bytes % 16u == 0) {
        for (uint32_t done = 0; done < bytes; done += 16u) {
            int8_t *piece_to = to + done;
            const int8_t *piece = from + done;
            __asm__ volatile("dls lr, %[count]\n"
                             "1:\n\t"
                             "vldrb.8 q0, [%[from]]\n\t"
                             "add %[from], %[from_step]\n\t"
                             "vstrb.8 q0, [%[to]]\n\t"
                             "add %[to], %[step]\n\t"
                             "le lr, 1b"
                             : [to] "+r"(piece_to), [from] "+r"(piece)
                             : [count] "r"(count), [step] "r"(step), [from_step] "r"(from_step)
                             : "q0", "lr", "memory");
        }
    } else if (bytes < 8u) { /* the same byte of eight pieces */
        const uint16x8_t from_steps = vmulq_n_u16(vidupq_n_u16(0, 1), (uint16_t)from_step);
        const uint16x8_t to_steps = vmulq_n_u16(vidupq_n_u16(0, 1), (uint16_t)step);
        for (; count; count -= count < 8u ? count : 8u) {
            const mve_pred16_t some = vctp16q(count);
            for (uint32_t i = 0; i < bytes; i++) {
                const int16x8_t piece = vldrbq_gather_offset_z_s16(from + i, from_steps, some);
                vstrbq_scatter_offset_p_s16(to + i, to_steps, piece, some);
            }
            from += 8u * from_step;
            to += 8u * step;
        }
    } else {
        for (uint32_t done = 0; done < bytes; done += 16u) {
            int8_t *piece_to = to + done;
            const int8_t *piece = from + done;
            mve_pred16_t some; /* VPR cannot be named as clobbered */
            __asm__ volatile("vctp.8 %[left]\n\t"
                             "dls lr, %[count]\n"
                             "1:\n\t"
                             "vpstt\n\t"
                             "vldrbt.8 q0, [%[from]]\n\t"
                             "vstrbt.8 q0, [%[to]]\n\t"
                             "add %[from], %[from_step]\n\t"
                             "add %[to], %[step]\n\t"
                             "le lr, 1b"
                             : [to] "+r"(piece_to), [from] "+r"(piece), "=&Up"(some)
                             : [left] "r"(bytes - done), [count] "r"(count), [step] "r"(step),
                               [from_step] "r"(from_step)
                             : "q0", "lr", "memory");
        }
    }
}

static inline void eb_clamp_bytes(int8_t *bytes, uint32_t count, int32_t low, int32_t high)
{
    __asm__ volatile("vdup.8 q1, %[low]\n\t"
                     "vdup.8 q2, %[high]\n\t"
                     "wlstp.8 lr, %[count], 2f\n"
                     "1:\n\t"
                     "vldrb.8 q0, [%[bytes]]\n\t"
                     "vmax.s8 q0, q0, q1\n\t"
                     "vmin.s8 q0, q0, q2\n\t"
                     "vstrb.8 q0, [%[bytes]], #16\n\t"
                     "letp lr, 1b\n"
                     "2:"
                     : [bytes] "+r"(bytes)
                     : [count] "r"(count), [low] "r"(low), [high] "r"(high)
                     : "q0", "q1", "q2", "lr", "memory");
}

#else

static inline void eb_copy_bytes(int8_t *to, const int8_t *from, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        to[i] = from[i];
    }
}

static inline void eb_fill_bytes(int8_t *to, int32_t value, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        to[i] = (int8_t)value;
    }
}

static inline void eb_copy_pieces(int8_t *to, uint32_t step, const int8_t *from, uint32_t from_step,
                                  uint32_t bytes, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        eb_copy_bytes(to + i * step, from + i * from_step, bytes);
    }
}

static inline void eb_clamp_bytes(int8_t *bytes, uint32_t count, int32_t low, int32_t high)
{
    for (uint32_t i = 0; i < count; i++) {
        bytes[i] = eb_clamp(bytes[i], low, high);
    }
}

#endif

/* Requantize the sum of one of four neighboring channels in plain C. */
static inline int8_t eb_finish_lane(const eb_lanes *lanes, uint32_t lane, int32_t zero_point,
                                    int32_t sum)
{
    const int32_t value =
        eb_requantize(sum + lanes->bias[lane], lanes->multiplier[lane], lanes->shift[lane]);
    return eb_clamp(value + zero_point, INT8_MIN, INT8_MAX);
}

#ifdef __cplusplus
}
#endif

#endif
