// SPDX-License-Identifier: Apache-2.0
// Copyright edgebio contributors

#include "eb_frontend.h"

#include <string.h>

#ifdef EB_FRONTEND_TRACED
#define TRACE(stage, channel, data, bytes)                                                         \
    (eb_frontend_traces(stage) ? eb_frontend_trace((stage), (channel), (data), (bytes)) : (void)0)
#else
#define TRACE(stage, channel, data, bytes) ((void)0)
#endif

enum {
    MAX_BINS = 512 / 2 + 1,
    SAMPLE_SHIFT = 12, /* fractional bits of a filtered sample */
    WINDOW_SHIFT = 11, /* of a windowed one: 12 + 15 of the window function - 16 */
    LOG_SHIFT = 10,
};

/* For loops of a few instructions, where the loop itself would take half the time. */
#if defined(__GNUC__) && !defined(__clang__)
#define UNROLL _Pragma("GCC unroll 2")
#else
#define UNROLL
#endif

/* log2(1 + i / 64) in Q15 in the lower half, the difference to the next entry in the upper. */
#define E(low, step) ((uint32_t)(step) << 16 | (low))
static const uint32_t LOG2_TABLE[64] = {
    E(0, 733),     E(733, 722),   E(1455, 711),  E(2166, 700),  E(2866, 690),  E(3556, 680),
    E(4236, 671),  E(4907, 661),  E(5568, 652),  E(6220, 643),  E(6863, 635),  E(7498, 626),
    E(8124, 618),  E(8742, 610),  E(9352, 602),  E(9954, 595),  E(10549, 587), E(11136, 580),
    E(11716, 573), E(12289, 566), E(12855, 560), E(13415, 553), E(13968, 546), E(14514, 541),
    E(15055, 534), E(15589, 528), E(16117, 522), E(16639, 517), E(17156, 511), E(17667, 506),
    E(18173, 500), E(18673, 495), E(19168, 490), E(19658, 485), E(20143, 480), E(20623, 475),
    E(21098, 470), E(21568, 466), E(22034, 461), E(22495, 457), E(22952, 452), E(23404, 448),
    E(23852, 444), E(24296, 440), E(24736, 436), E(25172, 432), E(25604, 427), E(26031, 424),
    E(26455, 421), E(26876, 416), E(27292, 413), E(27705, 409), E(28114, 406), E(28520, 402),
    E(28922, 399), E(29321, 396), E(29717, 392), E(30109, 389), E(30498, 386), E(30884, 383),
    E(31267, 380), E(31647, 377), E(32024, 373), E(32397, 371),
};
#undef E

typedef struct {
    eb_frontend_head *head;
    int16_t *pending; /* (channels, hop_length), rounded up to words */
    int32_t *filter;  /* (channels, sections, 4): x1 x2 y1 y2 */
    int32_t *ring;    /* (channels, n_fft) */
    int32_t *wide;    /* n_fft int32: windowed frame; then 2 n_fft int16: spectrum */
    int16_t *narrow;  /* n_fft int16: scaled frame */
    int8_t *image;    /* (frames, bins, channels) */
} layout;

static layout lay_out(const eb_frontend_config *c, void *state)
{
    layout at;
    at.head = (eb_frontend_head *)state;
    at.pending = (int16_t *)(void *)(at.head + 1);
    at.filter =
        (int32_t *)(void *)((char *)at.pending + EB_WORDS(2u * c->hop_length * c->channels));
    at.ring = at.filter + 4u * c->sections * c->channels;
    at.wide = at.ring + (size_t)c->n_fft * c->channels;
    at.narrow = (int16_t *)(void *)(at.wide + c->n_fft);
    at.image = (int8_t *)(void *)(at.narrow + c->n_fft) + EB_FRONTEND_AHEAD;
    return at;
}

/* Operations that are one instruction with the DSP extension, and their C elsewhere. */
#if EB_NATIVE_SIMD32

/* (value * factor) >> 16 of a 48-bit product, plus `sum`. */
static inline int32_t multiply_add_q16(int32_t value, int16_t factor, int32_t sum)
{
    int32_t result;
    __asm__("smlawb %0, %1, %2, %3" : "=r"(result) : "r"(value), "r"((int32_t)factor), "r"(sum));
    return result;
}

