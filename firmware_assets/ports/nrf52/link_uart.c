// SPDX-License-Identifier: Apache-2.0
// Copyright edgebio contributors

/* The link on UART0, byte by byte: its DMA needs a pause to end a transfer. nRF52840 Product
 * Specification v1.7, chapters GPIO and UART. */
#include "cortex_m.h"
#include "eb_board.h"
#include "nrf52.h"
#include "port.h"
#include "uart.h"

#define GPIO_OUTSET REG32(0x50000508u)
#define GPIO_DIRSET REG32(0x50000518u)
#define GPIO_PIN_CNF(pin) REG32(0x50000700u + 4u * (pin))
#define GPIO_PIN_CNF_INPUT_PULLED_UP (3u << 2)

#define UART_STARTRX REG32(EB_UART_BASE + 0x000u)
#define UART_STARTTX REG32(EB_UART_BASE + 0x008u)
#define UART_RXDRDY REG32(EB_UART_BASE + 0x108u)
#define UART_TXDRDY REG32(EB_UART_BASE + 0x11Cu)
#define UART_ERROR REG32(EB_UART_BASE + 0x124u)
#define UART_INTENSET REG32(EB_UART_BASE + 0x304u)
#define UART_INTENCLR REG32(EB_UART_BASE + 0x308u)
#define UART_INT_RXDRDY (1u << 2)
#define UART_INT_TXDRDY (1u << 7)
#define UART_INT_ERROR (1u << 9)
#define UART_ERRORSRC REG32(EB_UART_BASE + 0x480u)
#define UART_ERRORSRC_OVERRUN (1u << 0)
#define UART_ENABLE REG32(EB_UART_BASE + 0x500u)
#define UART_ENABLE_UART 4u
#define UART_PSEL_RTS REG32(EB_UART_BASE + 0x508u)
#define UART_PSEL_TXD REG32(EB_UART_BASE + 0x50Cu)
#define UART_PSEL_CTS REG32(EB_UART_BASE + 0x510u)
#define UART_PSEL_RXD REG32(EB_UART_BASE + 0x514u)
#define UART_PSEL_NONE UINT32_MAX
#define UART_RXD REG32(EB_UART_BASE + 0x518u)
#define UART_TXD REG32(EB_UART_BASE + 0x51Cu)
#define UART_BAUDRATE REG32(EB_UART_BASE + 0x524u)
/* By the register's table: the interface MCU of the DK does 115,200 and 1,000,000 baud, not 921,600. */
#if EB_UART_BAUD == 115200u
#define UART_BAUDRATE_VALUE 0x01D7E000u
#elif EB_UART_BAUD == 921600u
#define UART_BAUDRATE_VALUE 0x0EBED000u
#elif EB_UART_BAUD == 1000000u
#define UART_BAUDRATE_VALUE 0x10000000u
#else
#error "UART0 has 115,200, 921,600 and 1,000,000 baud here"
#endif
#define UART_CONFIG REG32(EB_UART_BASE + 0x56Cu)

_Static_assert(EB_UART_BASE == 0x40002000u, "the UART is UART0");

static bool sending; /* a byte is on its way: TXDRDY reports its end */

void nrf52_link_start(void)
{
    /* The pins before the UART controls them: idle is high. */
    GPIO_OUTSET = 1u << EB_UART_TX_PIN;
    GPIO_DIRSET = 1u << EB_UART_TX_PIN;
    GPIO_PIN_CNF(EB_UART_RX_PIN) = GPIO_PIN_CNF_INPUT_PULLED_UP;
    UART_PSEL_TXD = EB_UART_TX_PIN;
    UART_PSEL_RXD = EB_UART_RX_PIN;
    UART_PSEL_RTS = UART_PSEL_NONE;
    UART_PSEL_CTS = UART_PSEL_NONE;
    UART_BAUDRATE = UART_BAUDRATE_VALUE;
    UART_CONFIG = 0; /* no parity, no flow control, one stop bit */
    UART_ENABLE = UART_ENABLE_UART;
    UART_RXDRDY = 0;
    UART_TXDRDY = 0;
    UART_ERROR = 0;
    UART_INTENSET = UART_INT_RXDRDY | UART_INT_ERROR;
    UART_STARTRX = 1;
    UART_STARTTX = 1;
    EB_UART_EACH_IRQ(cortex_m_enable_irq);
}

void port_uart_irq(void)
{
    if (UART_ERROR) {
        UART_ERROR = 0;
        const uint32_t what = UART_ERRORSRC;
        UART_ERRORSRC = what; /* ones clear */
        if (what & UART_ERRORSRC_OVERRUN) {
            cortex_m_uart_lost();
        }
    }
    /* Up to six bytes wait; the event comes again for each that is left after RXD was read. */
    while (UART_RXDRDY) {
        UART_RXDRDY = 0;
        cortex_m_uart_received((uint8_t)UART_RXD);
    }
    cortex_m_uart_transmit();
}

bool port_uart_room(void)
{
    if (sending && UART_TXDRDY) {
        UART_TXDRDY = 0;
        sending = false;
    }
    return !sending;
}

void port_uart_send(uint8_t byte)
{
    sending = true;
    UART_TXD = byte;
}

void port_uart_watch_room(bool on)
{
    if (on) {
        UART_INTENSET = UART_INT_TXDRDY;
    } else {
        UART_INTENCLR = UART_INT_TXDRDY;
    }
}

void nrf52_link_drain(void)
{
    while (!port_uart_room()) {
    }
}
