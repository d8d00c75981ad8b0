// SPDX-License-Identifier: Apache-2.0
// Copyright edgebio contributors

/* The application of an image for MLPerf Tiny's runner: its protocol instead of the link. */

#include <string.h>

#include "eb_network.h"
#include "eb_runner.h"
#include "port.h"

void eb_runner_write(const char *text, size_t count)
{
    port_write((const uint8_t *)text, count);
}

/* Called oftener than port_micros wraps. */
uint64_t eb_runner_micros(void)
{
    static uint64_t now;

    now += (uint32_t)(port_micros() - (uint32_t)now);
    return now;
}

void eb_runner_infer(const int8_t *input, int8_t *output)
{
    port_watchdog_feed();
    eb_network_run(input);
    memcpy(output, eb_network_output, EB_MODEL_OUTPUT_BYTES);
}

int main(void)
{
    static uint8_t bytes[64];

    port_init();
    eb_runner_start();
    for (;;) {
        port_watchdog_feed();
        (void)eb_runner_micros();
        const size_t count = port_read(bytes, sizeof bytes);
        for (size_t i = 0; i < count; i++) {
            eb_runner_push(bytes[i]);
        }
        if (count == 0) {
            port_idle();
        }
    }
}
