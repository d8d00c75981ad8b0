// SPDX-License-Identifier: Apache-2.0
// Copyright edgebio contributors

/* Right answers, computed where the library was made, against those of this machine. The inputs
 * are the numbers of a generator, so that they take no flash. */

#include <string.h>

#include "eb_library_memory.h"
#include "vectors.h"

/* 16 bits of a linear congruential generator (Knuth's and Lewis's constants). */
static uint16_t draw(uint32_t *seed)
{
    *seed = *seed * 1664525u + 1013904223u;
    return (uint16_t)(*seed >> 16);
}

static int16_t as_signed(uint16_t bits)
{
    return (int16_t)(bits < 0x8000u ? (int32_t)bits : (int32_t)bits - 0x10000);
}

#if EB_HAS_FRONTEND

eb_library_status eb_library_check(eb_library_state *state)
{
    eb_library_status status = eb_library_init(state);
    eb_library_decision decision;
    int16_t frame[EB_FRONTEND_CHANNELS];
    uint32_t seed = 1;
    uint32_t decided = 0;

    for (uint32_t t = 0; t < EB_VECTORS_FRAMES && status >= EB_LIBRARY_OK; t++) {
        for (uint32_t c = 0; c < EB_FRONTEND_CHANNELS; c++) {
            /* Noise about as loud as the model's signals, louder and quieter by turns. Divided, as
             * a shift of negative numbers is up to the compiler. */
            const int32_t quieter = 1 << (eb_loudness[c] + (t / EB_FRONTEND_STEP + c) % 3u);
            frame[c] = (int16_t)(as_signed(draw(&seed)) / quieter);
        }
        status = eb_library_push(state, frame, &decision);
        if (status == EB_LIBRARY_DECISION) {
            const eb_vector *const right = &eb_vectors[decided];
            decided++;
            if (decision.frames != right->frames || decision.activity != right->activity ||
                decision.winner != right->winner || decision.decision != right->decision ||
                decision.reason != right->reason ||
                memcmp(decision.outputs.values, right->outputs, EB_MODEL_OUTPUT_BYTES) != 0) {
                return EB_LIBRARY_ERROR_DIFFERENT;
            }
        }
    }
    if (status >= EB_LIBRARY_OK) {
        status = decided == EB_VECTORS ? eb_library_init(state) : EB_LIBRARY_ERROR_DIFFERENT;
    }
    return status;
}

#else

/* Fills one tensor of the input; a value is made of a signed number. */
#define FILL(member, count, value)                                                                 \
    for (uint32_t j = 0; j < (count); j++) {                                                       \
        const int32_t number = as_signed(draw(&seed)) / (256 << i);                                \
        input->member[j] = value(number);                                                          \
    }

eb_library_status eb_library_check(eb_library_state *state, eb_library_input *input,
                                   eb_library_output *output)
{
    if (input == 0 || output == 0) {
        return EB_LIBRARY_ERROR_ARGUMENT;
    }
    eb_library_status status = EB_LIBRARY_OK;
    uint32_t seed = 1;

#if EB_MODEL_KEPT_BYTES
    status = eb_library_reset(state);
#endif
    memset(output, 0, sizeof *output); /* between several tensors, too */
    for (uint32_t i = 0; i < EB_VECTORS && status == EB_LIBRARY_OK; i++) {
        EB_VECTORS_INPUTS(FILL)
        status = eb_library_invoke(state, input, output);
        if (status == EB_LIBRARY_OK &&
            memcmp(output, eb_vectors[i].outputs, EB_MODEL_OUTPUT_BYTES) != 0) {
            status = EB_LIBRARY_ERROR_DIFFERENT;
        }
    }
#if EB_MODEL_KEPT_BYTES
    if (status == EB_LIBRARY_OK) {
        status = eb_library_reset(state);
    }
#endif
    return status;
}

#endif
