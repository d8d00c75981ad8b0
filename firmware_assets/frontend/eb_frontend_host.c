/* The host twin's door: a whole recording through the firmware's own front end in one call.
 *
 * The stages are collected by the trace that any build can switch on, so that the twin holds no
 * arithmetic of its own. One sink a thread: recordings run side by side.
 */
#include <string.h>

#include "eb_frontend.h"

/* Streams of one stage: `capacity` bytes for each channel, and how many of them are used. */
typedef struct {
    uint8_t *data; /* NULL where the stage is not wanted */
    size_t capacity;
    size_t *used; /* one a channel */
} eb_host_stream;

static _Thread_local eb_host_stream *sink;

bool eb_frontend_traces(int stage)
{
    return sink && sink[stage].data;
}

void eb_frontend_trace(int stage, uint32_t channel, const void *data, size_t bytes)
{
    eb_host_stream *stream = &sink[stage];
    if (stream->used[channel] + bytes > stream->capacity) {
        return;
    }
    memcpy(stream->data + channel * stream->capacity + stream->used[channel], data, bytes);
    stream->used[channel] += bytes;
}

/* Stream `count` samples (count, channels) from reset. `images` takes every image that is due,
 * or is NULL; the number of images is returned. */
size_t eb_frontend_host_run(const eb_frontend_config *config, void *state, const int16_t *samples,
                            size_t count, eb_host_stream *streams, int8_t *images)
{
    const size_t bytes = (size_t)config->columns * config->bins * config->channels;
    size_t made = 0;
    sink = streams;
    eb_frontend_reset(config, state);
    for (size_t i = 0; i < count; i++, samples += config->channels) {
        if (eb_frontend_push(config, state, samples)) {
            if (images) {
                memcpy(images + made * bytes, eb_frontend_image(config, state), bytes);
            }
            made++;
        }
    }
    return made;
}

/* Stream each of `windows` runs of `count` samples from reset, untraced; `images` takes every image
 * that is due. */
void eb_frontend_host_windows(const eb_frontend_config *config, void *state, const int16_t *samples,
                              size_t windows, size_t count, int8_t *images)
{
    const size_t bytes = (size_t)config->columns * config->bins * config->channels;
    for (size_t i = 0; i < windows; i++) {
        images += bytes * eb_frontend_host_run(config, state, samples, count, NULL, images);
        samples += count * config->channels;
    }
}

/* Bytes of a state, for the caller to allocate. */
size_t eb_frontend_host_bytes(const eb_frontend_config *c)
{
    return EB_FRONTEND_BYTES((size_t)c->channels, c->fft, c->hop, c->sections, c->columns, c->bins);
}
