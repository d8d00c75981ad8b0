// SPDX-License-Identifier: Apache-2.0
// Copyright edgebio contributors

/* RP2040 (Pico) and RP2350 (Pico 2, its Arm cores): the PLL from the 12 MHz crystal, UART0 on GP0 and
 * GP1. One core runs; the other stays in the boot ROM.
 *
 * Registers: RP2040 datasheet and RP2350 datasheet, chapters RESETS, CLOCKS, XOSC, PLL, GPIO, UART,
 * WATCHDOG and PSM; of the RP2350 also TICKS and the boot ROM's image definition. The UART is
 * Arm's PL011 (DDI 0183).
 */
#include "cortex_m.h"
#include "eb_board.h"
#include "port.h"
#include "uart.h"

#if EB_RP2350
#define CLOCKS 0x40010000u
#define PSM 0x40018000u
#define RESETS 0x40020000u
#define IO_BANK0 0x40028000u
#define PADS_BANK0 0x40038000u
#define XOSC 0x40048000u
#define PLL_SYS 0x40050000u
#define WATCHDOG 0x400D8000u
#define TICKS 0x40108000u
#define RESETS_IO_BANK0 (1u << 6)
#define RESETS_PADS_BANK0 (1u << 9)
#define RESETS_PLL_SYS (1u << 14)
#define RESETS_UART0 (1u << 26)
#define PSM_ALL_BUT_OSCILLATORS 0x01FFFFF3u
#define PLL_POST_DIVIDERS (5u << 16 | 2u << 12)
#define WATCHDOG_TICKS_A_MICROSECOND 1u
_Static_assert(EB_CLOCK_HZ == 150000000u, "the PLL below makes 12 MHz x 125 / 5 / 2");
_Static_assert(EB_UART_BASE == 0x40070000u, "the UART is UART0");
#else
#define CLOCKS 0x40008000u
#define PSM 0x40010000u
#define RESETS 0x4000C000u
#define IO_BANK0 0x40014000u
#define PADS_BANK0 0x4001C000u
#define XOSC 0x40024000u
#define PLL_SYS 0x40028000u
#define WATCHDOG 0x40058000u
#define RESETS_IO_BANK0 (1u << 5)
#define RESETS_PADS_BANK0 (1u << 8)
#define RESETS_PLL_SYS (1u << 12)
#define RESETS_UART0 (1u << 22)
#define PSM_ALL_BUT_OSCILLATORS 0x0001FFFCu
#define PLL_POST_DIVIDERS (6u << 16 | 2u << 12)
#define WATCHDOG_TICKS_A_MICROSECOND 2u /* it counts twice a tick: RP2040-E1 */
_Static_assert(EB_CLOCK_HZ == 125000000u, "the PLL below makes 12 MHz x 125 / 6 / 2");
_Static_assert(EB_UART_BASE == 0x40034000u, "the UART is UART0");
#endif
_Static_assert(EB_UART_CLOCK_HZ == EB_CLOCK_HZ, "the peripherals run from the core's clock");

/* Writes to these aliases set or clear bits. */
#define SET(address) REG32((address) + 0x2000u)
#define CLEAR(address) REG32((address) + 0x3000u)

#define RESETS_RESET (RESETS + 0x0u)
#define RESETS_DONE REG32(RESETS + 0x8u)

#define CLK_REF_CTRL REG32(CLOCKS + 0x30u)
#define CLK_REF_XOSC 2u
#define CLK_REF_SELECTED REG32(CLOCKS + 0x38u)
#define CLK_SYS_CTRL REG32(CLOCKS + 0x3Cu)
#define CLK_SYS_REF 0u
#define CLK_SYS_PLL 1u /* the auxiliary source, which is PLL_SYS where its field is 0 */
#define CLK_SYS_SELECTED REG32(CLOCKS + 0x44u)
#define CLK_PERI_CTRL REG32(CLOCKS + 0x48u)
#define CLK_PERI_ENABLE (1u << 11) /* from clk_sys, where its field is 0 */

#define XOSC_CTRL REG32(XOSC + 0x00u)
#define XOSC_CTRL_ON_1_TO_15_MHZ (0xFABu << 12 | 0xAA0u)
#define XOSC_STATUS REG32(XOSC + 0x04u)
#define XOSC_STATUS_STABLE (1u << 31)
#define XOSC_STARTUP REG32(XOSC + 0x0Cu)
#define XOSC_STARTUP_6_MS (6u * 47u) /* units of 256 cycles of 12 MHz */

