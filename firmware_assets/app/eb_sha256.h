// SPDX-License-Identifier: Apache-2.0
// Copyright edgebio contributors

/* SHA-256 (FIPS 180-4), of what lies in memory as a whole. */

#ifndef EB_SHA256_H
#define EB_SHA256_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define EB_SHA256_BYTES 32u

void eb_sha256(const uint8_t *bytes, size_t count, uint8_t digest[EB_SHA256_BYTES]);

#ifdef __cplusplus
}
#endif

#endif
