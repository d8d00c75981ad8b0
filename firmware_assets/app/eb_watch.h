// SPDX-License-Identifier: Apache-2.0
// Copyright edgebio contributors

/* What a host sees of a device that stands alone: records of samples, images, decisions, counters and marks.
 *
 * A record is sent if the transmitter has room for it and for an answer; if not, it is dropped and
 * counted. Nothing here waits. */

#ifndef EB_WATCH_H
#define EB_WATCH_H

#include "eb_server.h"
#include "eb_source.h"

#ifdef __cplusplus
extern "C" {
#endif

/* `server` sends the records. */
void eb_watch_init(eb_server *server);

/* Whether an answer would find room in the transmitter: only then may a request be executed. */
bool eb_watch_has_room(void);

uint8_t eb_watch_watch(const eb_request *request, eb_answer *answer);
uint8_t eb_watch_record(const eb_request *request, eb_answer *answer);
uint8_t eb_watch_cue(const eb_request *request, eb_answer *answer);

/* The host has gone: watches nothing. */
void eb_watch_forget(void);

/* Samples, a decision with its image, rest: as they come. */
void eb_watch_block(const eb_source_block *block);
void eb_watch_decision(const eb_decision_event *event, const int8_t *image);
void eb_watch_rest(uint8_t decision, uint8_t reason);

/* Sends what has waited long enough, from the main loop. */
void eb_watch_step(void);

/* Records that were dropped. */
uint32_t eb_watch_dropped(void);

#ifdef __cplusplus
}
#endif

#endif
