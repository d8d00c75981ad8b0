// SPDX-License-Identifier: Apache-2.0
// Copyright edgebio contributors

#include <string.h>

#include "eb_dsp.h"
#include "eb_kernels.h"

enum { LONG = 64 }; /* bytes of a block, from which a call of memcpy pays */

/* At least four bytes, as words; the last one may overlap the one before. */
EB_INLINE void copy_words(int8_t *to, const int8_t *from, uint32_t count)
{
    const int8_t *const last = from + count - 4;
    int8_t *const last_to = to + count - 4;
    while (from < last) {
        eb_store4(to, eb_load4(from));
        from += 4;
        to += 4;
    }
    eb_store4(last_to, eb_load4(last));
}

/* All rows of one input. */
static void copy_rows(int8_t *to, uint32_t row, const int8_t *from, uint32_t count, uint32_t rows)
{
    if (count >= LONG) {
        for (; rows; rows--, to += row, from += count) {
            memcpy(to, from, count);
        }
    } else if (count >= 4u) {
        for (; rows; rows--, to += row, from += count) {
            copy_words(to, from, count);
        }
    } else {
        for (; rows; rows--, to += row) {
            for (uint32_t i = 0; i < count; i++) {
                to[i] = *from++;
            }
        }
    }
}

void eb_run_concatenation_dsp(const eb_concatenation *layer, const int8_t *const *inputs,
                              int8_t *output)
{
    uint32_t row = 0;
    for (uint32_t i = 0; i < layer->inputs; i++) {
        row += layer->blocks[i];
    }
    for (uint32_t i = 0; i < layer->inputs; i++) {
        copy_rows(output, row, inputs[i], layer->blocks[i], layer->rows);
        output += layer->blocks[i];
    }
}
