// SPDX-License-Identifier: Apache-2.0
// Copyright edgebio contributors

/* Fixed-point STFT: from converter samples to the int8 image that the network reads.
 *
 * One frame every `hop_length` samples, for each channel:
 *   filter   cascade of biquads, int32 with 12 fractional bits of a count
 *   window   window function in Q15; 11 fractional bits
 *   scale    block floating point: shifted left or right so that the frame fills 16 bits, or 15
 *            without a window function, so that no frame saturates the FFT
 *   FFT      CMSIS-DSP's arm_rfft_q15; its output is the DFT divided by the FFT length
 *   power    re^2 + im^2; half its logarithm is the logarithm of the magnitude, which saves the
 *            square root
 *   log      log2 of the magnitude in counts, Q10, above a floor that is added in power
 *   image    (log - offset) * gain, rounded and saturated to int8
 * An image is the last `frames` frames, laid out (frames, bins, channels), oldest first.
 *
 * The caller owns all memory; nothing is global, and only the state is written.
 */
#ifndef EB_FRONTEND_H
#define EB_FRONTEND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dsp/transform_functions.h"

#ifdef __cplusplus
extern "C" {
#endif

/* y[n] = b0 (x[n] + x[n-2]) + b1 x[n-1] - a1 y[n-1] - a2 y[n-2], coefficients in Q30: every filter
 * whose zeros lie on the unit circle, as those of Butterworth and notch filters do. */
typedef struct {
    int32_t b0, b1, minus_a1, minus_a2;
    int32_t passes_dc; /* 1 if its gain at 0 Hz is 1, 0 if it is 0 */
} eb_biquad;

/* pixel = (log2 magnitude - offset) * gain */
typedef struct {
    int16_t offset; /* Q10 octaves */
    int16_t gain;   /* steps an octave, Q8 */
} eb_pixel;

typedef struct {
    uint16_t channels;
    uint16_t n_fft; /* points: 32 to 512 */
    uint16_t log2_n_fft;
    uint16_t hop_length;  /* samples between frames */
    uint16_t frames;      /* frames of an image */
    uint16_t step_frames; /* frames between images, at most `frames` */
    uint16_t first_bin;
    uint16_t n_bins;
    uint16_t sections;              /* biquads */
    uint16_t bin_stride;            /* of `pixels`: 0 where all bins share one */
    uint16_t channel_stride;        /* of `pixels`: 0 where all channels share one */
    uint16_t headroom;              /* bits that a scaled frame leaves free: 0 or 1 */
    int16_t floor_exponent;         /* block exponent that `floor` is given at */
    uint32_t floor;                 /* floor^2 in the FFT's units at that exponent, below 2^30 */
    const int16_t *window_function; /* Q15, `n_fft` entries */
    const eb_biquad *filter;
    const eb_pixel *pixels;
    const arm_rfft_instance_q15 *rfft;
} eb_frontend_config;

/* Head of the state; the buffers follow it in the caller's memory. A multiple of 8 bytes, so that
 * they stay aligned. */
typedef struct {
    uint32_t pending;    /* samples waiting to be filtered */
    uint32_t next_frame; /* samples until a frame is due */
    uint32_t next_image; /* frames until an image is due; 0 from then to the next frame */
    uint32_t write;      /* where the rings are written next */
    uint32_t primed;     /* 0 until the first sample has set the filters' state */
    uint32_t clipped;    /* samples at full scale of int16 since reset */
} eb_frontend_head;

/* Bytes that Helium's FFT reads ahead of its frame and does not use. */
#ifndef EB_FRONTEND_AHEAD
#define EB_FRONTEND_AHEAD 0u
#endif

#define EB_WORDS(bytes) (((bytes) + 3u) & ~(size_t)3u)

/* Bytes of a state. Constant for constant sizes, so it serves in array bounds. */
#define EB_FRONTEND_BYTES(channels, n_fft, hop_length, sections, frames, n_bins)                   \
    (sizeof(eb_frontend_head) + EB_WORDS(2u * (hop_length) * (channels)) /* pending samples */     \
     + 4u * (4u * (sections) * (channels)                                /* filter states */       \
             + (n_fft) * (channels)                                      /* rings */               \
             + (n_fft)       /* windowed frame, then spectrum */                                   \
             + (n_fft) / 2u) /* scaled frame */                                                    \
     + EB_FRONTEND_AHEAD + (size_t)(frames) * (n_bins) * (channels))

/* Forget all samples. `state` is 8-byte aligned. */
void eb_frontend_reset(const eb_frontend_config *config, void *state);

/* Take one sample of every channel; true when an image is due. */
bool eb_frontend_push(const eb_frontend_config *config, void *state, const int16_t *sample);

/* The image, when a push has returned true; valid until the next push. */
const int8_t *eb_frontend_image(const eb_frontend_config *config, const void *state);

/* Built with EB_FRONTEND_TRACED, the front end passes each stage of each frame to
 * `eb_frontend_trace` where `eb_frontend_traces` returns true; the build defines both. */
enum {
    EB_STAGE_FILTER,   /* int32, the samples filtered since the last call, Q12 counts */
    EB_STAGE_WINDOW,   /* int32, n_fft entries, Q11 counts */
    EB_STAGE_SCALE,    /* int16, n_fft entries */
    EB_STAGE_EXPONENT, /* int32, the shift to the left that `scale` applied */
    EB_STAGE_FFT,      /* int16, n_fft / 2 + 1 pairs (re, im) */
    EB_STAGE_POWER,    /* uint32, one per bin */
    EB_STAGE_LOG,      /* int16, one per bin, Q10 octaves */
    EB_STAGE_IMAGE,    /* int8, one per bin */
    EB_STAGES
};
bool eb_frontend_traces(int stage);
void eb_frontend_trace(int stage, uint32_t channel, const void *data, size_t bytes);

#ifdef __cplusplus
}
#endif

#endif
