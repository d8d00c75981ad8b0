// SPDX-License-Identifier: Apache-2.0
// Copyright edgebio contributors

/* Text of a program on the host. */

#include <stdio.h>

void put(const char *text);

void put(const char *text)
{
    fputs(text, stdout);
}
