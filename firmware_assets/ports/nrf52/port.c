// SPDX-License-Identifier: Apache-2.0
// Copyright edgebio contributors

/* nRF52840: 64 MHz from the crystal, the watchdog, the supply.
 *
 * Registers: nRF52840 Product Specification v1.7, chapters POWER, CLOCK, NVMC, "Debug and trace", FICR,
 * UICR and WDT; anomalies: nRF52840 Errata.
 */
#include "cortex_m.h"
#include "eb_board.h"
#include "nrf52.h"
#include "port.h"
#include "supply.h"
#include "uart.h"

#define CLOCK_HFCLKSTART REG32(0x40000000u)
#define CLOCK_HFCLKSTARTED REG32(0x40000100u)
#define POWER_RESETREAS REG32(0x40000400u)
#define POWER_RESETREAS_PIN (1u << 0)
#define POWER_RESETREAS_DOG (1u << 1)
#define POWER_POFWARN REG32(0x40000108u)
#define POWER_INTENSET REG32(0x40000304u)
#define POWER_INT_POFWARN (1u << 2)
#define POWER_POFCON REG32(0x40000510u)
#define POWER_POFCON_AT_2V5 (12u << 1 | 1u << 0)
#define RECOVERY_MICROS 1000000u

#define APPROTECT_DISABLE REG32(0x40000558u)
#define FICR_VARIANT REG32(0x10000104u)
#define FICR_VARIANT_REVISION(variant) ((variant) >> 8 & 0xFFu) /* "AAF0": F */
#define REVISION_3 'F'
#define UICR_APPROTECT REG32(0x10001208u)

#define NVMC_ICACHECNF REG32(0x4001E540u)
#define NVMC_ICACHECNF_ON (1u << 0)

#define WDT_START REG32(0x40010000u)
#define WDT_CRV REG32(0x40010504u)
#define WDT_RREN REG32(0x40010508u)
#define WDT_CONFIG REG32(0x4001050Cu)
#define WDT_CONFIG_RUNS_IN_SLEEP 1u /* and stops while a debugger halts the core */
#define WDT_RR0 REG32(0x40010600u)
#define WDT_RR_FEED 0x6E524635u
#define WDT_HZ 32768u

_Static_assert(EB_CLOCK_HZ == 64000000u, "the core runs at 64 MHz and no other clock");

static port_start reset_cause;
static bool is_fallback;
static volatile bool supply_low;
static volatile uint32_t supply_low_at;

/* From revision 3 on, reset locks the debug port, and only firmware opens it again, if UICR allows that:
 * it takes the same value. Without this, a probe can only erase all of the chip ("Access port
 * protection"). The register does not exist in earlier revisions. */
static void open_debug_port(void)
{
    if (FICR_VARIANT_REVISION(FICR_VARIANT) >= REVISION_3) {
        APPROTECT_DISABLE = UICR_APPROTECT;
    }
}

/* The internal oscillator, with which the CPU starts, is too inaccurate for a UART over the whole range
 * of temperature; without a crystal it serves. */
static void start_clocks(void)
{
    CLOCK_HFCLKSTARTED = 0;
    CLOCK_HFCLKSTART = 1;
    for (uint32_t turn = 0; turn < 100000u && !CLOCK_HFCLKSTARTED; turn++) { /* it takes 0.4 ms */
    }
    is_fallback = !CLOCK_HFCLKSTARTED;
    NVMC_ICACHECNF = NVMC_ICACHECNF_ON; /* flash has 2 wait states: each fetch costs them else */
}

static port_start read_reset_cause(void)
{
    const uint32_t causes = POWER_RESETREAS;
    const bool was_low = cortex_m_supply_was_low();

    POWER_RESETREAS = causes; /* ones clear */
    if (causes & POWER_RESETREAS_PIN) {
        return PORT_START_ORDINARY; /* other bits may be set, too, wrongly: anomaly 136 */
    }
    if (causes & POWER_RESETREAS_DOG) {
        return PORT_START_WATCHDOG;
    }
    /* Power and brown-out leave no bit. */
    return causes == 0 && was_low ? PORT_START_BROWNOUT : PORT_START_ORDINARY;
}

static void watch_supply(void)
{
#ifdef EB_SUPPLY_EACH_IRQ
    POWER_POFCON = POWER_POFCON_AT_2V5;
    POWER_POFWARN = 0;
    POWER_INTENSET = POWER_INT_POFWARN;
    EB_SUPPLY_EACH_IRQ(cortex_m_enable_irq);
#endif
}

void port_init(void)
{
    open_debug_port();
    start_clocks();
    cortex_m_start_clock();
    nrf52_link_start();
    reset_cause = read_reset_cause();
    watch_supply();
    /* It runs on through any reset but its own and that of power: then these change nothing. */
    WDT_CONFIG = WDT_CONFIG_RUNS_IN_SLEEP;
    WDT_CRV = WDT_HZ * EB_WATCHDOG_MS / 1000u - 1u;
    WDT_RREN = 1;
    WDT_START = 1;
}

/* The supply is too low. Its recovery is no event: see port_watchdog_feed. */
void port_supply_irq(void)
{
    if (!POWER_POFWARN) {
        return;
    }
    POWER_POFWARN = 0;
    cortex_m_supply_set_low(true);
    supply_low = true;
    supply_low_at = port_micros();
    if (eb_emergency) {
        eb_emergency(PORT_EMERGENCY_SUPPLY);
    }
}

void port_watchdog_feed(void)
{
    WDT_RR0 = WDT_RR_FEED;
    if (supply_low && port_micros() - supply_low_at > RECOVERY_MICROS) {
        supply_low = false; /* the CPU has outlived it */
        cortex_m_supply_set_low(false);
    }
}

port_start cortex_m_reset_cause(void)
{
    return reset_cause;
}

bool port_clock_fallback(void)
{
    return is_fallback;
}

_Noreturn void port_reset(void)
{
    cortex_m_uart_flush();
    nrf52_link_drain();
    cortex_m_reset();
}
