// SPDX-License-Identifier: Apache-2.0
// Copyright edgebio contributors

/* Peripherals of the RP2 port, on commands of one letter and little-endian words; answers are words.
 *
 *   a        sample: answers every frame as its 16-bit values, until the next command
 *   f        answers port_adc_frames, and port_adc_failed
 *   p s us   pulses of servo s
 *   w bits   levels of the pins
 *   c        answers port_start_cause
 *   r        port_reset
 */
#include "eb_board.h"
#include "peripherals.h"
#include "port.h"

#define FRAMES 50u /* not a power of two: laps are counted */

static uint16_t ring[FRAMES * EB_ADC_CHANNELS];

static uint32_t read_word(void)
{
    uint8_t bytes[4];
    for (size_t got = 0; got < sizeof bytes;) {
        got += port_read(bytes + got, sizeof bytes - got);
        port_watchdog_feed();
    }
    return bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 24;
}

static void answer(uint32_t word)
{
    const uint8_t bytes[4] = {(uint8_t)word, (uint8_t)(word >> 8), (uint8_t)(word >> 16),
                              (uint8_t)(word >> 24)};
    port_write(bytes, sizeof bytes);
}

int main(void)
{
    bool sampling = false;
    uint32_t sent = 0;

    port_init();
    port_servo_start();
    port_pins_start();
    for (;;) {
        port_watchdog_feed();
        uint8_t letter;
        if (port_read(&letter, 1) == 0) {
            while (sampling && sent != port_adc_frames()) {
                const uint16_t *frame = &ring[sent % FRAMES * EB_ADC_CHANNELS];
                port_write((const uint8_t *)frame, EB_ADC_CHANNELS * sizeof *frame);
                sent++;
                port_watchdog_feed();
            }
            continue;
        }
        if (letter == 'a') {
            port_adc_start(ring, FRAMES);
            sent = 0;
        } else if (letter == 'f') {
            answer(port_adc_frames());
            answer(port_adc_failed());
        } else if (letter == 'p') {
            const uint32_t servo = read_word();
            port_servo_pulse(servo, read_word());
        } else if (letter == 'w') {
            port_pins_write(read_word());
        } else if (letter == 'c') {
            answer(port_start_cause());
        } else if (letter == 'r') {
            port_reset();
        }
        sampling = letter == 'a';
    }
}
