// SPDX-License-Identifier: Apache-2.0
// Copyright edgebio contributors

/* Decision sink: output pins with the levels of the decided class.
 *
 * sink_config.h, generated for a model, has EB_SINK_LEVELS of each class and EB_SINK_REST_LEVELS; bit i is
 * the level of pin i of EB_PINS.
 */
#include "eb_sink.h"

#include "eb_board.h"
#include "peripherals.h"
#include "sink_config.h"

static const uint32_t levels[EB_SINK_CLASSES] = EB_SINK_LEVELS;

void eb_sink_start(void)
{
    port_pins_start();
    eb_sink_rest();
}

void eb_sink_decide(uint8_t decision, uint32_t activity)
{
    (void)activity;
    port_pins_write(decision < EB_SINK_CLASSES ? levels[decision] : EB_SINK_REST_LEVELS);
}

void eb_sink_rest(void)
{
    port_pins_write(EB_SINK_REST_LEVELS);
}

void eb_sink_step(void)
{
}
