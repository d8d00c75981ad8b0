// SPDX-License-Identifier: Apache-2.0
// Copyright edgebio contributors

/* In an image that stands alone, included before every source: a long network reports each layer, so that
 * the watchdog sees progress. */

#ifndef EB_PROGRESS_H
#define EB_PROGRESS_H

#ifdef __cplusplus
extern "C" {
#endif

void eb_progress_layer(void);

#define EB_MODEL_LAYER_DONE(layer, data, bytes) eb_progress_layer()

#ifdef __cplusplus
}
#endif

#endif
