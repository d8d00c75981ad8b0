// SPDX-License-Identifier: Apache-2.0
// Copyright edgebio contributors

/* Requests that ask for board, model, counters and image, and the request to restart. */

#ifndef EB_INFORMATION_H
#define EB_INFORMATION_H

#include <stdbool.h>

#include "eb_server.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Executes the request if it is one of these, with the result of eb_server_handle; false if not. */
bool eb_information_handle(const eb_request *request, eb_answer *answer, uint8_t *code);

/* Goes on with reading the image; true if there is more to do. In an image that stands alone this is the
 * work of idle times. */
bool eb_information_step(void);

/* Restarts the device if that was requested, once the answer is on its way. */
void eb_information_restart_if_wanted(void);

/* Starts to read the image; `server` counts frames. */
void eb_information_init(const eb_server *server);

#ifdef __cplusplus
}
#endif

#endif
