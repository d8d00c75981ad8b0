// SPDX-License-Identifier: Apache-2.0
// Copyright edgebio contributors

#include "eb_network.h"

#include "port.h"

eb_network_counts eb_network_counted;
_Alignas(16) int8_t eb_network_output[EB_MODEL_OUTPUT_BYTES];

/* A network that needs no memory still gets a byte: C has no empty arrays. */
static _Alignas(16) uint8_t state[EB_MODEL_STATE_BYTES > 0 ? EB_MODEL_STATE_BYTES : 1];

static uint32_t count(uint32_t start)
{
    const uint32_t took = port_micros() - start;

    eb_network_counted.images++;
    if (took > eb_network_counted.slowest) {
        eb_network_counted.slowest = took;
    }
    return took;
}

uint32_t eb_network_run(const void *image)
{
    const uint32_t start = port_micros();

    eb_model_invoke(state, image, eb_network_output);
    return count(start);
}

#if EB_MODEL_HOP_FRAMES
static _Alignas(16) uint8_t stream[EB_MODEL_STREAM_BYTES];

void eb_network_restart(void)
{
    eb_model_stream_reset(stream);
}

uint32_t eb_network_follow(const void *image)
{
    const uint32_t start = port_micros();
    const uint8_t *frames = image;

    frames += (EB_MODEL_WINDOW_FRAMES - EB_MODEL_HOP_FRAMES) * EB_MODEL_FRAME_BYTES;
    /* While the stream fills, each image runs by itself: no decision waits for all of its hops. */
    if (eb_model_push(stream, frames, EB_MODEL_HOP_FRAMES, eb_network_output) != EB_MODEL_DECIDED) {
        eb_model_invoke(state, image, eb_network_output);
    }
    return count(start);
}
#else
void eb_network_restart(void)
{
}

uint32_t eb_network_follow(const void *image)
{
    return eb_network_run(image);
}
#endif
