// SPDX-License-Identifier: Apache-2.0
// Copyright edgebio contributors

/* From the reset vector to main, the fault handler, and the stack's high-water mark. */
#include <stdbool.h>
#include <stddef.h>

#include "cortex_m.h"
#include "eb_board.h"
#include "port.h"

int main(void);
_Noreturn void cortex_m_start(void);
void cortex_m_clock_irq(void);

/* Set by sections.ld. */
extern uint32_t eb_stack_bottom[], eb_stack_top[];
extern uint32_t eb_data_start[], eb_data_end[], eb_data_image[];
extern uint32_t eb_bss_start[], eb_bss_end[];
extern uint32_t eb_image_start[], eb_image_end[];

union cortex_m_vector {
    const void *stack;
    void (*entry)(void);
};
extern const union cortex_m_vector cortex_m_vectors[];

#define STACK_PAINT 0xEB57ACEDu

/* Survives a reset: neither loaded nor cleared. The magic number and the check distinguish it from
 * the noise in RAM after power-up. Volatile, as only the next start reads it, which the compiler
 * does not know. */
#define FAULT_MAGIC 0xFA0175EDu
static volatile struct {
    uint32_t magic;
    port_fault fault;
    uint32_t exception;
    uint32_t check;
} record __attribute__((section(".noinit")));

#define EXCEPTION_NMI 2u /* only a watchdog raises it here */

static port_fault last_fault;
static uint32_t last_exception;
static bool has_last_fault;

static uint32_t check_of(const port_fault *fault, uint32_t exception)
{
    return ~(fault->pc ^ fault->lr ^ fault->status ^ fault->address ^ exception);
}

port_start port_start_cause(void)
{
    if (has_last_fault) {
        return last_exception == EXCEPTION_NMI ? PORT_START_WATCHDOG : PORT_START_FAULT;
    }
    return cortex_m_reset_cause();
}

const port_fault *port_last_fault(void)
{
    return has_last_fault ? &last_fault : NULL;
}

_Noreturn void cortex_m_reset(void)
{
    if (cortex_m_halt_peripherals) {
        cortex_m_halt_peripherals();
    }
    cortex_m_barrier();
    SCB_AIRCR = SCB_AIRCR_VECTKEY | SCB_AIRCR_SYSRESETREQ;
    cortex_m_barrier();
    for (;;) {
    }
}

/* The reset vector. No variable is valid and no library may be called before .data and .bss are
 * initialized; `volatile` prevents loops from becoming memset and memcpy, whose frames the paint
 * would overwrite. */
_Noreturn void cortex_m_start(void)
{
#if defined(__ARM_FEATURE_CMSE)
    /* Armv8-M: a push below the stack faults instead of writing there. */
    __asm volatile("msr msplim, %0" : : "r"(eb_stack_bottom));
#endif
#if defined(__ARM_FP) || defined(__ARM_FEATURE_MVE)
    SCB_CPACR |= SCB_CPACR_FPU;
    cortex_m_barrier();
#endif
    /* A boot loader may have run: disable its vectors, its timer and its interrupts. */
    if (cortex_m_halt_peripherals) {
        cortex_m_halt_peripherals();
    }
    SYST_CSR = 0;
    for (uint32_t word = 0; word < NVIC_WORDS; word++) {
        NVIC_ICER(word) = UINT32_MAX;
        NVIC_ICPR(word) = UINT32_MAX;
    }
    SCB_VTOR = (uint32_t)(uintptr_t)cortex_m_vectors;
    cortex_m_barrier();
    uint32_t *sp;
    __asm volatile("mov %0, sp" : "=r"(sp));
    for (volatile uint32_t *word = eb_stack_bottom; word < sp; word++) {
        *word = STACK_PAINT;
    }
    const volatile uint32_t *from = eb_data_image;
    for (volatile uint32_t *word = eb_data_start; word < eb_data_end; word++) {
        *word = *from++;
    }
    for (volatile uint32_t *word = eb_bss_start; word < eb_bss_end; word++) {
        *word = 0;
    }
    if (record.magic == FAULT_MAGIC) {
        last_fault = record.fault;
        last_exception = record.exception;
        has_last_fault = record.check == check_of(&last_fault, last_exception);
    }
    record.magic = 0;
    cortex_m_unlock(0); /* a boot loader may also leave interrupts masked */
    main();
    cortex_m_reset();
}

