// SPDX-License-Identifier: Apache-2.0
// Copyright edgebio contributors

/* RP2040 (Pico) and RP2350 (Pico 2, its Arm cores): the PLLs from the 12 MHz crystal, the watchdog, and the
 * cause of a reset. One core runs; the other stays in the boot ROM. The brown-out detector is on after
 * power-up; it resets the chip, and with it the pins, without an interrupt before.
 *
 * Registers: RP2040 datasheet and RP2350 datasheet, chapters RESETS, CLOCKS, XOSC, PLL, WATCHDOG and
 * PSM; of the RP2040 VREG_AND_CHIP_RESET, of the RP2350 POWMAN, TICKS and the boot ROM's image
 * definition.
 */
#include "port.h"
#include "rp2.h"
#include "uart.h"

#define POST_DIVIDERS(first, second) ((first) << 16 | (second) << 12)
#if EB_RP2350
#define CHIP_RESET REG32(0x40100000u + 0x2Cu) /* POWMAN */
#define CHIP_RESET_SUPPLY (1u << 17)          /* HAD_BOR */
#define WATCHDOG_SCRATCH_FREE REG32(WATCHDOG + 0x10u)
#define PSM_ALL_BUT_OSCILLATORS 0x01FFFFF3u
#define PLL_POST_DIVIDERS POST_DIVIDERS(5u, 2u)
#define WATCHDOG_TICKS_A_MICROSECOND 1u
_Static_assert(EB_CLOCK_HZ == 150000000u, "the PLL below makes 12 MHz x 125 / 5 / 2");
#else
#define CHIP_RESET REG32(0x40064000u + 0x8u) /* VREG_AND_CHIP_RESET */
#define CHIP_RESET_SUPPLY (1u << 8) /* HAD_POR: of power-on, or of the brown-out detector */
#define WATCHDOG_SCRATCH_FREE REG32(WATCHDOG + 0x18u)
#define PSM_ALL_BUT_OSCILLATORS 0x0001FFFCu
#define PLL_POST_DIVIDERS POST_DIVIDERS(6u, 2u)
#define WATCHDOG_TICKS_A_MICROSECOND 2u /* it counts twice a tick: RP2040-E1 */
_Static_assert(EB_CLOCK_HZ == 125000000u, "the PLL below makes 12 MHz x 125 / 6 / 2");
#endif

#define CLK_REF_CTRL REG32(CLOCKS + 0x30u)
#define CLK_REF_XOSC 2u
#define CLK_REF_SELECTED REG32(CLOCKS + 0x38u)
#define CLK_SYS_CTRL REG32(CLOCKS + 0x3Cu)
#define CLK_SYS_REF 0u
#define CLK_SYS_PLL 1u /* the auxiliary source, which is PLL_SYS where its field is 0 */
#define CLK_SYS_SELECTED REG32(CLOCKS + 0x44u)
#define CLK_PERI_CTRL REG32(CLOCKS + 0x48u)
#define CLK_PERI_ENABLE (1u << 11) /* from clk_sys, where its field is 0 */

#define XOSC_CTRL REG32(XOSC + 0x00u)
#define XOSC_CTRL_ON_1_TO_15_MHZ (0xFABu << 12 | 0xAA0u)
#define XOSC_STATUS REG32(XOSC + 0x04u)
#define XOSC_STATUS_STABLE (1u << 31)
#define XOSC_STARTUP REG32(XOSC + 0x0Cu)
#define XOSC_STARTUP_6_MS (6u * 47u) /* units of 256 cycles of 12 MHz */

#define PLL_CS(pll) REG32((pll) + 0x0u)
#define PLL_CS_LOCK (1u << 31)
#define PLL_PWR(pll) ((pll) + 0x4u)
#define PLL_PWR_DOWN (1u << 0)
#define PLL_PWR_POST_DIVIDERS_DOWN (1u << 3)
#define PLL_PWR_VCO_DOWN (1u << 5)
#define PLL_FBDIV(pll) REG32((pll) + 0x8u)
#define PLL_PRIM(pll) REG32((pll) + 0xCu)
#define PLL_USB_MULTIPLIER 100u
#define PLL_USB_POST_DIVIDERS POST_DIVIDERS(5u, 5u)

#define WATCHDOG_CTRL (WATCHDOG + 0x00u)
#define WATCHDOG_CTRL_PAUSES (7u << 24) /* while a debugger halts a core */
#define WATCHDOG_CTRL_ENABLE (1u << 30)
#define WATCHDOG_LOAD REG32(WATCHDOG + 0x04u)
#define WATCHDOG_REASON REG32(WATCHDOG + 0x08u)
#define WATCHDOG_REASON_TIMER (1u << 0)
/* The boot ROM restarts by the watchdog after a UF2 file, and clears this word before: RP2040 datasheet,
 * 2.8.1.1. */
#define WATCHDOG_SCRATCH4 REG32(WATCHDOG + 0x1Cu)
#define WATCHDOG_OURS 0xEB57A127u
#define WATCHDOG_MICROS (EB_WATCHDOG_MS * 1000u)
#define PSM_WDSEL REG32(PSM + 0x8u)

#if EB_RP2350
/* The boot ROM searches the first 4 KB for it: a secure executable for the Arm cores. */
static const uint32_t image_definition[] __attribute__((section(".image_def"), used)) = {
    0xFFFFDED3u, 0x10210142u, 0x000001FFu, 0x00000000u, 0xAB123579u,
};
#endif

