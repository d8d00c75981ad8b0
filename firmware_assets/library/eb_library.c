// SPDX-License-Identifier: Apache-2.0
// Copyright edgebio contributors

#include "eb_library_memory.h"

#define MAGIC 0xEB1BA27Eu

_Static_assert(EB_FRONTEND_IMAGE_BYTES == EB_MODEL_INPUT_BYTES,
               "the front end makes the images that the network takes");
_Static_assert(EB_LIBRARY_REJECTED == EB_DECISION_REJECTED, "the decision and the library agree");

eb_library_status eb_library_init(eb_library_state *state)
{
    if (state == 0 || !eb_library_is_aligned(state)) {
        return EB_LIBRARY_ERROR_ARGUMENT;
    }
    eb_library_memory *const memory = eb_library_memory_of(state);

    eb_frontend_reset(&eb_frontend_settings, memory->frontend);
#if EB_MODEL_HOP_FRAMES
    eb_model_stream_reset(memory->stream);
#endif
    eb_decision_reset(&memory->votes);
    eb_activity_reset(&memory->activity);
    for (uint32_t i = 0; i < EB_FRONTEND_CHANNELS; i++) {
        memory->before[i] = 0;
    }
    memory->frames = 0;
    memory->magic = MAGIC;
    return EB_LIBRARY_OK;
}

/* A network that is a stream computes only what is new, but while the stream fills, each image runs
 * by itself: no decision waits for all of its hops. */
static void run_network(eb_library_memory *memory, int8_t *outputs)
{
    const int8_t *const image = eb_frontend_image(&eb_frontend_settings, memory->frontend);
#if EB_MODEL_HOP_FRAMES
    const int8_t *const frames =
        image + (EB_MODEL_WINDOW_FRAMES - EB_MODEL_HOP_FRAMES) * EB_MODEL_FRAME_BYTES;

    if (eb_model_push(memory->stream, frames, EB_MODEL_HOP_FRAMES, outputs) == EB_MODEL_DECIDED) {
        return;
    }
#endif
    eb_model_invoke(memory->network, image, outputs);
}

eb_library_status eb_library_push(eb_library_state *state, const int16_t *frame,
                                  eb_library_decision *decision)
{
    if (state == 0 || frame == 0 || decision == 0 || !eb_library_is_aligned(state)) {
        return EB_LIBRARY_ERROR_ARGUMENT;
    }
    eb_library_memory *const memory = eb_library_memory_of(state);
    if (memory->magic != MAGIC) {
        return EB_LIBRARY_ERROR_STATE;
    }

    memory->frames++;
    eb_activity_push(&memory->activity, memory->before, frame, EB_FRONTEND_CHANNELS);
    if (!eb_frontend_push(&eb_frontend_settings, memory->frontend, frame)) {
        return EB_LIBRARY_NOTHING;
    }
    run_network(memory, decision->outputs.values);
    decision->activity = eb_activity_take(&memory->activity);
    const eb_decision_result result = eb_decide(&eb_decision_settings, &memory->votes,
                                                decision->outputs.values, decision->activity);
    decision->frames = memory->frames;
    decision->decision = result.decision;
    decision->winner = result.winner;
    decision->reason = result.reason;
    return EB_LIBRARY_DECISION;
}
