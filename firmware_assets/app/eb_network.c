// SPDX-License-Identifier: Apache-2.0
// Copyright edgebio contributors

#include "eb_network.h"

#include "port.h"

eb_network_counts eb_network_counted;
_Alignas(16) int8_t eb_network_output[EB_MODEL_OUTPUT_BYTES];

/* A network that needs no memory still gets a byte: C has no empty arrays. */
static _Alignas(16) uint8_t state[EB_MODEL_STATE_BYTES > 0 ? EB_MODEL_STATE_BYTES : 1];

uint32_t eb_network_run(const void *image)
{
    const uint32_t start = port_micros();
    eb_model_invoke(state, image, eb_network_output);
    const uint32_t took = port_micros() - start;

    eb_network_counted.images++;
    if (took > eb_network_counted.slowest) {
        eb_network_counted.slowest = took;
    }
    return took;
}
