// SPDX-License-Identifier: Apache-2.0
// Copyright edgebio contributors

#include "eb_work.h"

#include "eb_samples.h"

eb_work_memory eb_work;

#if EB_HAS_FRONTEND
_Static_assert(EB_FRONTEND_IMAGE_BYTES == EB_MODEL_INPUT_BYTES,
               "the front end makes the images that the network takes");

uint32_t eb_work_push(const uint8_t *packed, uint8_t bits, uint32_t first, uint32_t end, bool *due)
{
    static int16_t sample[EB_FRONTEND_CHANNELS];

    *due = false;
    while (first < end && !*due) {
        for (size_t i = 0; i < EB_FRONTEND_CHANNELS; i++) {
            sample[i] = eb_samples_value(packed, first * EB_FRONTEND_CHANNELS + i, bits);
        }
        eb_work_sample(sample);
        *due = eb_frontend_push(&eb_frontend_settings, eb_work.frontend, sample);
        first++;
    }
    return first;
}
#endif
