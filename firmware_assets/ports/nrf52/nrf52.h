// SPDX-License-Identifier: Apache-2.0
// Copyright edgebio contributors

/* Shared by the files of this port: the link, a UART (link_uart.c) or USB (link_usb.c). The latter returns
 * when all that was accepted has been sent, or cannot be. */
#ifndef EB_NRF52_H
#define EB_NRF52_H

#ifdef __cplusplus
extern "C" {
#endif

void nrf52_link_start(void);
void nrf52_link_drain(void);

#ifdef __cplusplus
}
#endif

#endif
