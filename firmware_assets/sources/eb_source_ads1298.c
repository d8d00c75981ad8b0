// SPDX-License-Identifier: Apache-2.0
// Copyright edgebio contributors

/* Sample source: ADS1298 or ADS1299 on SPI, alone or two in a daisy chain.
 *
 * The interrupt of the data-ready pin reads a sample frame, makes counts of it and puts them into the ring.
 * Setting up takes longer than a watchdog waits: eb_source_take goes on with it, step by step.
 * A converter that does not answer, stops or sends no status word is reported, and set up again as soon
 * as it answers.
 *
 * Order and times of setting up: SBAS459K and SBAS499C, chapters 10.1 and 11.1.
 */
#include "eb_ads1298.h"
#include "eb_scale.h"
#include "eb_source.h"
#include "peripherals.h"
#include "port.h"
#include "source_config.h"

#define PERIOD_US (1000000000u / EB_SOURCE_RATE_MILLIHZ)
#define PERIOD_256THS ((uint32_t)(256000000000u / EB_SOURCE_RATE_MILLIHZ)) /* of a microsecond */
/* An edge is on time within this: the converter's oscillator is within 2.5 % (7.5). */
#define PERIOD_SLACK_US (PERIOD_US / 32u + 1u)
/* Data must be through this long before the next edge: 4 t_CLK, and the error of the last edge. */
#define PERIOD_MARGIN_US (PERIOD_US / 64u + 4u)
/* After START the first data take 4.5 periods (9.3.2 Settling time); then one. */
#define SILENCE_US (8u * PERIOD_US + 2000u)
#define BAD_FRAMES 3u /* in a row: not a disturbance */
#define FRAME_BYTES (27u * EB_ADS1298_CHIPS + (EB_ADS1298_CHIPS - 1u))

_Static_assert(EB_ADS1298_CHIPS >= 1u && EB_ADS1298_CHIPS <= EB_ADS1298_MOST_CHIPS, "one or two");
_Static_assert(EB_SOURCE_CHANNELS <= EB_ADS1298_CHIPS * EB_ADS1298_CHANNELS, "a channel each");

static const eb_ads1298_settings settings = {
    .is_ads1299 = EB_ADS1298_IS_ADS1299,
    .chips = EB_ADS1298_CHIPS,
    .channels = EB_SOURCE_CHANNELS,
    .gain = EB_ADS1298_GAIN,
    .reference_4_volt = EB_ADS1298_REFERENCE_4_VOLT,
    .lead_off = EB_ADS1298_LEAD_OFF,
    .rate_hz = EB_SOURCE_RATE_MILLIHZ / 1000u,
};
static const eb_scale scale = EB_SOURCE_SCALE;

static enum {
    STOPPED,
    WAITING,  /* for the converter's power-on reset, or to try again */
    SETTLING, /* it is set up; its reference settles */
    RUNNING,
} state;
static uint32_t since;      /* port_micros when it began */
static uint32_t deselected; /* port_micros when the converter was deselected */
static bool is_absent;      /* the converter did not answer the last time */
static bool is_set_up;      /* its registers are as they should be */

/* Frames, by their place in the ring. */
static int16_t samples[EB_SOURCE_RING_FRAMES][EB_SOURCE_CHANNELS];
static struct {
    uint32_t number;
    uint32_t time_us;
    uint32_t leads_off;
} notes[EB_SOURCE_RING_FRAMES];

/* Changed by the interrupt only, while it is on. */
static volatile uint32_t head;  /* place of the next frame */
static volatile uint32_t alive; /* port_micros at the last sign of life */
static volatile bool failed;    /* BAD_FRAMES in a row */
static uint32_t edge;           /* port_micros at the last edge */
static uint32_t period;         /* 256ths of a microsecond by the converter's clock */
static enum { FIRST, NEXT_AFTER_GAP, NEXT } order; /* of the next frame in time */
static uint32_t number;                            /* of the next frame */
static uint32_t bad;                               /* frames without a status word in a row */
static eb_highpass highpass[EB_SOURCE_CHANNELS];

/* Set by the interrupt, which then stores nothing until eb_source_take has emptied the ring. */
static volatile bool overflowed;

/* Changed by the main loop only. */
static volatile uint32_t tail; /* place of the oldest frame; the ring is empty where head is */
static uint32_t taken;         /* frames of the block that was taken last */
static uint32_t expected;      /* number of the next frame if none is lost */

static uint32_t place_after(uint32_t place, uint32_t frames)
{
    place += frames;
    return place < EB_SOURCE_RING_FRAMES ? place : place - EB_SOURCE_RING_FRAMES;
}

static void wait_since(uint32_t start, uint32_t micros)
{
    while (port_micros() - start < micros) {
    }
}

