// SPDX-License-Identifier: Apache-2.0
// Copyright edgebio contributors

#include "eb_kernels.h"

void eb_run_table(const int8_t table[256], uint32_t count, const int8_t *input, int8_t *output)
{
    for (uint32_t i = 0; i < count; i++) {
        output[i] = table[input[i] + 128];
    }
}
