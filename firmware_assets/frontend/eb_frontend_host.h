// SPDX-License-Identifier: Apache-2.0
// Copyright edgebio contributors

/* The host twin's interface: whole recordings through the firmware's own front end. */
#ifndef EB_FRONTEND_HOST_H
#define EB_FRONTEND_HOST_H

#include "eb_frontend.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Where the values of one stage go: `capacity` bytes for each channel. */
typedef struct {
    uint8_t *data; /* NULL if nobody wants the stage */
    size_t capacity;
    size_t *used; /* bytes so far, of each channel */
} eb_host_stream;

/* Stream `count` samples (count, channels) from reset, and return the number of images. `streams`
 * is NULL or has EB_STAGES entries; `images` is NULL or takes all images. */
size_t eb_frontend_host_run(const eb_frontend_config *config, void *state, const int16_t *samples,
                            size_t count, eb_host_stream *streams, int8_t *images);

/* Stream `count` further samples, and return the number of images that they complete; `images` takes
 * them, or is NULL. Reset the state first. */
size_t eb_frontend_host_push(const eb_frontend_config *config, void *state, const int16_t *samples,
                             size_t count, int8_t *images);

/* Stream each of `segments` runs of `count` samples from reset, without traces. */
void eb_frontend_host_segments(const eb_frontend_config *config, void *state,
                               const int16_t *samples, size_t segments, size_t count,
                               int8_t *images);

/* Bytes of a state. */
size_t eb_frontend_host_bytes(const eb_frontend_config *config);

#ifdef __cplusplus
}
#endif

#endif
