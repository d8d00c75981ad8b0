// SPDX-License-Identifier: Apache-2.0
// Copyright edgebio contributors

/* STM32F405/407/415/417 and STM32F446: 168 MHz from the crystal, USART1 or USART2 on the pins of the
 * board.
 *
 * Registers and reset values: RM0090, chapters on the flash interface, PWR, RCC, GPIO, EXTI, IWDG,
 * USART and debug support; alternate functions and limits: DS8626. The F446 has the same ones here:
 * RM0390, DS10693. Its 168 MHz need no over-drive.
 */
#include "cortex_m.h"
#include "eb_board.h"
#include "port.h"
#include "stm32.h"
#include "supply.h"
#include "uart.h"

#define FLASH_ACR REG32(0x40023C00u)
#define FLASH_ACR_5_WAIT_STATES 5u /* 150 to 168 MHz at 2.7 to 3.6 V */
#define FLASH_ACR_LATENCY 7u
#define FLASH_ACR_PREFETCH_AND_CACHES (7u << 8)

#define RCC_CR REG32(0x40023800u)
#define RCC_CR_HSIRDY (1u << 1)
#define RCC_CR_HSEON (1u << 16)
#define RCC_CR_HSERDY (1u << 17)
#define RCC_CR_HSEBYP (1u << 18) /* an external clock instead of a crystal */
#define RCC_CR_CSSON (1u << 19)
#define RCC_CR_PLLON (1u << 24)
#define RCC_CR_PLLRDY (1u << 25)
#define RCC_PLLCFGR REG32(0x40023804u)
#define RCC_PLLCFGR_HSE (1u << 22)
/* Reset value of PLLR in the F446, where 0 and 1 are forbidden, and of reserved bits in the F405. */
#define RCC_PLLCFGR_R (2u << 28)
#define RCC_CFGR REG32(0x40023808u)
#define RCC_CFGR_SW_HSI 0u
#define RCC_CFGR_SW_PLL 2u
#define RCC_CFGR_SWS (3u << 2)
#define RCC_CFGR_SWS_HSI (0u << 2)
#define RCC_CFGR_SWS_PLL (2u << 2)
#define RCC_CFGR_APB1_BY_4 (5u << 10) /* at most 42 MHz */
#define RCC_CFGR_APB2_BY_2 (4u << 13) /* at most 84 MHz */
#define RCC_CIR REG32(0x4002380Cu)
#define RCC_CIR_CSSF (1u << 7)
#define RCC_CIR_CSSC (1u << 23)
#define RCC_APB1ENR REG32(0x40023840u)
#define RCC_APB1ENR_PWR (1u << 28)
#define RCC_APB1ENR_USART2 (1u << 17)
#define RCC_APB2ENR REG32(0x40023844u)
#define RCC_APB2ENR_USART1 (1u << 4)

#define PWR_CR REG32(0x40007000u)
/* Scale 1: needed above 144 MHz. One bit on the F405, two on the F446, where the other one is set
 * after reset. */
#define PWR_CR_VOS (1u << 14)
/* 2.7 V: below it the flash is too slow for 168 MHz at 5 wait states (RM0090, table 10). */
#define PWR_CR_PVD_AT_2V7 (5u << 5 | 1u << 4)
#define PWR_CSR REG32(0x40007004u)
#define PWR_CSR_PVDO (1u << 2) /* the supply is below the level */
#define PWR_CSR_VOSRDY (1u << 14)

#define UART_SR REG32(EB_UART_BASE + 0x00u)
#define UART_DR REG32(EB_UART_BASE + 0x04u)
#define UART_BRR REG32(EB_UART_BASE + 0x08u)
#define UART_CR1 REG32(EB_UART_BASE + 0x0Cu)
#define USART_SR_ORE (1u << 3)
#define USART_SR_RXNE (1u << 5)
#define USART_SR_TC (1u << 6)
#define USART_SR_TXE (1u << 7)
#define USART_CR1_RE (1u << 2)
#define USART_CR1_TE (1u << 3)
#define USART_CR1_RXNEIE (1u << 5)
#define USART_CR1_TXEIE (1u << 7)
#define USART_CR1_UE (1u << 13)

_Static_assert(EB_CLOCK_HZ == 168000000u, "the PLL below makes 168 MHz");
_Static_assert(EB_HSE_HZ % 1000000u == 0 && EB_HSE_HZ >= 4000000u && EB_HSE_HZ <= 26000000u,
               "the crystal is 4 to 26 MHz, and divided to 1 MHz for the PLL");
