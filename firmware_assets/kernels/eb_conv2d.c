#include "eb_kernels.h"

/* Each output pixel is one row of products over the patch under its window. */
void eb_run_conv2d(const eb_conv2d *layer, const int8_t *input, int8_t *output, int8_t *scratch)
{
    const eb_window *window = &layer->window;
    const uint32_t inputs = (uint32_t)window->window_h * window->window_w * window->channels;
    for (uint32_t row = 0; row < window->output_h; row++) {
        for (uint32_t column = 0; column < window->output_w; column++) {
            const int8_t *patch =
                eb_patch(window, layer->pad_value, row, column, input, scratch);
            eb_multiply_row(layer->weights, layer->channels, layer->range, inputs, layer->outputs,
                            patch, output);
            output += layer->outputs;
        }
    }
}
