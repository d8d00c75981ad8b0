// SPDX-License-Identifier: Apache-2.0
// Copyright edgebio contributors

/* The boot loader in the chip's ROM, which shows a drive on USB that takes a UF2 file: entered on request, and
 * by two presses of a button at the pin RUN within half a second.
 *
 * RP2040 datasheet 2.8.3 and 2.12.8; RP2350 datasheet 5.4 and 6.4.
 */
#include "port.h"
#include "rp2.h"
#include "uart.h"

#define CODE(first, second) ((uint32_t)(first) | (uint32_t)(second) << 8)
#define SECOND_PRESS_MICROS 500000u
#define MARK 0xEBB007EDu

extern uint32_t eb_stack_top[]; /* sections.ld */

/* A half-word of the ROM. The compiler must not know that the address is small: it takes such for
 * mistakes. */
static uint32_t rom_half(uintptr_t address)
{
    __asm("" : "+r"(address));
    return *(const volatile uint16_t *)address;
}

#if EB_RP2350
#define ROM_LOOKUP 0x16u
#define ROM_FUNCTION_ARM_SECURE 4u
#define REBOOT_TO_BOOTLOADER 2u
#define REBOOT_DOES_NOT_RETURN 0x100u
#define REBOOT_DELAY_MS 1u

typedef uintptr_t (*rom_lookup)(uint32_t code, uint32_t mask);
typedef int (*rom_reboot)(uint32_t flags, uint32_t delay_ms, uint32_t, uint32_t);

_Noreturn __attribute__((used)) static void call_rom(void)
{
    const rom_lookup lookup = (rom_lookup)(uintptr_t)rom_half(ROM_LOOKUP);
    const rom_reboot reboot = (rom_reboot)lookup(CODE('R', 'B'), ROM_FUNCTION_ARM_SECURE);

    reboot(REBOOT_TO_BOOTLOADER | REBOOT_DOES_NOT_RETURN, REBOOT_DELAY_MS, 0, 0);
    cortex_m_reset();
}

/* A flag that survives the pin RUN, with a password for writing. */
#define SCRATCH_FREE REG32(WATCHDOG + 0x0Cu)
#define CHIP_RESET (0x40100000u + 0x2Cu) /* POWMAN */
#define CHIP_RESET_DOUBLE_TAP (1u << 0)
#define CHIP_RESET_RUN (1u << 18)
#define POWMAN_PASSWORD 0x5AFE0000u

static void set_mark(bool on)
{
    *(on ? &SET(CHIP_RESET) : &CLEAR(CHIP_RESET)) = POWMAN_PASSWORD | CHIP_RESET_DOUBLE_TAP;
}

static bool is_marked(void)
{
    return REG32(CHIP_RESET) & CHIP_RESET_DOUBLE_TAP && REG32(CHIP_RESET) & CHIP_RESET_RUN;
}
#else
#define ROM_TABLE 0x14u
#define ROM_LOOKUP 0x18u

typedef uintptr_t (*rom_lookup)(uintptr_t table, uint32_t code);
typedef void (*rom_reset_to_usb_boot)(uint32_t activity_pins, uint32_t interfaces_off);

_Noreturn __attribute__((used)) static void call_rom(void)
{
    const rom_lookup lookup = (rom_lookup)(uintptr_t)rom_half(ROM_LOOKUP);
    const rom_reset_to_usb_boot boot =
        (rom_reset_to_usb_boot)lookup(rom_half(ROM_TABLE), CODE('U', 'B'));

    boot(0, 0);
    cortex_m_reset();
}

#define SCRATCH_FREE REG32(WATCHDOG + 0x14u)
#define CHIP_RESET REG32(0x40064000u + 0x8u)
#define CHIP_RESET_RUN (1u << 16)

/* RAM survives the pin RUN. */
static volatile uint32_t mark[2] __attribute__((section(".noinit")));

static void set_mark(bool on)
{
    mark[0] = on ? MARK : 0u;
    mark[1] = on ? ~MARK : 0u;
}

static bool is_marked(void)
{
    return mark[0] == MARK && mark[1] == ~MARK && CHIP_RESET & CHIP_RESET_RUN;
}
#endif

static bool awaits_press;

/* The functions of the ROM take more stack than the image's bound knows of. It ends here, and all of the
 * stack is theirs. */
_Noreturn static void leave(void)
{
    (void)cortex_m_lock();
    set_mark(false);
    __asm volatile("msr msp, %0\n\t"
                   "mov pc, %1"
                   :
                   : "r"(eb_stack_top), "r"(call_rom));
    __builtin_unreachable();
}

void rp2_bootloader_start(void)
{
    /* The pin clears this word; other resets, which are no press, do not. */
    if (SCRATCH_FREE != MARK && is_marked()) {
        leave();
    }
    SCRATCH_FREE = MARK;
    set_mark(true);
    awaits_press = true;
}

void rp2_bootloader_check(void)
{
    if (awaits_press && port_micros() >= SECOND_PRESS_MICROS) {
        set_mark(false);
        awaits_press = false;
    }
}

bool port_has_bootloader(void)
{
    return true;
}

_Noreturn void port_enter_bootloader(void)
{
    cortex_m_uart_flush();
    rp2_link_drain();
    leave();
}
