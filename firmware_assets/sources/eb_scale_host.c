// SPDX-License-Identifier: Apache-2.0
// Copyright edgebio contributors

#include "eb_scale_host.h"

void eb_scale_host_run(const eb_scale *scale, eb_highpass *states, const int32_t *codes,
                       size_t frames, size_t channels, int16_t *counts)
{
    for (size_t i = 0; i < frames * channels; i++) {
        counts[i] = eb_scale_count(scale, &states[i % channels], codes[i]);
    }
}
