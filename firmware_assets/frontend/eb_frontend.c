#include "eb_frontend.h"

#include <string.h>

#ifdef EB_FRONTEND_TRACED
#define TRACE(stage, channel, data, bytes) eb_frontend_trace((stage), (channel), (data), (bytes))
#else
#define TRACE(stage, channel, data, bytes) ((void)0)
#endif

enum {
    MAX_BINS = 512 / 2 + 1,
    SAMPLE_SHIFT = 12, /* fractional bits of a filtered sample */
    WINDOW_SHIFT = 11, /* fractional bits of a windowed one: 12 + 15 of the taper - 16 */
    LOG_SHIFT = 10,
    PIXEL_SHIFT = LOG_SHIFT + 8 /* of log * gain */
};

/* log2(1 + i / 64) in Q15. */
static const uint16_t LOG2_TABLE[65] = {
    0, 733, 1455, 2166, 2866, 3556, 4236, 4907, 5568, 6220,
    6863, 7498, 8124, 8742, 9352, 9954, 10549, 11136, 11716, 12289,
    12855, 13415, 13968, 14514, 15055, 15589, 16117, 16639, 17156, 17667,
    18173, 18673, 19168, 19658, 20143, 20623, 21098, 21568, 22034, 22495,
    22952, 23404, 23852, 24296, 24736, 25172, 25604, 26031, 26455, 26876,
    27292, 27705, 28114, 28520, 28922, 29321, 29717, 30109, 30498, 30884,
    31267, 31647, 32024, 32397, 32768,
};

typedef struct {
    eb_frontend_head *head;
    int32_t *filter;  /* (channels, sections, 4): x1 x2 y1 y2 */
    int32_t *ring;    /* (channels, fft) */
    int32_t *wide;    /* fft int32: windowed frame; then 2 fft int16: spectrum */
    int16_t *narrow;  /* fft int16: scaled frame; then logarithms */
    int16_t *pending; /* (hop, channels) */
    int8_t *image;    /* (columns, bins, channels) */
} layout;

static layout lay_out(const eb_frontend_config *c, void *state)
{
    layout at;
    at.head = (eb_frontend_head *)state;
    at.filter = (int32_t *)(void *)(at.head + 1);
    at.ring = at.filter + 4u * c->sections * c->channels;
    at.wide = at.ring + (size_t)c->fft * c->channels;
    at.narrow = (int16_t *)(void *)(at.wide + c->fft);
    at.pending = at.narrow + c->fft;
    at.image = (int8_t *)(void *)(at.pending + (size_t)c->hop * c->channels);
    return at;
}

/* The three steps that the DSP extension does in one instruction. */
#if EB_NATIVE_SIMD32

static inline int32_t multiply_q16(int32_t value, int16_t factor)
{
    int32_t upper;
    __asm__("smulwb %0, %1, %2" : "=r"(upper) : "r"(value), "r"((int32_t)factor));
    return upper;
}

static inline int16_t saturate_q15(int32_t value)
{
    int32_t narrow;
    __asm__("ssat %0, #16, %1" : "=r"(narrow) : "r"(value));
    return (int16_t)narrow;
}

static inline int8_t saturate_pixel(int32_t value)
{
    int32_t pixel;
    __asm__("ssat %0, #8, %1, asr %2" : "=r"(pixel) : "r"(value), "I"(PIXEL_SHIFT));
    return (int8_t)pixel;
}

#else

static inline int32_t multiply_q16(int32_t value, int16_t factor)
{
    return (int32_t)(((int64_t)value * factor) >> 16);
}

static inline int16_t saturate_q15(int32_t value)
{
    return (int16_t)(value > INT16_MAX ? INT16_MAX : value < INT16_MIN ? INT16_MIN : value);
}

static inline int8_t saturate_pixel(int32_t value)
{
    value >>= PIXEL_SHIFT;
    return (int8_t)(value > INT8_MAX ? INT8_MAX : value < INT8_MIN ? INT8_MIN : value);
}

#endif

static inline uint32_t leading_zeros(uint32_t value)
{
    return value ? (uint32_t)__builtin_clz(value) : 32u;
}

/* Samples of one channel through one biquad, in place. Direct form I: its only state are samples,
 * and the 64-bit sum rounds once. No saturation: the sum of the magnitudes of the impulse response
 * is below 8 (edgebio.frontend.constants refuses other filters), so that 2^27 stays below 2^30. */
