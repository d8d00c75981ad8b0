// SPDX-License-Identifier: Apache-2.0
// Copyright edgebio contributors

/* The host's own clock. Nothing guards the process: whoever started it ends one that hangs. */
#define _GNU_SOURCE

#include <time.h>

#include "host.h"
#include "port.h"

#define IDLE_MS 10u

static struct timespec started;

void host_start_clock(void)
{
    clock_gettime(CLOCK_MONOTONIC, &started);
}

void host_pass_bytes(size_t count)
{
    (void)count;
}

uint32_t port_micros(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint32_t)((int64_t)(now.tv_sec - started.tv_sec) * 1000000 +
                      (now.tv_nsec - started.tv_nsec) / 1000);
}

void port_idle(void)
{
    (void)host_await_byte(IDLE_MS);
}

void port_guard_refresh(void)
{
}

void port_watchdog_feed(void)
{
}

port_start port_start_cause(void)
{
    return PORT_START_ORDINARY;
}

_Noreturn void port_reset(void)
{
    host_restart();
}