#define PLL_CS REG32(PLL_SYS + 0x0u)
#define PLL_CS_LOCK (1u << 31)
#define PLL_PWR (PLL_SYS + 0x4u)
#define PLL_PWR_DOWN (1u << 0)
#define PLL_PWR_POST_DIVIDERS_DOWN (1u << 3)
#define PLL_PWR_VCO_DOWN (1u << 5)
#define PLL_FBDIV REG32(PLL_SYS + 0x8u)
#define PLL_PRIM REG32(PLL_SYS + 0xCu)

#define TX_PIN 0u
#define RX_PIN 1u
#define GPIO_CTRL(pin) REG32(IO_BANK0 + 0x04u + 8u * (pin))
#define GPIO_CTRL_UART 2u
#define PAD(pin) REG32(PADS_BANK0 + 0x04u + 4u * (pin))
#define PAD_PULLED_UP (1u << 3)
#define PAD_INPUT (1u << 6)
/* Schmitt trigger and 4 mA as after reset; the other bits, the RP2350's isolation with them, 0. */
#define PAD_PLAIN (1u << 1 | 1u << 4)

#define UART_DR REG32(EB_UART_BASE + 0x00u)
#define UART_DR_OVERRUN (1u << 11)
#define UART_FR REG32(EB_UART_BASE + 0x18u)
#define UART_FR_BUSY (1u << 3)
#define UART_FR_RX_EMPTY (1u << 4)
#define UART_FR_TX_FULL (1u << 5)
#define UART_IBRD REG32(EB_UART_BASE + 0x24u)
#define UART_FBRD REG32(EB_UART_BASE + 0x28u)
#define UART_LCR_H REG32(EB_UART_BASE + 0x2Cu)
#define UART_LCR_H_8_BITS_FIFO (3u << 5 | 1u << 4)
#define UART_CR REG32(EB_UART_BASE + 0x30u)
#define UART_CR_ON (1u << 0 | 1u << 8 | 1u << 9)
#define UART_IFLS REG32(EB_UART_BASE + 0x34u)
#define UART_IMSC REG32(EB_UART_BASE + 0x38u)
#define UART_INT_RX (1u << 4)
#define UART_INT_TX (1u << 5)
#define UART_INT_RX_TIMEOUT (1u << 6)
#define UART_ICR REG32(EB_UART_BASE + 0x44u)

#define WATCHDOG_CTRL (WATCHDOG + 0x00u)
#define WATCHDOG_CTRL_PAUSES (7u << 24) /* while a debugger halts a core */
#define WATCHDOG_CTRL_ENABLE (1u << 30)
#define WATCHDOG_LOAD REG32(WATCHDOG + 0x04u)
#define WATCHDOG_REASON REG32(WATCHDOG + 0x08u)
#define WATCHDOG_REASON_TIMER (1u << 0)
#define WATCHDOG_MICROS (EB_WATCHDOG_MS * 1000u)
#define PSM_WDSEL REG32(PSM + 0x8u)

/* Divider in 1/64: DDI 0183. */
#define DIVIDER ((EB_UART_CLOCK_HZ * 4u + EB_UART_BAUD / 2u) / EB_UART_BAUD)
_Static_assert(EB_UART_CLOCK_HZ <= UINT32_MAX / 4u && DIVIDER >= 64u, "the rate can be divided to");

#if EB_RP2350
/* The boot ROM searches the first 4 KB for it: a secure executable for the Arm cores. */
static const uint32_t image_definition[] __attribute__((section(".image_def"), used)) = {
    0xFFFFDED3u, 0x10210142u, 0x000001FFu, 0x00000000u, 0xAB123579u,
};
#endif

static bool reset_by_watchdog;

static void await(volatile uint32_t *reg, uint32_t mask)
{
    while ((*reg & mask) != mask) {
    }
}

static void bring_up(uint32_t blocks)
{
    CLEAR(RESETS_RESET) = blocks;
    await(&RESETS_DONE, blocks);
}