#define IS_USART1 (EB_UART_BASE == 0x40011000u)
_Static_assert((IS_USART1 && EB_UART_CLOCK_HZ == EB_CLOCK_HZ / 2u) ||
                   (EB_UART_BASE == 0x40004400u && EB_UART_CLOCK_HZ == EB_CLOCK_HZ / 4u),
               "the UART is USART1, on APB2, or USART2, on APB1");
_Static_assert(IS_USART1 ? (EB_UART_GPIO == 0 && EB_UART_TX_PIN == 9 && EB_UART_RX_PIN == 10) ||
                               (EB_UART_GPIO == 1 && EB_UART_TX_PIN == 6 && EB_UART_RX_PIN == 7)
                         : (EB_UART_GPIO == 0 && EB_UART_TX_PIN == 2 && EB_UART_RX_PIN == 3),
               "USART1 comes out on PA9 and PA10, or on PB6 and PB7; USART2 on PA2 and PA3");
#define HSI_MHZ 16u

#define UART_PIN(pin) (16u * EB_UART_GPIO + (pin))
#define UART_FUNCTION 7u /* of USART1 and USART2 */

#define RCC_CSR REG32(0x40023874u)
#define RCC_CSR_CLEAR (1u << 24)
#define RCC_CSR_BROWNOUT (1u << 25) /* also set by power */
#define RCC_CSR_POWER (1u << 27)

static port_start reset_cause;
static volatile bool is_fallback;

/* 168 MHz from the PLL: (source / M) = 1 MHz, x 336, / 2; 48 MHz for USB at Q = 7. Without the crystal the
 * internal oscillator serves: within 1 % at room temperature, which the UART bears. The core runs from
 * the internal oscillator and the PLL is off. False if it does not lock. */
static bool start_pll(bool crystal)
{
    const uint32_t m = crystal ? EB_HSE_HZ / 1000000u : HSI_MHZ;

    RCC_PLLCFGR =
        RCC_PLLCFGR_R | 7u << 24 | (crystal ? RCC_PLLCFGR_HSE : 0u) | 0u << 16 | 336u << 6 | m;
    RCC_CR |= RCC_CR_PLLON;
    if (!stm32_await(&RCC_CR, RCC_CR_PLLRDY, RCC_CR_PLLRDY)) {
        return false;
    }
    (void)stm32_await(&PWR_CSR, PWR_CSR_VOSRDY,
                      PWR_CSR_VOSRDY); /* scale 1 takes effect with the PLL */
    FLASH_ACR = FLASH_ACR_5_WAIT_STATES | FLASH_ACR_PREFETCH_AND_CACHES;
    if (!stm32_await(&FLASH_ACR, FLASH_ACR_LATENCY, FLASH_ACR_5_WAIT_STATES)) {
        return false;
    }
    /* First the dividers: the buses must not see 168 MHz, not even for a moment. */
    RCC_CFGR = RCC_CFGR_APB1_BY_4 | RCC_CFGR_APB2_BY_2 | RCC_CFGR_SW_HSI;
    RCC_CFGR = RCC_CFGR_APB1_BY_4 | RCC_CFGR_APB2_BY_2 | RCC_CFGR_SW_PLL;
    return stm32_await(&RCC_CFGR, RCC_CFGR_SWS, RCC_CFGR_SWS_PLL);
}

static void start_clocks(void)
{
    if (!(RCC_CR & RCC_CR_HSIRDY)) {
        /* Silicon always leaves reset with the internal oscillator running. Where it reads as
         * stopped there is no clock controller (QEMU models none) and the clocks are as said. */
        return;
    }
    if ((RCC_CFGR & RCC_CFGR_SWS) != RCC_CFGR_SWS_HSI) {
        /* Entered from a boot loader that runs from the PLL, which can not be changed in use. */
        RCC_CFGR = RCC_CFGR_SW_HSI;
        (void)stm32_await(&RCC_CFGR, RCC_CFGR_SWS, RCC_CFGR_SWS_HSI);
    }
    RCC_CR &= ~RCC_CR_PLLON;
    (void)stm32_await(&RCC_CR, RCC_CR_PLLRDY, 0);

    RCC_APB1ENR |= RCC_APB1ENR_PWR;
    (void)RCC_APB1ENR;
    PWR_CR |= PWR_CR_VOS;

    RCC_CR |= EB_HSE_BYPASS ? RCC_CR_HSEBYP : 0u; /* before it is turned on */
    RCC_CR |= RCC_CR_HSEON;
    is_fallback = !stm32_await(&RCC_CR, RCC_CR_HSERDY, RCC_CR_HSERDY);
    if (is_fallback) {
        RCC_CR &= ~RCC_CR_HSEON;
    }
    if (!start_pll(!is_fallback)) {
        cortex_m_reset(); /* at any other clock the UART and port_micros would be wrong */
    }
    if (!is_fallback) {
        RCC_CR |= RCC_CR_CSSON;
    }
}

