// SPDX-License-Identifier: Apache-2.0
// Copyright edgebio contributors

/* Sends the output of every layer and front-end stage over the link: only in builds for hardware in
 * the loop (EB_LINK_TRACE), which include this before every source. */

#ifndef EB_TRACE_H
#define EB_TRACE_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

void eb_trace_layer_done(uint32_t layer, const void *data, size_t bytes);

#define EB_MODEL_LAYER_DONE(layer, data, bytes) eb_trace_layer_done((layer), (data), (bytes))
#define EB_FRONTEND_TRACED 1

#ifdef __cplusplus
}
#endif

#endif
