// SPDX-License-Identifier: Apache-2.0
// Copyright edgebio contributors

/* A sink on the host: commands from stdin, and what it wrote to servos or pins, one line each.
 *   t MICROS            the time passes, then a step
 *   d CLASS ACTIVITY    a decision
 *   r                   rest
 *   i SERVO             an emergency interrupts the next pulse to this servo
 */
#include <stdio.h>
#include <stdlib.h>

#include "eb_board.h"
#include "eb_sink.h"
#include "peripherals.h"
#include "port.h"

static uint32_t now = 0xFFFFF000u; /* it wraps soon */
static long interrupted = -1;

uint32_t port_micros(void)
{
    return now;
}

#ifdef EB_SERVOS
static uint32_t pulses[EB_SERVOS];

void port_servo_start(void)
{
}

void port_servo_pulse(uint32_t servo, uint32_t micros)
{
    pulses[servo] = micros;
    if (interrupted == (long)servo) {
        interrupted = -1;
        eb_sink_rest();
    }
}

static void print(void)
{
    for (uint32_t i = 0; i < EB_SERVOS; i++) {
        printf("%u ", pulses[i]);
    }
    printf("\n");
}
#else
static uint32_t levels;

void port_pins_start(void)
{
    levels = 0;
}

void port_pins_write(uint32_t written)
{
    levels = written;
}

static void print(void)
{
    printf("%u\n", levels);
}
#endif

int main(void)
{
    char command;
    unsigned long a, b;

    eb_sink_start();
    print();
    while (scanf(" %c", &command) == 1) {
        if (command == 'd' && scanf("%lu %lu", &a, &b) == 2) {
            eb_sink_decide((uint8_t)a, (uint32_t)b);
        } else if (command == 't' && scanf("%lu", &a) == 1) {
            now += (uint32_t)a;
            eb_sink_step();
        } else if (command == 'r') {
            eb_sink_rest();
        } else if (command == 'i' && scanf("%lu", &a) == 1) {
            interrupted = (long)a;
            continue;
        } else {
            return EXIT_FAILURE;
        }
        print();
    }
    return EXIT_SUCCESS;
}
