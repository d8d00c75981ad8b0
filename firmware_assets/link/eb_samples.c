// SPDX-License-Identifier: Apache-2.0
// Copyright edgebio contributors

#include "eb_samples.h"

int16_t eb_samples_value(const uint8_t *packed, size_t index, uint8_t bits)
{
    const size_t at = index * bits;
    const uint8_t *byte = packed + at / 8u;
    uint32_t value = (uint32_t)*byte >> (at % 8u);
    const uint32_t sign = 1u << (bits - 1u);

    for (size_t have = 8u - at % 8u; have < bits; have += 8u) {
        byte++;
        value |= (uint32_t)*byte << have;
    }
    value &= (sign << 1) - 1u;
    return (int16_t)((int32_t)(value ^ sign) - (int32_t)sign);
}