/* The same with the upper half of `factor`. */
static inline int32_t multiply_top_add_q16(int32_t value, int32_t factor, int32_t sum)
{
    int32_t result;
    __asm__("smlawt %0, %1, %2, %3" : "=r"(result) : "r"(value), "r"(factor), "r"(sum));
    return result;
}

static inline int32_t multiply_q16(int32_t value, int16_t factor)
{
    int32_t result;
    __asm__("smulwb %0, %1, %2" : "=r"(result) : "r"(value), "r"((int32_t)factor));
    return result;
}

/* Four samples times four weights, of any alignment; advances all pointers. */
static inline uint32_t window_four(const int32_t **samples, const int16_t **weights, int32_t **out)
{
    int32_t a, b, c, d, low, high;
    __asm__(
        "ldr %[low], [%[weights]], #4\n\t"
        "ldr %[high], [%[weights]], #4\n\t"
        "ldrd %[a], %[b], [%[samples]], #8\n\t"
        "ldrd %[c], %[d], [%[samples]], #8\n\t"
        "smulwb %[a], %[a], %[low]\n\t"
        "smulwt %[b], %[b], %[low]\n\t"
        "smulwb %[c], %[c], %[high]\n\t"
        "smulwt %[d], %[d], %[high]\n\t"
        "strd %[a], %[b], [%[out]], #8\n\t"
        "strd %[c], %[d], [%[out]], #8"
        : [a] "=&r"(a), [b] "=&r"(b), [c] "=&r"(c), [d] "=&r"(d), [low] "=&r"(low),
          [high] "=&r"(high), [samples] "+r"(*samples), [weights] "+r"(*weights), [out] "+r"(*out)
        :
        : "memory");
    return (uint32_t)((a ^ (a >> 31)) | (b ^ (b >> 31)) | (c ^ (c >> 31)) | (d ^ (d >> 31)));
}

/* Four samples divided by 2^right, rounded to nearest (SMMULR: the high word of a product,
 * rounded) and saturated to 16 bits; advances both pointers. `right` is at least 2: the factor for
 * 1 would be negative. */
static inline void scale_four(const int32_t **wide, int16_t **narrow, uint32_t right)
{
    int32_t a, b, c, d;
    __asm__("ldrd %[a], %[b], [%[wide]], #8\n\t"
            "ldrd %[c], %[d], [%[wide]], #8\n\t"
            "smmulr %[a], %[a], %[factor]\n\t"
            "smmulr %[b], %[b], %[factor]\n\t"
            "smmulr %[c], %[c], %[factor]\n\t"
            "smmulr %[d], %[d], %[factor]\n\t"
            "ssat %[a], #16, %[a]\n\t"
            "ssat %[b], #16, %[b]\n\t"
            "ssat %[c], #16, %[c]\n\t"
            "ssat %[d], #16, %[d]\n\t"
            "pkhbt %[a], %[a], %[b], lsl #16\n\t"
            "pkhbt %[c], %[c], %[d], lsl #16\n\t"
            "strd %[a], %[c], [%[narrow]], #8"
            : [a] "=&r"(a), [b] "=&r"(b), [c] "=&r"(c), [d] "=&r"(d), [wide] "+r"(*wide),
              [narrow] "+r"(*narrow)
            : [factor] "r"(1u << (32u - right))
            : "memory");
}

/* value / 4, rounded down, as a pixel. */
static inline int8_t saturate_pixel(int32_t value)
{
    int32_t pixel;
    __asm__("ssat %0, #8, %1, asr #2" : "=r"(pixel) : "r"(value));
    return (int8_t)pixel;
}

static inline uint32_t power_of(const int16_t *bin)
{
    int32_t pair;
    memcpy(&pair, bin, sizeof pair);
    return (uint32_t)__smuad(pair, pair);
}

#else

static inline int32_t multiply_q16(int32_t value, int16_t factor)
{
    /* Two 32-bit products, as neither a Cortex-M0 nor a host's vectors have longer ones. */
    return (value >> 16) * factor + (((value & 0xFFFF) * factor) >> 16);
}

