/* The requests behind eb_trace.h. */

#ifndef EB_TRACE_LINK_H
#define EB_TRACE_LINK_H

#include "eb_server.h"

/* `server` sends the events. */
void eb_trace_init(eb_server *server);

uint8_t eb_trace_begin(const eb_request *request, eb_answer *answer);
uint8_t eb_trace_end(eb_answer *answer);

/* Traces no more. */
void eb_trace_forget(void);

#endif