static void run_biquad(const eb_biquad *q, int32_t *state, int32_t *samples, uint32_t count)
{
    /* In locals, as the compiler must assume that a store to a sample changes what q points to. */
    const int32_t b0 = q->b0, b1 = q->b1, b2 = q->b2, minus_a1 = q->minus_a1, minus_a2 = q->minus_a2;
    int32_t x1 = state[0], x2 = state[1], y1 = state[2], y2 = state[3];
    for (uint32_t i = 0; i < count; i++) {
        const int32_t x0 = samples[i];
        int64_t sum = (int64_t)b0 * x0 + ((int64_t)1 << 29);
        sum += (int64_t)b1 * x1;
        sum += (int64_t)b2 * x2;
        sum += (int64_t)minus_a1 * y1;
        sum += (int64_t)minus_a2 * y2;
        x2 = x1;
        x1 = x0;
        y2 = y1;
        y1 = (int32_t)(sum >> 30);
        samples[i] = y1;
    }
    state[0] = x1;
    state[1] = x2;
    state[2] = y1;
    state[3] = y2;
}

/* Filters start as if the first sample had always been there: no step, no ringing. */
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

/* Move the pending samples through the filters into the rings. */
static void filter_pending(const eb_frontend_config *c, const layout *at)
{
    const uint32_t count = at->head->pending, mask = c->fft - 1u;
    int32_t *state = at->filter;
    uint32_t railed = 0;
    for (uint32_t channel = 0; channel < c->channels; channel++) {
        int32_t *ring = at->ring + (size_t)channel * c->fft;
        const int16_t *from = at->pending + channel;
        uint32_t done = 0;
        while (done < count) {
            /* The longest run that neither wraps the ring nor leaves the pending samples. */
            const uint32_t start = (at->head->write + done) & mask;
            uint32_t run = c->fft - start;
            if (run > count - done) {
                run = count - done;
            }
            int32_t *samples = ring + start;
            for (uint32_t i = 0; i < run; i++, from += c->channels) {
                const int32_t x = *from;
                railed += x == INT16_MAX || x == INT16_MIN;
                samples[i] = x * (1 << SAMPLE_SHIFT);
            }
            for (uint32_t section = 0; section < c->sections; section++) {
                run_biquad(&c->filter[section], state + 4u * section, samples, run);
            }
            TRACE(EB_STAGE_FILTER, channel, samples, run * sizeof *samples);
            done += run;
        }
        state += 4u * c->sections;
    }
    at->head->write = (at->head->write + count) & mask;
    at->head->pending = 0;
    at->head->railed += railed;
}

/* Taper a part of the frame; the result has a bit set wherever a sample's magnitude has. */
static uint32_t taper(const int32_t *samples, const int16_t *weights, int32_t *out, uint32_t count)
{
    uint32_t bits = 0;
    for (uint32_t i = 0; i < count; i++) {
        const int32_t value = multiply_q16(samples[i], weights[i]);
        bits |= (uint32_t)(value ^ (value >> 31));
        out[i] = value;
    }
    return bits;
}

/* Shift the frame so that its largest sample fills 16 bits; the exponent is that shift. */
static int32_t scale(const int32_t *wide, int16_t *narrow, uint32_t count, uint32_t bits)
{
    const int32_t exponent = (int32_t)leading_zeros(bits) - 17;
    if (exponent >= 0) {
        for (uint32_t i = 0; i < count; i++) {
            narrow[i] = (int16_t)(wide[i] * (1 << exponent));
        }
    } else {
        const int32_t right = -exponent, half = 1 << (right - 1);
        for (uint32_t i = 0; i < count; i++) {
            /* Rounding may reach 32768, by one. */
            narrow[i] = saturate_q15((wide[i] + half) >> right);
        }
    }
    return exponent;
}

/* log2 of a value above 0, Q15: the exponent, and a table with linear interpolation. */
static inline uint32_t log2_q15(uint32_t value)
{
    const uint32_t zeros = (uint32_t)__builtin_clz(value);
    const uint32_t fraction = value << zeros << 1; /* below the leading one, Q32 */
    const uint32_t index = fraction >> 26;
    const uint32_t low = LOG2_TABLE[index], step = LOG2_TABLE[index + 1] - low;
    return ((31u - zeros) << 15) + low + ((step * ((fraction >> 10) & 0xFFFFu)) >> 16);
}

/* Unsigned, as (-32768)^2 + (-32768)^2 is 2^31. */
static inline uint32_t power_of(const int16_t *bin)
{
    return (uint32_t)(bin[0] * bin[0]) + (uint32_t)(bin[1] * bin[1]);
}

/* log2 of the magnitudes in counts, Q10. The FFT's unit is 2^(log2fft - 11 - exponent) counts;
 * beyond the exponent at which `floor` is given, the power is shifted right instead. */