/* The arguments of these two fit a 32-bit product: a difference of 16-bit logarithms times a gain
 * of at most 32000 (edgebio.frontend.standardization), or a 16-bit fraction times a step of the
 * table. */
static inline int32_t multiply_add_q16(int32_t value, int16_t factor, int32_t sum)
{
    return ((value * factor) >> 16) + sum;
}

static inline int32_t multiply_top_add_q16(int32_t value, int32_t factor, int32_t sum)
{
    return multiply_add_q16(value, (int16_t)(factor >> 16), sum);
}

static inline int8_t saturate_pixel(int32_t value)
{
    value >>= 2;
    return (int8_t)(value > INT8_MAX ? INT8_MAX : value < INT8_MIN ? INT8_MIN : value);
}

static inline uint32_t power_of(const int16_t *bin)
{
    /* Unsigned, as (-32768)^2 + (-32768)^2 is 2^31. */
    return (uint32_t)(bin[0] * bin[0]) + (uint32_t)(bin[1] * bin[1]);
}

#endif

/* The first biquad takes converter samples, each other one the output of the one before. Direct
 * form I: its only state are samples, and the 64-bit sum is rounded once. Nothing saturates: the
 * sum of the magnitudes of the impulse response is below 8 (edgebio.frontend.constants refuses
 * other filters), so samples of 2^27 stay below 2^30. */
#define RUN_BIQUAD(q, state, count, input, output)                                                 \
    do {                                                                                           \
        /* Copies, as a store to a sample could change *q for all that the compiler knows. */      \
        const int32_t b0 = (q)->b0, b1 = (q)->b1;                                                  \
        const int32_t minus_a1 = (q)->minus_a1, minus_a2 = (q)->minus_a2;                          \
        int32_t x1 = (state)[0], x2 = (state)[1], y1 = (state)[2], y2 = (state)[3];                \
        UNROLL                                                                                     \
        for (uint32_t i = 0; i < (count); i++) {                                                   \
            const int32_t x0 = (input);                                                            \
            int64_t sum = (int64_t)b0 * (x0 + x2) + ((int64_t)1 << 29);                            \
            sum += (int64_t)b1 * x1;                                                               \
            sum += (int64_t)minus_a1 * y1;                                                         \
            sum += (int64_t)minus_a2 * y2;                                                         \
            x2 = x1;                                                                               \
            x1 = x0;                                                                               \
            y2 = y1;                                                                               \
            y1 = (int32_t)(sum >> 30);                                                             \
            (output) = y1;                                                                         \
        }                                                                                          \
        (state)[0] = x1;                                                                           \
        (state)[1] = x2;                                                                           \
        (state)[2] = y1;                                                                           \
        (state)[3] = y2;                                                                           \
    } while (0)

static void filter_first(const eb_biquad *q, int32_t *state, const int16_t *from, int32_t *to,
                         uint32_t count)
{
    RUN_BIQUAD(q, state, count, from[i] * (1 << SAMPLE_SHIFT), to[i]);
}

static void filter_next(const eb_biquad *q, int32_t *state, int32_t *samples, uint32_t count)
{
    RUN_BIQUAD(q, state, count, samples[i], samples[i]);
}

/* Start the filters in the steady state of the first sample: no step, no ringing. */
static void prime(const eb_frontend_config *c, const layout *at, const int16_t *sample)
{
    int32_t *state = at->filter;
    for (uint32_t channel = 0; channel < c->channels; channel++) {
        int32_t level = (int32_t)sample[channel] * (1 << SAMPLE_SHIFT);
        for (uint32_t section = 0; section < c->sections; section++, state += 4) {
            state[0] = state[1] = level;
            level *= c->filter[section].passes_dc;
            state[2] = state[3] = level;
        }
    }
    at->head->primed = 1;
}

/* Filter a run of converter samples of one channel. */
static void filter_run(const eb_frontend_config *c, int32_t *state, const int16_t *from,
                       int32_t *to, uint32_t count)
{
    if (c->sections == 0) {
        for (uint32_t i = 0; i < count; i++) {
            to[i] = from[i] * (1 << SAMPLE_SHIFT);
        }
        return;
    }
    filter_first(c->filter, state, from, to, count);
    for (uint32_t section = 1; section < c->sections; section++) {
        filter_next(c->filter + section, state + 4u * section, to, count);
    }
}

