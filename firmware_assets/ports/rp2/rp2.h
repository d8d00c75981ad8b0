// SPDX-License-Identifier: Apache-2.0
// Copyright edgebio contributors

/* Shared by the files of this port: addresses of the blocks, their resets and pins.
 *
 * RP2040 datasheet and RP2350 datasheet, chapters RESETS, CLOCKS, PLL, GPIO (2.19; 9) and SIO (2.3.1;
 * 3.1).
 */
#ifndef EB_RP2_H
#define EB_RP2_H

#include <stdint.h>

#include "cortex_m.h"
#include "eb_board.h"

#ifdef __cplusplus
extern "C" {
#endif

#if EB_RP2350
#define CLOCKS 0x40010000u
#define PSM 0x40018000u
#define RESETS 0x40020000u
#define IO_BANK0 0x40028000u
#define PADS_BANK0 0x40038000u
#define XOSC 0x40048000u
#define PLL_SYS 0x40050000u
#define PLL_USB 0x40058000u
#define WATCHDOG 0x400D8000u
#define TICKS 0x40108000u
#define RESETS_ADC (1u << 0)
#define RESETS_DMA (1u << 2)
#define RESETS_IO_BANK0 (1u << 6)
#define RESETS_PADS_BANK0 (1u << 9)
#define RESETS_PLL_SYS (1u << 14)
#define RESETS_PLL_USB (1u << 15)
#define RESETS_PWM (1u << 16)
#define RESETS_SPI (3u << 18)
#define RESETS_UART0 (1u << 26)
#define RESETS_USBCTRL (1u << 28)
#else
#define CLOCKS 0x40008000u
#define PSM 0x40010000u
#define RESETS 0x4000C000u
#define IO_BANK0 0x40014000u
#define PADS_BANK0 0x4001C000u
#define XOSC 0x40024000u
#define PLL_SYS 0x40028000u
#define PLL_USB 0x4002C000u
#define WATCHDOG 0x40058000u
#define RESETS_ADC (1u << 0)
#define RESETS_DMA (1u << 2)
#define RESETS_IO_BANK0 (1u << 5)
#define RESETS_PADS_BANK0 (1u << 8)
#define RESETS_PLL_SYS (1u << 12)
#define RESETS_PLL_USB (1u << 13)
#define RESETS_PWM (1u << 14)
#define RESETS_SPI (3u << 16)
#define RESETS_UART0 (1u << 22)
#define RESETS_USBCTRL (1u << 24)
#endif

/* Writes to these aliases set or clear bits. */
#define SET(address) REG32((address) + 0x2000u)
#define CLEAR(address) REG32((address) + 0x3000u)

#define RESETS_RESET (RESETS + 0x0u)
#define RESETS_DONE REG32(RESETS + 0x8u)

#define SIO 0xD0000000u
#if EB_RP2350
#define SIO_OUT_SET REG32(SIO + 0x18u)
#define SIO_OUT_CLEAR REG32(SIO + 0x20u)
#define SIO_ENABLE_SET REG32(SIO + 0x38u)
#else
#define SIO_OUT_SET REG32(SIO + 0x14u)
#define SIO_OUT_CLEAR REG32(SIO + 0x18u)
#define SIO_ENABLE_SET REG32(SIO + 0x24u)
#endif

#define GPIO_CTRL_SIO 5u
#define GPIO_CTRL(pin) REG32(IO_BANK0 + 0x04u + 8u * (pin))
#define PAD(pin) REG32(PADS_BANK0 + 0x04u + 4u * (pin))
#define PAD_PULLED_UP (1u << 3)
#define PAD_INPUT (1u << 6)
/* Schmitt trigger and 4 mA as after reset; the other bits, the RP2350's isolation with them, 0. */
#define PAD_PLAIN (1u << 1 | 1u << 4)

static inline void rp2_await(volatile uint32_t *reg, uint32_t mask)
{
    while ((*reg & mask) != mask) {
    }
}

/* Releases blocks from reset, which a reset of the core only leaves as they are. */
static inline void rp2_bring_up(uint32_t blocks)
{
    SET(RESETS_RESET) = blocks;
    CLEAR(RESETS_RESET) = blocks;
    rp2_await(&RESETS_DONE, blocks);
}

/* Starts PLL_USB at 48 MHz, for the clocks of USB and of the converter, unless it runs. */
void rp2_start_pll_usb(void);

/* The link: a UART (link_uart.c) or USB (link_usb.c). The latter returns when all that was accepted has been
 * sent, or cannot be. */
void rp2_link_start(void);
void rp2_link_drain(void);

/* Enters the boot loader if this start is the second press of a button at RUN; after half a second, the next
 * press is a first one again. */
void rp2_bootloader_start(void);
void rp2_bootloader_check(void);

#ifdef __cplusplus
}
#endif

#endif