static void wait(uint32_t micros)
{
    wait_since(port_micros(), micros);
}

/* Exchanges bytes with the time between them that the converter needs to decode each. */
static uint8_t send(uint8_t byte)
{
    uint8_t answer;

    port_spi_exchange(&byte, &answer, 1);
    wait(EB_ADS1298_DECODE_US);
    return answer;
}

static void begin(void)
{
    wait_since(deselected, EB_ADS1298_DECODE_US); /* t_CSH: 2 t_CLK */
    port_spi_select(true);
}

static void end(void)
{
    port_spi_select(false);
    deselected = port_micros();
}

static void command(uint8_t opcode)
{
    begin();
    (void)send(opcode);
    end();
}

static void write_registers(const uint8_t *values, uint32_t first, uint32_t last)
{
    begin();
    (void)send((uint8_t)(EB_ADS1298_WREG | first));
    (void)send((uint8_t)(last - first));
    for (uint32_t address = first; address <= last; address++) {
        (void)send(values[address]);
    }
    end();
}

static bool registers_hold(const uint8_t *values, uint32_t first, uint32_t last)
{
    bool hold = true;

    begin();
    (void)send((uint8_t)(EB_ADS1298_RREG | first));
    (void)send((uint8_t)(last - first));
    for (uint32_t address = first; address <= last; address++) {
        hold &= eb_ads1298_register_holds(address, values[address], send(0));
    }
    end();
    return hold;
}

/* Whether the converter has all registers as written; in a chain, the first one: the others have no way to
 * answer. */
static bool check(void)
{
    uint8_t values[EB_ADS1298_REGISTERS];

    return eb_ads1298_registers(&settings, values) &&
           registers_hold(values, EB_ADS1298_CONFIG1, EB_ADS1298_CONFIG1) &&
           registers_hold(values, EB_ADS1298_CONFIG3, EB_ADS1298_LOFF_FLIP) &&
           registers_hold(values, EB_ADS1298_CONFIG4, EB_ADS1298_CONFIG4);
}

static bool identify(void)
{
    begin();
    (void)send(EB_ADS1298_RREG | EB_ADS1298_ID);
    (void)send(0);
    const uint8_t id = send(0);
    end();
    return eb_ads1298_identified(settings.is_ads1299, id);
}

/* Resets the converter and writes its registers; false if it does not answer as it should. */
static bool set_up(void)
{
    uint8_t values[EB_ADS1298_REGISTERS];

    if (!eb_ads1298_registers(&settings, values)) {
        return false;
    }
    command(EB_ADS1298_SDATAC); /* it starts up, and leaves a reset, in continuous mode */
    command(EB_ADS1298_RESET);
    wait(EB_ADS1298_RESET_US);
    command(EB_ADS1298_SDATAC);
    const bool was_absent = is_absent;
    is_absent = !identify();
    if (is_absent || was_absent) {
        return false; /* one that is plugged in gets the time of its power-on reset */
    }
    write_registers(values, EB_ADS1298_CONFIG3, EB_ADS1298_LOFF_FLIP);
    write_registers(values, EB_ADS1298_CONFIG4, EB_ADS1298_CONFIG4);
    write_registers(values, EB_ADS1298_CONFIG1, EB_ADS1298_CONFIG1);
    is_absent = !check();
    return !is_absent;
}

static void run(void)
{
    for (uint32_t c = 0; c < EB_SOURCE_CHANNELS; c++) {
        highpass[c] = (eb_highpass){0};
    }
    failed = false;
    bad = 0;
    tail = head;
    overflowed = false;
    command(EB_ADS1298_START);
    command(EB_ADS1298_RDATAC);
    alive = port_micros();
    state = RUNNING;
    port_spi_watch_ready(true);
}

static void disconnect(void)
{
    port_spi_watch_ready(false);
    if (order == NEXT) { /* frames until the next one keep their numbers */
        order = NEXT_AFTER_GAP;
    }
    tail = head;
    is_set_up = false;
    is_absent = true;
    state = WAITING;
    since = port_micros();
}

/* Goes on with setting up; false if the converter does not answer. */
static bool go_on(void)
{
    const uint32_t now = port_micros();

    if (state == WAITING && now - since >= EB_ADS1298_POWER_US) {
        is_set_up = set_up();
        state = is_set_up ? SETTLING : WAITING;
        since = port_micros();
        return is_set_up;
    }
    if (state == SETTLING && now - since >= EB_ADS1298_REFERENCE_US) {
        if (!check()) { /* it was without power meanwhile */
            disconnect();
            return false;
        }
        run();
    }
    return true;
}

