// SPDX-License-Identifier: Apache-2.0
// Copyright edgebio contributors

/* A model of the ADS1298 and ADS1299 on an SPI in virtual time, with the firmware's source at work on it.
 *
 *   ads1298_chip CODES FRAMES < SCENARIO
 *
 * CODES has FRAMES x 16 int32 of the converters' channels. Lines of the scenario: "run MICROS" takes blocks
 * and prints them; "busy MICROS" lets time pass without taking; "mask MICROS" does so with interrupts
 * masked; "leads P N" are bits of electrodes that are off; "unplug", "plug"; "mute": clocks stop, "noise":
 * DRDY goes on without a converter; "clock PPM"; "restart" stops and starts the source. At the end it prints
 * the registers, and times that were too short, by SBAS459K and SBAS499C, 7.6 and 11.1.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "eb_source.h"
#include "peripherals.h"
#include "port.h"
#include "source_config.h"

#define CHIPS EB_ADS1298_CHIPS
#define BYTE_NS 2000 /* 4 MHz */
#define CHIP_BITS 216u

typedef long long nanos;

typedef struct {
    uint8_t registers[26];
    bool continuous, converting;
    uint8_t frame[27];
    unsigned count; /* bytes since CS went low */
    uint8_t opcode, left, address;
    bool reading, writing;
} chip;

static chip chips[CHIPS];
static nanos now, powered, next_edge, last_byte, deselected;
static double t_clk = 1e9 / 2.048e6;
static bool plugged = true, mute, noise, selected, watched, pending, masked, in_interrupt;
static unsigned decode_faults, select_faults;
static unsigned leads_p, leads_n;
static int32_t *codes;
static size_t frames, next_frame;

static nanos period(void)
{
    const uint8_t config = chips[0].registers[1];
    const double cycles = EB_ADS1298_IS_ADS1299 ? 128.0 : config & 0x80 ? 64.0 : 128.0;
    return (nanos)(cycles * (double)(1u << (config & 7u)) * t_clk);
}

static bool in_chain(void)
{
    return !(chips[0].registers[1] & 0x40);
}

static void reset(chip *c)
{
    *c = (chip){.continuous = true, .count = c->count};
    static const uint8_t ads1298[26] = {0x92, 0x06, 0x40, 0x40, [0x14] = 0x0F, [0x17] = 0x00};
    static const uint8_t ads1299[26] = {0x3E, 0x96, 0xC0, 0x60, 0x00, 0x61, 0x61,
                                        0x61, 0x61, 0x61, 0x61, 0x61, 0x61, [0x14] = 0x0F};
    memcpy(c->registers, EB_ADS1298_IS_ADS1299 ? ads1299 : ads1298, 26);
}

static void reset_all(void)
{
    for (unsigned k = 0; k < CHIPS; k++) {
        reset(&chips[k]);
    }
}

/* The next conversion's data. */
static void convert(void)
{
    for (unsigned k = 0; k < CHIPS; k++) {
        chip *c = &chips[k];
        const uint8_t *r = c->registers;
        const bool senses = (r[0x17] & 2) && (EB_ADS1298_IS_ADS1299 || (r[4] & 1));
        const unsigned p = senses ? (leads_p >> 8 * k) & r[0x0F] : 0;
        const unsigned n = senses ? (leads_n >> 8 * k) & r[0x10] : 0;
        const unsigned status = 0xCu << 20 | p << 12 | n << 4 | r[0x14] >> 4;
        memcpy(c->frame,
               (uint8_t[]){(uint8_t)(status >> 16), (uint8_t)(status >> 8), (uint8_t)status}, 3);
        for (unsigned i = 0; i < 8; i++) {
            const bool off = r[5 + i] & 0x80;
            const int32_t code =
                off || next_frame >= frames ? 0 : codes[next_frame * 16 + 8 * k + i];
            for (unsigned b = 0; b < 3; b++) {
                c->frame[3 + 3 * i + b] = (uint8_t)((uint32_t)code >> (16 - 8 * b));
            }
        }
    }
    next_frame++;
}

