// SPDX-License-Identifier: Apache-2.0
// Copyright edgebio contributors

/* STM32F405/407/415/417 and STM32F446: 168 MHz from the crystal, USART1 or USART2 on the pins of the
 * board.
 *
 * Registers and reset values: RM0090, chapters on the flash interface, PWR, RCC, GPIO, IWDG, USART
 * and debug support; alternate functions and limits: DS8626. The F446 has the same ones here:
 * RM0390, DS10693. Its 168 MHz need no over-drive.
 */
#include "cortex_m.h"
#include "eb_board.h"
#include "port.h"
#include "stm32.h"
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
#define RCC_CR_PLLON (1u << 24)
#define RCC_CR_PLLRDY (1u << 25)
#define RCC_PLLCFGR REG32(0x40023804u)
#define RCC_PLLCFGR_HSE (1u << 22)
#define RCC_CFGR REG32(0x40023808u)
#define RCC_CFGR_SW_HSI 0u
#define RCC_CFGR_SW_PLL 2u
#define RCC_CFGR_SWS (3u << 2)
#define RCC_CFGR_SWS_HSI (0u << 2)
#define RCC_CFGR_SWS_PLL (2u << 2)
#define RCC_CFGR_APB1_BY_4 (5u << 10) /* at most 42 MHz */
#define RCC_CFGR_APB2_BY_2 (4u << 13) /* at most 84 MHz */
#define RCC_AHB1ENR REG32(0x40023830u)
#define RCC_APB1ENR REG32(0x40023840u)
#define RCC_APB1ENR_PWR (1u << 28)
#define RCC_APB1ENR_USART2 (1u << 17)
#define RCC_APB2ENR REG32(0x40023844u)
#define RCC_APB2ENR_USART1 (1u << 4)

#define PWR_CR REG32(0x40007000u)
/* Scale 1: needed above 144 MHz. One bit on the F405, two on the F446, where the other one is set
 * after reset. */
#define PWR_CR_VOS (1u << 14)

/* GPIO ports are 1 KB apart; EB_UART_GPIO is 0 for A, 1 for B. */
#define GPIO(offset) REG32(0x40020000u + 0x400u * EB_UART_GPIO + (offset))
#define GPIO_MODER GPIO(0x00u)
#define GPIO_OSPEEDR GPIO(0x08u)
#define GPIO_PUPDR GPIO(0x0Cu)
#define GPIO_AFR(pin) GPIO(0x20u + 4u * ((pin) / 8u))

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

#define RCC_CSR REG32(0x40023874u)
#define RCC_CSR_CLEAR (1u << 24)

static bool reset_by_watchdog;
static bool is_fallback;

/* 168 MHz from the PLL: (source / M) = 1 MHz, x 336, / 2; 48 MHz for USB at Q = 7. */
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
    (void)RCC_APB1ENR; /* a peripheral has its clock two bus cycles after this: ES0182 */
    PWR_CR |= PWR_CR_VOS;

    RCC_CR |= EB_HSE_BYPASS ? RCC_CR_HSEBYP : 0u; /* before it is turned on */
    RCC_CR |= RCC_CR_HSEON;
    const bool crystal = stm32_await(&RCC_CR, RCC_CR_HSERDY, RCC_CR_HSERDY);
    is_fallback = !crystal;
    const uint32_t m = crystal ? EB_HSE_HZ / 1000000u : HSI_MHZ;
    /* Without the crystal the internal oscillator serves: within 1 % at room temperature, which
     * the UART bears. */
    RCC_PLLCFGR = m | (336u << 6) | (0u << 16) | (crystal ? RCC_PLLCFGR_HSE : 0u) | (7u << 24);
    RCC_CR |= RCC_CR_PLLON;
    const bool locked = stm32_await(&RCC_CR, RCC_CR_PLLRDY, RCC_CR_PLLRDY);

    FLASH_ACR = FLASH_ACR_5_WAIT_STATES | FLASH_ACR_PREFETCH_AND_CACHES;
    const bool slowed = stm32_await(&FLASH_ACR, FLASH_ACR_LATENCY, FLASH_ACR_5_WAIT_STATES);
    if (!locked || !slowed) {
        cortex_m_reset(); /* at any other clock the UART and port_micros would be wrong */
    }
    RCC_CFGR = RCC_CFGR_APB1_BY_4 | RCC_CFGR_APB2_BY_2 | RCC_CFGR_SW_PLL;
    if (!stm32_await(&RCC_CFGR, RCC_CFGR_SWS, RCC_CFGR_SWS_PLL)) {
        cortex_m_reset();
    }
}

/* Give a pin to USART1 or USART2: alternate function 7, fast edges, pulled up so that an open line is
 * idle. */
static void connect_pin(uint32_t pin)
{
    GPIO_OSPEEDR = (GPIO_OSPEEDR & ~(3u << (2u * pin))) | (2u << (2u * pin));
    GPIO_PUPDR = (GPIO_PUPDR & ~(3u << (2u * pin))) | (1u << (2u * pin));
    const uint32_t shift = 4u * (pin % 8u);
    GPIO_AFR(pin) = (GPIO_AFR(pin) & ~(0xFu << shift)) | (7u << shift);
    GPIO_MODER = (GPIO_MODER & ~(3u << (2u * pin))) | (2u << (2u * pin));
}

void port_init(void)
{
    start_clocks();
    cortex_m_start_clock();
    RCC_AHB1ENR |= 1u << EB_UART_GPIO;
    if (IS_USART1) {
        RCC_APB2ENR |= RCC_APB2ENR_USART1;
        (void)RCC_APB2ENR;
    } else {
        RCC_APB1ENR |= RCC_APB1ENR_USART2;
        (void)RCC_APB1ENR;
    }
    connect_pin(EB_UART_TX_PIN);
    connect_pin(EB_UART_RX_PIN);
    /* Oversampling by 16: the divider in sixteenths is the clock over the rate. */
    UART_BRR = (EB_UART_CLOCK_HZ + EB_UART_BAUD / 2u) / EB_UART_BAUD;
    UART_CR1 = USART_CR1_UE | USART_CR1_TE | USART_CR1_RE | USART_CR1_RXNEIE;
    EB_UART_EACH_IRQ(cortex_m_enable_irq);
    reset_by_watchdog = stm32_start_watchdog(&RCC_CSR, RCC_CSR_CLEAR);
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
    return reset_by_watchdog ? PORT_START_WATCHDOG : PORT_START_ORDINARY;
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
