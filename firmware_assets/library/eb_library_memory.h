// SPDX-License-Identifier: Apache-2.0
// Copyright edgebio contributors

/* What is inside the state of a library. */
#ifndef EB_LIBRARY_MEMORY_H
#define EB_LIBRARY_MEMORY_H

#include <stdalign.h>
#include <stdbool.h>
#include <stdint.h>

#include "eb_library.h"
#include "frontend_config.h"
#include "model.h"
#if EB_HAS_FRONTEND
#include "decision_config.h"
#endif

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
    /* A network that needs no memory still gets a byte: C has no empty arrays. */
    alignas(16) uint8_t network[EB_MODEL_STATE_BYTES > 0 ? EB_MODEL_STATE_BYTES : 1];
#if EB_MODEL_HOP_FRAMES
    alignas(16) uint8_t stream[EB_MODEL_STREAM_BYTES];
#endif
#if EB_HAS_FRONTEND
    alignas(16) uint8_t frontend[EB_FRONTEND_STATE_BYTES];
    uint32_t magic;
    uint32_t frames; /* since the last reset */
    eb_activity activity;
    eb_decision_state votes;
    int16_t before[EB_FRONTEND_CHANNELS]; /* the previous frame, for the activity */
#endif
} eb_library_memory;

static inline eb_library_memory *eb_library_memory_of(eb_library_state *state)
{
    return (eb_library_memory *)(void *)state->bytes;
}

/* A state that was copied to an odd place, or cast from another type. */
static inline bool eb_library_is_aligned(const void *memory)
{
    return (uintptr_t)memory % 16u == 0;
}

#ifdef __cplusplus
}
#endif

#endif
