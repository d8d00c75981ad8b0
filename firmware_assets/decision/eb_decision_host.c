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

void eb_activity_host_reset(eb_host_activity *host, size_t segment_length)
{
    eb_activity_reset(&host->state);
    host->due = segment_length;
}

size_t eb_activity_host_push(eb_host_activity *host, const int16_t *samples, size_t count,
                             uint16_t channels, size_t step, int16_t *before, uint32_t *activity)
{
    size_t segments = 0;

    for (size_t i = 0; i < count; i++) {
        eb_activity_push(&host->state, before, samples + i * channels, channels);
        if (--host->due == 0) {
            activity[segments++] = eb_activity_take(&host->state);
            host->due = step;
        }
    }
    return segments;
}
