/* From the network's outputs to a decision: onset gate, confidence rejection, vote, hold.
 *
 * A window votes for its largest output (the first of equals), for "rejected" where its
 * probability is too small, and for rest where the muscle is quiet. The decision is what most of
 * the last `votes` windows voted for, and of equals what was voted for last. Before `votes` windows
 * have come, those that there are vote.
 *
 * Quiet is rest at once, whatever the vote says. A vote for "rejected" keeps the class decided
 * before for `hold` windows, and is the decision after them: no class.
 *
 * All in integers, so that every machine decides the same. */

#ifndef EB_DECISION_H
#define EB_DECISION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* No class was certain enough. */
#define EB_DECISION_REJECTED 255u

/* Rest, where no class of the model is. */
#define EB_DECISION_REST 254u

#define EB_DECISION_MOST_CLASSES 254u
#define EB_DECISION_MOST_VOTES 31u

/* Why a window was decided as it was. Numbers are the wire's (messages.toml, `reason`). */
typedef enum {
    EB_DECISION_BY_VOTE = 0,
    EB_DECISION_UNCERTAIN = 1,
    EB_DECISION_QUIET = 2,
    EB_DECISION_HELD = 3,
} eb_decision_reason;

typedef struct {
    uint16_t classes; /* 2 to EB_DECISION_MOST_CLASSES */
    uint8_t votes;    /* 1 to EB_DECISION_MOST_VOTES */
    uint8_t hold;     /* windows that a class outlasts its certainty */
    uint8_t rest;     /* class that is rest, or EB_DECISION_REST */
    int16_t least;    /* smallest output of a winner that is not rejected; 128 rejects all */
    /* For outputs before the softmax: exp(-scale * d) in Q15, rounded, for every difference d from
     * the largest output; 0 where the outputs are probabilities, and `least` says it all. The
     * winner's probability is 1 over the sum, so it is rejected where the sum is above `limit`. */
    const uint16_t *exponential;
    uint32_t limit;
    uint32_t onset;      /* activity below which the muscle is quiet; 0: never */
    uint16_t timeout_ms; /* without samples, until the decision is rest; 0: never */
} eb_decision_config;

typedef struct {
    uint8_t recent[EB_DECISION_MOST_VOTES];
    uint8_t count; /* votes in `recent` */
    uint8_t next;  /* where the next one goes */
    uint8_t last;  /* newest class decided, or EB_DECISION_REJECTED */
    uint8_t held;  /* windows that it has been held for */
} eb_decision_state;

typedef struct {
    uint8_t winner;   /* what the window votes for: a class, rest or rejected */
    uint8_t decision; /* a class, rest or rejected */
    uint8_t reason;   /* eb_decision_reason */
} eb_decision_made;

void eb_decision_reset(eb_decision_state *state);

/* Takes a window: the network's outputs, and the activity of its newest samples. */
eb_decision_made eb_decision_window(const eb_decision_config *config, eb_decision_state *state,
                                    const int8_t *outputs, uint32_t activity);

/* Activity: mean absolute difference from one sample to the next, over all channels, in sixteenths
 * of a count. The waveform length of Hudgins et al. (1993) by another name: it knows no offset. */
typedef struct {
    uint32_t sum;
    uint16_t count;
    bool begun;
} eb_activity;

#define EB_ACTIVITY_MOST_SAMPLES 4095u /* that enter the mean; those after them do not */

void eb_activity_reset(eb_activity *activity);

/* Takes a sample; `before`, of as many channels, is the memory of the one before. */
void eb_activity_push(eb_activity *activity, int16_t *before, const int16_t *sample,
                      uint16_t channels);

/* Activity since it was asked for last. */
uint32_t eb_activity_take(eb_activity *activity);

#endif
