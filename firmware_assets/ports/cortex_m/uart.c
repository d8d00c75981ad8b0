// SPDX-License-Identifier: Apache-2.0
// Copyright edgebio contributors

#include "uart.h"

#include "cortex_m.h"
#include "eb_board.h"
#include "port.h"
#include "ring.h"

_Static_assert(PORT_TRANSMIT_BYTES == RING_BYTES, "both rings have one size");

static ring received;
static ring outgoing;
static bool stalled; /* nothing has left for PORT_WRITE_PATIENCE_MS */

void cortex_m_uart_received(uint8_t byte)
{
    ring_put(&received, byte);
}

void cortex_m_uart_lost(void)
{
    received.lost++;
}

size_t cortex_m_uart_receive_room(void)
{
    return ring_room(&received);
}

static bool has_work(void)
{
    return port_uart_poll && port_uart_poll();
}

size_t port_read(uint8_t *bytes, size_t most)
{
    const size_t count = ring_take(&received, bytes, most);

    (void)has_work();
    return count;
}

void cortex_m_uart_transmit(void)
{
    uint8_t byte;

    if (ring_empty(&outgoing)) {
        port_uart_watch_room(false);
        return;
    }
    port_uart_watch_room(true); /* before the transmitter is full: no edge is missed */
    while (port_uart_room()) {
        if (!ring_take(&outgoing, &byte, 1)) {
            port_uart_watch_room(false);
            return;
        }
        port_uart_send(byte);
    }
}

static void transmit(void)
{
    const uint32_t before = cortex_m_lock();
    cortex_m_uart_transmit();
    cortex_m_unlock(before);
}

size_t port_write_room(void)
{
    return ring_room(&outgoing);
}

/* Waits for room for a byte; false if nothing leaves. */
static bool await_room(void)
{
    if (ring_room(&outgoing)) {
        stalled = false;
        return true;
    }
    const uint32_t start = port_micros();
    while (!ring_room(&outgoing)) {
        if (stalled || port_micros() - start >= PORT_WRITE_PATIENCE_MS * 1000u) {
            stalled = true;
            return false;
        }
        transmit(); /* also where interrupts are masked */
    }
    stalled = false;
    return true;
}

void port_write(const uint8_t *bytes, size_t count)
{
    for (size_t i = 0; i < count && await_room(); i++) {
        ring_put(&outgoing, bytes[i]);
    }
    transmit();
}

void cortex_m_uart_flush(void)
{
    uint32_t start = port_micros();
    uint32_t tail = outgoing.tail;

    while (!ring_empty(&outgoing) && port_micros() - start < PORT_WRITE_PATIENCE_MS * 1000u) {
        transmit();
        if (tail != outgoing.tail) {
            tail = outgoing.tail;
            start = port_micros();
        }
    }
}

#ifndef EB_SLEEP_STOPS_CLOCK
#define EB_SLEEP_STOPS_CLOCK 0
#endif

void port_idle(void)
{
    if (EB_SLEEP_STOPS_CLOCK || has_work()) {
        return; /* port_micros would lose the time slept */
    }
    /* A byte that arrives after the look at the ring still ends the wait: its interrupt is
     * pending, though masked. */
    const uint32_t before = cortex_m_lock();
    if (ring_empty(&received)) {
        cortex_m_wait();
    }
    cortex_m_unlock(before);
}

uint32_t port_rx_overruns(void)
{
    return received.lost;
}