/* Move the pending samples through the filters into the rings. */
static void filter_pending(const eb_frontend_config *c, const layout *at)
{
    const uint32_t count = at->head->pending, start = at->head->write;
    /* In runs up to the ring's end. Of a hop longer than the ring only the last samples remain, but
     * the filters need all. */
    for (uint32_t channel = 0; channel < c->channels; channel++) {
        int32_t *ring = at->ring + (size_t)channel * c->n_fft;
        int32_t *state = at->filter + 4u * c->sections * channel;
        const int16_t *from = at->pending + (size_t)channel * c->hop_length;
        for (uint32_t done = 0, index = start; done < count; index = 0) {
            const uint32_t room = c->n_fft - index, left = count - done;
            const uint32_t run = left < room ? left : room;
            filter_run(c, state, from + done, ring + index, run);
            TRACE(EB_STAGE_FILTER, channel, ring + index, run * sizeof *ring);
            done += run;
        }
    }
    at->head->write = (start + count) & (c->n_fft - 1u);
    at->head->pending = 0;
}

/* Apply the window function to a part of the frame; the result has each bit that the magnitude of
 * any sample has. */
static __attribute__((noinline)) uint32_t apply_window(const int32_t *samples,
                                                       const int16_t *weights, int32_t *out,
                                                       uint32_t count)
{
    uint32_t bits = 0;
#if EB_NATIVE_SIMD32
    for (const int32_t *const end = samples + (count & ~3u); samples != end;) {
        bits |= window_four(&samples, &weights, &out);
    }
    count &= 3u;
#endif
    for (uint32_t i = 0; i < count; i++) {
        out[i] = multiply_q16(samples[i], weights[i]);
        bits |= (uint32_t)(out[i] ^ (out[i] >> 31));
    }
    return bits;
}

/* Divide by 2^right, rounded to nearest: the result can reach 32768, but not pass -32768. */
static inline void scale_down(const int32_t *wide, int16_t *narrow, uint32_t count, uint32_t right)
{
#if EB_NATIVE_SIMD32
    const int32_t *const end = wide + count;
    if (right > 1) {
        while (wide != end) {
            scale_four(&wide, &narrow, right);
        }
        return;
    }
#endif
    const int32_t half = 1 << (right - 1u);
    for (uint32_t i = 0; i < count; i++) {
        const int32_t value = (wide[i] + half) >> right;
        narrow[i] = (int16_t)(value > INT16_MAX ? INT16_MAX : value);
    }
}

/* Shift the frame so that its largest sample fills 16 bits less the headroom; returns the shift to
 * the left. */
static __attribute__((noinline)) int32_t scale(const eb_frontend_config *c, const int32_t *wide,
                                               int16_t *narrow, uint32_t bits)
{
    const uint32_t count = c->n_fft;
    const int32_t exponent = (bits ? __builtin_clz(bits) : 32) - 17 - (int32_t)c->headroom;
    if (exponent < 0) {
        scale_down(wide, narrow, count, (uint32_t)-exponent);
    } else {
        for (uint32_t i = 0; i < count; i++) {
            narrow[i] = (int16_t)(wide[i] * (1 << exponent));
        }
    }
    return exponent;
}

/* From the power of one channel's frame to log2 of the magnitude in counts. */
typedef struct {
    uint32_t drop;  /* shift of the power to the right */
    uint32_t floor; /* added to the power then */
    int32_t unit;   /* added to its logarithm, Q15 */
} log_scale;

/* The FFT's unit is 2^(log2_n_fft - 11 - exponent) counts. Above `floor_exponent` the power is
 * shifted to the right, so that `floor` need not grow. */
static log_scale scale_of(const eb_frontend_config *c, int32_t exponent)
{
    const int32_t at = exponent < c->floor_exponent ? exponent : c->floor_exponent;
    const uint32_t sink = 2u * (uint32_t)(c->floor_exponent - at);
    const uint32_t floor = sink < 32u ? c->floor >> sink : 0u;
    const uint32_t drop = 2u * (uint32_t)(exponent - at);
    const log_scale scale = {
        .drop = drop < 31u ? drop : 31u,
        .floor = floor ? floor : 1u, /* there is no logarithm of 0 */
        /* Doubled, as the logarithm is that of the power, with bits counted from 31 down; 32 rounds
         * the shift by 6 that halves it. */
        .unit = (31 - 2 * (WINDOW_SHIFT + at - c->log2_n_fft)) * (1 << 15) + 32,
    };
    return scale;
}

