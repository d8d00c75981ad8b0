// SPDX-License-Identifier: Apache-2.0
// Copyright edgebio contributors

/* The device that stands alone: samples, decides and acts from power-on, whatever a host does.
 *
 * A class acts only while segments are decided in time. Before the first one, and after anything that
 * is wrong, the decision is rest with a reason, and the sink rests. After lost samples, an electrode that was
 * off, a late decision or an emergency the front end starts over, so that no image mixes what was
 * before with what comes after.
 *
 * When the loop hangs, the time base's interrupt makes the sink rest; when interrupts hang as well,
 * the watchdog restarts the device, and it rests. */

#ifndef EB_LIVE_H
#define EB_LIVE_H

#include <stdbool.h>

#include "eb_server.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A class acts for no longer without a new sample, and on no sample that is older. */
#define EB_LIVE_LIMIT_MS 250u

typedef struct {
    uint32_t frames;    /* that the source delivered */
    uint32_t lost;      /* that it lost, or that were skipped after a late decision */
    uint32_t decisions; /* since the last start of the source */
    uint32_t oldest_us; /* greatest age of the newest sample of a segment at its decision */
} eb_live_counts;

extern eb_live_counts eb_live_counted;

/* Sets up the sink, then starts the source. */
void eb_live_init(eb_server *server);

/* A turn of the main loop: takes samples until a segment is decided, and checks the time. False if
 * there was nothing to do. */
bool eb_live_step(void);

/* Number of the next sample frame. */
uint32_t eb_live_next_frame(void);

/* Whether a host has opened a session. */
bool eb_live_observed(void);

/* Starts over at sample frame 0 of a source that has been started again. */
void eb_live_restart(void);

/* Restores the settings of the model. */
void eb_live_restore(void);

uint8_t eb_live_settings(eb_answer *answer);
uint8_t eb_live_configure(const eb_request *request, eb_answer *answer);
uint8_t eb_live_current_decision(eb_answer *answer);

#ifdef __cplusplus
}
#endif

#endif
