// SPDX-License-Identifier: Apache-2.0
// Copyright edgebio contributors

/* Uploads, and runs of the network on uploaded inputs. */

#ifndef EB_RUN_H
#define EB_RUN_H

#include "eb_server.h"

#ifdef __cplusplus
extern "C" {
#endif

uint8_t eb_run_upload(const eb_request *request, eb_answer *answer);
uint8_t eb_run_image(const eb_request *request, eb_answer *answer);
uint8_t eb_run_segment(const eb_request *request, eb_answer *answer);
uint8_t eb_run_output(const eb_request *request, eb_answer *answer);

/* Discards the upload: its memory is needed for something else. */
void eb_run_forget(void);

#ifdef __cplusplus
}
#endif

#endif