bool eb_source_start(void)
{
    port_spi_start();
    number = 0;
    expected = 0;
    taken = 0;
    order = FIRST;
    period = PERIOD_256THS;
    since = port_micros();
    /* After a stop the converter is still set up. */
    if (is_set_up && check()) {
        run();
    } else {
        is_absent = false;
        state = WAITING;
    }
    return true;
}

void eb_source_stop(void)
{
    port_spi_watch_ready(false);
    if (state == RUNNING) {
        command(EB_ADS1298_SDATAC);
        command(EB_ADS1298_STOP);
    }
    is_set_up = is_set_up && state == RUNNING && !failed;
    state = STOPPED;
}

/* Periods since the last edge; `now` is when the interrupt began, which may be late by nearly one. 0 if the
 * last one was that late after a gap, and was taken for the next one. */
static uint32_t count_periods(uint32_t now)
{
    const uint32_t passed = now - edge;
    uint32_t periods = 1;

    if (order == NEXT && passed < PERIOD_US / 2u) {
        edge = now;
        return 0;
    }
    if (order != FIRST && passed > PERIOD_US + 7u * PERIOD_US / 8u) {
        periods = (uint32_t)((256u * (uint64_t)passed + 3u * period / 64u) / period);
    }
    const uint32_t due = edge + (uint32_t)((uint64_t)periods * period / 256u);
    const bool late = (int32_t)(now - due) > (int32_t)PERIOD_SLACK_US;
    if (order == NEXT && periods == 1u && !late) {
        period = (uint32_t)((int32_t)period + ((int32_t)(256u * passed) - (int32_t)period) / 32);
    }
    edge = order == NEXT && late ? due + PERIOD_SLACK_US / 8u : now;
    order = NEXT;
    return periods;
}

void eb_source_ready(void)
{
    static uint8_t bytes[FRAME_BYTES];
    static int32_t codes[EB_SOURCE_CHANNELS];
    uint32_t leads_off = 0;

    const uint32_t now = port_micros();
    alive = now;
    const uint32_t periods = count_periods(now);
    number += periods - 1u;
    begin();
    port_spi_exchange(NULL, bytes, FRAME_BYTES);
    const uint32_t through = port_micros();
    /* Data that the next conversion may have replaced while they were read are none. */
    const bool torn = port_spi_ready_again() || through - edge > period / 256u - PERIOD_MARGIN_US;
    const bool marked = eb_ads1298_parse(&settings, bytes, codes, &leads_off);
    bad = marked ? 0u : bad + 1u;
    failed |= bad >= BAD_FRAMES;
    const uint32_t place = head;
    overflowed |= place_after(place, 1) == tail;
    if (marked && !torn && periods && !overflowed) {
        for (uint32_t c = 0; c < EB_SOURCE_CHANNELS; c++) {
            samples[place][c] = eb_scale_count(&scale, &highpass[c], codes[c]);
        }
        notes[place].number = number;
        notes[place].time_us = edge;
        notes[place].leads_off = leads_off;
        __asm volatile("" : : : "memory"); /* the frame before the count that publishes it */
        head = place_after(place, 1);
    }
    number++;
    wait_since(through, EB_ADS1298_DECODE_US); /* t_SCCS */
    end();
}

bool eb_source_take(eb_source_block *block)
{
    bool answers = true;

    *block = (eb_source_block){.first = expected, .time_us = port_micros()};
    if (state == RUNNING) {
        const uint32_t last = alive; /* before the time: the interrupt may change it */
        if (failed || port_micros() - last > SILENCE_US) {
            disconnect();
            answers = false;
        }
    } else {
        answers = go_on();
    }
    if (!answers) {
        block->flags = EB_SOURCE_DISCONNECTED;
        taken = 0;
        return true;
    }
    if (overflowed) {
        tail = head;
        overflowed = false;
    }
    const uint32_t place = tail;
    const uint32_t next = head;
    if (place == next) {
        return false;
    }
    __asm volatile("" : : : "memory"); /* the place before the frames */
    const uint32_t most = (next > place ? next : EB_SOURCE_RING_FRAMES) - place;
    taken = 1;
    while (taken < most && taken < UINT16_MAX &&
           notes[place + taken].number == notes[place].number + taken &&
           notes[place + taken].leads_off == notes[place].leads_off) {
        taken++;
    }
    block->samples = samples[place];
    block->first = notes[place].number;
    block->time_us = notes[place].time_us;
    block->leads_off = notes[place].leads_off;
    block->frames = (uint16_t)taken;
    block->flags = (uint16_t)((block->first != expected ? EB_SOURCE_OVERRUN : 0u) |
                              (block->leads_off ? EB_SOURCE_LEAD_OFF : 0u));
    expected = block->first + taken;
    return true;
}

void eb_source_release(void)
{
    __asm volatile("" : : : "memory"); /* the frames are read before their space is free */
    tail = place_after(tail, taken);
    taken = 0;
}
