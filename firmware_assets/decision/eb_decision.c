// SPDX-License-Identifier: Apache-2.0
// Copyright edgebio contributors

#include "eb_decision.h"

void eb_decision_reset(eb_decision_state *state)
{
    state->count = 0;
    state->next = 0;
    state->last = EB_DECISION_REJECTED;
    state->hold_count = 0;
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
    /* From the newest vote to the oldest, so that a tie goes to the newest. */
    uint8_t decision = winner;
    uint8_t most_votes = 0;
    uint8_t at = state->next;
    for (uint8_t i = 0; i < state->count; i++) {
        at = (uint8_t)((at + config->votes - 1u) % config->votes);
        uint8_t votes = 0;
        for (uint8_t j = 0; j < state->count; j++) {
            votes = (uint8_t)(votes + (state->recent[j] == state->recent[at]));
        }
        if (votes > most_votes) {
            most_votes = votes;
            decision = state->recent[at];
        }
    }
    return decision;
}

eb_decision_result eb_decide(const eb_decision_config *config, eb_decision_state *state,
                             const int8_t *outputs, uint32_t activity)
{
    const bool quiet = activity < config->onset;
    const uint8_t winner = quiet ? config->rest : winner_of(config, outputs);
    eb_decision_result result = {winner, vote(config, state, winner), EB_DECISION_BY_VOTE};

    if (quiet) {
        result.decision = config->rest;
        result.reason = EB_DECISION_QUIET;
    } else if (result.decision == EB_DECISION_REJECTED) {
        result.reason = EB_DECISION_UNCERTAIN;
        if (state->last != EB_DECISION_REJECTED && state->hold_count < config->hold) {
            state->hold_count++;
            result.decision = state->last;
            result.reason = EB_DECISION_HELD;
        }
    }
    if (result.reason != EB_DECISION_HELD) {
        state->last = result.decision;
        state->hold_count = 0;
    }
    return result;
}

void eb_activity_reset(eb_activity *activity)
{
    activity->sum = 0;
    activity->count = 0;
    activity->started = false;
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
    if (activity->started && activity->count < EB_ACTIVITY_MAX_SAMPLES) {
        activity->sum += 16u * sum / channels; /* below 2^20 each */
        activity->count++;
    }
    activity->started = true;
}

uint32_t eb_activity_take(eb_activity *activity)
{
    const uint32_t mean = activity->count != 0 ? activity->sum / activity->count : 0;

    activity->sum = 0;
    activity->count = 0;
    return mean;
}
