// SPDX-License-Identifier: Apache-2.0
// Copyright edgebio contributors

/* A host without a converter, for other sources. */
#include "host.h"

bool host_adc_ended(void)
{
    return false;
}

void host_adc_fail(void)
{
}
