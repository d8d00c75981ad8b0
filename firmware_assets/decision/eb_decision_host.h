// SPDX-License-Identifier: Apache-2.0
// Copyright edgebio contributors

/* The host twin's interface: decision and activity of a whole stream. */
#ifndef EB_DECISION_HOST_H
#define EB_DECISION_HOST_H

#include "eb_decision.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Decide `count` segments; `activity` is NULL for a muscle that is never quiet. */
void eb_decision_host_run(const eb_decision_config *config, eb_decision_state *state,
                          const int8_t *outputs, const uint32_t *activity, size_t count,
                          eb_decision_result *results);

/* Activity of each segment: the first after a whole segment of samples, the others `step` apart. */
typedef struct {
    eb_activity state;
    size_t due; /* samples until the next segment ends */
} eb_host_activity;

void eb_activity_host_reset(eb_host_activity *host, size_t segment_length);

/* Add `count` samples, and return the number of segments that end with them. */
size_t eb_activity_host_push(eb_host_activity *host, const int16_t *samples, size_t count,
                             uint16_t channels, size_t step, int16_t *before, uint32_t *activity);

#ifdef __cplusplus
}
#endif

#endif
