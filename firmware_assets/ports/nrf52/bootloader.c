// SPDX-License-Identifier: Apache-2.0
// Copyright edgebio contributors

/* The UF2 boot loader that boards of Adafruit and others have in flash; Nordic's DK has none. It looks
 * into a register that a reset keeps (POWER, GPREGRET), and handles two presses of reset by itself. */
#include "cortex_m.h"
#include "nrf52.h"
#include "port.h"
#include "uart.h"

#define UICR_BOOTLOADER REG32(0x10001014u) /* NRFFW[0]: its address */
#define UICR_NONE UINT32_MAX
#define POWER_GPREGRET REG32(0x4000051Cu)
#define GPREGRET_UF2 0x57u

bool port_has_bootloader(void)
{
    return UICR_BOOTLOADER != UICR_NONE;
}

_Noreturn void port_enter_bootloader(void)
{
    cortex_m_uart_flush();
    nrf52_link_drain();
    POWER_GPREGRET = GPREGRET_UF2;
    cortex_m_reset();
}
