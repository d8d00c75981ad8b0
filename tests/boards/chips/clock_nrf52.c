// SPDX-License-Identifier: Apache-2.0
// Copyright edgebio contributors

/* POWER, CLOCK, NVMC and the debug port's register of an nRF52840, by the Product Specification v1.7. */
#include "clock_chip.h"

#include <stdio.h>
#include <string.h>

static bool crystal_works = true;

void chip_start(const char *name)
{
    crystal_works = !strstr(name, "no crystal");
    *cell(0x10000104u) = strstr(name, "revision 2") ? 0x41414430u : 0x41414630u; /* AAD0, AAF0 */
    *cell(0x10001208u) = strstr(name, "locked") ? 0xFFFFFF00u : 0xFFFFFF5Au;
    *cell(0x40000400u) = strstr(name, "power")        ? 0u
                         : strstr(name, "136")        ? 0x50003u /* pin, and others wrongly */
                         : strstr(name, "watchdog")   ? 2u
                         : strstr(name, "debug port") ? 1u << 18
                                                      : 4u;
}

void chip_react(void)
{
    if (*cell(0x40000000u)) { /* HFCLKSTART */
        *cell(0x40000100u) = crystal_works;
    }
}

void chip_report(void)
{
    printf("APPROTECT.DISABLE %#x, cache %s, POFCON %#x; ", *cell(0x40000558u),
           *cell(0x4001E540u) & 1u ? "on" : "off", *cell(0x40000510u));
}

void chip_fail_crystal(void)
{
}

void cortex_m_nmi(void); /* this port has none */
void cortex_m_nmi(void)
{
}

void chip_set_supply(bool low)
{
    *cell(0x40000108u) = low; /* POFWARN: no event at the recovery */
}