static void interrupt(void)
{
    while (pending && watched && !masked && !in_interrupt) {
        pending = false;
        in_interrupt = true;
        eb_source_ready();
        in_interrupt = false;
    }
}

static bool has_edge_before(nanos time)
{
    return ((plugged && !mute && chips[0].converting) || noise) && next_edge <= time;
}

static void advance(nanos by)
{
    const nanos end = now + by;
    while (has_edge_before(end)) {
        now = next_edge > now ? next_edge : now;
        if (plugged) {
            convert();
        }
        next_edge += period();
        pending |= watched;
        interrupt();
    }
    now = end > now ? end : now;
    if (plugged && powered && now >= powered + (nanos)((1 << 18) * t_clk)) {
        powered = 0;
        reset_all(); /* by its power-on reset: what was written before is gone */
    }
    interrupt();
}

static void start(void)
{
    /* 9.3.2 Settling time: 4.5 periods and 8 t_CLK */
    next_edge = now + 9 * period() / 2 + (nanos)(8 * t_clk);
}

static unsigned bit_of(const uint8_t *bytes, unsigned bit)
{
    return bytes[bit / 8] >> (7 - bit % 8) & 1u;
}

/* Bit of the chain's data: the first converter's, one that is undefined, those of the second. */
static unsigned data_bit(unsigned bit)
{
    if (bit < CHIP_BITS) {
        return bit_of(chips[0].frame, bit);
    }
    if (!in_chain()) { /* multiple readback */
        return bit_of(chips[0].frame, bit % CHIP_BITS);
    }
    if (CHIPS == 1 || bit == CHIP_BITS || bit > 2 * CHIP_BITS) {
        return 1;
    }
    return bit_of(chips[CHIPS - 1].frame, bit - CHIP_BITS - 1);
}

static uint8_t exchange_with(chip *c, uint8_t in)
{
    uint8_t out = 0;
    if (c->reading) {
        out = c->registers[c->address++ % 26];
    } else if (c->continuous) {
        for (unsigned b = 0; b < 8; b++) {
            out = (uint8_t)(out << 1 | data_bit(8 * c->count + b));
        }
    }
    if (c->writing && c->opcode == 0) {
        const uint8_t at = c->address++ % 26;
        if (at != 0 && at != 0x12 && at != 0x13) {
            c->registers[at] = in;
            if (at == 1 && c->converting) {
                start();
            }
        }
        c->writing = --c->left;
    } else if (c->reading) {
        c->reading = --c->left;
    } else if (c->opcode) { /* the second byte of RREG and WREG */
        c->address = c->opcode & 0x1F;
        c->left = (uint8_t)(in % 32 + 1);
        c->reading = (c->opcode & 0xE0) == 0x20;
        c->writing = !c->reading;
        c->opcode = 0;
    } else {
        switch (in) {
        case 0x06:
            reset(c);
            break;
        case 0x08:
            c->converting = true;
            start();
            break;
        case 0x0A:
            c->converting = false;
            break;
        case 0x10:
            c->continuous = true;
            break;
        case 0x11:
            c->continuous = false;
            break;
        default:
            if (((in & 0xE0) == 0x20 || (in & 0xE0) == 0x40) && !c->continuous) {
                c->opcode = in;
            }
        }
    }
    c->count++;
    return out;
}

void port_spi_start(void)
{
}

void port_spi_select(bool on)
{
    if (selected && !on) {
        select_faults += now - last_byte < (nanos)(4 * t_clk);
        deselected = now;
    }
    if (on && !selected) {
        select_faults += deselected && now - deselected < (nanos)(2 * t_clk);
        for (unsigned k = 0; k < CHIPS; k++) {
            chips[k].count = 0;
            chips[k].opcode = 0;
            chips[k].reading = chips[k].writing = false;
        }
    }
    selected = on;
}

