// SPDX-License-Identifier: Apache-2.0
// Copyright edgebio contributors

/* Packed samples: each value has as few bits as the largest one needs. */

#ifndef EB_SAMPLES_H
#define EB_SAMPLES_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define EB_SAMPLES_MAX_BITS 16u

/* Bytes of so many packed values. */
static inline size_t eb_samples_bytes(size_t values, uint8_t bits)
{
    return (values * bits + 7u) / 8u;
}

/* Value at `index`; bits is 1 to EB_SAMPLES_MAX_BITS. */
int16_t eb_samples_value(const uint8_t *packed, size_t index, uint8_t bits);

#ifdef __cplusplus
}
#endif

#endif
