// SPDX-License-Identifier: Apache-2.0
// Copyright edgebio contributors

/* Streams: samples in, decisions out.
 *
 * Every sample has an index. Samples are accepted in order or not at all: if some are missing, the
 * stream reports a gap and waits for them, or starts over from reset. A decision occupies a slot
 * until the host has confirmed it; while all slots are occupied, no samples are accepted.
 *
 * The current decision is a class only while segments are decided in time. Before the first one,
 * after a gap, a time-out, the end of the stream or any restart of the device, it is rest. */

#ifndef EB_STREAM_H
#define EB_STREAM_H

#include <stdbool.h>

#include "eb_server.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Decisions that are stored until the host has confirmed them. */
#define EB_STREAM_DECISION_SLOTS 8u

uint8_t eb_stream_start(const eb_request *request, eb_answer *answer);
uint8_t eb_stream_samples(const eb_request *request, eb_answer *answer);
uint8_t eb_stream_recall(const eb_request *request, eb_answer *answer);
uint8_t eb_stream_stop(eb_answer *answer);
uint8_t eb_stream_configure(const eb_request *request, eb_answer *answer);
uint8_t eb_stream_settings(eb_answer *answer);
uint8_t eb_stream_current_decision(eb_answer *answer);

/* Sends rest when the time-out has expired; call it from the main loop. */
void eb_stream_check_timeout(void);

bool eb_stream_open(void);
void eb_stream_close(void);

/* Restores the settings of the model. */
void eb_stream_restore(void);

/* Gaps since the device started, in all streams. */
uint32_t eb_stream_gaps(void);

/* `server` sends the events. */
void eb_stream_init(eb_server *server);

#ifdef __cplusplus
}
#endif

#endif
