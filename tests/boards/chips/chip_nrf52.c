// SPDX-License-Identifier: Apache-2.0
// Copyright edgebio contributors

/* nRF52840: SAADC with EasyDMA, TIMER1, TIMER2 and PPI, by the Product Specification v1.7. */
#include "chip.h"
#include "eb_board.h"

#define SAADC 0x40007000u
#define STARTED (SAADC + 0x100u)
#define END (SAADC + 0x104u)
#define STOPPED (SAADC + 0x114u)
#define INTEN (SAADC + 0x300u)
#define ENABLE (SAADC + 0x500u)
#define PTR (SAADC + 0x62Cu)
#define MAXCNT (SAADC + 0x630u)
#define TIMER(number) (0x40008000u + 0x1000u * (number))
#define PACE TIMER(EB_ADC_TIMER_0)
#define COUNTER TIMER(EB_ADC_TIMER_1)
#define PPI 0x4001F000u

static const uint8_t inputs[EB_ADC_CHANNELS] = EB_ADC_INPUTS;
static uint32_t buffer, amount, counted, connected;
static bool pacing, counting, sampling;

void chip_reset(void)
{
    buffer = amount = counted = connected = 0;
    pacing = counting = sampling = false;
    *cell(ENABLE) = *cell(INTEN) = *cell(STARTED) = *cell(END) = 0;
}

/* Whether a task was written. */
static bool is_set(uint32_t task)
{
    const bool set = *cell(task);

    *cell(task) = 0;
    return set;
}

static bool is_connected(uint32_t event, uint32_t task)
{
    for (uint32_t i = 0; i < 20u; i++) {
        if (connected >> i & 1u && *cell(PPI + 0x510u + 8u * i) == event &&
            *cell(PPI + 0x514u + 8u * i) == task) {
            return true;
        }
    }
    return false;
}

static void start(void)
{
    buffer = *cell(PTR);
    amount = 0;
    sampling = true;
    *cell(STARTED) = 1;
}

void chip_settle(void)
{
    if (is_set(SAADC) && *cell(ENABLE)) {
        start();
    }
    if (is_set(SAADC + 8u)) {
        sampling = false;
        *cell(STOPPED) = 1;
    }
    pacing = is_set(PACE) || pacing;
    pacing = !is_set(PACE + 4u) && pacing;
    counting = is_set(COUNTER) || counting;
    counting = !is_set(COUNTER + 4u) && counting;
    if (is_set(COUNTER + 0xCu)) {
        counted = 0;
    }
    for (uint32_t slot = 0; slot < 4u; slot++) {
        if (is_set(COUNTER + 0x40u + 4u * slot)) {
            *cell(COUNTER + 0x540u + 4u * slot) = counted;
        }
    }
    connected |= *cell(PPI + 0x504u);
    connected &= ~*cell(PPI + 0x508u);
    *cell(PPI + 0x504u) = *cell(PPI + 0x508u) = 0;
}

bool chip_runs(void)
{
    return pacing && sampling && is_connected(PACE + 0x140u, SAADC + 4u);
}

void chip_item(void)
{
    /* Addresses have 32 bits: the place in the ring is what the difference says. */
    const uint32_t place = (buffer - (uint32_t)(uintptr_t)sim_ring) / 2u + amount;

    check(place < sim_items, "EasyDMA leaves the ring");
    sim_ring[place] = sim_code(sim_total);
    amount++;
    if (counting && is_connected(SAADC + 0x10Cu, COUNTER + 8u)) {
        counted++;
        if (*cell(COUNTER + 0x200u) & 1u << 2 && counted == *cell(COUNTER + 0x548u)) {
            counted = 0;
        }
    }
    if (amount == *cell(MAXCNT)) {
        *cell(END) = 1;
        sampling = false;
        if (is_connected(END, SAADC)) {
            start();
        }
    }
}

void chip_show(void)
{
}

bool chip_interrupts(void)
{
    return (*cell(INTEN) & 1u && *cell(STARTED)) || (*cell(INTEN) & 2u && *cell(END));
}

void chip_check(void)
{
    check(*cell(INTEN) == 3u, "INTEN: STARTED and END");
    check(*cell(MAXCNT) == sim_items / 2u && *cell(MAXCNT) % EB_ADC_CHANNELS == 0, "MAXCNT");
    check(buffer == (uint32_t)(uintptr_t)sim_ring, "the first half");
    check(*cell(PTR) == buffer + sim_items, "the second half is the next one");
    check(*cell(PACE + 0x540u) == EB_ADC_DIVIDER && *cell(PACE + 0x200u) == 1u, "TIMER1: period");
    check(*cell(PACE + 0x504u) == 0u && *cell(PACE + 0x510u) == 0u, "TIMER1: undivided");
    check(*cell(PACE + 0x508u) == 3u && *cell(COUNTER + 0x508u) == 3u, "32 bits");
    check(*cell(COUNTER + 0x504u) == 1u, "TIMER2 counts");
    check(*cell(COUNTER + 0x200u) == 1u << 2 && *cell(COUNTER + 0x548u) == sim_items,
          "TIMER2 restarts with the ring");
    check(*cell(SAADC + 0x5F4u) == 0u && *cell(SAADC + 0x5F8u) == 0u, "no oversampling, by task");
    check(*cell(SAADC + 0x5F0u) == 2u, "12 bits");
    for (uint32_t c = 0; c < 8u; c++) {
        const uint32_t pin = *cell(SAADC + 0x510u + 16u * c);
        check(pin == (c < EB_ADC_CHANNELS ? inputs[c] + 1u : 0u), "PSELP: order of channels");
        check(*cell(SAADC + 0x518u + 16u * c) >> 24 == 0u, "no burst");
        check((*cell(SAADC + 0x518u + 16u * c) >> 16 & 7u) == 2u, "10 us: anomaly 150");
    }
}

bool chip_overrun(void)
{
    return false;
}