static void logarithms(const eb_frontend_config *c, const int16_t *spectrum, int32_t exponent,
                       int16_t *out)
{
    const int32_t at = exponent < c->floor_exponent ? exponent : c->floor_exponent;
    const uint32_t drop = 2u * (uint32_t)(exponent - at);
    const uint32_t sink = 2u * (uint32_t)(c->floor_exponent - at);
    const uint32_t floor = sink < 32u ? c->floor >> sink : 0u;
    const int32_t unit = (WINDOW_SHIFT + at - c->log2fft) * (1 << LOG_SHIFT);
    const int16_t *bin = spectrum + 2u * c->first_bin;
    for (uint32_t i = 0; i < c->bins; i++, bin += 2) {
        const uint32_t power = (drop < 32u ? power_of(bin) >> drop : 0u) + floor;
        out[i] = (int16_t)((int32_t)((log2_q15(power ? power : 1u) + 32u) >> 6) - unit);
    }
}

/* One channel of the newest column. */
static void make_column(const eb_frontend_config *c, const layout *at, uint32_t channel)
{
    const uint32_t split = c->fft - at->head->write; /* the ring's oldest sample is at `write` */
    const int32_t *ring = at->ring + (size_t)channel * c->fft;
    uint32_t bits = taper(ring + at->head->write, c->taper, at->wide, split);
    bits |= taper(ring, c->taper + split, at->wide + split, at->head->write);
    TRACE(EB_STAGE_WINDOW, channel, at->wide, c->fft * sizeof *at->wide);

    const int32_t exponent = scale(at->wide, at->narrow, c->fft, bits);
    TRACE(EB_STAGE_SCALE, channel, at->narrow, c->fft * sizeof *at->narrow);
    TRACE(EB_STAGE_EXPONENT, channel, &exponent, sizeof exponent);

    int16_t *spectrum = (int16_t *)(void *)at->wide;
    arm_rfft_q15(c->rfft, at->narrow, spectrum);
    TRACE(EB_STAGE_FFT, channel, spectrum, (c->fft + 2u) * sizeof *spectrum);
#ifdef EB_FRONTEND_TRACED
    uint32_t powers[MAX_BINS];
    for (uint32_t i = 0; i < c->bins; i++) {
        powers[i] = power_of(spectrum + 2u * (c->first_bin + i));
    }
    TRACE(EB_STAGE_POWER, channel, powers, c->bins * sizeof *powers);
#endif

    int16_t *log = at->narrow; /* the FFT has used up its input */
    logarithms(c, spectrum, exponent, log);
    TRACE(EB_STAGE_LOG, channel, log, c->bins * sizeof *log);

    /* In locals, as a store to a pixel may change anything for all that the compiler knows. */
    const uint32_t bins = c->bins, channels = c->channels, stride = c->bin_stride;
    int8_t *pixel = at->image + (c->columns - 1u) * (size_t)bins * channels + channel;
    const int16_t *offset = c->offset + (size_t)channel * c->channel_stride;
    const int16_t *gain = c->gain + (size_t)channel * c->channel_stride;
#ifdef EB_FRONTEND_TRACED
    int8_t pixels[MAX_BINS];
#endif
    for (uint32_t i = 0; i < bins; i++, pixel += channels) {
        *pixel = saturate_pixel((log[i] - *offset) * *gain + (1 << (PIXEL_SHIFT - 1)));
#ifdef EB_FRONTEND_TRACED
        pixels[i] = *pixel;
#endif
        offset += stride;
        gain += stride;
    }
    TRACE(EB_STAGE_IMAGE, channel, pixels, bins);
}

void eb_frontend_reset(const eb_frontend_config *config, void *state)
{
    const layout at = lay_out(config, state);
    const size_t row = (size_t)config->bins * config->channels;
    memset(state, 0, (size_t)((const char *)at.image - (const char *)state));
    memset(at.image, 0, config->columns * row);
    at.head->next_column = config->fft;
    at.head->next_image = config->columns;
}

bool eb_frontend_push(const eb_frontend_config *config, void *state, const int16_t *sample)
{
    const layout at = lay_out(config, state);
    eb_frontend_head *head = at.head;
    if (!head->primed) {
        prime(config, &at, sample);
    }
    memcpy(at.pending + (size_t)head->pending * config->channels, sample,
           config->channels * sizeof *sample);
    head->pending++;
    head->next_column--;
    if (head->pending == config->hop || head->next_column == 0) {
        filter_pending(config, &at);
    }
    if (head->next_column) {
        return false;
    }
    head->next_column = config->hop;

    const size_t row = (size_t)config->bins * config->channels;
    memmove(at.image, at.image + row, (config->columns - 1u) * row);
    for (uint32_t channel = 0; channel < config->channels; channel++) {
        make_column(config, &at, channel);
    }
    if (--head->next_image) {
        return false;
    }
    head->next_image = config->stride;
    return true;
}

const int8_t *eb_frontend_image(const eb_frontend_config *config, const void *state)
{
    /* lay_out only computes addresses; nothing is written through it here. */
    return lay_out(config, (void *)(uintptr_t)state).image;
}
