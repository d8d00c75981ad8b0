// SPDX-License-Identifier: Apache-2.0
// Copyright edgebio contributors

/* Up to four servos by PWM0, which counts microseconds and wraps every 20 ms: nRF52840 PS v1.7, chapter
 * PWM. A pulse that is changed takes effect at the next wrap: no pulse is ever cut. */
#include "cortex_m.h"
#include "eb_board.h"
#include "peripherals.h"

#define PWM 0x4001C000u
#define PWM_SEQSTART0 REG32(PWM + 0x008u)
#define PWM_ENABLE REG32(PWM + 0x500u)
#define PWM_MODE REG32(PWM + 0x504u)
#define PWM_MODE_UP 0u
#define PWM_COUNTERTOP REG32(PWM + 0x508u)
#define PWM_PRESCALER REG32(PWM + 0x50Cu)
#define PWM_PRESCALER_1_MHZ 4u
#define PWM_DECODER REG32(PWM + 0x510u)
#define PWM_DECODER_INDIVIDUAL 2u
#define PWM_LOOP REG32(PWM + 0x514u)
#define PWM_SEQ0_PTR REG32(PWM + 0x520u)
#define PWM_SEQ0_CNT REG32(PWM + 0x524u)
#define PWM_SEQ0_REFRESH REG32(PWM + 0x528u)
#define PWM_SEQ0_ENDDELAY REG32(PWM + 0x52Cu)
#define PWM_PSEL(output) REG32(PWM + 0x560u + 4u * (output))
#define PWM_PSEL_NONE UINT32_MAX
#define PWM_OUTPUTS 4u
#define POLARITY_HIGH_FIRST 0x8000u
#define PERIOD_MICROS 20000u

_Static_assert(EB_SERVOS <= PWM_OUTPUTS, "PWM0 has four outputs");

static const uint8_t pins[EB_SERVOS] = EB_SERVO_PINS;

/* EasyDMA reads it at the start of a sequence of one value, which then goes on for ever. */
static volatile uint16_t pulses[PWM_OUTPUTS];

void port_servo_start(void)
{
    PWM_ENABLE = 0;
    for (uint32_t i = 0; i < PWM_OUTPUTS; i++) {
        pulses[i] = POLARITY_HIGH_FIRST;
        if (i < EB_SERVOS) {
            /* The level while PWM is off. */
            const uint32_t port = 0x50000000u + 0x300u * (pins[i] / 32u);
            REG32(port + 0x50Cu) = 1u << (pins[i] % 32u); /* OUTCLR */
            REG32(port + 0x518u) = 1u << (pins[i] % 32u); /* DIRSET */
        }
        PWM_PSEL(i) = i < EB_SERVOS ? pins[i] : PWM_PSEL_NONE;
    }
    PWM_ENABLE = 1;
    PWM_MODE = PWM_MODE_UP;
    PWM_PRESCALER = PWM_PRESCALER_1_MHZ;
    PWM_COUNTERTOP = PERIOD_MICROS;
    PWM_DECODER = PWM_DECODER_INDIVIDUAL;
    PWM_LOOP = 0;
    PWM_SEQ0_PTR = (uint32_t)(uintptr_t)pulses;
    PWM_SEQ0_CNT = PWM_OUTPUTS;
    PWM_SEQ0_REFRESH = 0;
    PWM_SEQ0_ENDDELAY = 0;
    PWM_SEQSTART0 = 1;
}

void port_servo_pulse(uint32_t servo, uint32_t micros)
{
    pulses[servo] = (uint16_t)(POLARITY_HIGH_FIRST | micros);
    cortex_m_barrier();
    PWM_SEQSTART0 = 1;
}
