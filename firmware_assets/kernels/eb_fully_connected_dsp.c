#include "eb_dsp.h"
#include "eb_kernels.h"

/* Two outputs, four products of each at a time. */
static void one_row(const eb_fully_connected *layer, const int8_t *input, int8_t *output)
{
    const eb_channel *channels = layer->channels;
    const int8_t *weights = layer->weights;
    const uint32_t inputs = layer->inputs;
    uint32_t o = 0;
    for (; o + 2u <= layer->outputs; o += 2u) {
        const int8_t *x = input;
        const int8_t *w0 = weights;
        const int8_t *w1 = weights + inputs;
        const int8_t *const end = weights + (inputs & ~3u);
        int32_t s0 = channels[o].bias;
        int32_t s1 = channels[o + 1u].bias;
        while (w0 != end) {
            uint32_t word = eb_load4(x);
            const uint32_t even = eb_sxtb16(word);
            const uint32_t odd = eb_sxtb16_odd(word);
            word = eb_load4(w0);
            s0 = eb_smlad(eb_sxtb16(word), even, s0);
            s0 = eb_smlad(eb_sxtb16_odd(word), odd, s0);
            word = eb_load4(w1);
            s1 = eb_smlad(eb_sxtb16(word), even, s1);
            s1 = eb_smlad(eb_sxtb16_odd(word), odd, s1);
            x += 4;
            w0 += 4;
            w1 += 4;
        }
        for (uint32_t i = 0; i < (inputs & 3u); i++) {
            s0 += w0[i] * x[i];
            s1 += w1[i] * x[i];
        }
        output[o] = (int8_t)eb_finish(s0, &channels[o], layer->range);
        output[o + 1u] = (int8_t)eb_finish(s1, &channels[o + 1u], layer->range);
        weights += 2u * inputs;
    }
    if (o < layer->outputs) {
        int32_t sum = channels[o].bias;
        for (uint32_t i = 0; i < inputs; i++) {
            sum += weights[i] * input[i];
        }
        output[o] = (int8_t)eb_finish(sum, &channels[o], layer->range);
    }
}

void eb_run_fully_connected_dsp(const eb_fully_connected *layer, const int8_t *input,
                                int8_t *output)
{
    for (uint32_t row = 0; row < layer->rows; row++) {
        one_row(layer, input, output);
        input += layer->inputs;
        output += layer->outputs;
    }
}
