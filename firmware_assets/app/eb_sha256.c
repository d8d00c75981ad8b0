// SPDX-License-Identifier: Apache-2.0
// Copyright edgebio contributors

#include "eb_sha256.h"

#include <string.h>

#define BLOCK 64u

/* FIPS 180-4, 4.2.2 */
static const uint32_t rounds[64] = {
    0x428a2f98u, 0x71374491u, 0xb5c0fbcfu, 0xe9b5dba5u, 0x3956c25bu, 0x59f111f1u, 0x923f82a4u,
    0xab1c5ed5u, 0xd807aa98u, 0x12835b01u, 0x243185beu, 0x550c7dc3u, 0x72be5d74u, 0x80deb1feu,
    0x9bdc06a7u, 0xc19bf174u, 0xe49b69c1u, 0xefbe4786u, 0x0fc19dc6u, 0x240ca1ccu, 0x2de92c6fu,
    0x4a7484aau, 0x5cb0a9dcu, 0x76f988dau, 0x983e5152u, 0xa831c66du, 0xb00327c8u, 0xbf597fc7u,
    0xc6e00bf3u, 0xd5a79147u, 0x06ca6351u, 0x14292967u, 0x27b70a85u, 0x2e1b2138u, 0x4d2c6dfcu,
    0x53380d13u, 0x650a7354u, 0x766a0abbu, 0x81c2c92eu, 0x92722c85u, 0xa2bfe8a1u, 0xa81a664bu,
    0xc24b8b70u, 0xc76c51a3u, 0xd192e819u, 0xd6990624u, 0xf40e3585u, 0x106aa070u, 0x19a4c116u,
    0x1e376c08u, 0x2748774cu, 0x34b0bcb5u, 0x391c0cb3u, 0x4ed8aa4au, 0x5b9cca4fu, 0x682e6ff3u,
    0x748f82eeu, 0x78a5636fu, 0x84c87814u, 0x8cc70208u, 0x90befffau, 0xa4506cebu, 0xbef9a3f7u,
    0xc67178f2u,
};

static uint32_t turn(uint32_t value, unsigned by)
{
    return value >> by | value << (32u - by);
}

static void take(uint32_t hash[8], const uint8_t *block)
{
    uint32_t w[16];
    uint32_t s[8];

    memcpy(s, hash, sizeof s);
    for (unsigned t = 0; t < 64; t++) {
        uint32_t word;
        if (t < 16) {
            const uint8_t *at = block + 4u * t;
            word = (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
        } else {
            const uint32_t a = w[(t - 15u) % 16u], b = w[(t - 2u) % 16u];
            word = w[t % 16u] + (turn(a, 7) ^ turn(a, 18) ^ a >> 3) + w[(t - 7u) % 16u] +
                   (turn(b, 17) ^ turn(b, 19) ^ b >> 10);
        }
        w[t % 16u] = word;
        const uint32_t first = s[7] + (turn(s[4], 6) ^ turn(s[4], 11) ^ turn(s[4], 25)) +
                               ((s[4] & s[5]) ^ (~s[4] & s[6])) + rounds[t] + word;
        const uint32_t second = (turn(s[0], 2) ^ turn(s[0], 13) ^ turn(s[0], 22)) +
                                ((s[0] & s[1]) ^ (s[0] & s[2]) ^ (s[1] & s[2]));
        memmove(s + 1, s, 7u * sizeof s[0]);
        s[4] += first;
        s[0] = first + second;
    }
    for (unsigned i = 0; i < 8; i++) {
        hash[i] += s[i];
    }
}

void eb_sha256_start(eb_sha256_state *state, const uint8_t *bytes, size_t count)
{
    static const uint32_t initial[8] = {0x6a09e667u, 0xbb67ae85u, 0x3c6ef372u, 0xa54ff53au,
                                        0x510e527fu, 0x9b05688cu, 0x1f83d9abu, 0x5be0cd19u};

    state->bytes = bytes;
    state->count = count;
    state->at = 0;
    memcpy(state->hash, initial, sizeof initial);
}

static void finish(eb_sha256_state *state)
{
    uint8_t last[2u * BLOCK] = {0};
    const size_t left = state->count - state->at;
    const size_t end = left + 9u <= BLOCK ? BLOCK : 2u * BLOCK;
    const uint64_t bits = (uint64_t)state->count * 8u;

    if (left != 0) {
        memcpy(last, state->bytes + state->at, left);
    }
    last[left] = 0x80;
    for (unsigned i = 0; i < 8; i++) {
        last[end - 1u - i] = (uint8_t)(bits >> (8u * i));
    }
    for (size_t at = 0; at < end; at += BLOCK) {
        take(state->hash, last + at);
    }
}

bool eb_sha256_go_on(eb_sha256_state *state, size_t most, uint8_t digest[EB_SHA256_BYTES])
{
    const size_t whole = state->count - state->count % BLOCK;

    for (size_t done = 0; state->at < whole; done += BLOCK) {
        if (done >= most) {
            return false;
        }
        take(state->hash, state->bytes + state->at);
        state->at += BLOCK;
    }
    finish(state);
    for (unsigned i = 0; i < EB_SHA256_BYTES; i++) {
        digest[i] = (uint8_t)(state->hash[i / 4u] >> (24u - 8u * (i % 4u)));
    }
    return true;
}
