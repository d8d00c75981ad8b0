// SPDX-License-Identifier: Apache-2.0
// Copyright edgebio contributors

/* STM32L476: 80 MHz by the PLL, USART2 on PA2 and PA3.
 *
 * Registers and reset values: RM0351, chapters on the flash interface, PWR, RCC, GPIO, EXTI, IWDG,
 * USART and debug support; alternate functions and limits: DS10198.
 */
#include "cortex_m.h"
#include "eb_board.h"
#include "port.h"
#include "stm32.h"
#include "supply.h"
#include "uart.h"

#define FLASH_ACR REG32(0x40022000u)
#define FLASH_ACR_LATENCY 7u
#define FLASH_ACR_4_WAIT_STATES 4u /* above 64 MHz in range 1 */
#define FLASH_ACR_PREFETCH_AND_CACHES (7u << 8)

#define RCC_CR REG32(0x40021000u)
#define RCC_CR_MSION (1u << 0)
#define RCC_CR_MSIRDY (1u << 1)
#define RCC_CR_HSION (1u << 8)
#define RCC_CR_HSIRDY (1u << 10)
#define RCC_CR_HSEON (1u << 16)
#define RCC_CR_HSERDY (1u << 17)
#define RCC_CR_HSEBYP (1u << 18)
#define RCC_CR_CSSON (1u << 19)
#define RCC_CR_PLLON (1u << 24)
#define RCC_CR_PLLRDY (1u << 25)
#define RCC_CFGR REG32(0x40021008u)
#define RCC_CFGR_SW_MSI 0u
#define RCC_CFGR_SW_PLL 3u
#define RCC_CFGR_SWS (3u << 2)
#define RCC_CFGR_SWS_MSI (0u << 2)
#define RCC_CFGR_SWS_PLL (3u << 2)
#define RCC_PLLCFGR REG32(0x4002100Cu)
#define RCC_PLLCFGR_HSI16 2u
#define RCC_PLLCFGR_HSE 3u
#define RCC_PLLCFGR_M(divider) (((divider) - 1u) << 4)
#define RCC_PLLCFGR_N(factor) ((factor) << 8)
#define RCC_PLLCFGR_R_BY_2 (1u << 24) /* output R on, divided by 2 */
#define RCC_CIFR REG32(0x4002101Cu)
#define RCC_CICR REG32(0x40021020u)
#define RCC_CLOCK_FAILED (1u << 8) /* CSSF and CSSC */
#define RCC_APB1ENR1 REG32(0x40021058u)
#define RCC_APB1ENR1_USART2 (1u << 17)
#define RCC_APB1ENR1_PWR (1u << 28)
#define RCC_CSR REG32(0x40021094u)
#define RCC_CSR_CLEAR (1u << 23)
#define RCC_CSR_BROWNOUT (1u << 27) /* also set by power, of which BOR level 0 is the detector */

#define PWR_CR2 REG32(0x40007004u)
#define PWR_CR2_PVD_AT_2V6 (4u << 1 | 1u << 0)
#define PWR_SR2 REG32(0x40007014u)
#define PWR_SR2_PVDO (1u << 11) /* the supply is below the level */

#define UART_CR1 REG32(EB_UART_BASE + 0x00u)
#define UART_BRR REG32(EB_UART_BASE + 0x0Cu)
#define UART_ISR REG32(EB_UART_BASE + 0x1Cu)
#define UART_ICR REG32(EB_UART_BASE + 0x20u)
#define UART_RDR REG32(EB_UART_BASE + 0x24u)
#define UART_TDR REG32(EB_UART_BASE + 0x28u)
#define UART_CR1_UE (1u << 0)
#define UART_CR1_RE (1u << 2)
#define UART_CR1_TE (1u << 3)
#define UART_CR1_RXNEIE (1u << 5)
#define UART_CR1_TXEIE (1u << 7)
#define UART_ISR_ORE (1u << 3)
#define UART_ISR_RXNE (1u << 5)
#define UART_ISR_TC (1u << 6)
#define UART_ISR_TXE (1u << 7)

_Static_assert(EB_CLOCK_HZ == 80000000u, "the PLL below makes 80 MHz");
_Static_assert(EB_UART_BASE == 0x40004400u && EB_UART_CLOCK_HZ == EB_CLOCK_HZ,
               "the UART is USART2, on APB1, which is not divided");

#define TX_PIN 2u
#define RX_PIN 3u
#define UART_FUNCTION 7u

static port_start reset_cause;
static volatile bool is_fallback;

/* 80 MHz: (8 MHz / 2 or 16 MHz / 4) x 40 / 2. The core runs from an internal oscillator and the PLL is
 * off. False if it does not lock. */
