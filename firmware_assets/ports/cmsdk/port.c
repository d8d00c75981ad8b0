// SPDX-License-Identifier: Apache-2.0
// Copyright edgebio contributors

/* The MPS2 and MPS3 FPGA boards: Arm's CMSDK APB UART.
 *
 * Registers: Cortex-M System Design Kit TRM (DDI 0479), 4.3 "APB UART", 4.5 "APB watchdog".
 */
#include "cortex_m.h"
#include "eb_board.h"
#include "port.h"
#include "uart.h"

#define UART_DATA REG32(EB_UART_BASE + 0x00u)
#define UART_STATE REG32(EB_UART_BASE + 0x04u)
#define UART_CTRL REG32(EB_UART_BASE + 0x08u)
#define UART_INTCLEAR REG32(EB_UART_BASE + 0x0Cu)
#define UART_BAUDDIV REG32(EB_UART_BASE + 0x10u)

#define STATE_TX_FULL (1u << 0)
#define STATE_RX_FULL (1u << 1)
#define STATE_RX_OVERRUN (1u << 3)
#define CTRL_TX_ENABLE (1u << 0)
#define CTRL_RX_ENABLE (1u << 1)
#define CTRL_TX_INTERRUPT (1u << 2)
#define CTRL_RX_INTERRUPT (1u << 3)
#define INT_TX (1u << 0)
#define INT_RX (1u << 1)

#define BAUD_DIVIDER ((EB_UART_CLOCK_HZ + EB_UART_BAUD / 2u) / EB_UART_BAUD)
_Static_assert(BAUD_DIVIDER >= 16u, "the UART divides its clock by at least 16");

#define WATCHDOG_LOAD REG32(EB_WATCHDOG_BASE + 0x000u)
#define WATCHDOG_CTRL REG32(EB_WATCHDOG_BASE + 0x008u)
#define WATCHDOG_INTCLR REG32(EB_WATCHDOG_BASE + 0x00Cu)
#define WATCHDOG_LOCK REG32(EB_WATCHDOG_BASE + 0xC00u)
#define WATCHDOG_KEY 0x1ACCE551u
#define WATCHDOG_CTRL_INTERRUPT (1u << 0)
#define WATCHDOG_CTRL_RESET (1u << 1)

void port_uart_irq(void)
{
    /* Cleared before the state is read: a byte that arrives in between raises it again. */
    UART_INTCLEAR = INT_RX | INT_TX;
    while (UART_STATE & STATE_RX_FULL) {
        if (UART_STATE & STATE_RX_OVERRUN) {
            UART_STATE = STATE_RX_OVERRUN;
            cortex_m_uart_lost();
        }
        cortex_m_uart_received((uint8_t)UART_DATA);
    }
    cortex_m_uart_transmit();
}

/* The first expiry raises the NMI, whose fault handler records where the firmware hung and restarts
 * it; if that fails, the second one resets the CPU. */
static void start_watchdog(void)
{
    WATCHDOG_LOCK = WATCHDOG_KEY;
    WATCHDOG_LOAD = EB_WATCHDOG_HZ / 1000u * EB_WATCHDOG_MS;
    WATCHDOG_CTRL = WATCHDOG_CTRL_INTERRUPT | WATCHDOG_CTRL_RESET;
}

void port_init(void)
{
    cortex_m_start_clock();
    UART_CTRL = 0;
    UART_BAUDDIV = BAUD_DIVIDER;
    UART_CTRL = CTRL_TX_ENABLE | CTRL_RX_ENABLE | CTRL_RX_INTERRUPT;
    UART_INTCLEAR = INT_RX;
    /* QEMU asks its back end for bytes only once the data register has been read: without this
     * read, reception stalls at most first starts. On silicon it drops noise from before. */
    (void)UART_DATA;
    EB_UART_EACH_IRQ(cortex_m_enable_irq);
    start_watchdog();
}

bool port_uart_room(void)
{
    return !(UART_STATE & STATE_TX_FULL);
}

void port_uart_send(uint8_t byte)
{
    UART_DATA = byte;
}

/* The interrupt comes when the transmitter accepts a byte again. */
void port_uart_watch_room(bool on)
{
    const uint32_t ctrl = CTRL_TX_ENABLE | CTRL_RX_ENABLE | CTRL_RX_INTERRUPT;
    UART_CTRL = ctrl | (on ? CTRL_TX_INTERRUPT : 0u);
}

void port_watchdog_feed(void)
{
    WATCHDOG_INTCLR = 1;
}

port_start cortex_m_reset_cause(void)
{
    return PORT_START_ORDINARY; /* the watchdog is known from the NMI */
}

bool port_clock_fallback(void)
{
    return false; /* the FPGA has one clock */
}

_Noreturn void port_reset(void)
{
    cortex_m_uart_flush();
    while (UART_STATE & STATE_TX_FULL) {
    }
    /* The shift register still holds the last byte; STATE does not show it. Wait for two of its times. */
    const uint32_t start = port_micros();
    while (port_micros() - start < 20u * 1000000u / EB_UART_BAUD + 2u) {
    }
    cortex_m_reset();
}
