// SPDX-License-Identifier: Apache-2.0
// Copyright edgebio contributors

/* Interface between an application and its hardware. One folder of ports/ per chip family, and one
 * for the host, implements it; the board file names the folder, its addresses and its clocks.
 *
 * Only the port accesses its UART, its time base and its interrupts.
 */
#ifndef EB_PORT_H
#define EB_PORT_H

#include <stdbool.h>
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

/* Bytes that wait in the port to be sent, at most. */
#ifndef PORT_TRANSMIT_BYTES
#define PORT_TRANSMIT_BYTES 4096u
#endif

/* Sends `count` bytes in the background. If there is no room it waits while bytes leave; when none has
 * left for PORT_WRITE_PATIENCE_MS, as with a host that does not read, the rest is lost, and so is
 * everything until bytes leave again. */
void port_write(const uint8_t *bytes, size_t count);
#define PORT_WRITE_PATIENCE_MS 100u

/* Bytes that port_write takes now without waiting. */
size_t port_write_room(void);

/* Sleeps until an interrupt, at most for a lap of the time base: 50 ms, or 10 ms in an image that
 * stands alone; not at all if received bytes are waiting. */
void port_idle(void);

/* Microseconds since port_init, modulo 2^32 (wraps after 71 minutes). */
uint32_t port_micros(void);

/* Received bytes that were lost since port_init, in the UART or because the ring was full. */
uint32_t port_rx_overruns(void);

/* Restarts from the reset vector after the UART has sent all bytes. */
__attribute__((noreturn)) void port_reset(void);

/* Whether there is a boot loader that takes a new image; enters it after all bytes have been sent. */
bool port_has_bootloader(void);
__attribute__((noreturn)) void port_enter_bootloader(void);

/* The image in memory, from the vectors to initial data; returns its size, 0 if there is none. */
size_t port_image(const uint8_t **image);

/* Largest use of the stack since reset, and its size, in bytes; both 0 if unknown. */
uint32_t port_stack_used(void);
uint32_t port_stack_size(void);

/* An image that samples, decides and acts without a host is compiled with -DEB_STANDALONE=1. */
#ifndef EB_STANDALONE
#define EB_STANDALONE 0
#endif

/* Time-out of the watchdog. */
#ifndef EB_WATCHDOG_MS
#if EB_STANDALONE
#define EB_WATCHDOG_MS 250u
#else
#define EB_WATCHDOG_MS 4000u
#endif
#endif

/* Restarts the watchdog's time-out, after which it resets the board. port_init starts the watchdog,
 * if there is one. */
void port_watchdog_feed(void);

typedef enum {
    PORT_EMERGENCY_FAULT,  /* before the reset by the fault handler or the watchdog */
    PORT_EMERGENCY_SUPPLY, /* the supply fails */
    PORT_EMERGENCY_CLOCK,  /* the crystal failed; the internal oscillator has taken over */
    PORT_EMERGENCY_SILENT, /* port_guard_refresh was not called in time */
} port_emergency;

/* The application may define it, to go to rest at once. Called in interrupts and by the fault handler,
 * with variables in any state: it only writes registers and flags. */
__attribute__((weak)) void eb_emergency(port_emergency what);

/* From the first call on, the time base's interrupt reports PORT_EMERGENCY_SILENT if the last one is
 * PORT_GUARD_MS ago, at most a lap less. */
void port_guard_refresh(void);
#define PORT_GUARD_MS 250u

/* Whether the clock is that of the internal oscillator, because the crystal is missing or failed. */
bool port_clock_fallback(void);

typedef enum {
    PORT_START_ORDINARY, /* power, the reset pin, port_reset */
    PORT_START_FAULT,
    PORT_START_WATCHDOG,
    PORT_START_BROWNOUT, /* the supply was too low, without going off */
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