/* log2 of the magnitude in counts, Q10: the exponent, and a table with linear interpolation. */
static inline int32_t log2_of(uint32_t power, uint32_t drop, uint32_t floor, int32_t unit)
{
    const uint32_t value = (power >> drop) + floor;
    const uint32_t zeros = (uint32_t)__builtin_clz(value);
    const uint32_t fraction = value << zeros; /* the leading one, then Q31 */
    const uint32_t entry = LOG2_TABLE[fraction >> 25 & 63u];
    const int32_t low = unit - (int32_t)(zeros << 15) + (int32_t)(uint16_t)entry;
    const int32_t part = (int32_t)(fraction >> 9 & 0xFFFFu);
    return multiply_top_add_q16(part, (int32_t)entry, low) >> 6;
}

/* Pixels of one channel's spectrum, `channels` bytes apart. */
static __attribute__((noinline)) void make_pixels(const eb_frontend_config *c, uint32_t channel,
                                                  const int16_t *spectrum, const log_scale *scale,
                                                  int8_t *to)
{
    /* Copies, as a store to a pixel could change anything for all that the compiler knows. */
    const uint32_t channels = c->channels, stride = c->bin_stride;
    const uint32_t drop = scale->drop, floor = scale->floor;
    const int32_t unit = scale->unit;
    const eb_pixel *pixel = c->pixels + (size_t)channel * c->channel_stride;
    const int16_t *bin = spectrum + 2u * c->first_bin;
    const int16_t *const end = bin + 2u * c->n_bins;
    for (; bin != end; bin += 2, to += channels, pixel += stride) {
        const int32_t log = log2_of(power_of(bin), drop, floor, unit);
        /* (log - offset) * gain is Q18; its lower 16 bits do not affect the rounding. */
        *to = saturate_pixel(multiply_add_q16(log - pixel->offset, pixel->gain, 2));
    }
}

#ifdef EB_FRONTEND_TRACED
static void trace_bins(const eb_frontend_config *c, uint32_t channel, const int16_t *spectrum,
                       const log_scale *scale, const int8_t *pixels)
{
    uint32_t powers[MAX_BINS];
    int16_t logs[MAX_BINS];
    int8_t image[MAX_BINS];
    if (!eb_frontend_traces(EB_STAGE_POWER) && !eb_frontend_traces(EB_STAGE_LOG) &&
        !eb_frontend_traces(EB_STAGE_IMAGE)) {
        return;
    }
    for (uint32_t i = 0; i < c->n_bins; i++) {
        powers[i] = power_of(spectrum + 2u * (c->first_bin + i));
        logs[i] = (int16_t)log2_of(powers[i], scale->drop, scale->floor, scale->unit);
        image[i] = pixels[i * c->channels];
    }
    TRACE(EB_STAGE_POWER, channel, powers, c->n_bins * sizeof *powers);
    TRACE(EB_STAGE_LOG, channel, logs, c->n_bins * sizeof *logs);
    TRACE(EB_STAGE_IMAGE, channel, image, c->n_bins);
}
#endif

/* Compute one channel of the newest frame; its pixels go to `row`, `channels` bytes apart. */
static void make_frame(const eb_frontend_config *c, const layout *at, uint32_t channel, int8_t *row)
{
    const uint32_t split = c->n_fft - at->head->write; /* the ring's oldest sample is at `write` */
    const int32_t *ring = at->ring + (size_t)channel * c->n_fft;
    uint32_t bits = apply_window(ring + at->head->write, c->window_function, at->wide, split);
    bits |= apply_window(ring, c->window_function + split, at->wide + split, at->head->write);
    TRACE(EB_STAGE_WINDOW, channel, at->wide, c->n_fft * sizeof *at->wide);

    const int32_t exponent = scale(c, at->wide, at->narrow, bits);
    TRACE(EB_STAGE_SCALE, channel, at->narrow, c->n_fft * sizeof *at->narrow);
    TRACE(EB_STAGE_EXPONENT, channel, &exponent, sizeof exponent);

    int16_t *spectrum = (int16_t *)(void *)at->wide;
    arm_rfft_q15(c->rfft, at->narrow, spectrum);
    TRACE(EB_STAGE_FFT, channel, spectrum, (c->n_fft + 2u) * sizeof *spectrum);

    const log_scale unit = scale_of(c, exponent);
    make_pixels(c, channel, spectrum, &unit, row);
#ifdef EB_FRONTEND_TRACED
    trace_bins(c, channel, spectrum, &unit, row);
#endif
}

