// SPDX-License-Identifier: Apache-2.0
// Copyright edgebio contributors

/* Servos by the channels of one timer, TIM3 or TIM4, which counts microseconds and wraps every 20 ms.
 * A pulse that is changed takes effect at the next wrap: no pulse is ever cut. */
#include "peripherals.h"
#include "stm32.h"
#include "stm32_family.h"
#include "timer.h"

#define PERIOD_MICROS 20000u
#define TIMER_FUNCTION 2u /* of the pins, for TIM3 to TIM5: DS8626, DS10693, DS10198 */

_Static_assert(EB_SERVO_TIMER_0 >= 3u && EB_SERVO_TIMER_0 <= 5u, "the servos are on TIM3 to TIM5");
_Static_assert(STM32_TIMER_HZ % 1000000u == 0, "the timer counts microseconds");

static const uint8_t pins[EB_SERVOS] = EB_SERVO_PINS;
static const uint8_t channels[EB_SERVOS] = EB_SERVO_OUTPUTS;

void port_servo_start(void)
{
    stm32_enable_timer(EB_SERVO_TIMER_0);
    TIM_CR1(EB_SERVO_TIMER_0) = 0;
    TIM_PSC(EB_SERVO_TIMER_0) = STM32_TIMER_HZ / 1000000u - 1u;
    TIM_ARR(EB_SERVO_TIMER_0) = PERIOD_MICROS - 1u;
    for (uint32_t i = 0; i < EB_SERVOS; i++) {
        TIM_CCR(EB_SERVO_TIMER_0, channels[i]) = 0;
        TIM_CCMR(EB_SERVO_TIMER_0, channels[i]) |= TIM_CCMR_PWM(channels[i]);
        TIM_CCER(EB_SERVO_TIMER_0) |= TIM_CCER_ON(channels[i]);
        stm32_set_pin(pins[i], STM32_MODE_FUNCTION, TIMER_FUNCTION, false);
    }
    TIM_EGR(EB_SERVO_TIMER_0) = TIM_EGR_UPDATE;
    TIM_CR1(EB_SERVO_TIMER_0) = TIM_CR1_PRELOAD | TIM_CR1_ON;
}

void port_servo_pulse(uint32_t servo, uint32_t micros)
{
    TIM_CCR(EB_SERVO_TIMER_0, channels[servo]) = micros;
}
