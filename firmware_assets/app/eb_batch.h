// SPDX-License-Identifier: Apache-2.0
// Copyright edgebio contributors

/* Hooks of the batch application, included before every source of a build that has them.
 *
 * EB_BATCH_TRACE: everything that a layer or a stage of the front end makes goes to trace.bin.
 * EB_BATCH_TICKS: the time that each layer takes goes there.
 */
#ifndef EB_BATCH_H
#define EB_BATCH_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

void eb_batch_layer_done(uint32_t layer, const void *data, size_t bytes);

#define EB_MODEL_LAYER_DONE(layer, data, bytes) eb_batch_layer_done((layer), (data), (bytes))
#ifdef EB_BATCH_TRACE
#define EB_FRONTEND_TRACED 1
#endif

#ifdef __cplusplus
}
#endif

#endif
