// SPDX-License-Identifier: Apache-2.0
// Copyright edgebio contributors

/* Decision sink: servos that move to the angles of the decided class, not faster than a limit. Going to
 * rest in an emergency has no limit: nothing may be left to compute then.
 *
 * sink_config.h, generated for a model, has pulses in microseconds: EB_SINK_PULSES of each class and
 * servo, EB_SINK_REST_PULSES; EB_SINK_SLEW, their fastest change in microseconds per second, 0 for no
 * limit; EB_SINK_FULL_ACTIVITY, the activity that moves so fast, with less in proportion, 0 for
 * always.
 */
#include "eb_sink.h"

#include <stdbool.h>

#include "eb_board.h"
#include "eb_decision.h"
#include "peripherals.h"
#include "port.h"
#include "sink_config.h"

/* A servo sees a pulse every 20 ms; a change per step needs no finer time. */
#define STEP_US 2000u
/* Positions are in microseconds / FINE: the slowest speed moves within a step. */
#define FINE 4096u
#define LONGEST_US 1000000u /* between two steps; FINE x slew x this fits 64 bits */

static const uint16_t pulses[EB_SINK_CLASSES][EB_SERVOS] = EB_SINK_PULSES;
static const uint16_t rest_pulses[EB_SERVOS] = EB_SINK_REST_PULSES;

/* Set by eb_sink_rest, which may interrupt the others; they go on from rest. */
static volatile bool rests;
static const uint16_t *target = rest_pulses;
static uint32_t speed; /* microseconds per second */
static uint32_t position[EB_SERVOS];
static uint32_t last_us; /* of the last step */

static void write_rest(void)
{
    for (uint32_t i = 0; i < EB_SERVOS; i++) {
        port_servo_pulse(i, rest_pulses[i]);
    }
}

static void jump(const uint16_t *to)
{
    for (uint32_t i = 0; i < EB_SERVOS; i++) {
        position[i] = to[i] * FINE;
        port_servo_pulse(i, to[i]);
    }
    if (rests) { /* since the last look: its pulses stay */
        write_rest();
    }
}

void eb_sink_start(void)
{
    port_servo_start();
    eb_sink_rest();
    last_us = port_micros();
}

static void leave_rest(void)
{
    if (rests) {
        rests = false;
        for (uint32_t i = 0; i < EB_SERVOS; i++) {
            position[i] = rest_pulses[i] * FINE;
        }
        last_us = port_micros();
    }
}

void eb_sink_decide(uint8_t decision, uint32_t activity)
{
    const bool moves = decision < EB_SINK_CLASSES && decision != EB_SINK_REST_CLASS;

    leave_rest();
    target = moves ? pulses[decision] : rest_pulses;
    speed = EB_SINK_SLEW;
#if EB_SINK_FULL_ACTIVITY
    if (moves && activity < EB_SINK_FULL_ACTIVITY) {
        speed = (uint32_t)((uint64_t)EB_SINK_SLEW * activity / EB_SINK_FULL_ACTIVITY);
    }
#else
    (void)activity;
#endif
    if (EB_SINK_SLEW == 0u) {
        jump(target);
    }
}

void eb_sink_rest(void)
{
    rests = true;
    write_rest();
}

static uint32_t toward(uint32_t from, uint32_t to, uint32_t most)
{
    if (from < to) {
        return to - from > most ? from + most : to;
    }
    return from - to > most ? from - most : to;
}

void eb_sink_step(void)
{
    const uint32_t now = port_micros();
    uint32_t passed = now - last_us;

    if (EB_SINK_SLEW == 0u || rests || passed < STEP_US) {
        return;
    }
    last_us = now;
    if (passed > LONGEST_US) {
        passed = LONGEST_US;
    }
    const uint32_t most = (uint32_t)((uint64_t)speed * passed * FINE / 1000000u);
    for (uint32_t i = 0; i < EB_SERVOS; i++) {
        position[i] = toward(position[i], target[i] * FINE, most);
        port_servo_pulse(i, (position[i] + FINE / 2u) / FINE);
    }
    if (rests) { /* since the look above: its pulses stay */
        write_rest();
    }
}
