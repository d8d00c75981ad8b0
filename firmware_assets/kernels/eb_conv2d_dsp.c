#include "eb_dsp.h"
#include "eb_kernels.h"

/* Two pixels by two outputs, four products of each at a time: 4 loads, 8 SXTB16 and 8 SMLAD are 16
 * products, and neither weights nor activations need to be widened in memory. */
static void two_pixels(const eb_conv2d *layer, uint32_t inputs, const int8_t *pixel_a,
                       const int8_t *pixel_b, int8_t *output_a, int8_t *output_b)
{
    const eb_channel *channels = layer->channels;
    const int8_t *weights = layer->weights;
    uint32_t o = 0;
    for (; o + 2u <= layer->outputs; o += 2u) {
        const int8_t *a = pixel_a;
        const int8_t *b = pixel_b;
        const int8_t *w0 = weights;
        const int8_t *w1 = weights + inputs;
        const int8_t *const end = weights + (inputs & ~3u);
        int32_t a0 = channels[o].bias;
        int32_t a1 = channels[o + 1u].bias;
        int32_t b0 = a0;
        int32_t b1 = a1;
        while (w0 != end) {
            uint32_t word = eb_load4(a);
            const uint32_t a_even = eb_sxtb16(word);
            const uint32_t a_odd = eb_sxtb16_odd(word);
            word = eb_load4(b);
            const uint32_t b_even = eb_sxtb16(word);
            const uint32_t b_odd = eb_sxtb16_odd(word);
            word = eb_load4(w0);
            uint32_t even = eb_sxtb16(word);
            uint32_t odd = eb_sxtb16_odd(word);
            a0 = eb_smlad(even, a_even, a0);
            a0 = eb_smlad(odd, a_odd, a0);
            b0 = eb_smlad(even, b_even, b0);
            b0 = eb_smlad(odd, b_odd, b0);
            word = eb_load4(w1);
            even = eb_sxtb16(word);
            odd = eb_sxtb16_odd(word);
            a1 = eb_smlad(even, a_even, a1);
            a1 = eb_smlad(odd, a_odd, a1);
            b1 = eb_smlad(even, b_even, b1);
            b1 = eb_smlad(odd, b_odd, b1);
            a += 4;
            b += 4;
            w0 += 4;
            w1 += 4;
        }
        for (uint32_t i = 0; i < (inputs & 3u); i++) {
            a0 += w0[i] * a[i];
            b0 += w0[i] * b[i];
            a1 += w1[i] * a[i];
            b1 += w1[i] * b[i];
        }
        /* All before the first is stored: a store could change what was loaded, for all that the
         * compiler knows. */
        a0 = eb_finish(a0, &channels[o], layer->range);
        b0 = eb_finish(b0, &channels[o], layer->range);
        a1 = eb_finish(a1, &channels[o + 1u], layer->range);
        b1 = eb_finish(b1, &channels[o + 1u], layer->range);
        output_a[o] = (int8_t)a0;
        output_a[o + 1u] = (int8_t)a1;
        output_b[o] = (int8_t)b0;
        output_b[o + 1u] = (int8_t)b1;
        weights += 2u * inputs;
    }
    if (o < layer->outputs) {
        int32_t sum_a = channels[o].bias;
        int32_t sum_b = sum_a;
        for (uint32_t i = 0; i < inputs; i++) {
            sum_a += weights[i] * pixel_a[i];
            sum_b += weights[i] * pixel_b[i];
        }
        output_a[o] = (int8_t)eb_finish(sum_a, &channels[o], layer->range);
        output_b[o] = (int8_t)eb_finish(sum_b, &channels[o], layer->range);
    }
}

void eb_run_conv2d_dsp(const eb_conv2d *layer, const int8_t *input, int8_t *output,
                       int8_t *scratch)
{
    const eb_window *window = &layer->window;
    const uint32_t inputs = (uint32_t)window->window_h * window->window_w * window->channels;
    const int8_t *held = 0; /* the first pixel of a pair */
    for (uint32_t row = 0; row < window->output_h; row++) {
        for (uint32_t column = 0; column < window->output_w; column++) {
            int8_t *room = scratch && held ? scratch + inputs : scratch;
            const int8_t *patch = eb_patch(window, layer->pad_value, row, column, input, room);
            if (!held) {
                held = patch;
                continue;
            }
            two_pixels(layer, inputs, held, patch, output, output + layer->outputs);
            output += 2u * layer->outputs;
            held = 0;
        }
    }
    if (held) { /* an odd pixel is its own partner */
        two_pixels(layer, inputs, held, held, output, output);
    }
}
