// SPDX-License-Identifier: Apache-2.0
// Copyright edgebio contributors

/* Interface between an application and its hardware. One folder of ports/ per chip family, and one
 * for the host, implements it; the board file names the folder, its addresses and its clocks.
 *
 * Only the port accesses its UART, its time base and its interrupts.
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

/* Received bytes that the port stores at least. */
#ifndef PORT_RECEIVE_BYTES
#define PORT_RECEIVE_BYTES 4096u
#endif

/* Reads at most `most` received bytes without waiting; returns their number. */
size_t port_read(uint8_t *bytes, size_t most);

/* Sends `count` bytes; returns when the UART has accepted all of them. */
void port_write(const uint8_t *bytes, size_t count);

/* Sleeps until an interrupt, for at most about 50 ms; not at all if received bytes are waiting. */
void port_idle(void);

/* Microseconds since port_init, modulo 2^32 (wraps after 71 minutes). */
uint32_t port_micros(void);

/* Received bytes that were lost since port_init, in the UART or because the ring was full. */
uint32_t port_rx_overruns(void);

/* Restarts from the reset vector after the UART has sent all bytes. */
__attribute__((noreturn)) void port_reset(void);

/* The image in memory, from the vectors to initial data; returns its size, 0 if there is none. */
size_t port_image(const uint8_t **image);

/* Largest use of the stack since reset, and its size, in bytes; both 0 if unknown. */
uint32_t port_stack_used(void);
uint32_t port_stack_size(void);

/* Restarts the watchdog's time-out of some seconds, after which it resets the board. port_init starts
 * the watchdog, if there is one. */
void port_watchdog_feed(void);

typedef enum {
    PORT_START_ORDINARY, /* power, the reset pin, port_reset */
    PORT_START_FAULT,
    PORT_START_WATCHDOG,
} port_start;

/* Cause of the last start. */
port_start port_start_cause(void);

/* Record of the fault handler, which resets the CPU. */
typedef struct {
    uint32_t pc;      /* of the faulting instruction, 0 if the stack could not be read */
    uint32_t lr;      /* its link register */
    uint32_t status;  /* CFSR: kind of the fault */
    uint32_t address; /* BFAR or MMFAR if valid, else 0 */
} port_fault;

/* The fault that caused the last reset, or the hang that a watchdog's interrupt ended; NULL after an
 * ordinary start, or if the watchdog left no record. */
const port_fault *port_last_fault(void);

#ifdef __cplusplus
}
#endif

#endif
