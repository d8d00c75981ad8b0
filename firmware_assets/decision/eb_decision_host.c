// SPDX-License-Identifier: Apache-2.0
// Copyright edgebio contributors

#include "eb_decision_host.h"

void eb_decision_host_run(const eb_decision_config *config, eb_decision_state *state,
                          const int8_t *outputs, const uint32_t *activity, size_t count,
                          eb_decision_result *results)
{
    for (size_t i = 0; i < count; i++) {
        results[i] = eb_decide(config, state, outputs + i * config->classes,
                               activity ? activity[i] : UINT32_MAX);
    }
}

void eb_activity_host_run(const int16_t *samples, size_t count, uint16_t channels,
                          size_t segment_length, size_t step, int16_t *before, uint32_t *activity)
{
    eb_activity state;
    size_t due = segment_length;

    eb_activity_reset(&state);
    for (size_t i = 0; i < count; i++) {
        eb_activity_push(&state, before, samples + i * channels, channels);
        if (i + 1 == due) {
            *activity++ = eb_activity_take(&state);
            due += step;
        }
    }
}