void port_spi_exchange(const uint8_t *out, uint8_t *in, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        advance(BYTE_NS);
        const uint8_t byte = out ? out[i] : 0;
        in[i] = mute ? 0 : 0xFF;
        if (plugged && !mute && selected) {
            /* Bytes of data are not decoded: the converter's output is a shift register. */
            decode_faults += byte && chips[0].count && now - last_byte < (nanos)(4 * t_clk);
            in[i] = exchange_with(&chips[0], byte);
            for (unsigned k = 1; k < CHIPS; k++) {
                (void)exchange_with(&chips[k], byte);
            }
        }
        last_byte = now;
    }
}

void port_spi_watch_ready(bool on)
{
    watched = on;
    pending = false;
}

bool port_spi_ready_again(void)
{
    return pending;
}

uint32_t port_micros(void)
{
    advance(150);
    return (uint32_t)(now / 1000);
}

static void take(nanos end)
{
    while (now < end) {
        eb_source_block block;
        if (!eb_source_take(&block)) {
            advance(50000);
            continue;
        }
        printf("block %u %u %u %u %u", block.first, block.time_us, block.leads_off, block.frames,
               block.flags);
        for (size_t i = 0; i < (size_t)block.frames * EB_SOURCE_CHANNELS; i++) {
            printf(" %d", block.samples[i]);
        }
        printf("\n");
        eb_source_release();
        if (!block.frames) {
            advance(50000);
        }
    }
}

int main(int argc, char **argv)
{
    char word[16];
    if (argc != 3) {
        return 2;
    }
    frames = strtoul(argv[2], NULL, 10);
    codes = calloc(frames, 16 * sizeof *codes);
    FILE *file = fopen(argv[1], "rb");
    if (!codes || !file || fread(codes, 16 * sizeof *codes, frames, file) != frames) {
        return 2;
    }
    fclose(file);
    powered = 1;
    reset_all();
    if (!eb_source_start()) {
        return 1;
    }
    while (scanf("%15s", word) == 1) {
        long micros = 0;
        if (!strcmp(word, "run") || !strcmp(word, "busy") || !strcmp(word, "mask")) {
            if (scanf("%ld", &micros) != 1) {
                return 2;
            }
            const nanos end = now + 1000LL * micros;
            masked = !strcmp(word, "mask");
            if (!strcmp(word, "run")) {
                take(end);
            }
            while (now < end) {
                advance(1000);
            }
            masked = false;
            interrupt();
        } else if (!strcmp(word, "leads")) {
            if (scanf("%u %u", &leads_p, &leads_n) != 2) {
                return 2;
            }
        } else if (!strcmp(word, "clock")) {
            if (scanf("%ld", &micros) != 1) {
                return 2;
            }
            t_clk = 1e9 / 2.048e6 * (1.0 + (double)micros * 1e-6);
        } else if (!strcmp(word, "unplug")) {
            plugged = false;
            noise = false;
            printf("unplugged %lld %zu\n", now / 1000, next_frame);
        } else if (!strcmp(word, "plug")) {
            plugged = true;
            noise = mute = false;
            powered = now;
            reset_all();
            printf("plugged %lld %zu\n", now / 1000, next_frame);
        } else if (!strcmp(word, "mute")) {
            mute = true;
        } else if (!strcmp(word, "noise")) {
            plugged = false;
            noise = true;
        } else if (!strcmp(word, "restart")) {
            eb_source_stop();
            if (!eb_source_start()) {
                return 1;
            }
            printf("restart %lld %zu\n", now / 1000, next_frame);
        } else {
            return 2;
        }
    }
    printf("registers");
    for (unsigned i = 0; i < 26; i++) {
        printf(" %u", chips[CHIPS - 1].registers[i]);
    }
    printf("\nfaults %u %u\n", decode_faults, select_faults);
    free(codes);
    return 0;
}
