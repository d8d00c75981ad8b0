// SPDX-License-Identifier: Apache-2.0
// Copyright edgebio contributors

#include <string.h>

#include "eb_kernels.h"

void eb_run_copy(const eb_copy *layer, const int8_t *input, int8_t *output)
{
    const int32_t *step = layer->step;
    const uint32_t run = layer->size[3];
    for (uint32_t a = 0; a < layer->size[0]; a++) {
        for (uint32_t b = 0; b < layer->size[1]; b++) {
            for (uint32_t c = 0; c < layer->size[2]; c++) {
                int32_t at = (int32_t)layer->start + (int32_t)a * step[0] + (int32_t)b * step[1] +
                             (int32_t)c * step[2];
                if (step[3] == 1) {
                    memcpy(output, input + at, run);
                } else {
                    for (uint32_t d = 0; d < run; d++) {
                        output[d] = input[at];
                        at += step[3];
                    }
                }
                output += run;
            }
        }
    }
}
