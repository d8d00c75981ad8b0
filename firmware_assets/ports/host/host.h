// SPDX-License-Identifier: Apache-2.0
// Copyright edgebio contributors

/* Parts of the host's port: the line (port.c) and one of its clocks (clock.c, virtual_clock.c). */
#ifndef EB_HOST_H
#define EB_HOST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The clock has this, for port_init. */
void host_start_clock(void);

/* Waits until a byte has been received, for at most so many milliseconds; whether there is one. */
bool host_await_byte(uint32_t milliseconds);

/* Waits until all bytes have been sent, or the host does not read, and starts the program again. */
__attribute__((noreturn)) void host_restart(void);

/* The clock has this, for port_read: received bytes take their time on the line. */
void host_pass_bytes(size_t count);

/* Of the virtual clock: microseconds since the first start, whatever has restarted since. */
uint64_t host_micros(void);

/* Lets virtual time pass, as a calculation would, with interrupts or without. */
void host_pass(uint32_t micros, bool masked);

/* A processor fault. */
__attribute__((noreturn)) void host_fault(void);

/* Of the converter: whether all of its recording has been sampled; a lost conversion. */
bool host_adc_ended(void);
void host_adc_fail(void);

#ifdef __cplusplus
}
#endif

#endif
