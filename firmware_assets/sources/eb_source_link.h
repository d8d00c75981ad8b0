// SPDX-License-Identifier: Apache-2.0
// Copyright edgebio contributors

/* Requests that feed the sample source `link`. */
#ifndef EB_SOURCE_LINK_H
#define EB_SOURCE_LINK_H

#include "eb_server.h"

#ifdef __cplusplus
extern "C" {
#endif

uint8_t eb_source_link_start(const eb_request *request, eb_answer *answer);
uint8_t eb_source_link_samples(const eb_request *request, eb_answer *answer);
uint8_t eb_source_link_stop(eb_answer *answer);

#ifdef __cplusplus
}
#endif

#endif
