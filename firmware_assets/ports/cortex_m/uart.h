// SPDX-License-Identifier: Apache-2.0
// Copyright edgebio contributors

/* Shared by the UARTs of all chips: the receive ring and the wait for bytes. uart.c implements
 * port_read, port_write, port_idle and port_rx_overruns with these functions. */
#ifndef EB_UART_H
#define EB_UART_H

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* For the port's interrupt: a byte has arrived; bytes have been lost in the UART. */
void cortex_m_uart_received(uint8_t byte);
void cortex_m_uart_lost(void);

/* The port implements these: whether the transmitter accepts a byte now, and sending one. */
bool port_uart_room(void);
void port_uart_send(uint8_t byte);

#ifdef __cplusplus
}
#endif

#endif
