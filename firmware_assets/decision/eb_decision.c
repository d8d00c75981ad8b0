#include "eb_decision.h"

void eb_decision_reset(eb_decision_state *state)
{
    state->count = 0;
    state->next = 0;
    state->last = EB_DECISION_REJECTED;
    state->held = 0;
}

static uint8_t winner_of(const eb_decision_config *config, const int8_t *outputs)
{
    uint16_t winner = 0;

    for (uint16_t i = 1; i < config->classes; i++) {
        if (outputs[i] > outputs[winner]) {
            winner = i;
        }
    }
    if (outputs[winner] < config->least) {
        return EB_DECISION_REJECTED;
    }
    if (config->exponential != 0) {
        uint32_t sum = 0; /* at most 255 times 2^15 */
        for (uint16_t i = 0; i < config->classes; i++) {
            sum += config->exponential[outputs[winner] - outputs[i]];
        }
        if (sum > config->limit) {
            return EB_DECISION_REJECTED;
        }
    }
    return (uint8_t)winner;
}

static uint8_t vote(const eb_decision_config *config, eb_decision_state *state, uint8_t winner)
{
    state->recent[state->next] = winner;
    state->next = (uint8_t)((state->next + 1u) % config->votes);
    if (state->count < config->votes) {
        state->count++;
    }
    /* From the newest vote back: of equals the one met first stays. At most 31 by 31 steps. */
    uint8_t decision = winner;
    uint8_t most = 0;
    uint8_t at = state->next;
    for (uint8_t i = 0; i < state->count; i++) {
        at = (uint8_t)((at + config->votes - 1u) % config->votes);
        uint8_t votes = 0;
        for (uint8_t j = 0; j < state->count; j++) {
            votes = (uint8_t)(votes + (state->recent[j] == state->recent[at]));
        }
        if (votes > most) {
            most = votes;
            decision = state->recent[at];
        }
    }
    return decision;
}

eb_decision_made eb_decision_window(const eb_decision_config *config, eb_decision_state *state,
                                    const int8_t *outputs, uint32_t activity)
{
    const bool quiet = activity < config->onset;
    const uint8_t winner = quiet ? config->rest : winner_of(config, outputs);
    eb_decision_made made = {winner, vote(config, state, winner), EB_DECISION_BY_VOTE};

    if (quiet) {
        made.decision = config->rest;
        made.reason = EB_DECISION_QUIET;
    } else if (made.decision == EB_DECISION_REJECTED) {
        made.reason = EB_DECISION_UNCERTAIN;
        if (state->last != EB_DECISION_REJECTED && state->held < config->hold) {
            state->held++;
            made.decision = state->last;
            made.reason = EB_DECISION_HELD;
        }
    }
    if (made.reason != EB_DECISION_HELD) {
        state->last = made.decision;
        state->held = 0;
    }
    return made;
}

void eb_activity_reset(eb_activity *activity)
{
    activity->sum = 0;
    activity->count = 0;
    activity->begun = false;
}

void eb_activity_push(eb_activity *activity, int16_t *before, const int16_t *sample,
                      uint16_t channels)
{
    uint32_t sum = 0; /* at most 256 channels times 65535 */

    for (uint16_t i = 0; i < channels; i++) {
        const int32_t step = (int32_t)sample[i] - before[i];
        sum += (uint32_t)(step < 0 ? -step : step);
        before[i] = sample[i];
    }
    if (activity->begun && activity->count < EB_ACTIVITY_MOST_SAMPLES) {
        activity->sum += 16u * sum / channels; /* below 2^20 each */
        activity->count++;
    }
    activity->begun = true;
}

uint32_t eb_activity_take(eb_activity *activity)
{
    const uint32_t mean = activity->count != 0 ? activity->sum / activity->count : 0;

    activity->sum = 0;
    activity->count = 0;
    return mean;
}
