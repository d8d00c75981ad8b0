// SPDX-License-Identifier: Apache-2.0
// Copyright edgebio contributors

/* Settings of the decision on the wire: read from a request, written into an answer. */

#ifndef EB_SETTINGS_H
#define EB_SETTINGS_H

#include <stdbool.h>

#include "eb_decision.h"
#include "eb_server.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Writes the answer to `settings`. */
void eb_settings_answer_of(const eb_decision_config *own, eb_answer *answer);

/* Whether an image may take the settings over: what rest is, is fixed when it is built. */
bool eb_settings_fit(const eb_configure_request *wanted, const eb_decision_config *built);

void eb_settings_take(const eb_configure_request *wanted, eb_decision_config *own);

#ifdef __cplusplus
}
#endif

#endif
