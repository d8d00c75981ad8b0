// SPDX-License-Identifier: Apache-2.0
// Copyright edgebio contributors

/* A controller for eb_usb_cdc.c that is no hardware: tests are its host. It aborts where the device
 * breaks the interface of eb_usb_cdc.h. */
#ifndef EB_TEST_CONTROLLER_H
#define EB_TEST_CONTROLLER_H

#include "eb_usb_cdc.h"

#ifdef __cplusplus
extern "C" {
#endif

#define NAK (-1)
#define STALL (-2)
#define LOG_BYTES 65536u

void host_start(uint16_t vid, uint16_t pid, const char *product, const char *serial);
void host_reset(void);
void host_setup(const uint8_t setup[8]);

/* One transaction: bytes of the packet, 0 for an accepted packet, NAK or STALL. */
int host_in(unsigned endpoint, uint8_t *bytes);
int host_out(unsigned endpoint, const uint8_t *bytes, size_t count);

unsigned host_address(void);
int host_touched(void);

/* The user of the port: its buffer for received bytes, before the first packet; how many of them it takes
 * from there; bytes to send; and everything that has arrived since the last look. */
void user_limit(size_t bytes);
void user_take(size_t count);
size_t user_write(const uint8_t *bytes, size_t count);
size_t user_read(uint8_t *bytes);

#ifdef __cplusplus
}
#endif

#endif
