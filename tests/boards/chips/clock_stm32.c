// SPDX-License-Identifier: Apache-2.0
// Copyright edgebio contributors

/* RCC, PWR and FLASH of STM32F4 (RM0090, RM0390), STM32L4 (RM0351) and STM32L4+ (RM0432): the PLL, the switch of the system
 * clock, and the clock security system. */
#include "clock_chip.h"
#include "eb_board.h"

#include <stdio.h>
#include <string.h>

#ifdef CHIP_L4
#define CR 0x40021000u
#define CFGR 0x40021008u
#define PLLCFGR 0x4002100Cu
#define CSS_FLAG 0x4002101Cu
#define CSS_BIT (1u << 8)
#define CSS_CLEAR 0x40021020u
#define CSS_CLEAR_BIT (1u << 8)
#define CSR 0x40021094u
#define CSR_POWER (1u << 27 | 1u << 26)
#define CSR_CLEAR (1u << 23)
#define ACR 0x40022000u
#define SUPPLY 0x40007014u
#define SUPPLY_LOW (1u << 11)
#define INTERNAL_READY (1u << 1 | 1u << 10)
#define SW_PLL 3u
#define FROM_CRYSTAL(pll) (((pll) & 3u) == 3u)
#define EXTI_PR 0x40010414u
#else
#define CR 0x40023800u
#define PLLCFGR 0x40023804u
#define CFGR 0x40023808u
#define CSS_FLAG 0x4002380Cu
#define CSS_BIT (1u << 7)
#define CSS_CLEAR 0x4002380Cu
#define CSS_CLEAR_BIT (1u << 23)
#define CSR 0x40023874u
#define CSR_POWER (1u << 27 | 1u << 26 | 1u << 25)
#define CSR_CLEAR (1u << 24)
#define ACR 0x40023C00u
#define SUPPLY 0x40007004u
#define SUPPLY_LOW (1u << 2)
#define INTERNAL_READY (1u << 1)
#define SW_PLL 2u
#define FROM_CRYSTAL(pll) ((pll) >> 22 & 1u)
#define EXTI_PR 0x40013C14u
#endif
#define HSEON (1u << 16)
#define HSERDY (1u << 17)
#define CSSON (1u << 19)
#define PLLON (1u << 24)
#define PLLRDY (1u << 25)

static bool crystal_works = true, css_fires = true;
static uint32_t locked_at; /* PLLCFGR when the PLL locked */
static uint32_t dividers;  /* of the buses, at the look before */

void chip_start(const char *name)
{
    crystal_works = !strstr(name, "no crystal");
    *cell(CR) = INTERNAL_READY;
#ifdef EB_STM32L4_PLUS
    *cell(0x40007080u) = 1u << 8; /* PWR_CR5, after reset */
#endif
    *cell(CSR) = strstr(name, "power") ? CSR_POWER : strstr(name, "watchdog") ? 1u << 29 : 1u << 26;
    if (strstr(name, "BOR level")) {
        *cell(CSR) = 1u << 25;
    }
#ifndef CHIP_L4
    *cell(PLLCFGR) = 0x24003010u; /* 6.3.2 */
    *cell(0x40007000u) = 0xC000u; /* PWR_CR of the F446 */
#endif
}

void chip_react(void)
{
    uint32_t cr = *cell(CR) & ~(HSERDY | PLLRDY);

    cr |= cr & HSEON && crystal_works ? HSERDY : 0u;
    if (cr & PLLON) {
        if (!(*cell(CR) & PLLRDY)) {
            locked_at = *cell(PLLCFGR);
        }
        check(*cell(PLLCFGR) == locked_at, "the PLL is changed while it is on");
        cr |= cr & HSERDY || !FROM_CRYSTAL(locked_at) ? PLLRDY : 0u;
    }
    *cell(CR) = cr;
    const uint32_t sw = *cell(CFGR) & 3u, sws = *cell(CFGR) >> 2 & 3u;
    if (sw == SW_PLL && sws != SW_PLL) {
        check(cr & PLLRDY, "the switch before the PLL has locked");
#ifdef CHIP_L4
#ifdef EB_STM32L4_PLUS
        check((*cell(ACR) & 15u) == 5u, "the switch before the flash is slow enough");
        check(!(*cell(0x40007080u) & 1u << 8), "the switch without range 1's boost");
        check((*cell(CFGR) >> 4 & 15u) == 8u, "AHB by 2 at the switch");
#else
        check((*cell(ACR) & 7u) == 4u, "the switch before the flash is slow enough");
#endif
#else
        check((*cell(ACR) & 7u) == 5u, "the switch before the flash is slow enough");
        check(dividers == 0x25u, "APB1 by 4 and APB2 by 2 before the switch");
#endif
    }
    *cell(CFGR) = (*cell(CFGR) & ~(3u << 2)) | sw << 2;
    dividers = *cell(CFGR) >> 10 & 0x3Fu;
    if (css_fires && *cell(CSS_CLEAR) & CSS_CLEAR_BIT) {
        *cell(CSS_CLEAR) &= ~CSS_CLEAR_BIT;
        *cell(CSS_FLAG) &= ~CSS_BIT;
    }
    if (*cell(CSR) & CSR_CLEAR) {
        *cell(CSR) = 0;
    }
}

void chip_report(void)
{
    const uint32_t pll = *cell(PLLCFGR);
#ifdef CHIP_L4
    const uint32_t source = (pll & 3u) == 3u ? 8000000u : 16000000u;
    const uint32_t hz = source / ((pll >> 4 & 7u) + 1u) * (pll >> 8 & 0x7Fu) / 2u;

    check((*cell(CFGR) >> 4 & 15u) == 0u, "AHB is divided");
#else
    const uint32_t source = pll >> 22 & 1u ? EB_HSE_HZ : 16000000u;
    const uint32_t hz = source / (pll & 0x3Fu) * (pll >> 6 & 0x1FFu) / 2u;

    check(pll >> 28 == 2u, "PLLR, or reserved bits, not as after reset");
#endif
    printf("%u Hz, CSS %s, PVD %s; ", hz, *cell(CR) & CSSON ? "on" : "off",
#ifdef CHIP_L4
           *cell(0x40007004u) & 1u ? "on" : "off");
#else
           *cell(0x40007000u) & 1u << 4 ? "on" : "off");
#endif
}

void chip_fail_crystal(void)
{
    check(*cell(CR) & CSSON, "CSS is off");
    crystal_works = false;
    *cell(CR) &= ~(HSEON | HSERDY | PLLON | PLLRDY | CSSON); /* "Clock security system" */
    *cell(CFGR) &= ~15u;
    *cell(CSS_FLAG) |= CSS_BIT;
}

void chip_set_supply(bool low)
{
    *cell(SUPPLY) = (*cell(SUPPLY) & ~SUPPLY_LOW) | (low ? SUPPLY_LOW : 0u);
}
