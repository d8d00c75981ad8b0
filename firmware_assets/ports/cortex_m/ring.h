// SPDX-License-Identifier: Apache-2.0
// Copyright edgebio contributors

/* The rings of received bytes and of bytes to send, between the UART's interrupt and the main loop.
 *
 * One writer and one reader on one CPU: two counters that only one of them advances are enough; they
 * wrap at 2^32, a multiple of the ring's size.
 */
#ifndef EB_RING_H
#define EB_RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "port.h"

#ifdef __cplusplus
extern "C" {
#endif

/* 4096 bytes: 44 ms at 921600 baud, longer than an inference, during which nothing is read. */
#define RING_BYTES PORT_RECEIVE_BYTES

typedef struct {
    volatile uint32_t head; /* bytes written so far; changed by the writer only */
    volatile uint32_t tail; /* bytes read so far; changed by the reader only */
    volatile uint32_t lost; /* bytes that did not fit; changed by the writer only */
    uint8_t bytes[RING_BYTES];
} ring;

static inline bool ring_empty(const ring *r)
{
    return r->head == r->tail;
}

static inline size_t ring_room(const ring *r)
{
    return RING_BYTES - (r->head - r->tail);
}

static inline void ring_put(ring *r, uint8_t byte)
{
    const uint32_t head = r->head;
    if (head - r->tail == RING_BYTES) {
        r->lost++;
        return;
    }
    r->bytes[head % RING_BYTES] = byte;
    __asm volatile("" : : : "memory"); /* the byte before the count that publishes it */
    r->head = head + 1u;
}

static inline size_t ring_take(ring *r, uint8_t *bytes, size_t most)
{
    const uint32_t tail = r->tail;
    const uint32_t waiting = r->head - tail;
    const size_t count = most < waiting ? most : waiting;
    __asm volatile("" : : : "memory");
    for (size_t i = 0; i < count; i++) {
        bytes[i] = r->bytes[(tail + i) % RING_BYTES];
    }
    __asm volatile("" : : : "memory"); /* the bytes are read before their space is free */
    r->tail = tail + (uint32_t)count;
    return count;
}

#ifdef __cplusplus
}
#endif

#endif
