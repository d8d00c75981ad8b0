/* A driver for fuzz.c where there is no libFuzzer: mutates the seeds, blind to what they reach.
 *
 *   fuzz-driver SECONDS SEED FILE...
 *
 * What is being tried lies in `last`, so that a sanitizer's report can be had again: the driver
 * writes it to crash-input from the report's callback. */
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#undef main /* the device's is another */

#define MOST 4096u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
void __sanitizer_set_death_callback(void (*callback)(void));

static uint8_t last[MOST];
static size_t last_bytes;
static uint64_t state;

static uint32_t draw(uint32_t below)
{
    /* xorshift64*, Vigna 2016 */
    state ^= state >> 12;
    state ^= state << 25;
    state ^= state >> 27;
    return (uint32_t)((state * 0x2545F4914F6CDD1Dull >> 32) % below);
}

static void keep(void)
{
    FILE *file = fopen("crash-input", "wb");
    if (file) {
        fwrite(last, 1, last_bytes, file);
        fclose(file);
    }
}

static void on_abort(int signal)
{
    keep();
    _Exit(128 + signal);
}

static void mutate(void)
{
    static const uint8_t telling[] = {0, 1, 2, 127, 128, 254, 255};
    for (uint32_t turns = 1 + draw(8); turns; turns--) {
        const size_t at = last_bytes ? draw((uint32_t)last_bytes) : 0;
        const size_t left = last_bytes - at;
        switch (draw(6)) {
        case 0:
            last[at] ^= (uint8_t)(1u << draw(8));
            break;
        case 1:
            last[at] = telling[draw(sizeof telling)];
            break;
        case 2:
            last[at] = (uint8_t)draw(256);
            break;
        case 3: { /* lost */
            const size_t gone = left ? 1 + draw((uint32_t)left) % 32u : 0;
            const size_t n = gone < left ? gone : left;
            memmove(last + at, last + at + n, left - n);
            last_bytes -= n;
            break;
        }
        default: { /* doubled, or moved elsewhere */
            size_t n = left ? 1 + draw((uint32_t)left) % 64u : 0;
            n = n < left ? n : left;
            n = n < MOST - last_bytes ? n : MOST - last_bytes;
            const size_t to = last_bytes ? draw((uint32_t)last_bytes) : 0;
            static uint8_t piece[64];
            memcpy(piece, last + at, n);
            memmove(last + to + n, last + to, last_bytes - to);
            memcpy(last + to, piece, n);
            last_bytes += n;
            break;
        }
        }
        if (last_bytes == 0) {
            last_bytes = 1;
        }
    }
}

int main(int count, char **words)
{
    static uint8_t seeds[64][MOST];
    static size_t lengths[64];
    uint32_t found = 0;

    if (count < 4) {
        return 2;
    }
    for (int i = 3; i < count && found < 64; i++) {
        FILE *file = fopen(words[i], "rb");
        if (!file) {
            return 2;
        }
        lengths[found] = fread(seeds[found], 1, MOST, file);
        found++;
        fclose(file);
    }
    state = strtoull(words[2], NULL, 10) * 2654435761u + 1u;
    __sanitizer_set_death_callback(keep);
    signal(SIGABRT, on_abort);
    const time_t end = time(NULL) + atol(words[1]);
    unsigned long runs = 0;
    while (time(NULL) < end) {
        for (int i = 0; i < 200; i++, runs++) {
            const uint32_t chosen = draw(found);
            if (i % 16 == 0 || last_bytes == 0) {
                memcpy(last, seeds[chosen], lengths[chosen]);
                last_bytes = lengths[chosen];
            }
            mutate();
            LLVMFuzzerTestOneInput(last, last_bytes);
        }
    }
    fprintf(stderr, "Done %lu runs\n", runs);
    return 0;
}
