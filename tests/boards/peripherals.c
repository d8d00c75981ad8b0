// SPDX-License-Identifier: Apache-2.0
// Copyright edgebio contributors

/* Calls every function of a port's converter, servos and pins. It is only linked. */
#include "peripherals.h"

#include "eb_board.h"
#include "port.h"

static uint16_t ring[64u * EB_ADC_CHANNELS];

void eb_emergency(port_emergency what)
{
    (void)what;
    port_servo_pulse(0, 1500u);
    port_pins_write(0);
}

int main(void)
{
    port_init();
    port_servo_start();
    port_pins_start();
    port_adc_start(ring, 64u);
    while (!port_adc_failed()) {
        port_servo_pulse(EB_SERVOS - 1u, ring[port_adc_frames() % 64u * EB_ADC_CHANNELS]);
        port_pins_write(port_clock_fallback());
        port_watchdog_feed();
        port_guard_refresh();
    }
    port_adc_stop();
    port_reset();
}
