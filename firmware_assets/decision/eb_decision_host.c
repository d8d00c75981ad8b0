/* The decision over a whole stream, for the host twin. */

#include "eb_decision.h"

void eb_decision_host_run(const eb_decision_config *config, const int8_t *outputs, size_t windows,
                          uint8_t *winners, uint8_t *decisions);

void eb_decision_host_run(const eb_decision_config *config, const int8_t *outputs, size_t windows,
                          uint8_t *winners, uint8_t *decisions)
{
    eb_decision_state state;

    eb_decision_reset(&state);
    for (size_t i = 0; i < windows; i++) {
        winners[i] = eb_decision_winner(config, outputs + i * config->classes);
        decisions[i] = eb_decision_vote(config, &state, winners[i]);
    }
}