static bool start_pll(bool outside)
{
    if (!outside) {
        RCC_CR |= RCC_CR_HSION;
        (void)stm32_await(&RCC_CR, RCC_CR_HSIRDY, RCC_CR_HSIRDY);
    }
    RCC_PLLCFGR =
        (outside ? RCC_PLLCFGR_HSE | RCC_PLLCFGR_M(2u) : RCC_PLLCFGR_HSI16 | RCC_PLLCFGR_M(4u)) |
        RCC_PLLCFGR_N(40u) | RCC_PLLCFGR_R_BY_2;
    RCC_CR |= RCC_CR_PLLON;
    if (!stm32_await(&RCC_CR, RCC_CR_PLLRDY, RCC_CR_PLLRDY)) {
        return false;
    }
    FLASH_ACR = FLASH_ACR_4_WAIT_STATES | FLASH_ACR_PREFETCH_AND_CACHES;
    if (!stm32_await(&FLASH_ACR, FLASH_ACR_LATENCY, FLASH_ACR_4_WAIT_STATES)) {
        return false;
    }
    RCC_CFGR = RCC_CFGR_SW_PLL; /* the buses are not divided */
    return stm32_await(&RCC_CFGR, RCC_CFGR_SWS, RCC_CFGR_SWS_PLL);
}

static void start_clocks(void)
{
    if ((RCC_CFGR & RCC_CFGR_SWS) != RCC_CFGR_SWS_MSI) {
        /* Entered from a boot loader that runs from another clock. */
        RCC_CR |= RCC_CR_MSION;
        (void)stm32_await(&RCC_CR, RCC_CR_MSIRDY, RCC_CR_MSIRDY);
        RCC_CFGR = RCC_CFGR_SW_MSI;
        (void)stm32_await(&RCC_CFGR, RCC_CFGR_SWS, RCC_CFGR_SWS_MSI);
    }
    RCC_CR &= ~RCC_CR_PLLON;
    (void)stm32_await(&RCC_CR, RCC_CR_PLLRDY, 0);

    /* The ST-LINK supplies 8 MHz while it has USB power, if the board's solder bridges allow it (UM1724);
     * else the internal oscillator serves, within 1 % at room temperature. */
    RCC_CR |= RCC_CR_HSEBYP;
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

/* The clock security system: the ST-LINK that clocks the board has lost its power. The core runs from
 * an internal oscillator already, and the PLL is off: RM0351, "Clock security system". The same 80 MHz
 * from HSI16 keep the UART and port_micros right, but for the moment that the PLL takes to lock. Also
 * two wrong bits in a word of flash raise the NMI. */
void cortex_m_nmi(void)
{
    const bool clock_failed = RCC_CIFR & RCC_CLOCK_FAILED;

    if (eb_emergency) {
        eb_emergency(clock_failed ? PORT_EMERGENCY_CLOCK : PORT_EMERGENCY_FAULT);
    }
    RCC_CICR = RCC_CLOCK_FAILED;
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
    return causes & RCC_CSR_BROWNOUT && was_low ? PORT_START_BROWNOUT : PORT_START_ORDINARY;
}

void port_init(void)
{
    start_clocks();
    cortex_m_start_clock();
    RCC_APB1ENR1 |= RCC_APB1ENR1_USART2 | RCC_APB1ENR1_PWR;
    (void)RCC_APB1ENR1;
    stm32_set_pin(TX_PIN, STM32_MODE_FUNCTION, UART_FUNCTION, true);
    stm32_set_pin(RX_PIN, STM32_MODE_FUNCTION, UART_FUNCTION, true);
    UART_CR1 = 0;
    UART_BRR = (EB_UART_CLOCK_HZ + EB_UART_BAUD / 2u) / EB_UART_BAUD;
    UART_CR1 = UART_CR1_UE | UART_CR1_TE | UART_CR1_RE | UART_CR1_RXNEIE;
    EB_UART_EACH_IRQ(cortex_m_enable_irq);
    reset_cause = read_reset_cause();
    PWR_CR2 |= PWR_CR2_PVD_AT_2V6;
    stm32_watch_supply();
    stm32_start_watchdog();
}

void port_supply_irq(void)
{
    stm32_supply_changed(PWR_SR2 & PWR_SR2_PVDO);
}

void port_uart_irq(void)
{
    const uint32_t status = UART_ISR;
    if (status & UART_ISR_RXNE) {
        cortex_m_uart_received((uint8_t)UART_RDR);
    }
    if (status & UART_ISR_ORE) {
        UART_ICR = UART_ISR_ORE; /* its clearing bit has the same position */
        cortex_m_uart_lost();
    }
    cortex_m_uart_transmit();
}

bool port_uart_room(void)
{
    return UART_ISR & UART_ISR_TXE;
}

void port_uart_send(uint8_t byte)
{
    UART_TDR = byte;
}

void port_uart_watch_room(bool on)
{
    if (on) {
        UART_CR1 |= UART_CR1_TXEIE;
    } else {
        UART_CR1 &= ~UART_CR1_TXEIE;
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
    (void)stm32_await(&UART_ISR, UART_ISR_TC, UART_ISR_TC);
    cortex_m_reset();
}
