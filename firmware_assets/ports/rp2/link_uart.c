// SPDX-License-Identifier: Apache-2.0
// Copyright edgebio contributors

/* The link on UART0, at GP0 and GP1: Arm's PL011 (DDI 0183); datasheets, chapter UART. */
#include "uart.h"

#include "port.h"
#include "rp2.h"

#if EB_RP2350
_Static_assert(EB_UART_BASE == 0x40070000u, "the UART is UART0");
#else
_Static_assert(EB_UART_BASE == 0x40034000u, "the UART is UART0");
#endif
_Static_assert(EB_UART_CLOCK_HZ == EB_CLOCK_HZ, "the peripherals run from the core's clock");

#define TX_PIN 0u
#define RX_PIN 1u
#define GPIO_CTRL_UART 2u

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

/* Divider in 1/64: DDI 0183. */
#define DIVIDER ((EB_UART_CLOCK_HZ * 4u + EB_UART_BAUD / 2u) / EB_UART_BAUD)
_Static_assert(EB_UART_CLOCK_HZ <= UINT32_MAX / 4u && DIVIDER >= 64u, "the rate can be divided to");

void rp2_link_start(void)
{
    rp2_bring_up(RESETS_UART0);
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

void rp2_link_drain(void)
{
    while (UART_FR & UART_FR_BUSY) {
    }
}
