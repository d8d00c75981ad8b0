// SPDX-License-Identifier: Apache-2.0
// Copyright edgebio contributors

/* Decision sink: nothing acts. */
#include "eb_sink.h"

void eb_sink_start(void)
{
}

void eb_sink_decide(uint8_t decision, uint32_t activity)
{
    (void)decision;
    (void)activity;
}

void eb_sink_rest(void)
{
}

void eb_sink_step(void)
{
}
