// SPDX-License-Identifier: Apache-2.0
// Copyright edgebio contributors

/* Frames in a ring that DMA fills over and over, exactly, though DMA counts only the items of a lap.
 *
 * An interrupt at the end of each half of the ring counts halves. It may be late, by less than a half:
 * then the half in which DMA is at present does not fit the count, and one is added. So neither flags of
 * interrupts nor locks are needed, and it does not matter where an interrupt comes in between.
 */
#ifndef EB_DMA_RING_H
#define EB_DMA_RING_H

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
    volatile uint32_t halves; /* filled since the start; changed by the interrupt only */
    volatile bool failed;     /* an item was lost: the order of channels is broken */
    uint32_t items;           /* of the ring */
} dma_ring;

static inline void dma_ring_start(dma_ring *r, uint32_t items)
{
    r->halves = 0;
    r->failed = false;
    r->items = items;
}

/* For the interrupt, after it has counted: `done` items of the lap are filled. If they are not in the
 * half that the count says, the interrupt was late by a whole one, and the count is wrong. */
static inline void dma_ring_counted(dma_ring *r, uint32_t done)
{
    const uint32_t second = done % r->items >= r->items / 2u;

    if (second != (r->halves & 1u)) {
        r->failed = true;
    }
}

/* Complete frames since the start, modulo 2^32, if `done` items of the lap were filled after `halves`
 * was read. The ring's frames are even: nothing is lost where `halves` wraps. */
static inline uint32_t dma_ring_frames(const dma_ring *r, uint32_t halves, uint32_t done,
                                       uint32_t channels)
{
    const uint32_t at =
        done % r->items; /* the counter may show the end of the lap before it restarts */
    const uint32_t second = at >= r->items / 2u;

    if (second != (halves & 1u)) {
        halves++;
    }
    return halves / 2u * (r->items / channels) + at / channels;
}

#ifdef __cplusplus
}
#endif

#endif
