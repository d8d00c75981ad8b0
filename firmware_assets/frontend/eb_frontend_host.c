// SPDX-License-Identifier: Apache-2.0
// Copyright edgebio contributors

/* The traces, which any build can switch on, collect the stages: the twin has no arithmetic of its
 * own. Each thread has its own streams, so that recordings can run in parallel. */
#include "eb_frontend_host.h"

#include <string.h>

static _Thread_local eb_host_stream *stage_streams;

bool eb_frontend_traces(int stage)
{
    return stage_streams && stage_streams[stage].data;
}

void eb_frontend_trace(int stage, uint32_t channel, const void *data, size_t bytes)
{
    eb_host_stream *stream = &stage_streams[stage];
    if (stream->used[channel] + bytes > stream->capacity) {
        return;
    }
    memcpy(stream->data + channel * stream->capacity + stream->used[channel], data, bytes);
    stream->used[channel] += bytes;
}

size_t eb_frontend_host_run(const eb_frontend_config *config, void *state, const int16_t *samples,
                            size_t count, eb_host_stream *streams, int8_t *images)
{
    size_t due;

    stage_streams = streams;
    eb_frontend_reset(config, state);
    due = eb_frontend_host_push(config, state, samples, count, images);
    stage_streams = NULL;
    return due;
}

size_t eb_frontend_host_push(const eb_frontend_config *config, void *state, const int16_t *samples,
                             size_t count, int8_t *images)
{
    const size_t bytes = (size_t)config->frames * config->n_bins * config->channels;
    size_t due = 0;

    for (size_t i = 0; i < count; i++, samples += config->channels) {
        if (eb_frontend_push(config, state, samples)) {
            if (images) {
                memcpy(images + due * bytes, eb_frontend_image(config, state), bytes);
            }
            due++;
        }
    }
    return due;
}

void eb_frontend_host_segments(const eb_frontend_config *config, void *state,
                               const int16_t *samples, size_t segments, size_t count,
                               int8_t *images)
{
    const size_t bytes = (size_t)config->frames * config->n_bins * config->channels;
    for (size_t i = 0; i < segments; i++) {
        images += bytes * eb_frontend_host_run(config, state, samples, count, NULL, images);
        samples += count * config->channels;
    }
}

size_t eb_frontend_host_bytes(const eb_frontend_config *config)
{
    return EB_FRONTEND_BYTES((size_t)config->channels, config->n_fft, config->hop_length,
                             config->sections, config->frames, config->n_bins);
}
