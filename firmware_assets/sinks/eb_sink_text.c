// SPDX-License-Identifier: Apache-2.0
// Copyright edgebio contributors

/* Decision sink: a line for each decision, `class activity`, and for each rest, on the line of the link until
 * a host opens a session there. A line that finds no room is dropped.
 *
 * sink_config.h, generated for a model, has EB_SINK_CLASSES and EB_SINK_CLASS_NAMES. */
#include "eb_sink.h"

#include <stdbool.h>
#include <string.h>

#include "eb_decision.h"
#include "eb_live.h"
#include "port.h"
#include "sink_config.h"

static const char *const names[EB_SINK_CLASSES] = EB_SINK_CLASS_NAMES;

/* Set where rest begins, which may be in an interrupt; the main loop writes the line. */
static volatile bool rests;
static bool is_rest_written;

static void write_line(const char *name, const char *number)
{
    const size_t bytes = strlen(name) + strlen(number) + 3u;

    if (eb_live_observed() || port_write_room() < bytes) {
        return;
    }
    port_write((const uint8_t *)name, strlen(name));
    port_write((const uint8_t *)" ", 1);
    port_write((const uint8_t *)number, strlen(number));
    port_write((const uint8_t *)"\r\n", 2);
}

void eb_sink_start(void)
{
    rests = true;
    is_rest_written = false;
}

void eb_sink_decide(uint8_t decision, uint32_t activity)
{
    char digits[11];
    char *at = digits + sizeof digits - 1;

    *at = 0;
    do {
        *--at = (char)('0' + activity % 10u);
        activity /= 10u;
    } while (activity != 0);
    rests = false;
    is_rest_written = false;
    write_line(decision < EB_SINK_CLASSES         ? names[decision]
               : decision == EB_DECISION_REJECTED ? "rejected"
                                                  : "rest",
               at);
}

void eb_sink_rest(void)
{
    rests = true;
}

void eb_sink_step(void)
{
    if (rests && !is_rest_written) {
        is_rest_written = true;
        write_line("rest", "-");
    }
}
