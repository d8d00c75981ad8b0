// SPDX-License-Identifier: Apache-2.0
// Copyright edgebio contributors

/* Runs one inference per image, of all inputs behind one another; if `trace` is given, every layer's
 * output is copied there. */
#include <stddef.h>
#include <string.h>

static _Thread_local char *trace_next;

static void copy_to_trace(const void *data, size_t bytes)
{
    if (trace_next) {
        memcpy(trace_next, data, bytes);
        trace_next += bytes;
    }
}

#define EB_MODEL_LAYER_DONE(layer, data, bytes) copy_to_trace(data, bytes)
#include "model.c"

void eb_host_run(void *state, const char *input, char *output, char *trace, size_t images);

void eb_host_run(void *state, const char *input, char *output, char *trace, size_t images)
{
    trace_next = trace;
    for (size_t image = 0; image < images; image++) {
        eb_model_invoke_packed(state, input, output);
        input += EB_MODEL_INPUT_BYTES;
        output += EB_MODEL_OUTPUT_BYTES;
    }
}

void eb_host_reset(void *state);

void eb_host_reset(void *state)
{
#if EB_MODEL_KEPT_BYTES
    eb_model_reset(state);
#else
    (void)state;
#endif
}

#if EB_MODEL_HOP_FRAMES
uint32_t eb_host_push(void *stream, const char *frames, char *output, size_t pushes);

/* Pushes so many hops; returns the number of outputs. */
uint32_t eb_host_push(void *stream, const char *frames, char *output, size_t pushes)
{
    uint32_t outputs = 0;
    trace_next = NULL;
    for (size_t push = 0; push < pushes; push++) {
        if (eb_model_push(stream, frames, EB_MODEL_HOP_FRAMES, output) == EB_MODEL_DECIDED) {
            output += EB_MODEL_OUTPUT_BYTES;
            outputs++;
        }
        frames += EB_MODEL_HOP_FRAMES * EB_MODEL_FRAME_BYTES;
    }
    return outputs;
}
#endif
