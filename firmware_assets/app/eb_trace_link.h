// SPDX-License-Identifier: Apache-2.0
// Copyright edgebio contributors

/* The requests behind eb_trace.h. */

#ifndef EB_TRACE_LINK_H
#define EB_TRACE_LINK_H

#include "eb_server.h"

#ifdef __cplusplus
extern "C" {
#endif

/* `server` sends the events. */
void eb_trace_init(eb_server *server);

uint8_t eb_trace_begin(const eb_request *request, eb_answer *answer);
uint8_t eb_trace_end(eb_answer *answer);

/* Stops tracing. */
void eb_trace_forget(void);

#ifdef __cplusplus
}
#endif

#endif
