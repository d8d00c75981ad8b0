// SPDX-License-Identifier: Apache-2.0
// Copyright edgebio contributors

/* From the network's outputs to a decision: onset gate, confidence threshold, vote, hold.
 *
 * A segment votes for its largest output (the first of equal ones); for "rejected" if the output's
 * probability is too small; for rest if the muscle is quiet. The decision is the majority of the
 * last `votes` votes, or of fewer after a reset; a tie goes to the most recent of its votes.
 *
 * A quiet muscle is rest at once, whatever the vote. If the vote is "rejected", the last class
 * stays decided for `hold` segments; then the decision is "rejected": no class.
 *
 * Integer arithmetic only, so that every machine decides the same. */

#ifndef EB_DECISION_H
#define EB_DECISION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* No class: none was certain enough. */
#define EB_DECISION_REJECTED 255u

/* Rest, for a model without a class for it. */
#define EB_DECISION_REST 254u

#define EB_DECISION_MAX_CLASSES 254u
#define EB_DECISION_MAX_VOTES 31u

/* Reason of a decision. The numbers are those of the link (messages.toml, `reason`). */
typedef enum {
    EB_DECISION_BY_VOTE = 0,
    EB_DECISION_UNCERTAIN = 1,
    EB_DECISION_QUIET = 2,
    EB_DECISION_HELD = 3,
} eb_decision_reason;

typedef struct {
    uint16_t classes; /* 2 to EB_DECISION_MAX_CLASSES */
    uint8_t votes;    /* 1 to EB_DECISION_MAX_VOTES */
    uint8_t hold;     /* segments that a class stays decided after the vote rejects it */
    uint8_t rest;     /* class of rest, or EB_DECISION_REST */
    int16_t least;    /* smallest output of a winner that is not rejected; 128 rejects all */
    /* For outputs before the softmax: exp(-scale * d) in Q15, rounded, for every difference d from
     * the largest output; 0 for probabilities, where `least` is the threshold. The winner's
     * probability is 1 over the sum, so a sum above `limit` rejects it. */
    const uint16_t *exponential;
    uint32_t limit;
    uint32_t onset;      /* the muscle is quiet below this activity; 0: never */
    uint16_t timeout_ms; /* without samples, until the decision is rest; 0: never */
} eb_decision_config;

typedef struct {
    uint8_t recent[EB_DECISION_MAX_VOTES];
    uint8_t count;      /* votes in `recent` */
    uint8_t next;       /* index of the next vote */
    uint8_t last;       /* last class decided, or EB_DECISION_REJECTED */
    uint8_t hold_count; /* segments that it has been held for */
} eb_decision_state;

typedef struct {
    uint8_t winner;   /* vote of the segment: a class, rest or rejected */
    uint8_t decision; /* a class, rest or rejected */
    uint8_t reason;   /* eb_decision_reason */
} eb_decision_result;

void eb_decision_reset(eb_decision_state *state);

/* Decide by the network's outputs for a segment and the activity of its newest samples. */
eb_decision_result eb_decide(const eb_decision_config *config, eb_decision_state *state,
                             const int8_t *outputs, uint32_t activity);

/* Activity: mean absolute difference of consecutive samples over all channels, in sixteenths of a
 * count. An offset does not change it. Hudgins et al. (1993) call its sum the waveform length. */
typedef struct {
    uint32_t sum;
    uint16_t count;
    bool started;
} eb_activity;

#define EB_ACTIVITY_MAX_SAMPLES 4095u /* of one mean; further samples are not counted */

void eb_activity_reset(eb_activity *activity);

/* Add a sample; `before` holds the sample before it, `channels` values. */
void eb_activity_push(eb_activity *activity, int16_t *before, const int16_t *sample,
                      uint16_t channels);

/* Activity since the last call. */
uint32_t eb_activity_take(eb_activity *activity);

#ifdef __cplusplus
}
#endif

#endif
