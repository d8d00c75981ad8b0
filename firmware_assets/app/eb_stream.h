/* Streams: samples in, decisions out.
 *
 * Every sample has a number. Samples are taken in order or not at all: where they do not follow on,
 * the stream reports a gap and waits for the missing ones, or begins anew from reset. A decision is
 * kept until the host has said that it has it; while too many wait, no samples are taken.
 *
 * What is decided now is a class only while windows are decided in time: before the first one, after
 * a gap, a time-out or the stream's end, and after a restart for whatever reason it is rest. */

#ifndef EB_STREAM_H
#define EB_STREAM_H

#include <stdbool.h>

#include "eb_server.h"

/* Decisions kept. */
#define EB_STREAM_KEPT 8u

uint8_t eb_stream_start(const eb_request *request, eb_answer *answer);
uint8_t eb_stream_samples(const eb_request *request, eb_answer *answer);
uint8_t eb_stream_recall(const eb_request *request, eb_answer *answer);
uint8_t eb_stream_stop(eb_answer *answer);
uint8_t eb_stream_configure(const eb_request *request, eb_answer *answer);
uint8_t eb_stream_settings(eb_answer *answer);
uint8_t eb_stream_now(eb_answer *answer);

/* Looks at the clock: called again and again. */
void eb_stream_look(void);

bool eb_stream_open(void);
void eb_stream_close(void);

/* Back to the settings of the model. */
void eb_stream_restore(void);

/* Gaps since start, in all streams. */
uint32_t eb_stream_gaps(void);

/* `server` sends the events. */
void eb_stream_init(eb_server *server);

#endif
