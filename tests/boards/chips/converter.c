// SPDX-License-Identifier: Apache-2.0
// Copyright edgebio contributors

/* Runs the converter of a port on a simulated chip: at every look at a register items may arrive and
 * the interrupt may come, late by up to a quarter of the ring. The count of frames must be one that was true
 * during the call, the ring must hold the codes of each channel in order. adc.c is included, so that the
 * count can start shortly before it wraps. */
#include "adc.c"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "chip.h"

#define MOST_REGISTERS 256u
#define MOST_FRAMES 200u
#define CHANNELS EB_ADC_CHANNELS

uint16_t *sim_ring;
uint32_t sim_items, sim_total;

static struct {
    uint32_t address;
    volatile uint32_t value;
} cells[MOST_REGISTERS];
static uint32_t count;
static uint32_t state;
static uint32_t micros;
static bool masked, in_interrupt, irq_enabled;
static uint32_t delay, late; /* of the interrupt, in items */
static bool quiet;           /* nothing arrives by itself */

static uint32_t draw(uint32_t below)
{
    state ^= state << 13;
    state ^= state >> 17;
    state ^= state << 5;
    return state % below;
}

volatile uint32_t *cell(uint32_t address)
{
    for (uint32_t i = 0; i < count; i++) {
        if (cells[i].address == address) {
            return &cells[i].value;
        }
    }
    check(count < MOST_REGISTERS, "too many registers");
    cells[count].address = address;
    cells[count].value = 0;
    return &cells[count++].value;
}

void check(bool is_right, const char *what)
{
    if (!is_right) {
        fprintf(stderr, "wrong: %s\n", what);
        exit(1);
    }
}

uint16_t sim_code(uint32_t number)
{
    return (uint16_t)(number * 40503u >> 4);
}

/* The interrupt, if it is due. */
static void interrupt(void)
{
    if (!chip_interrupts()) {
        late = 0;
        return;
    }
    if (!irq_enabled || masked || in_interrupt || late < delay) {
        return;
    }
    in_interrupt = true;
    late = 0;
    port_adc_irq();
    chip_settle();
    in_interrupt = false;
    check(!chip_interrupts() || !quiet, "the interrupt does not clear its cause");
}

static void pass(uint32_t items)
{
    for (; items > 0 && chip_runs(); items--) {
        chip_item();
        sim_total++;
        late += chip_interrupts() ? 1u : 0u;
        chip_show();
        interrupt();
    }
}

volatile uint32_t *sim_register(uint32_t address)
{
    chip_settle();
    if (!quiet) {
        pass(draw(4) == 0 ? draw(4) : 0);
    }
    chip_show();
    interrupt();
    return cell(address);
}

uint32_t cortex_m_lock(void)
{
    const uint32_t before = masked;
    masked = true;
    return before;
}

void cortex_m_unlock(uint32_t before)
{
    masked = before;
    chip_settle();
    interrupt();
}

void cortex_m_enable_irq(uint32_t irq)
{
    (void)irq;
    check(false, "the interrupt has the priority of the UART");
}

void cortex_m_enable_low_irq(uint32_t irq)
{
    check(irq == EB_ADC_IRQ_0, "another interrupt");
    irq_enabled = true;
}

uint32_t port_micros(void)
{
    return micros++;
}

static void look(uint32_t base)
{
    const uint32_t first = sim_total / CHANNELS;
    const uint32_t frames = port_adc_frames();
    const uint32_t last = sim_total / CHANNELS;

    check(frames - (base + first) <= last - first, "the count of frames");
    const uint32_t number = frames - base; /* complete frames of this start */
    if (number > 0 && sim_total - (number - 1u) * CHANNELS <= sim_items) {
        for (uint32_t c = 0; c < CHANNELS; c++) {
            const uint32_t item = (number - 1u) * CHANNELS + c;
            check(sim_ring[item % sim_items] == sim_code(item), "the order of channels");
        }
    }
}

static void start(uint32_t frames)
{
    irq_enabled = false;
    late = 0;
    sim_items = frames * CHANNELS;
    sim_total = 0;
    memset(sim_ring, 0, sim_items * sizeof *sim_ring);
    quiet = true; /* settings are checked before anything comes */
    port_adc_start(sim_ring, frames);
    chip_settle();
    check(irq_enabled, "the interrupt is off");
    check(!port_adc_failed() && port_adc_frames() == 0, "the start");
    chip_check();
    check(chip_runs(), "it does not run");
    quiet = false;
}

static void run(void)
{
    /* At least 64 items, as a few of them come during a call. */
    const uint32_t frames = 2u * (4u + 32u / CHANNELS + draw(MOST_FRAMES / 2u));
    const uint32_t laps = draw(3);
    /* An even number of halves, shortly before 2^32. */
    const uint32_t base = draw(2) ? 0u - 2u * laps : 0u;

    sim_ring = malloc(frames * CHANNELS * sizeof *sim_ring); /* exact, for the sanitizer */
    check(sim_ring != NULL, "memory");
    start(frames);
    filled.halves = base;
    delay = draw(frames * CHANNELS / 4u);
    for (uint32_t call = 0; call < 60u; call++) {
        pass(draw(frames * CHANNELS / 3u));
        look(base / 2u * frames);
        check(!port_adc_failed(), "it fails without a reason");
    }
    delay = 0;
    if (chip_overrun()) {
        check(port_adc_failed(), "an overrun is not seen");
        start(frames);
        pass(frames * CHANNELS + 1u);
        look(0);
    }
    port_adc_stop();
    chip_settle();
    check(!chip_runs(), "it does not stop");
    free(sim_ring);
}

#ifdef LATE_IS_SEEN
/* The next buffer was not set in time: codes have overwritten others, and that is seen. */
static void run_late(void)
{
    const uint32_t frames = 16u;

    sim_ring = malloc(frames * CHANNELS * sizeof *sim_ring);
    check(sim_ring != NULL, "memory");
    start(frames);
    quiet = true;
    delay = frames * CHANNELS / 2u + 1u + draw(CHANNELS);
    pass(frames * CHANNELS + 2u * delay);
    delay = 0;
    chip_show();
    interrupt();
    check(port_adc_failed(), "a late interrupt is not seen");
    quiet = false;
    free(sim_ring);
}
#endif

/* A ring that the counter cannot hold fails at once, and nothing is written. */
static void run_too_long(void)
{
    static uint16_t one;

    sim_ring = &one;
    port_adc_start(sim_ring, 2u * (65536u / CHANNELS + 1u));
    chip_settle();
    check(port_adc_failed() && !chip_runs(), "a ring that is too long");
}

int main(int argc, char **argv)
{
    state = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 10) : 1u;
    for (uint32_t i = 0; i < 60u; i++) {
        chip_reset();
        run();
    }
#ifdef LATE_IS_SEEN
    chip_reset();
    run_late();
#endif
    chip_reset();
    run_too_long();
    puts("right");
    return 0;
}