static port_start cause;

/* Survives what RAM survives; see supply_failed. */
static volatile uint32_t powered[2] __attribute__((section(".noinit")));
#define POWERED 0xEB90B037u

/* 12 MHz x multiplier / both post dividers. */
static void start_pll(uint32_t pll, uint32_t reset, uint32_t multiplier, uint32_t post_dividers)
{
    rp2_bring_up(reset);
    PLL_CS(pll) = 1; /* the reference, undivided */
    PLL_FBDIV(pll) = multiplier;
    CLEAR(PLL_PWR(pll)) = PLL_PWR_DOWN | PLL_PWR_VCO_DOWN;
    rp2_await(&PLL_CS(pll), PLL_CS_LOCK);
    PLL_PRIM(pll) = post_dividers;
    CLEAR(PLL_PWR(pll)) = PLL_PWR_POST_DIVIDERS_DOWN;
}

void rp2_start_pll_usb(void)
{
    static bool started;

    if (!started) {
        start_pll(PLL_USB, RESETS_PLL_USB, PLL_USB_MULTIPLIER, PLL_USB_POST_DIVIDERS);
        started = true;
    }
}

/* A reset of the core only leaves the clocks running: reset them first. */
static void start_clocks(void)
{
    XOSC_CTRL = XOSC_CTRL_ON_1_TO_15_MHZ;
    XOSC_STARTUP = XOSC_STARTUP_6_MS;
    rp2_await(&XOSC_STATUS, XOSC_STATUS_STABLE);
    CLK_SYS_CTRL = CLK_SYS_REF;
    rp2_await(&CLK_SYS_SELECTED, 1u << CLK_SYS_REF);
    CLK_REF_CTRL = CLK_REF_XOSC;
    rp2_await(&CLK_REF_SELECTED, 1u << CLK_REF_XOSC);

    start_pll(PLL_SYS, RESETS_PLL_SYS, 125u, PLL_POST_DIVIDERS);
    CLK_SYS_CTRL = CLK_SYS_PLL;
    rp2_await(&CLK_SYS_SELECTED, 1u << CLK_SYS_PLL);
    CLK_PERI_CTRL = CLK_PERI_ENABLE;
}

/* Whether the supply was too low, yet RAM kept its content. The RP2040's flag covers power-on, too; there
 * and on the RP2350 it stays through later resets, which, unlike that of the supply, keep the watchdog's
 * scratch words. The boot ROM uses the others. */
static bool supply_failed(void)
{
    const bool kept = powered[0] == POWERED && powered[1] == ~POWERED;
    const bool reset = WATCHDOG_SCRATCH_FREE != POWERED && (CHIP_RESET & CHIP_RESET_SUPPLY);
    powered[0] = POWERED;
    powered[1] = ~POWERED;
    WATCHDOG_SCRATCH_FREE = POWERED;
    return kept && reset;
}

static void start_watchdog(void)
{
    const bool hang = WATCHDOG_REASON & WATCHDOG_REASON_TIMER && WATCHDOG_SCRATCH4 == WATCHDOG_OURS;
    cause = supply_failed() ? PORT_START_BROWNOUT
            : hang          ? PORT_START_WATCHDOG
                            : PORT_START_ORDINARY;
    WATCHDOG_SCRATCH4 = WATCHDOG_OURS;
#if EB_RP2350
    REG32(TICKS + 0x34u) = 12u; /* its microsecond, of the 12 MHz reference */
    REG32(TICKS + 0x30u) = 1u;
#else
    REG32(WATCHDOG + 0x2Cu) = 12u | 1u << 9;
#endif
    CLEAR(WATCHDOG_CTRL) = WATCHDOG_CTRL_ENABLE;
    PSM_WDSEL = PSM_ALL_BUT_OSCILLATORS;
    SET(WATCHDOG_CTRL) = WATCHDOG_CTRL_PAUSES;
    WATCHDOG_LOAD = WATCHDOG_MICROS * WATCHDOG_TICKS_A_MICROSECOND;
    SET(WATCHDOG_CTRL) = WATCHDOG_CTRL_ENABLE;
}

/* DMA and PWM would run on through a reset of the core only, and write into another image's variables. */
void cortex_m_halt_peripherals(void)
{
    SET(RESETS_RESET) = RESETS_DMA | RESETS_PWM | RESETS_ADC | RESETS_SPI | RESETS_USBCTRL |
                        RESETS_IO_BANK0 | RESETS_PADS_BANK0;
}

void port_init(void)
{
    rp2_bootloader_start();
    start_clocks();
    cortex_m_start_clock();
    CLEAR(RESETS_RESET) = RESETS_IO_BANK0 | RESETS_PADS_BANK0;
    rp2_await(&RESETS_DONE, RESETS_IO_BANK0 | RESETS_PADS_BANK0);
    rp2_link_start();
    start_watchdog();
}

void port_watchdog_feed(void)
{
    WATCHDOG_LOAD = WATCHDOG_MICROS * WATCHDOG_TICKS_A_MICROSECOND;
    rp2_bootloader_check();
}

port_start cortex_m_reset_cause(void)
{
    return cause;
}

bool port_clock_fallback(void)
{
    return false; /* without the crystal it does not start */
}

_Noreturn void port_reset(void)
{
    cortex_m_uart_flush();
    rp2_link_drain();
    WATCHDOG_SCRATCH4 = 0; /* an earlier reset by the watchdog is not the cause of this one */
    cortex_m_reset();
}
