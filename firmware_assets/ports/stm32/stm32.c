// SPDX-License-Identifier: Apache-2.0
// Copyright edgebio contributors

/* Pins by GPIO, PVD by line 16 of EXTI, and timers. stm32_family.h, beside each port, says where they
 * are. */
#include "stm32.h"

#include "eb_board.h"
#include "stm32_family.h"
#include "supply.h"
#include "timer.h"

/* Ports are 1 KB apart. */
#define GPIO(pin, offset) REG32(STM32_GPIO_BASE + 0x400u * ((pin) / 16u) + (offset))
#define GPIO_MODER(pin) GPIO(pin, 0x00u)
#define GPIO_OSPEEDR(pin) GPIO(pin, 0x08u)
#define GPIO_PUPDR(pin) GPIO(pin, 0x0Cu)
#define GPIO_BSRR(pin) GPIO(pin, 0x18u)
#define GPIO_AFR(pin) GPIO(pin, 0x20u + 4u * ((pin) % 16u / 8u))

#define EXTI_IMR REG32(STM32_EXTI_BASE + 0x00u)
#define EXTI_RTSR REG32(STM32_EXTI_BASE + 0x08u)
#define EXTI_FTSR REG32(STM32_EXTI_BASE + 0x0Cu)
#define EXTI_PR REG32(STM32_EXTI_BASE + 0x14u)
#define EXTI_LINE_PVD (1u << 16)

_Static_assert(IWDG_RELOAD > 1u && IWDG_RELOAD < 4096u, "RLR has 12 bits");

void stm32_set_pin(uint32_t pin, uint32_t mode, uint32_t function, bool pulled_up)
{
    const uint32_t pair = 2u * (pin % 16u), nibble = 4u * (pin % 8u);

    STM32_GPIO_CLOCKS |= 1u << (pin / 16u);
    (void)STM32_GPIO_CLOCKS; /* a peripheral has its clock two bus cycles after this: ES0182 */
    GPIO_OSPEEDR(pin) = (GPIO_OSPEEDR(pin) & ~(3u << pair)) | 2u << pair;
    GPIO_PUPDR(pin) = (GPIO_PUPDR(pin) & ~(3u << pair)) | (pulled_up ? 1u : 0u) << pair;
    GPIO_AFR(pin) = (GPIO_AFR(pin) & ~(0xFu << nibble)) | function << nibble;
    GPIO_MODER(pin) = (GPIO_MODER(pin) & ~(3u << pair)) | mode << pair;
}

void stm32_write_pin(uint32_t pin, bool high)
{
    const uint32_t bit = 1u << (pin % 16u);

    GPIO_BSRR(pin) = high ? bit : bit << 16; /* its upper half resets */
}

void stm32_watch_supply(void)
{
#ifdef EB_SUPPLY_EACH_IRQ
    EXTI_RTSR |= EXTI_LINE_PVD;
    EXTI_FTSR |= EXTI_LINE_PVD;
    EXTI_PR = EXTI_LINE_PVD;
    EXTI_IMR |= EXTI_LINE_PVD;
    EB_SUPPLY_EACH_IRQ(cortex_m_enable_irq);
#endif
}

void stm32_supply_changed(bool low)
{
    EXTI_PR = EXTI_LINE_PVD;
    cortex_m_supply_set_low(low);
    if (low && eb_emergency) {
        eb_emergency(PORT_EMERGENCY_SUPPLY);
    }
}

void stm32_enable_timer(uint32_t number)
{
    STM32_APB1_CLOCKS |= 1u << (number - 2u);
    (void)STM32_APB1_CLOCKS;
}

void stm32_prepare_trigger(uint32_t number, uint32_t ticks)
{
    stm32_enable_timer(number);
    TIM_CR1(number) = 0;
    TIM_CR2(number) = 0; /* the update below triggers nothing */
    TIM_PSC(number) = 0;
    TIM_ARR(number) = ticks - 1u;
    TIM_EGR(number) = TIM_EGR_UPDATE;
    TIM_CNT(number) = ticks - 1u;
    TIM_CR2(number) = TIM_CR2_TRIGGERS_AT_UPDATE;
}
