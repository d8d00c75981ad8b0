// SPDX-License-Identifier: Apache-2.0
// Copyright edgebio contributors

/* A clock whose time passes only while the device sleeps, with each received byte, or where a test lets it
 * pass: every run of a recording is the same, however busy the machine is. With it come what depends on time: the guard of
 * the time base's interrupt, the watchdog, and a script of events.
 *
 * Environment:
 *   EDGEBIO_SPEED   0: the device sleeps no time at all (the default); n: it sleeps at n times the
 *                   speed of the machine's clock
 *   EDGEBIO_EVENTS  what happens when, in ms: "supply@1200,clock@3000,adc@4000,brownout@5000"
 *   EDGEBIO_END_MS  ends the process then
 * A restart hands down EDGEBIO_CAUSE and EDGEBIO_MICROS. */
#define _GNU_SOURCE

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "host.h"
#include "port.h"

#define LAP_US 10000u
#define BYTE_US 11u       /* of the line: 921,600 baud */
#define AFTER_US 1000000u /* the process ends that long after its recording */

static uint64_t now; /* since the first start */
static uint64_t first;
static uint64_t lap_end;
static uint64_t fed;
static uint32_t guard;
static port_start cause;
static uint32_t speed;
static uint64_t end;
static struct timespec started;

static const char *const causes[] = {"ordinary", "fault", "watchdog", "brownout"};

static uint64_t number(const char *name, uint64_t otherwise)
{
    const char *text = getenv(name);

    return text ? strtoull(text, NULL, 10) : otherwise;
}

void host_start_clock(void)
{
    const char *text = getenv("EDGEBIO_CAUSE");

    for (unsigned i = 0; text && i < sizeof causes / sizeof causes[0]; i++) {
        cause = strcmp(text, causes[i]) == 0 ? (port_start)i : cause;
    }
    first = number("EDGEBIO_MICROS", 0);
    speed = (uint32_t)number("EDGEBIO_SPEED", 0);
    end = number("EDGEBIO_END_MS", UINT64_MAX / 1000u) * 1000u;
    now = first;
    fed = first;
    lap_end = first + LAP_US;
    clock_gettime(CLOCK_MONOTONIC, &started);
}

static _Noreturn void restart(port_start why)
{
    char text[24];

    (void)snprintf(text, sizeof text, "%llu", (unsigned long long)now);
    setenv("EDGEBIO_MICROS", text, 1);
    setenv("EDGEBIO_CAUSE", causes[why], 1);
    host_restart();
}

_Noreturn void host_fault(void)
{
    if (eb_emergency) {
        eb_emergency(PORT_EMERGENCY_FAULT);
    }
    restart(PORT_START_FAULT);
}

static void happen(const char *what, size_t length)
{
    if (strncmp(what, "supply", length) == 0) {
        eb_emergency(PORT_EMERGENCY_SUPPLY);
    } else if (strncmp(what, "clock", length) == 0) {
        eb_emergency(PORT_EMERGENCY_CLOCK);
    } else if (strncmp(what, "adc", length) == 0) {
        host_adc_fail();
    } else if (strncmp(what, "brownout", length) == 0) {
        restart(PORT_START_BROWNOUT);
    } else {
        abort();
    }
}

/* Events of the script after `from`, up to `to`. */
static void play(uint64_t from, uint64_t to)
{
    const char *at = getenv("EDGEBIO_EVENTS");

    while (at && *at) {
        char *rest;
        const char *sign = strchr(at, '@');
        if (!sign) {
            abort();
        }
        const uint64_t time = strtoull(sign + 1, &rest, 10) * 1000u;
        if (from < time && time <= to) {
            happen(at, (size_t)(sign - at));
        }
        at = *rest ? rest + 1 : rest;
    }
}

void host_pass(uint32_t micros, bool masked)
{
    while (micros != 0) {
        const uint64_t left = lap_end - now;
        const uint32_t step = micros < left ? micros : (uint32_t)left;
        const uint64_t before = now;
        now += step;
        micros -= step;
        if (now - fed > EB_WATCHDOG_MS * 1000u) {
            restart(PORT_START_WATCHDOG);
        }
        if (!masked) {
            play(before, now);
        }
        if (now == lap_end) {
            lap_end += LAP_US;
            if (!masked && guard != 0 && --guard == 0) {
                eb_emergency(PORT_EMERGENCY_SILENT);
            }
        }
    }
}

uint64_t host_micros(void)
{
    return now;
}

static uint64_t machine_micros(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)((int64_t)(time.tv_sec - started.tv_sec) * 1000000 +
                      (time.tv_nsec - started.tv_nsec) / 1000);
}

uint32_t port_micros(void)
{
    return (uint32_t)(now - first);
}

void host_pass_bytes(size_t count)
{
    host_pass((uint32_t)count * BYTE_US, false);
}

/* Ends the process when its recording has ended for a while. */
static void check_end(void)
{
    static uint64_t ended;

    if (!host_adc_ended()) {
        ended = now;
    }
    if (now >= end || (speed == 0 && now - ended >= AFTER_US)) {
        exit(0);
    }
}

void port_idle(void)
{
    check_end();
    const uint32_t left = (uint32_t)(lap_end - now);
    if (speed != 0) {
        const uint64_t start = machine_micros();
        (void)host_await_byte(left / 1000u / speed + 1u);
        const uint64_t passed = (machine_micros() - start) * speed;
        host_pass(passed < left ? (uint32_t)passed : left, false);
    } else if (!host_await_byte(0)) {
        host_pass(left, false);
    }
}

void port_guard_refresh(void)
{
    guard = PORT_GUARD_MS * 1000u / LAP_US;
}

void port_watchdog_feed(void)
{
    fed = now;
}

port_start port_start_cause(void)
{
    return cause;
}

_Noreturn void port_reset(void)
{
    restart(PORT_START_ORDINARY);
}
