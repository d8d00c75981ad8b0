// SPDX-License-Identifier: Apache-2.0
// Copyright edgebio contributors

/* Shared by the UARTs of all chips, and by USB: the rings and the wait for bytes. uart.c implements
 * port_read, port_write, port_write_room, port_idle and port_rx_overruns with these functions. */
#ifndef EB_UART_H
#define EB_UART_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* For the port's interrupt: a byte has arrived; bytes have been lost in the UART. */
void cortex_m_uart_received(uint8_t byte);
void cortex_m_uart_lost(void);

/* Bytes that can arrive without loss, for a line that can make the host wait. */
size_t cortex_m_uart_receive_room(void);

/* For the port's interrupt: the transmitter accepts bytes. Also callable with interrupts masked. */
void cortex_m_uart_transmit(void);

/* Waits until all bytes have been given to the transmitter, or none leaves any more. */
void cortex_m_uart_flush(void);

/* The port implements these, called with interrupts masked or in its interrupt: whether the
 * transmitter accepts a byte now; sending one; whether an interrupt shall say that it accepts
 * bytes. With interrupts that come by an edge, one that is switched on before the
 * transmitter is full must come when it accepts bytes again. */
bool port_uart_room(void);
void port_uart_send(uint8_t byte);
void port_uart_watch_room(bool on);

/* The port may define it: called often by the main loop, after it has taken bytes. True: do not sleep. */
__attribute__((weak)) bool port_uart_poll(void);

#ifdef __cplusplus
}
#endif

#endif