/* Move bytes to a lower address; newlib-nano's memmove goes byte by byte. */
static void move_down(int8_t *to, const int8_t *from, size_t bytes)
{
    if (((uintptr_t)from | bytes) & 3u) {
        memmove(to, from, bytes);
        return;
    }
    UNROLL
    for (size_t i = 0; i < bytes; i += 4) {
        uint32_t word;
        memcpy(&word, __builtin_assume_aligned(from + i, 4), sizeof word);
        memcpy(__builtin_assume_aligned(to + i, 4), &word, sizeof word);
    }
}

/* Number of samples of one moment at full scale of int16. */
static uint32_t count_clipped(const int16_t *sample, uint32_t channels)
{
    uint32_t clipped = 0;
    for (uint32_t channel = 0; channel < channels; channel++) {
        clipped += sample[channel] == INT16_MAX || sample[channel] == INT16_MIN;
    }
    return clipped;
}

/* Store the samples of one moment where the filters will read them. */
static void store(eb_frontend_head *head, int16_t *to, const int16_t *sample, uint32_t channels,
                  uint32_t hop_length)
{
    int32_t bits = 0;
    for (const int16_t *at = sample, *end = sample + channels; at != end; at++, to += hop_length) {
        const int32_t x = *at;
        *to = (int16_t)x;
        bits |= x ^ (x >> 31);
    }
    if (bits == INT16_MAX) { /* otherwise none of them is at full scale */
        head->clipped += count_clipped(sample, channels);
    }
}

void eb_frontend_reset(const eb_frontend_config *config, void *state)
{
    const layout at = lay_out(config, state);
    const size_t pixels = (size_t)config->frames * config->n_bins * config->channels;
    memset(state, 0, (size_t)((const char *)at.image - (const char *)state) + pixels);
    at.head->next_frame = config->n_fft;
    at.head->next_image = config->frames;
}

/* Filter the pending samples and compute the frame that is due; true if it completes an image. */
static __attribute__((noinline)) bool advance(const eb_frontend_config *c, void *state)
{
    const layout at = lay_out(c, state);
    eb_frontend_head *head = at.head;
    filter_pending(c, &at);
    if (head->next_frame) {
        return false;
    }
    head->next_frame = c->hop_length;

    const size_t row = (size_t)c->n_bins * c->channels;
    if (head->next_image == 0) {
        /* The last image has been read: keep the frames that it shares with the next one. */
        head->next_image = c->step_frames;
        move_down(at.image, at.image + c->step_frames * row,
                  (size_t)(c->frames - c->step_frames) * row);
    }
    int8_t *newest = at.image + (c->frames - head->next_image) * row;
    for (uint32_t channel = 0; channel < c->channels; channel++) {
        make_frame(c, &at, channel, newest + channel);
    }
    return --head->next_image == 0;
}

bool eb_frontend_push(const eb_frontend_config *config, void *state, const int16_t *sample)
{
    eb_frontend_head *head = (eb_frontend_head *)state;
    if (!head->primed) {
        const layout at = lay_out(config, state);
        prime(config, &at, sample);
    }
    int16_t *pending = (int16_t *)(void *)(head + 1);
    store(head, pending + head->pending++, sample, config->channels, config->hop_length);
    if (--head->next_frame && head->pending != config->hop_length) {
        return false;
    }
    return advance(config, state);
}

const int8_t *eb_frontend_image(const eb_frontend_config *config, const void *state)
{
    /* lay_out only computes addresses; nothing is written. */
    return lay_out(config, (void *)(uintptr_t)state).image;
}
