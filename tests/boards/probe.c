// SPDX-License-Identifier: Apache-2.0
// Copyright edgebio contributors

/* An application that shows what a port does: one letter a command, answers in little-endian. */
#include <stdbool.h>
#include <string.h>

#include "cortex_m.h"
#include "port.h"

int main(void);

static uint8_t next(void)
{
    uint8_t byte;
    port_watchdog_feed();
    while (!port_read(&byte, 1)) {
        port_idle();
        port_watchdog_feed();
    }
    return byte;
}

static uint32_t next_word(void)
{
    uint32_t word = 0;
    for (uint32_t shift = 0; shift < 32; shift += 8) {
        word |= (uint32_t)next() << shift;
    }
    return word;
}

static void answer(uint32_t word)
{
    port_write((const uint8_t *)&word, sizeof word);
}

static void echo(uint32_t count)
{
    static uint8_t block[97];
    while (count) {
        const size_t got = port_read(block, count < sizeof block ? count : sizeof block);
        if (!got) {
            port_idle();
        }
        port_watchdog_feed();
        port_write(block, got);
        count -= (uint32_t)got;
    }
}

/* Steps of the clock backwards, and the longest step, over a stretch of time; some readings with
 * interrupts masked, so that laps of SysTick end before they can be counted. */
static void watch_clock(uint32_t micros)
{
    uint32_t backwards = 0, readings = 0;
    const uint32_t start = port_micros();
    uint32_t last = start;
    while (last - start < micros) {
        const uint32_t before = cortex_m_lock();
        for (uint32_t i = 0; i < 50; i++) {
            const uint32_t now = port_micros();
            backwards += now - last > 0x80000000u;
            last = now;
            readings++;
        }
        cortex_m_unlock(before);
    }
    answer(backwards);
    answer(readings);
}

int main(void)
{
    port_init();
    for (;;) {
        switch (next()) {
        case 'y': /* shows that the probe is up */
            answer(0x1A3E8Eu);
            break;
        case 'e':
            echo(next_word());
            break;
        case 'h': { /* read nothing until so many bytes are lost, then send the others back */
            const uint32_t lost = next_word(), stored = next_word();
            answer(lost);
            while (port_rx_overruns() < lost) {
            }
            echo(stored);
            answer(port_rx_overruns());
            break;
        }
        case 'm':
            answer(port_micros());
            break;
        case 'w':
            watch_clock(next_word());
            break;
        case 's':
            answer(port_stack_used());
            answer(port_stack_size());
            break;
        case 'f': {
            const port_fault *fault = port_last_fault();
            const port_fault none = {0, 0, 0, 0};
            const port_fault sent = fault ? *fault : none;
            port_write((const uint8_t *)&sent, sizeof sent);
            break;
        }
        case 'c':
            answer((uint32_t)port_start_cause());
            break;
        case 'l': /* hang with interrupts masked */
            (void)cortex_m_lock();
            for (;;) {
            }
        case 'u': /* an undefined instruction */
            __asm volatile("udf #0");
            break;
        case 'b': /* a read where there is nothing */
            answer(REG32(next_word()));
            break;
        case 'o': /* a push below the stack */
            __asm volatile("ldr r0, =eb_stack_bottom\n\t"
                           "msr msp, r0\n\t"
                           "push {r0}");
            break;
        case 'r':
            answer(0x900DB1EEu);
            port_reset();
        default:
            answer(0xBAD0C0DEu);
        }
    }
}