/* The clock security system: the crystal has failed, or the ST-LINK that clocks a Nucleo has lost its
 * power. The core runs from the internal oscillator already, and the PLL is off: RM0090, "Clock
 * security system". The same 168 MHz from that oscillator keep the UART and port_micros right, but for
 * the moment that the PLL takes to lock. */
void cortex_m_nmi(void)
{
    const bool clock_failed = RCC_CIR & RCC_CIR_CSSF;

    if (eb_emergency) {
        eb_emergency(clock_failed ? PORT_EMERGENCY_CLOCK : PORT_EMERGENCY_FAULT);
    }
    RCC_CIR |= RCC_CIR_CSSC;
    is_fallback = true;
    if (!clock_failed || !start_pll(false)) {
        cortex_m_reset();
    }
}

static port_start read_reset_cause(void)
{
    const uint32_t causes = RCC_CSR;
    const bool was_low = cortex_m_supply_was_low();

    RCC_CSR |= RCC_CSR_CLEAR;
    if (causes & RCC_CSR_WATCHDOG) {
        return PORT_START_WATCHDOG;
    }
    /* Without power's flag the brown-out's is that of the level in the option bytes, if any is set. */
    if (causes & RCC_CSR_POWER ? was_low : causes & RCC_CSR_BROWNOUT) {
        return PORT_START_BROWNOUT;
    }
    return PORT_START_ORDINARY;
}

void port_init(void)
{
    start_clocks();
    cortex_m_start_clock();
    if (IS_USART1) {
        RCC_APB2ENR |= RCC_APB2ENR_USART1;
        (void)RCC_APB2ENR;
    } else {
        RCC_APB1ENR |= RCC_APB1ENR_USART2;
        (void)RCC_APB1ENR;
    }
    stm32_set_pin(UART_PIN(EB_UART_TX_PIN), STM32_MODE_FUNCTION, UART_FUNCTION, true);
    stm32_set_pin(UART_PIN(EB_UART_RX_PIN), STM32_MODE_FUNCTION, UART_FUNCTION, true);
    /* Oversampling by 16: the divider in sixteenths is the clock over the rate. */
    UART_BRR = (EB_UART_CLOCK_HZ + EB_UART_BAUD / 2u) / EB_UART_BAUD;
    UART_CR1 = USART_CR1_UE | USART_CR1_TE | USART_CR1_RE | USART_CR1_RXNEIE;
    EB_UART_EACH_IRQ(cortex_m_enable_irq);
    reset_cause = read_reset_cause();
    PWR_CR |= PWR_CR_PVD_AT_2V7;
    stm32_watch_supply();
    stm32_start_watchdog();
}

void port_supply_irq(void)
{
    stm32_supply_changed(PWR_CSR & PWR_CSR_PVDO);
}

void port_uart_irq(void)
{
    /* Reading SR, then DR, clears both flags. An overrun means that a byte behind the one in DR
     * was lost; it may be seen alone, when it happened between the two reads of the call before. */
    const uint32_t status = UART_SR;
    cortex_m_uart_transmit();
    if (!(status & (USART_SR_RXNE | USART_SR_ORE))) {
        return;
    }
    const uint8_t byte = (uint8_t)UART_DR;
    if (status & USART_SR_RXNE) {
        cortex_m_uart_received(byte);
    }
    if (status & USART_SR_ORE) {
        cortex_m_uart_lost();
    }
}

bool port_uart_room(void)
{
    return UART_SR & USART_SR_TXE;
}

void port_uart_send(uint8_t byte)
{
    UART_DR = byte;
}

void port_uart_watch_room(bool on)
{
    if (on) {
        UART_CR1 |= USART_CR1_TXEIE;
    } else {
        UART_CR1 &= ~USART_CR1_TXEIE;
    }
}

void port_watchdog_feed(void)
{
    stm32_feed_watchdog();
}

port_start cortex_m_reset_cause(void)
{
    return reset_cause;
}

bool port_clock_fallback(void)
{
    return is_fallback;
}

_Noreturn void port_reset(void)
{
    cortex_m_uart_flush();
    (void)stm32_await(&UART_SR, USART_SR_TC, USART_SR_TC);
    cortex_m_reset();
}
