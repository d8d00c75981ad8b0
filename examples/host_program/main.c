// SPDX-License-Identifier: Apache-2.0
/* Calls the generated C of a model: reads int8 images from stdin, prints the winning class of each.
 *
 * Everything the network needs is one static array; there is no heap and nothing to initialize. */

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "model.h"

int main(void)
{
    static _Alignas(16) uint8_t state[EB_MODEL_STATE_BYTES];
    static int8_t input[EB_MODEL_INPUT_BYTES];
    static int8_t output[EB_MODEL_OUTPUT_BYTES];

    while (fread(input, sizeof input, 1, stdin) == 1) {
        eb_model_invoke(state, input, output);
        size_t winner = 0;
        for (size_t i = 1; i < sizeof output; i++) {
            if (output[i] > output[winner]) {
                winner = i;
            }
        }
        printf("%zu %d\n", winner, output[winner]);
    }
    return 0;
}
