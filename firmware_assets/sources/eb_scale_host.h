// SPDX-License-Identifier: Apache-2.0
// Copyright edgebio contributors

/* The host twin's interface: counts of a whole signal. */
#ifndef EB_SCALE_HOST_H
#define EB_SCALE_HOST_H

#include <stddef.h>

#include "eb_scale.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Counts of `frames` x `channels` codes; `states`, one per channel, go on from call to call. */
void eb_scale_host_run(const eb_scale *scale, eb_highpass *states, const int32_t *codes,
                       size_t frames, size_t channels, int16_t *counts);

#ifdef __cplusplus
}
#endif

#endif
