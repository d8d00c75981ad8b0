// SPDX-License-Identifier: Apache-2.0
// Copyright edgebio contributors

/* A user's program around a library, as C and as C++: checks it, pushes the samples of samples.h and
 * prints each decision. NAME is the library's prefix, and NAME_UPPER that of its macros. */

#include <stdint.h>

#include "samples.h"

#define JOIN(a, b) a##b
#define EXPAND(a, b) JOIN(a, b)
#define OF(name) EXPAND(NAME, name)
#define MACRO(name) EXPAND(NAME_UPPER, name)

/* The platform's: a line of text, and the end. */
#ifdef __cplusplus
extern "C" {
#endif
void put(const char *text);
#ifdef __cplusplus
}
#endif

static void put_number(uint32_t value)
{
    char text[12];
    char *at = text + sizeof text - 1;

    *at = 0;
    do {
        at--;
        *at = (char)('0' + (char)(value % 10u));
        value /= 10u;
    } while (value != 0u);
    put(at);
    put(" ");
}

int main(void)
{
    static OF(_state) state;
    static OF(_decision) decision;

    const OF(_status) before = OF(_push)(&state, samples[0], &decision);
    put(before == MACRO(_ERROR_STATE) ? "" : "an uninitialized state was not noticed\n");
    put(OF(_check)(&state) == MACRO(_OK) ? "checked\n" : "different\n");
    for (uint32_t i = 0; i < SAMPLES; i++) {
        if (OF(_push)(&state, samples[i], &decision) == MACRO(_DECISION)) {
            put_number(decision.frames);
            put_number(decision.winner);
            put_number(decision.decision);
            put_number(decision.reason);
            put_number(decision.activity);
            for (uint32_t j = 0; j < MACRO(_OUTPUT_VALUES); j++) {
                put_number((uint32_t)(decision.outputs.values[j] + 128));
            }
            put(OF(_class_name)(decision.decision));
            put("\n");
        }
    }
    return 0;
}
