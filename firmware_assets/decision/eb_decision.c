#include "eb_decision.h"

void eb_decision_reset(eb_decision_state *state)
{
    state->count = 0;
    state->next = 0;
}

uint8_t eb_decision_winner(const eb_decision_config *config, const int8_t *outputs)
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

uint8_t eb_decision_vote(const eb_decision_config *config, eb_decision_state *state,
                         uint8_t winner)
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