size_t port_image(const uint8_t **image)
{
    *image = (const uint8_t *)eb_image_start;
    return (size_t)((uintptr_t)eb_image_end - (uintptr_t)eb_image_start);
}

uint32_t port_stack_size(void)
{
    return (uint32_t)((uintptr_t)eb_stack_top - (uintptr_t)eb_stack_bottom);
}

uint32_t port_stack_used(void)
{
    const volatile uint32_t *word = eb_stack_bottom;
    while (word < eb_stack_top && *word == STACK_PAINT) {
        word++;
    }
    return (uint32_t)((uintptr_t)eb_stack_top - (uintptr_t)word);
}

__attribute__((weak)) bool port_has_bootloader(void)
{
    return false;
}

__attribute__((weak)) _Noreturn void port_enter_bootloader(void)
{
    port_reset();
}

/* `frame` is what the CPU pushed, or 0 if the stack pointer had left the stack. */
_Noreturn __attribute__((used)) static void fault(const uint32_t *frame)
{
    if (eb_emergency) {
        eb_emergency(PORT_EMERGENCY_FAULT);
    }
    const uint32_t status = SCB_CFSR;
    uint32_t exception;
    __asm volatile("mrs %0, ipsr" : "=r"(exception));
    if (status & SCB_CFSR_FRAME_LOST) {
        frame = NULL;
    }
    last_fault = (port_fault){
        .pc = frame ? frame[6] : 0,
        .lr = frame ? frame[5] : 0,
        .status = status,
        .address = status & SCB_CFSR_BFARVALID   ? SCB_BFAR
                   : status & SCB_CFSR_MMARVALID ? SCB_MMFAR
                                                 : 0,
    };
    has_last_fault = true;
    if (cortex_m_fault_hook) {
        cortex_m_fault_hook();
    }
    record.fault = last_fault;
    record.exception = exception;
    record.check = check_of(&last_fault, exception);
    record.magic = FAULT_MAGIC;
    cortex_m_reset();
}

/* Every fault, and every unexpected interrupt. The stack may be broken: check whether it contains the
 * pushed frame, then reset it. */
__attribute__((naked)) static void fault_entry(void)
{
    __asm volatile("mov r0, sp\n\t"
                   "ldr r1, =eb_stack_bottom\n\t"
                   "cmp r0, r1\n\t"
                   "blo 1f\n\t"
                   "ldr r1, =eb_stack_top - 32\n\t"
                   "cmp r0, r1\n\t"
                   "bls 2f\n"
                   "1:\n\t"
                   "movs r0, #0\n"
                   "2:\n\t"
                   "ldr r1, =eb_stack_top\n\t"
                   "mov sp, r1\n\t"
                   "ldr r1, =fault\n\t"
                   "bx r1\n\t"
                   ".ltorg");
}

__attribute__((weak, alias("fault_entry"))) void cortex_m_nmi(void);

// clang-format off
/* The table ends behind the last interrupt that is ever enabled. */
const union cortex_m_vector cortex_m_vectors[16 + EB_IRQS]
    __attribute__((section(".vectors"), used)) = {
    [0] = {.stack = eb_stack_top},
    [1] = {.entry = cortex_m_start},
    [2] = {.entry = cortex_m_nmi}, /* the watchdog's first warning */
    [3] = {.entry = fault_entry},  /* HardFault; the four below escalate to it unless enabled */
    [4] = {.entry = fault_entry},  /* MemManage */
    [5] = {.entry = fault_entry},  /* BusFault */
    [6] = {.entry = fault_entry},  /* UsageFault */
    [7] = {.entry = fault_entry},  /* SecureFault */
    [11] = {.entry = fault_entry}, /* SVCall */
    [12] = {.entry = fault_entry}, /* DebugMonitor */
    [14] = {.entry = fault_entry}, /* PendSV */
    [15] = {.entry = cortex_m_clock_irq},
#ifdef EB_UART_VECTORS
    EB_UART_VECTORS(port_uart_irq),
#endif
#ifdef EB_ADC_VECTORS
    EB_ADC_VECTORS(port_adc_irq),
#endif
#ifdef EB_SPI_VECTORS
    EB_SPI_VECTORS(port_spi_irq),
#endif
#ifdef EB_USB_VECTORS
    EB_USB_VECTORS(port_usb_irq),
#endif
#ifdef EB_SUPPLY_VECTORS
    EB_SUPPLY_VECTORS(port_supply_irq),
#endif
};
// clang-format on
