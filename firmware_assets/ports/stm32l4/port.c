// SPDX-License-Identifier: Apache-2.0
// Copyright edgebio contributors

/* STM32L476: 80 MHz by the PLL, USART2 on PA2 and PA3. STM32L4R5, an STM32L4+ (EB_STM32L4_PLUS): 120 MHz,
 * LPUART1 on PG7 and PG8.
 *
 * Registers and reset values: RM0351 and RM0432, chapters on the flash interface, PWR, RCC, GPIO, EXTI,
 * IWDG, USART, LPUART and debug support; alternate functions and limits: DS10198 and DS12023.
 */
#include "cortex_m.h"
#include "eb_board.h"
#include "port.h"
#include "stm32.h"
#include "supply.h"
#include "uart.h"

#define FLASH_ACR REG32(0x40022000u)
#ifdef EB_STM32L4_PLUS
#define FLASH_ACR_LATENCY 15u
#define FLASH_ACR_WAIT_STATES 5u /* above 100 MHz in range 1 with boost */
#else
#define FLASH_ACR_LATENCY 7u
#define FLASH_ACR_WAIT_STATES 4u /* above 64 MHz in range 1 */
#endif
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
#define RCC_CFGR_AHB_BY_2 (8u << 4)
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
#define RCC_APB1ENR2 REG32(0x4002105Cu)
#define RCC_APB1ENR2_LPUART1 (1u << 0)
#define RCC_CSR REG32(0x40021094u)
#define RCC_CSR_CLEAR (1u << 23)
#define RCC_CSR_BROWNOUT (1u << 27) /* also set by power, of which BOR level 0 is the detector */

#define PWR_CR2 REG32(0x40007004u)
#define PWR_CR2_PVD_AT_2V6 (4u << 1 | 1u << 0)
#define PWR_CR2_IOSV (1u << 9) /* VDDIO2, which supplies PG2 to PG15, is there */
#define PWR_SR2 REG32(0x40007014u)
#define PWR_SR2_PVDO (1u << 11) /* the supply is below the level */

#define PWR_CR5 REG32(0x40007080u)
#define PWR_CR5_R1MODE (1u << 8) /* range 1 without boost: up to 80 MHz */

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

#ifdef EB_STM32L4_PLUS
_Static_assert(EB_CLOCK_HZ == 120000000u, "the PLL below makes 120 MHz");
_Static_assert(EB_UART_BASE == 0x40008000u && EB_UART_CLOCK_HZ == EB_CLOCK_HZ,
               "the UART is LPUART1, on APB1, which is not divided");
#define PLL_FACTOR 60u
#define TX_PIN (6u * 16u + 7u)
#define RX_PIN (6u * 16u + 8u)
#define UART_FUNCTION 8u
/* RM0432, "LPUART baud rate generation": 256 times the clock over the rate. */
#define UART_DIVIDER ((uint32_t)((256ull * EB_UART_CLOCK_HZ + EB_UART_BAUD / 2u) / EB_UART_BAUD))
#else
_Static_assert(EB_CLOCK_HZ == 80000000u, "the PLL below makes 80 MHz");
_Static_assert(EB_UART_BASE == 0x40004400u && EB_UART_CLOCK_HZ == EB_CLOCK_HZ,
               "the UART is USART2, on APB1, which is not divided");
#define PLL_FACTOR 40u
#define TX_PIN 2u
#define RX_PIN 3u
#define UART_FUNCTION 7u
#define UART_DIVIDER ((EB_UART_CLOCK_HZ + EB_UART_BAUD / 2u) / EB_UART_BAUD)
#endif

static port_start reset_cause;
static volatile bool is_fallback;

/* 80 or 120 MHz: (8 MHz / 2 or 16 MHz / 4) x PLL_FACTOR / 2. The core runs from an internal oscillator and the PLL is
 * off. False if it does not lock. */
static bool start_pll(bool outside)
{
    uint32_t slow_bus = 0;

    if (!outside) {
        RCC_CR |= RCC_CR_HSION;
        (void)stm32_await(&RCC_CR, RCC_CR_HSIRDY, RCC_CR_HSIRDY);
    }
    RCC_PLLCFGR =
        (outside ? RCC_PLLCFGR_HSE | RCC_PLLCFGR_M(2u) : RCC_PLLCFGR_HSI16 | RCC_PLLCFGR_M(4u)) |
        RCC_PLLCFGR_N(PLL_FACTOR) | RCC_PLLCFGR_R_BY_2;
    RCC_CR |= RCC_CR_PLLON;
    if (!stm32_await(&RCC_CR, RCC_CR_PLLRDY, RCC_CR_PLLRDY)) {
        return false;
    }
    FLASH_ACR = FLASH_ACR_WAIT_STATES | FLASH_ACR_PREFETCH_AND_CACHES;
    if (!stm32_await(&FLASH_ACR, FLASH_ACR_LATENCY, FLASH_ACR_WAIT_STATES)) {
        return false;
    }
#ifdef EB_STM32L4_PLUS
    RCC_APB1ENR1 |= RCC_APB1ENR1_PWR;
    (void)RCC_APB1ENR1;
    PWR_CR5 &= ~PWR_CR5_R1MODE;
    /* For at least 1 us on the way above 80 MHz: RM0432, chapters on PWR and RCC. */
    slow_bus = RCC_CFGR_AHB_BY_2;
#endif
    RCC_CFGR = RCC_CFGR_SW_PLL | slow_bus;
    if (!stm32_await(&RCC_CFGR, RCC_CFGR_SWS, RCC_CFGR_SWS_PLL)) {
        return false;
    }
    if (slow_bus) {
        for (uint32_t turn = 0; turn < 40u; turn++) {
            (void)RCC_CFGR; /* several cycles of 60 MHz each */
        }
        RCC_CFGR &= ~RCC_CFGR_AHB_BY_2; /* no bus is divided */
    }
    return true;
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
#ifdef EB_STM32L4_PLUS
    RCC_APB1ENR2 |= RCC_APB1ENR2_LPUART1;
    RCC_APB1ENR1 |= RCC_APB1ENR1_PWR;
    (void)RCC_APB1ENR1;
    PWR_CR2 |= PWR_CR2_IOSV;
#else
    RCC_APB1ENR1 |= RCC_APB1ENR1_USART2 | RCC_APB1ENR1_PWR;
    (void)RCC_APB1ENR1;
#endif
    stm32_set_pin(TX_PIN, STM32_MODE_FUNCTION, UART_FUNCTION, true);
    stm32_set_pin(RX_PIN, STM32_MODE_FUNCTION, UART_FUNCTION, true);
    UART_CR1 = 0;
    UART_BRR = UART_DIVIDER;
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
