// SPDX-License-Identifier: Apache-2.0
// Copyright edgebio contributors

/* Faults in the middle of the network, by the linker's --wrap: EDGEBIO_FAULT is `kind from to amount`. From
 * `from` to `to` milliseconds of the device's time the network
 *   slow   takes `amount` microseconds longer, in layers
 *   hang   does not end
 *   mask   does not end, and lets no interrupt through
 *   fault  faults
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "eb_progress.h"
#include "host.h"

#define LAYER_US 50000u

void __real_eb_model_invoke(void *state, const void *input, void *output);
void __wrap_eb_model_invoke(void *state, const void *input, void *output);

void __wrap_eb_model_invoke(void *state, const void *input, void *output)
{
    const char *text = getenv("EDGEBIO_FAULT");
    char kind[8] = "";
    unsigned from = 0, to = 0, amount = 0;

    if (text && sscanf(text, "%7s %u %u %u", kind, &from, &to, &amount) != 4) {
        abort();
    }
    const uint64_t now = host_micros() / 1000u;
    if (text && from <= now && now < to) {
        if (strcmp(kind, "slow") == 0) {
            for (unsigned left = amount; left != 0;) {
                const unsigned layer = left < LAYER_US ? left : LAYER_US;
                host_pass(layer, false);
                eb_progress_layer();
                left -= layer;
            }
        } else if (strcmp(kind, "fault") == 0) {
            host_fault();
        } else {
            for (;;) {
                host_pass(1000, strcmp(kind, "mask") == 0);
            }
        }
    }
    __real_eb_model_invoke(state, input, output);
}
