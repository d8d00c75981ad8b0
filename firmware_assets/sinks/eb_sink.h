// SPDX-License-Identifier: Apache-2.0
// Copyright edgebio contributors

/* Interface between decisions and what acts on them: a servo, pins, a line of text.
 *
 * Every decision refreshes the sink. An output that has not been refreshed for EB_SINK_TIMEOUT_MS
 * goes to rest without the application: by the time base's interrupt, and by the watchdog's reset
 * where interrupts hang as well.
 */
#ifndef EB_SINK_H
#define EB_SINK_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define EB_SINK_TIMEOUT_MS 250u

/* Sets up the hardware, at rest. */
void eb_sink_start(void);

/* Acts on a decision: a class, or EB_DECISION_REST or EB_DECISION_REJECTED, which rest. `activity` is
 * that of eb_activity_take. */
void eb_sink_decide(uint8_t decision, uint32_t activity);

/* Goes to rest, and stays there until the next decision, whatever eb_sink_step does. Safe in interrupts and in
 * the fault handler: it only writes registers and flags. */
void eb_sink_rest(void);

/* Refreshes slow changes, such as a servo's limited speed. Called from the main loop. */
void eb_sink_step(void);

#ifdef __cplusplus
}
#endif

#endif
