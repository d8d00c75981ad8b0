// SPDX-License-Identifier: Apache-2.0
// Copyright edgebio contributors

/* General-purpose timers TIM2 to TIM5 of STM32 families, which have the same registers: RM0090, RM0390
 * and RM0351, chapters on TIM2 to TIM5. */
#ifndef EB_TIMER_H
#define EB_TIMER_H

#include "cortex_m.h"

#ifdef __cplusplus
extern "C" {
#endif

#define TIM(number, offset) REG32(0x40000000u + 0x400u * ((number) - 2u) + (offset))
#define TIM_CR1(number) TIM(number, 0x00u)
#define TIM_CR1_ON (1u << 0)
#define TIM_CR1_PRELOAD (1u << 7)
#define TIM_CR2(number) TIM(number, 0x04u)
#define TIM_CR2_TRIGGERS_AT_UPDATE (2u << 4)
#define TIM_EGR(number) TIM(number, 0x14u)
#define TIM_EGR_UPDATE (1u << 0)
#define TIM_CCMR(number, channel) TIM(number, 0x18u + 4u * (((channel) - 1u) / 2u))
/* PWM mode 1, high below the compare value, which is taken at the end of a period. */
#define TIM_CCMR_PWM(channel) ((6u << 4 | 1u << 3) << (((channel) - 1u) % 2u * 8u))
#define TIM_CCER(number) TIM(number, 0x20u)
#define TIM_CCER_ON(channel) (1u << (4u * ((channel) - 1u)))
#define TIM_CNT(number) TIM(number, 0x24u)
#define TIM_PSC(number) TIM(number, 0x28u)
#define TIM_ARR(number) TIM(number, 0x2Cu)
#define TIM_CCR(number, channel) TIM(number, 0x34u + 4u * ((channel) - 1u))

/* Gives a timer its clock. */
void stm32_enable_timer(uint32_t number);

/* Sets a timer up to trigger a converter every `ticks`, the first time one tick after TIM_CR1_ON. */
void stm32_prepare_trigger(uint32_t number, uint32_t ticks);

#ifdef __cplusplus
}
#endif

#endif
