// SPDX-License-Identifier: Apache-2.0
// Copyright edgebio contributors

/* Four channels of an image as planes of int16, two neighbors along a line in a word. */
#ifndef EB_DEPTHWISE_PLANES_H
#define EB_DEPTHWISE_PLANES_H

#include "eb_dsp.h"
#include "eb_kernels.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Four channels of some lines, from `first` on, as planes with their padding. */
void eb_spread(const eb_depthwise_planar *layer, int32_t first, uint32_t lines, const int8_t *input,
               uint32_t *planes);

#ifdef __cplusplus
}
#endif

#endif
