/* What an application asks of the machine it runs on. One folder of ports/ implements it a chip
 * family (and one the host); which one, and its addresses and clocks, is said by the board file.
 *
 * A port owns its UART, its time base and its interrupts; nothing else touches them.
 */
#ifndef EB_PORT_H
#define EB_PORT_H

#include <stddef.h>
#include <stdint.h>

/* Clocks, pins, UART with its receive ring, time base. Called once, before anything below. */
void port_init(void);

/* Take at most `most` received bytes; returns how many there were, at once. */
size_t port_read(uint8_t *bytes, size_t most);

/* Send `count` bytes; returns when all of them are with the UART. */
void port_write(const uint8_t *bytes, size_t count);

/* Sleep until an interrupt, unless bytes are waiting already. */
void port_idle(void);

/* Microseconds since port_init, modulo 2^32 (wraps after 71 minutes). */
uint32_t port_micros(void);

/* Received bytes that were lost since port_init, in the UART or because the ring was full. */
uint32_t port_rx_overruns(void);

/* Start again from the reset vector, once what was written has left the UART. */
_Noreturn void port_reset(void);

/* Bytes of stack that have been used at most since reset, and bytes that there are; both 0 where
 * the machine cannot tell. */
uint32_t port_stack_used(void);
uint32_t port_stack_size(void);

/* Why the machine started: what the fault handler left behind before it reset the core. */
typedef struct {
    uint32_t pc;     /* of the faulting instruction, 0 where the stack could not be read */
    uint32_t lr;     /* its link register */
    uint32_t status; /* CFSR: which fault it was */
    uint32_t address; /* BFAR or MMFAR where valid, else 0 */
} port_fault;

/* The fault that the last reset recovered from, or NULL where it was an ordinary start. */
const port_fault *port_last_fault(void);

#endif
