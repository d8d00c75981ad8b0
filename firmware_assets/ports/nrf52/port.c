// SPDX-License-Identifier: Apache-2.0
// Copyright edgebio contributors

/* nRF52840: 64 MHz from the crystal, UART0 byte by byte (its DMA needs a pause to end a transfer).
 *
 * Registers: nRF52840 Product Specification v1.7, chapters POWER, CLOCK, NVMC, "Debug and trace", FICR,
 * UICR, GPIO, UART and WDT; anomalies: nRF52840 Errata.
 */
#include "cortex_m.h"
#include "eb_board.h"
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

#define GPIO_OUTSET REG32(0x50000508u)
#define GPIO_DIRSET REG32(0x50000518u)
#define GPIO_PIN_CNF(pin) REG32(0x50000700u + 4u * (pin))
#define GPIO_PIN_CNF_INPUT_PULLED_UP (3u << 2)

#define UART_STARTRX REG32(EB_UART_BASE + 0x000u)
#define UART_STARTTX REG32(EB_UART_BASE + 0x008u)
#define UART_RXDRDY REG32(EB_UART_BASE + 0x108u)
#define UART_TXDRDY REG32(EB_UART_BASE + 0x11Cu)
#define UART_ERROR REG32(EB_UART_BASE + 0x124u)
#define UART_INTENSET REG32(EB_UART_BASE + 0x304u)
#define UART_INTENCLR REG32(EB_UART_BASE + 0x308u)
#define UART_INT_RXDRDY (1u << 2)
#define UART_INT_TXDRDY (1u << 7)
#define UART_INT_ERROR (1u << 9)
#define UART_ERRORSRC REG32(EB_UART_BASE + 0x480u)
#define UART_ERRORSRC_OVERRUN (1u << 0)
#define UART_ENABLE REG32(EB_UART_BASE + 0x500u)
#define UART_ENABLE_UART 4u
#define UART_PSEL_RTS REG32(EB_UART_BASE + 0x508u)
#define UART_PSEL_TXD REG32(EB_UART_BASE + 0x50Cu)
#define UART_PSEL_CTS REG32(EB_UART_BASE + 0x510u)
#define UART_PSEL_RXD REG32(EB_UART_BASE + 0x514u)
#define UART_PSEL_NONE UINT32_MAX
#define UART_RXD REG32(EB_UART_BASE + 0x518u)
#define UART_TXD REG32(EB_UART_BASE + 0x51Cu)
#define UART_BAUDRATE REG32(EB_UART_BASE + 0x524u)
/* By the register's table: the interface MCU of the DK does 115,200 and 1,000,000 baud, not 921,600. */
#if EB_UART_BAUD == 115200u
#define UART_BAUDRATE_VALUE 0x01D7E000u
#elif EB_UART_BAUD == 921600u
#define UART_BAUDRATE_VALUE 0x0EBED000u
#elif EB_UART_BAUD == 1000000u
#define UART_BAUDRATE_VALUE 0x10000000u
#else
#error "UART0 has 115,200, 921,600 and 1,000,000 baud here"
#endif
#define UART_CONFIG REG32(EB_UART_BASE + 0x56Cu)

#define WDT_START REG32(0x40010000u)
#define WDT_CRV REG32(0x40010504u)
#define WDT_RREN REG32(0x40010508u)
#define WDT_CONFIG REG32(0x4001050Cu)
#define WDT_CONFIG_RUNS_IN_SLEEP 1u /* and stops while a debugger halts the core */
#define WDT_RR0 REG32(0x40010600u)
#define WDT_RR_FEED 0x6E524635u
#define WDT_HZ 32768u

_Static_assert(EB_CLOCK_HZ == 64000000u, "the core runs at 64 MHz and no other clock");
_Static_assert(EB_UART_BASE == 0x40002000u, "the UART is UART0");

static port_start reset_cause;
static bool is_fallback;
static volatile bool supply_low;
static volatile uint32_t supply_low_at;
static bool sending; /* a byte is on its way: TXDRDY reports its end */

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

    /* The pins before the UART controls them: idle is high. */
    GPIO_OUTSET = 1u << EB_UART_TX_PIN;
    GPIO_DIRSET = 1u << EB_UART_TX_PIN;
    GPIO_PIN_CNF(EB_UART_RX_PIN) = GPIO_PIN_CNF_INPUT_PULLED_UP;
    UART_PSEL_TXD = EB_UART_TX_PIN;
    UART_PSEL_RXD = EB_UART_RX_PIN;
    UART_PSEL_RTS = UART_PSEL_NONE;
    UART_PSEL_CTS = UART_PSEL_NONE;
    UART_BAUDRATE = UART_BAUDRATE_VALUE;
    UART_CONFIG = 0; /* no parity, no flow control, one stop bit */
    UART_ENABLE = UART_ENABLE_UART;
    UART_RXDRDY = 0;
    UART_TXDRDY = 0;
    UART_ERROR = 0;
    UART_INTENSET = UART_INT_RXDRDY | UART_INT_ERROR;
    UART_STARTRX = 1;
    UART_STARTTX = 1;
    EB_UART_EACH_IRQ(cortex_m_enable_irq);

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

void port_uart_irq(void)
{
    if (UART_ERROR) {
        UART_ERROR = 0;
        const uint32_t what = UART_ERRORSRC;
        UART_ERRORSRC = what; /* ones clear */
        if (what & UART_ERRORSRC_OVERRUN) {
            cortex_m_uart_lost();
        }
    }
    /* Up to six bytes wait; the event comes again for each that is left after RXD was read. */
    while (UART_RXDRDY) {
        UART_RXDRDY = 0;
        cortex_m_uart_received((uint8_t)UART_RXD);
    }
    cortex_m_uart_transmit();
}

bool port_uart_room(void)
{
    if (sending && UART_TXDRDY) {
        UART_TXDRDY = 0;
        sending = false;
    }
    return !sending;
}

void port_uart_send(uint8_t byte)
{
    sending = true;
    UART_TXD = byte;
}

void port_uart_watch_room(bool on)
{
    if (on) {
        UART_INTENSET = UART_INT_TXDRDY;
    } else {
        UART_INTENCLR = UART_INT_TXDRDY;
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
    while (!port_uart_room()) {
    }
    cortex_m_reset();
}
