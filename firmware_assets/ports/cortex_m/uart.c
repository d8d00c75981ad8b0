// SPDX-License-Identifier: Apache-2.0
// Copyright edgebio contributors

#include "uart.h"

#include "cortex_m.h"
#include "eb_board.h"
#include "port.h"
#include "ring.h"

static ring received;

void cortex_m_uart_received(uint8_t byte)
{
    ring_put(&received, byte);
}

void cortex_m_uart_lost(void)
{
    received.lost++;
}

size_t port_read(uint8_t *bytes, size_t most)
{
    return ring_take(&received, bytes, most);
}

void port_write(const uint8_t *bytes, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        while (!port_uart_room()) {
        }
        port_uart_send(bytes[i]);
    }
}

#ifndef EB_SLEEP_STOPS_CLOCK
#define EB_SLEEP_STOPS_CLOCK 0
#endif

void port_idle(void)
{
    if (EB_SLEEP_STOPS_CLOCK) {
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
