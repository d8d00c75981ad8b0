// SPDX-License-Identifier: Apache-2.0
// Copyright edgebio contributors

/* The parts of an Arm Cortex-M that every port needs: registers of the System Control Space and
 * the few instructions that C has no word for.
 *
 * Addresses and bits: Armv7-M ARM (DDI 0403) B3.2 and Armv8-M ARM (DDI 0553) D1.2.
 */
#ifndef EB_CORTEX_M_H
#define EB_CORTEX_M_H

#include <stdbool.h>
#include <stdint.h>

#include "port.h"

#ifdef __cplusplus
extern "C" {
#endif

#define REG32(address) (*(volatile uint32_t *)(uintptr_t)(address))

#define SYST_CSR REG32(0xE000E010u)
#define SYST_RVR REG32(0xE000E014u)
#define SYST_CVR REG32(0xE000E018u)
#define SYST_CSR_ENABLE (1u << 0)
#define SYST_CSR_TICKINT (1u << 1)
#define SYST_CSR_CLKSOURCE (1u << 2) /* processor clock */
#define SYST_CSR_COUNTFLAG (1u << 16)

#if defined(__ARM_ARCH_6M__)
#define NVIC_WORDS 1u
#else
#define NVIC_WORDS 8u
#endif
#define NVIC_ISER(word) REG32(0xE000E100u + 4u * (word))
#define NVIC_ICER(word) REG32(0xE000E180u + 4u * (word))
#define NVIC_ICPR(word) REG32(0xE000E280u + 4u * (word))
#define NVIC_IPR(word) REG32(0xE000E400u + 4u * (word))
#define NVIC_PRIORITY_LOW 0x80u

#define SCB_ICSR REG32(0xE000ED04u)
#define SCB_ICSR_PENDSTSET (1u << 26)
#define SCB_VTOR REG32(0xE000ED08u)
#define SCB_AIRCR REG32(0xE000ED0Cu)
#define SCB_AIRCR_VECTKEY (0x05FAu << 16)
#define SCB_AIRCR_SYSRESETREQ (1u << 2)
#define SCB_CFSR REG32(0xE000ED28u)
/* MSTKERR, STKERR, STKOF: the frame of the faulting instruction was not pushed. */
#define SCB_CFSR_FRAME_LOST (1u << 4 | 1u << 12 | 1u << 20)
#define SCB_CFSR_MMARVALID (1u << 7)
#define SCB_CFSR_BFARVALID (1u << 15)
#define SCB_MMFAR REG32(0xE000ED34u)
#define SCB_BFAR REG32(0xE000ED38u)
#define SCB_CPACR REG32(0xE000ED88u)
#define SCB_CPACR_FPU (0xFu << 20) /* CP10 and CP11: the FPU, and Helium where there is one */

static inline uint32_t cortex_m_lock(void)
{
    uint32_t before;
    __asm volatile("mrs %0, primask\n\tcpsid i" : "=r"(before) : : "memory");
    return before;
}

static inline void cortex_m_unlock(uint32_t before)
{
    __asm volatile("msr primask, %0" : : "r"(before) : "memory");
}

static inline void cortex_m_barrier(void)
{
    __asm volatile("dsb\n\tisb" : : : "memory");
}

/* Sleep until an interrupt is pending, even a masked one. */
static inline void cortex_m_wait(void)
{
    __asm volatile("dsb\n\twfi" : : : "memory");
}

static inline void cortex_m_enable_irq(uint32_t irq)
{
    NVIC_ISER(irq / 32u) = 1u << (irq % 32u);
}

/* Enables an interrupt that those of the UART and of the time base interrupt: they have priority 0. Armv6-M
 * has two bits of a priority, the upper ones, and no access to bytes. */
static inline void cortex_m_enable_low_irq(uint32_t irq)
{
    const uint32_t shift = 8u * (irq % 4u);
    NVIC_IPR(irq / 4u) = (NVIC_IPR(irq / 4u) & ~(0xFFu << shift)) | NVIC_PRIORITY_LOW << shift;
    cortex_m_enable_irq(irq);
}

__attribute__((noreturn)) void cortex_m_reset(void);

/* A port may define it: stops what a reset of the core leaves running. Called before that reset and first
 * of all at the start; it only writes registers. */
__attribute__((weak)) void cortex_m_halt_peripherals(void);

/* Start SysTick as the time base behind port_micros. */
void cortex_m_start_clock(void);

/* The port has this, after port_init: cause of the last reset by its registers. The watchdog, if it came
 * without an NMI before. */
port_start cortex_m_reset_cause(void);

/* Handlers of interrupts, in the vector table where eb_board.h has EB_<NAME>_VECTORS(handler) for
 * them: of the UART, the converter's DMA, the data-ready pin and DMA of SPI, USB, and the detector of
 * a low supply. */
void port_uart_irq(void);
void port_adc_irq(void);
void port_spi_irq(void);
void port_usb_irq(void);
void port_supply_irq(void);

/* A port may define it, where the NMI has other causes than the watchdog. By default, a fault. */
void cortex_m_nmi(void);

/* What the fault handler does once it knows `port_fault`, instead of resetting the core. An
 * application that runs under a debugger or an emulator may define it; it does not return. */
__attribute__((noreturn, weak)) void cortex_m_fault_hook(void);

#ifdef __cplusplus
}
#endif

#endif
