// SPDX-License-Identifier: Apache-2.0
// Copyright edgebio contributors

/* The network with its memory and its clock. */

#ifndef EB_NETWORK_H
#define EB_NETWORK_H

#include <stdint.h>

#include "model.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
    uint32_t images;  /* that went through the network */
    uint32_t slowest; /* longest run in microseconds */
} eb_network_counts;

extern eb_network_counts eb_network_counted;

/* Output of the last run. */
extern int8_t eb_network_output[EB_MODEL_OUTPUT_BYTES];

/* Runs the network on an image of EB_MODEL_INPUT_BYTES; returns the microseconds that it took. */
uint32_t eb_network_run(const void *image);

/* The same for an image that begins EB_MODEL_HOP_FRAMES after the one before, or is the first one
 * after a restart: a network that is a stream computes only what is new. */
uint32_t eb_network_follow(const void *image);
void eb_network_restart(void);

#ifdef __cplusplus
}
#endif

#endif
