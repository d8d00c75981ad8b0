// SPDX-License-Identifier: Apache-2.0
// Copyright edgebio contributors

/* What an application asks of the machine it runs on. One folder of ports/ implements it a chip
 * family (and one the host); which one, and its addresses and clocks, is said by the board file.
 *
 * A port owns its UART, its time base and its interrupts; nothing else touches them.
 */
#ifndef EB_PORT_H
#define EB_PORT_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Clocks, pins, UART with its receive ring, time base. Called once, before anything below. */
void port_init(void);

/* Received bytes that are held until they are read, at least. */
#ifndef PORT_RECEIVE_BYTES
#define PORT_RECEIVE_BYTES 4096u
#endif

/* Take at most `most` received bytes; returns how many there were, at once. */
size_t port_read(uint8_t *bytes, size_t most);

/* Send `count` bytes; returns when all of them are with the UART. */
void port_write(const uint8_t *bytes, size_t count);

/* Sleep until an interrupt, unless bytes are waiting already; at most some 50 ms. */
void port_idle(void);

/* Microseconds since port_init, modulo 2^32 (wraps after 71 minutes). */
uint32_t port_micros(void);

/* Received bytes that were lost since port_init, in the UART or because the ring was full. */
uint32_t port_rx_overruns(void);

/* Start again from the reset vector, once what was written has left the UART. */
__attribute__((noreturn)) void port_reset(void);

/* The image as it lies in memory, vectors to initial data; returns its bytes, 0 where the machine has
 * none. */
size_t port_image(const uint8_t **image);

/* Bytes of stack that have been used at most since reset, and bytes that there are; both 0 where
 * the machine cannot tell. */
uint32_t port_stack_used(void);
uint32_t port_stack_size(void);

/* Tell the watchdog, where there is one, that the application is well; it resets the machine after
 * some seconds without. port_init starts it. */
void port_watchdog_feed(void);

typedef enum {
    PORT_START_ORDINARY, /* power, the reset pin, port_reset */
    PORT_START_FAULT,
    PORT_START_WATCHDOG,
} port_start;

/* Why the machine started. */
port_start port_start_cause(void);

/* What the fault handler left behind before it reset the core. */
typedef struct {
    uint32_t pc;      /* of the faulting instruction, 0 where the stack could not be read */
    uint32_t lr;      /* its link register */
    uint32_t status;  /* CFSR: which fault it was */
    uint32_t address; /* BFAR or MMFAR where valid, else 0 */
} port_fault;

/* The fault, or the hang that a watchdog's interrupt ended, that the last reset recovered from;
 * NULL where it was an ordinary start, or where the watchdog left nothing behind. */
const port_fault *port_last_fault(void);

#ifdef __cplusplus
}
#endif

#endif
