// SPDX-License-Identifier: Apache-2.0
// Copyright edgebio contributors

/* What an upload or a stream works in: never both at once, so they share their memory. */

#ifndef EB_WORK_H
#define EB_WORK_H

#include <stdalign.h>
#include <stdbool.h>
#include <stdint.h>

#include "frontend_config.h"
#include "model.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef union {
    uint64_t aligned;
    alignas(16) uint8_t image[EB_MODEL_INPUT_BYTES];
#if EB_HAS_FRONTEND
    alignas(16) uint8_t frontend[EB_FRONTEND_STATE_BYTES];
#endif
} eb_work_memory;

extern eb_work_memory eb_work;

#if EB_HAS_FRONTEND
#define EB_SAMPLE_BYTES (2u * EB_FRONTEND_CHANNELS)

/* Takes a whole sample on its way into the front end; the stream has it. */
void eb_work_sample(const int16_t *sample);

/* Takes the samples from number `first` on out of `packed`, up to `end` or until an image is due;
 * returns the number of the one after the last that it took, and whether an image is due. */
uint32_t eb_work_push(const uint8_t *packed, uint8_t bits, uint32_t first, uint32_t end, bool *due);
#endif

#ifdef __cplusplus
}
#endif

#endif
