#include "eb_kernels.h"

/* The part of a window that lies in the image. */
typedef struct {
    uint32_t top, bottom, left, right;
} part;

static uint32_t first(int32_t origin)
{
    return origin > 0 ? (uint32_t)origin : 0u;
}

static uint32_t last(int32_t origin, uint32_t window, uint32_t size)
{
    const uint32_t end = (uint32_t)(origin + (int32_t)window);
    return end < size ? end : size;
}

static part clip(const eb_window *window, uint32_t row, uint32_t column)
{
    const int32_t top = (int32_t)(row * window->stride_h) - window->pad_h;
    const int32_t left = (int32_t)(column * window->stride_w) - window->pad_w;
    return (part){first(top), last(top, window->window_h, window->input_h), first(left),
                  last(left, window->window_w, window->input_w)};
}

void eb_run_max_pool(const eb_pool *layer, const int8_t *input, int8_t *output)
{
    const eb_window *window = &layer->window;
    for (uint32_t row = 0; row < window->output_h; row++) {
        for (uint32_t column = 0; column < window->output_w; column++) {
            const part under = clip(window, row, column);
            for (uint32_t channel = 0; channel < window->channels; channel++) {
                int32_t largest = layer->low;
                for (uint32_t y = under.top; y < under.bottom; y++) {
                    for (uint32_t x = under.left; x < under.right; x++) {
                        const int32_t value =
                            input[(y * window->input_w + x) * window->channels + channel];
                        largest = value > largest ? value : largest;
                    }
                }
                *output++ = eb_clamp(largest, layer->low, layer->high);
            }
        }
    }
}

void eb_run_average_pool(const eb_pool *layer, const int8_t *input, int8_t *output)
{
    const eb_window *window = &layer->window;
    for (uint32_t row = 0; row < window->output_h; row++) {
        for (uint32_t column = 0; column < window->output_w; column++) {
            const part under = clip(window, row, column);
            const int32_t count =
                (int32_t)((under.bottom - under.top) * (under.right - under.left));
            for (uint32_t channel = 0; channel < window->channels; channel++) {
                int32_t sum = 0;
                for (uint32_t y = under.top; y < under.bottom; y++) {
                    for (uint32_t x = under.left; x < under.right; x++) {
                        sum += input[(y * window->input_w + x) * window->channels + channel];
                    }
                }
                /* Halves away from zero: C's division cuts towards it. */
                sum = (sum > 0 ? sum + count / 2 : sum - count / 2) / count;
                *output++ = eb_clamp(sum, layer->low, layer->high);
            }
        }
    }
}
