// SPDX-License-Identifier: Apache-2.0
// Copyright edgebio contributors

/* The link on USB: the rings of cortex_m/uart.c before the serial port of eb_usb_cdc.c. A port calls
 * these; its interrupt reports to `usb_link`. */
#ifndef EB_USB_LINK_H
#define EB_USB_LINK_H

#include "eb_usb_cdc.h"

#ifdef __cplusplus
extern "C" {
#endif

extern eb_usb usb_link;

/* Before the controller connects. `id` identifies the chip; it becomes the serial number. */
void usb_link_start(const uint8_t id[8]);

/* Waits until the host has the last packet, or takes none. */
void usb_link_drain(void);

/* A port may define it: the main loop calls it often. True: do not sleep. */
__attribute__((weak)) bool usb_link_poll_controller(void);

#ifdef __cplusplus
}
#endif

#endif