/* A reset of the core only leaves the clocks running: reset them first. */
static void start_clocks(void)
{
    XOSC_CTRL = XOSC_CTRL_ON_1_TO_15_MHZ;
    XOSC_STARTUP = XOSC_STARTUP_6_MS;
    await(&XOSC_STATUS, XOSC_STATUS_STABLE);
    CLK_SYS_CTRL = CLK_SYS_REF;
    await(&CLK_SYS_SELECTED, 1u << CLK_SYS_REF);
    CLK_REF_CTRL = CLK_REF_XOSC;
    await(&CLK_REF_SELECTED, 1u << CLK_REF_XOSC);

    SET(RESETS_RESET) = RESETS_PLL_SYS;
    bring_up(RESETS_PLL_SYS);
    PLL_CS = 1; /* the reference, undivided */
    PLL_FBDIV = 125u;
    CLEAR(PLL_PWR) = PLL_PWR_DOWN | PLL_PWR_VCO_DOWN;
    await(&PLL_CS, PLL_CS_LOCK);
    PLL_PRIM = PLL_POST_DIVIDERS;
    CLEAR(PLL_PWR) = PLL_PWR_POST_DIVIDERS_DOWN;

    CLK_SYS_CTRL = CLK_SYS_PLL;
    await(&CLK_SYS_SELECTED, 1u << CLK_SYS_PLL);
    CLK_PERI_CTRL = CLK_PERI_ENABLE;
}

static void start_watchdog(void)
{
    reset_by_watchdog = WATCHDOG_REASON & WATCHDOG_REASON_TIMER;
#if EB_RP2350
    REG32(TICKS + 0x34u) = 12u; /* its microsecond, of the 12 MHz reference */
    REG32(TICKS + 0x30u) = 1u;
#else
    REG32(WATCHDOG + 0x2Cu) = 12u | 1u << 9;
#endif
    CLEAR(WATCHDOG_CTRL) = WATCHDOG_CTRL_ENABLE;
    PSM_WDSEL = PSM_ALL_BUT_OSCILLATORS;
    SET(WATCHDOG_CTRL) = WATCHDOG_CTRL_PAUSES;
    WATCHDOG_LOAD = WATCHDOG_MICROS * WATCHDOG_TICKS_A_MICROSECOND;
    SET(WATCHDOG_CTRL) = WATCHDOG_CTRL_ENABLE;
}

void port_init(void)
{
    start_clocks();
    cortex_m_start_clock();
    bring_up(RESETS_IO_BANK0 | RESETS_PADS_BANK0);
    SET(RESETS_RESET) = RESETS_UART0;
    bring_up(RESETS_UART0);
    PAD(TX_PIN) = PAD_PLAIN | PAD_INPUT;
    PAD(RX_PIN) = PAD_PLAIN | PAD_INPUT | PAD_PULLED_UP; /* an open line is idle */
    UART_IBRD = DIVIDER / 64u;
    UART_FBRD = DIVIDER % 64u;
    UART_LCR_H = UART_LCR_H_8_BITS_FIFO; /* which also applies the divider */
    UART_IFLS = 0; /* an interrupt at 4 bytes of 32, or after a pause; and at the last 4 to send */
    UART_IMSC = UART_INT_RX | UART_INT_RX_TIMEOUT;
    UART_CR = UART_CR_ON;
    GPIO_CTRL(TX_PIN) = GPIO_CTRL_UART;
    GPIO_CTRL(RX_PIN) = GPIO_CTRL_UART;
    EB_UART_EACH_IRQ(cortex_m_enable_irq);
    start_watchdog();
}

void port_uart_irq(void)
{
    UART_ICR = UART_INT_RX | UART_INT_RX_TIMEOUT | UART_INT_TX;
    while (!(UART_FR & UART_FR_RX_EMPTY)) {
        const uint32_t byte = UART_DR;
        if (byte & UART_DR_OVERRUN) {
            cortex_m_uart_lost();
        }
        cortex_m_uart_received((uint8_t)byte);
    }
    cortex_m_uart_transmit();
}

bool port_uart_room(void)
{
    return !(UART_FR & UART_FR_TX_FULL);
}

void port_uart_send(uint8_t byte)
{
    UART_DR = byte;
}

/* The interrupt comes when a full FIFO has been sent but for 4 bytes. */
void port_uart_watch_room(bool on)
{
    UART_IMSC = UART_INT_RX | UART_INT_RX_TIMEOUT | (on ? UART_INT_TX : 0u);
}

void port_watchdog_feed(void)
{
    WATCHDOG_LOAD = WATCHDOG_MICROS * WATCHDOG_TICKS_A_MICROSECOND;
}

port_start cortex_m_reset_cause(void)
{
    return reset_by_watchdog ? PORT_START_WATCHDOG : PORT_START_ORDINARY;
}

bool port_clock_fallback(void)
{
    return false; /* without the crystal it does not start */
}

_Noreturn void port_reset(void)
{
    cortex_m_uart_flush();
    while (UART_FR & UART_FR_BUSY) {
    }
    cortex_m_reset();
}
