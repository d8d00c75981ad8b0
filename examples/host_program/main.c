// SPDX-License-Identifier: Apache-2.0
/* A program of your own around a model: reads int16 sample frames from stdin, prints each decision.
 *
 * The state is one static struct; there is no heap. The same files compile for a microcontroller,
 * where an interrupt or a task hands over the frames. */

#include <stdint.h>
#include <stdio.h>

#include "hand.h"

int main(void)
{
    static hand_state state;
    hand_decision decision;
    int16_t frame[HAND_CHANNELS];

    if (hand_check(&state) != HAND_OK) {
        fputs("this machine computes something else than the model\n", stderr);
        return 1;
    }
    while (fread(frame, sizeof frame, 1, stdin) == 1) {
        if (hand_push(&state, frame, &decision) == HAND_DECISION) {
            printf("%lu %s\n", (unsigned long)decision.frames, hand_class_name(decision.decision));
        }
    }
    return 0;
}
