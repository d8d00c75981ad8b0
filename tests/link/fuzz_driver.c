// SPDX-License-Identifier: Apache-2.0
// Copyright edgebio contributors

/* A driver for fuzz.c without libFuzzer: mutates the seeds, without coverage.
 *
 *   fuzz-driver SECONDS SEED FILE...
 *
 * `input` holds the current input. When a sanitizer reports an error, its callback writes the input
 * to crash-input, to reproduce the error. */
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#undef main /* that of the device has another name */

#define MAX_BYTES 4096u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
void __sanitizer_set_death_callback(void (*callback)(void));

static uint8_t input[MAX_BYTES];
static size_t input_bytes;
static uint64_t state;

static uint32_t draw(uint32_t below)
{
    /* xorshift64*, Vigna 2016 */
    state ^= state >> 12;
    state ^= state << 25;
    state ^= state >> 27;
    return (uint32_t)((state * 0x2545F4914F6CDD1Dull >> 32) % below);
}

static void save(void)
{
    FILE *file = fopen("crash-input", "wb");
    if (file) {
        fwrite(input, 1, input_bytes, file);
        fclose(file);
    }
}

static void on_abort(int signal)
{
    save();
    _Exit(128 + signal);
}

static void mutate(void)
{
    static const uint8_t boundary[] = {0, 1, 2, 127, 128, 254, 255};
    for (uint32_t turns = 1 + draw(8); turns; turns--) {
        const size_t at = input_bytes ? draw((uint32_t)input_bytes) : 0;
        const size_t left = input_bytes - at;
        switch (draw(6)) {
        case 0:
            input[at] ^= (uint8_t)(1u << draw(8));
            break;
        case 1:
            input[at] = boundary[draw(sizeof boundary)];
            break;
        case 2:
            input[at] = (uint8_t)draw(256);
            break;
        case 3: { /* lost */
            const size_t lost = left ? 1 + draw((uint32_t)left) % 32u : 0;
            const size_t n = lost < left ? lost : left;
            memmove(input + at, input + at + n, left - n);
            input_bytes -= n;
            break;
        }
        default: { /* copied to another position */
            size_t n = left ? 1 + draw((uint32_t)left) % 64u : 0;
            n = n < left ? n : left;
            n = n < MAX_BYTES - input_bytes ? n : MAX_BYTES - input_bytes;
            const size_t to = input_bytes ? draw((uint32_t)input_bytes) : 0;
            static uint8_t piece[64];
            memcpy(piece, input + at, n);
            memmove(input + to + n, input + to, input_bytes - to);
            memcpy(input + to, piece, n);
            input_bytes += n;
            break;
        }
        }
        if (input_bytes == 0) {
            input_bytes = 1;
        }
    }
}

int main(int count, char **arguments)
{
    static uint8_t seeds[64][MAX_BYTES];
    static size_t lengths[64];
    uint32_t seed_count = 0;

    if (count < 4) {
        return 2;
    }
    for (int i = 3; i < count && seed_count < 64; i++) {
        FILE *file = fopen(arguments[i], "rb");
        if (!file) {
            return 2;
        }
        lengths[seed_count] = fread(seeds[seed_count], 1, MAX_BYTES, file);
        seed_count++;
        fclose(file);
    }
    state = strtoull(arguments[2], NULL, 10) * 2654435761u + 1u;
    __sanitizer_set_death_callback(save);
    signal(SIGABRT, on_abort);
    const time_t end = time(NULL) + atol(arguments[1]);
    unsigned long runs = 0;
    while (time(NULL) < end) {
        for (int i = 0; i < 200; i++, runs++) {
            const uint32_t chosen = draw(seed_count);
            if (i % 16 == 0 || input_bytes == 0) {
                memcpy(input, seeds[chosen], lengths[chosen]);
                input_bytes = lengths[chosen];
            }
            mutate();
            LLVMFuzzerTestOneInput(input, input_bytes);
        }
    }
    fprintf(stderr, "Done %lu runs\n", runs);
    return 0;
}
