// SPDX-License-Identifier: Apache-2.0
// Copyright edgebio contributors

/* A transmitter with a FIFO of some bytes that leave one by one as time passes, with an interrupt by level, or
 * by the edge when a full FIFO has room again. */
#include <stddef.h>
#include <string.h>

#include "cortex_m.h"
#include "port.h"
#include "uart.h"

#define MOST 100000u

static struct {
    uint32_t fifo; /* bytes that it holds */
    uint32_t depth;
    bool by_edge;
    bool stuck; /* nothing leaves */
    bool watches, pending, masked;
    uint32_t micros;
    size_t sent;
    uint8_t bytes[MOST];
} sim;

void sim_start(uint32_t depth, bool by_edge);
void sim_stick(bool stuck);
void sim_pass(uint32_t bytes);
size_t sim_sent(uint8_t *bytes);

static void interrupt(void)
{
    const bool due = sim.by_edge ? sim.pending : sim.watches && sim.fifo < sim.depth;
    if (due && !sim.masked) {
        sim.pending = false;
        sim.masked = true;
        cortex_m_uart_transmit();
        sim.masked = false;
    }
}

static void leave(void)
{
    sim.micros += 11;
    if (!sim.stuck && sim.fifo != 0) {
        sim.pending = sim.pending || (sim.watches && sim.fifo == sim.depth);
        sim.fifo--;
    }
    interrupt();
}

bool port_uart_room(void)
{
    return sim.fifo < sim.depth;
}

void port_uart_send(uint8_t byte)
{
    sim.fifo++;
    sim.bytes[sim.sent++] = byte;
}

void port_uart_watch_room(bool on)
{
    sim.watches = on;
}

uint32_t port_micros(void)
{
    leave();
    return sim.micros;
}

uint32_t cortex_m_lock(void)
{
    const uint32_t before = sim.masked;
    sim.masked = true;
    return before;
}

void cortex_m_unlock(uint32_t before)
{
    sim.masked = before;
    interrupt();
}

void cortex_m_wait(void)
{
}

void sim_start(uint32_t depth, bool by_edge)
{
    sim.stuck = false;
    sim.depth = depth;
    sim.by_edge = by_edge;
    for (uint32_t i = 0; i < 3u * PORT_TRANSMIT_BYTES; i++) {
        leave(); /* what a test before has left */
    }
    sim.sent = 0;
}

void sim_stick(bool stuck)
{
    sim.stuck = stuck;
}

void sim_pass(uint32_t bytes)
{
    for (uint32_t i = 0; i < bytes; i++) {
        leave();
    }
}

size_t sim_sent(uint8_t *bytes)
{
    memcpy(bytes, sim.bytes, sim.sent);
    return sim.sent;
}
