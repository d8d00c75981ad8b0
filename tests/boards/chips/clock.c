// SPDX-License-Identifier: Apache-2.0
// Copyright edgebio contributors

/* port.c of a chip on simulated registers: clocks, a failing crystal, the supply, causes of a start.
 * The first argument names the case; each prints what happened. The chip's own file says what its
 * registers do. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock_chip.h"
#include "cortex_m.h"
#include "port.h"
#include "supply.h"

#define MOST_REGISTERS 128u

static struct {
    uint32_t address;
    volatile uint32_t value;
} cells[MOST_REGISTERS];
static uint32_t count;
static uint32_t micros;

volatile uint32_t *cell(uint32_t address)
{
    for (uint32_t i = 0; i < count; i++) {
        if (cells[i].address == address) {
            return &cells[i].value;
        }
    }
    if (count == MOST_REGISTERS) {
        abort();
    }
    cells[count].address = address;
    cells[count].value = 0;
    return &cells[count++].value;
}

volatile uint32_t *sim_register(uint32_t address)
{
    chip_react();
    return cell(address);
}

void check(bool is_right, const char *what)
{
    if (!is_right) {
        printf("wrong: %s\n", what);
        exit(1);
    }
}

/* What port.c calls. */

uint32_t port_micros(void)
{
    return micros;
}

uint32_t cortex_m_lock(void)
{
    return 0;
}

void cortex_m_unlock(uint32_t before)
{
    (void)before;
}

void cortex_m_enable_irq(uint32_t irq)
{
    (void)irq;
}

void cortex_m_barrier(void)
{
}

void cortex_m_start_clock(void)
{
}

__attribute__((noreturn)) void cortex_m_reset(void)
{
    puts("reset");
    exit(0);
}

void cortex_m_uart_received(uint8_t byte);
void cortex_m_uart_lost(void);
void cortex_m_uart_transmit(void);
void cortex_m_uart_flush(void);

void cortex_m_uart_received(uint8_t byte)
{
    (void)byte;
}

void cortex_m_uart_lost(void)
{
}

void cortex_m_uart_transmit(void)
{
}

void cortex_m_uart_flush(void)
{
}

void eb_emergency(port_emergency what)
{
    static const char *const names[] = {"fault", "supply", "clock", "silent"};

    printf("emergency: %s\n", names[what]);
}

static void report(void)
{
    static const char *const causes[] = {"ordinary", "fault", "watchdog", "brownout"};

    chip_react();
    chip_report();
    printf("%s, start: %s\n", port_clock_fallback() ? "internal" : "crystal",
           causes[cortex_m_reset_cause()]);
}

int main(int argc, char **argv)
{
    const char *name = argc > 1 ? argv[1] : "";
    const bool is_low = strstr(name, "was low");

    cortex_m_supply_set_low(is_low);
    chip_start(name);
    port_init();
    report();
    if (strstr(name, "then the crystal fails")) {
        chip_fail_crystal();
        cortex_m_nmi();
        report();
    }
    if (strstr(name, "then another NMI")) {
        cortex_m_nmi();
    }
    if (strstr(name, "then the supply fails")) {
        chip_set_supply(true);
        port_supply_irq();
        printf("marked: %d\n", cortex_m_supply_was_low());
        cortex_m_supply_set_low(true);
        chip_set_supply(false);
        micros += 2000000u;
        port_supply_irq();
        port_watchdog_feed();
        printf("marked: %d\n", cortex_m_supply_was_low());
    }
    return 0;
}
