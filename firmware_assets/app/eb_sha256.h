// SPDX-License-Identifier: Apache-2.0
// Copyright edgebio contributors

/* SHA-256 (FIPS 180-4), of what lies in memory as a whole, in as many steps as the caller likes. */

#ifndef EB_SHA256_H
#define EB_SHA256_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define EB_SHA256_BYTES 32u

typedef struct {
    const uint8_t *bytes;
    size_t count;
    size_t at; /* bytes hashed so far */
    uint32_t hash[8];
} eb_sha256_state;

void eb_sha256_start(eb_sha256_state *state, const uint8_t *bytes, size_t count);

/* Hashes at least `most` more bytes, as whole blocks; true with the digest when that was all. */
bool eb_sha256_go_on(eb_sha256_state *state, size_t most, uint8_t digest[EB_SHA256_BYTES]);

#ifdef __cplusplus
}
#endif

#endif
