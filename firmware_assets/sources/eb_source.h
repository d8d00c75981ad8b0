// SPDX-License-Identifier: Apache-2.0
// Copyright edgebio contributors

/* Interface between a sample source and the application that decides on its samples.
 *
 * A source samples by itself from eb_source_start on, however long the network takes: its ring holds
 * EB_SOURCE_RING_FRAMES sample frames, at least twice the slowest decision. A sample frame is one
 * value of each channel, in the model's counts. Frames are numbered from 0 at the start; numbers
 * of lost frames are skipped, never reused.
 *
 * source_config.h, generated for a model and a board, has EB_SOURCE_CHANNELS,
 * EB_SOURCE_RATE_MILLIHZ, EB_SOURCE_RING_FRAMES and the scaling.
 */
#ifndef EB_SOURCE_H
#define EB_SOURCE_H

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Flags of a block. */
#define EB_SOURCE_OVERRUN 1u      /* frames before the first one are lost: the ring was full */
#define EB_SOURCE_LEAD_OFF 2u     /* an electrode is off: leads_off says which */
#define EB_SOURCE_DISCONNECTED 4u /* the converter does not answer; the block has no frames */

/* Consecutive sample frames. */
typedef struct {
    const int16_t *samples; /* frames x EB_SOURCE_CHANNELS, frame by frame */
    uint32_t first;         /* number of the first frame */
    uint32_t time_us;       /* port_micros at the trigger of the first frame */
    uint32_t leads_off;     /* bit c: the electrode of channel c is off */
    uint16_t frames;
    uint16_t flags;
} eb_source_block;

/* Starts sampling, from an empty ring and frame 0. False if the hardware does not answer. */
bool eb_source_start(void);

/* Takes the oldest frames of the ring, as many as are convenient, without waiting; false if there
 * is no complete frame and nothing to report. The block stays valid until eb_source_release. */
bool eb_source_take(eb_source_block *block);

/* Frees the frames of the block that was taken last. */
void eb_source_release(void);

/* Stops sampling. */
void eb_source_stop(void);

#ifdef __cplusplus
}
#endif

#endif
