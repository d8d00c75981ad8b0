/* From the network's outputs to a decision: confidence rejection, then a vote.
 *
 * A window votes for its largest output (the first of equals), or for "rejected" where its
 * probability is too small. The decision is what most of the last `votes` windows voted for, and of
 * equals what was voted for last. Before `votes` windows have come, those that there are vote.
 *
 * All in integers, so that every machine decides the same. */

#ifndef EB_DECISION_H
#define EB_DECISION_H

#include <stddef.h>
#include <stdint.h>

/* No class was certain enough. */
#define EB_DECISION_REJECTED 255u

#define EB_DECISION_MOST_VOTES 31u

typedef struct {
    uint16_t classes; /* at most 255 */
    uint8_t votes;    /* 1 to EB_DECISION_MOST_VOTES */
    int16_t least;    /* smallest output of a winner that is not rejected; 128 rejects all */
    /* For outputs before the softmax: exp(-scale * d) in Q15, rounded, for every difference d from
     * the largest output; 0 where the outputs are probabilities, and `least` says it all. The
     * winner's probability is 1 over the sum, so it is rejected where the sum is above `limit`. */
    const uint16_t *exponential;
    uint32_t limit;
} eb_decision_config;

typedef struct {
    uint8_t recent[EB_DECISION_MOST_VOTES];
    uint8_t count; /* votes in `recent` */
    uint8_t next;  /* where the next one goes */
} eb_decision_state;

void eb_decision_reset(eb_decision_state *state);

/* What this window votes for. */
uint8_t eb_decision_winner(const eb_decision_config *config, const int8_t *outputs);

/* Takes a window's vote; returns the decision. */
uint8_t eb_decision_vote(const eb_decision_config *config, eb_decision_state *state,
                         uint8_t winner);

#endif
