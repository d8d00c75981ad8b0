/* The decision and the activity over a whole stream, for the host twin. */

#include "eb_decision.h"

void eb_decision_host_run(const eb_decision_config *config, eb_decision_state *state,
                          const int8_t *outputs, const uint32_t *activity, size_t windows,
                          eb_decision_made *made);
void eb_activity_host_run(const int16_t *samples, size_t count, uint16_t channels, size_t window,
                          size_t step, int16_t *before, uint32_t *activity);

/* `activity` may be 0: never quiet. */
void eb_decision_host_run(const eb_decision_config *config, eb_decision_state *state,
                          const int8_t *outputs, const uint32_t *activity, size_t windows,
                          eb_decision_made *made)
{
    for (size_t i = 0; i < windows; i++) {
        const uint32_t each = activity ? activity[i] : UINT32_MAX;
        made[i] = eb_decision_window(config, state, outputs + i * config->classes, each);
    }
}

void eb_activity_host_run(const int16_t *samples, size_t count, uint16_t channels, size_t window,
                          size_t step, int16_t *before, uint32_t *activity)
{
    eb_activity state;
    size_t due = window;

    eb_activity_reset(&state);
    for (size_t i = 0; i < count; i++) {
        eb_activity_push(&state, before, samples + i * channels, channels);
        if (i + 1 == due) {
            *activity++ = eb_activity_take(&state);
            due += step;
        }
    }
}
