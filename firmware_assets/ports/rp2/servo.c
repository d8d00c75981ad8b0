// SPDX-License-Identifier: Apache-2.0
// Copyright edgebio contributors

/* Servos by the PWM slices of their pins, which count microseconds and wrap every 20 ms. A pulse that is
 * changed takes effect at the next wrap: no pulse is ever cut.
 *
 * RP2040 datasheet, chapter PWM (4.5); RP2350 datasheet, 12.5.
 */
#include "peripherals.h"
#include "rp2.h"

#if EB_RP2350
#define PWM 0x400A8000u
#else
#define PWM 0x40050000u
#endif
#define SLICE(pin) (PWM + 0x14u * ((uint32_t)(pin) / 2u % 8u))
#define PWM_CSR(pin) REG32(SLICE(pin) + 0x00u)
#define PWM_CSR_ON (1u << 0)
#define PWM_DIV(pin) REG32(SLICE(pin) + 0x04u)
#define PWM_CC(pin) REG32(SLICE(pin) + 0x0Cu)
#define PWM_TOP(pin) REG32(SLICE(pin) + 0x10u)

#define GPIO_CTRL_PWM 4u
#define TICKS_PER_MICRO (EB_CLOCK_HZ / 1000000u)
#define PERIOD_MICROS 20000u

_Static_assert(EB_CLOCK_HZ % 1000000u == 0 && TICKS_PER_MICRO < 256u,
               "DIV has 8 bits, and 4 below");

static const uint8_t pins[EB_SERVOS] = EB_SERVO_PINS;

void port_servo_start(void)
{
    rp2_bring_up(RESETS_PWM);
    for (uint32_t i = 0; i < EB_SERVOS; i++) {
        PWM_DIV(pins[i]) = TICKS_PER_MICRO << 4;
        PWM_TOP(pins[i]) = PERIOD_MICROS - 1u;
        PWM_CC(pins[i]) = 0;
        PWM_CSR(pins[i]) = PWM_CSR_ON;
        PAD(pins[i]) = PAD_PLAIN | PAD_INPUT;
        GPIO_CTRL(pins[i]) = GPIO_CTRL_PWM;
    }
}

void port_servo_pulse(uint32_t servo, uint32_t micros)
{
    const uint32_t pin = pins[servo];
    const uint32_t shift = pin % 2u * 16u; /* two pins share a slice */
    const uint32_t before = cortex_m_lock();
    PWM_CC(pin) = (PWM_CC(pin) & ~(0xFFFFu << shift)) | micros << shift;
    cortex_m_unlock(before);
}
