/* Samples as they travel: values of as few bits as the largest one needs. */

#ifndef EB_SAMPLES_H
#define EB_SAMPLES_H

#include <stddef.h>
#include <stdint.h>

#define EB_SAMPLES_MOST_BITS 16u

/* Bytes that `values` take. */
static inline size_t eb_samples_bytes(size_t values, uint8_t bits)
{
    return (values * bits + 7u) / 8u;
}

/* Value number `index`; bits is 1 to EB_SAMPLES_MOST_BITS. */
int16_t eb_samples_value(const uint8_t *packed, size_t index, uint8_t bits);

#endif
