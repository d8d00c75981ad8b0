// SPDX-License-Identifier: Apache-2.0
// Copyright edgebio contributors

/* Start and text of a user's program on QEMU's mps2 boards, by semihosting. */

#include <stdint.h>

extern uint32_t __bss_start__[], __bss_end__[];
int main(void);
void put(const char *text);
_Noreturn void start(void);

enum { SYS_WRITE0 = 0x04, SYS_EXIT = 0x18, APPLICATION_EXIT = 0x20026 };

static void semihost(uint32_t operation, const void *argument)
{
    register uint32_t r0 __asm__("r0") = operation;
    register const void *r1 __asm__("r1") = argument;

    __asm__ volatile("bkpt 0xab" : "+r"(r0) : "r"(r1) : "memory");
}

void put(const char *text)
{
    semihost(SYS_WRITE0, text);
}

_Noreturn void start(void)
{
    *(volatile uint32_t *)0xE000ED88u |= 0xFu << 20; /* CPACR: the FPU, for hard-float code */
    for (uint32_t *word = __bss_start__; word < __bss_end__; word++) {
        *word = 0;
    }
    main();
    semihost(SYS_EXIT, (const void *)APPLICATION_EXIT);
    for (;;) {
    }
}

static _Noreturn void fault(void)
{
    put("fault\n");
    semihost(SYS_EXIT, 0);
    for (;;) {
    }
}

__attribute__((section(".vectors"), used)) static const union {
    uint32_t stack;
    void (*entry)(void);
} vectors[16] = {
    {.stack = 0x20200000u}, {.entry = start}, {.entry = fault}, {.entry = fault},
    {.entry = fault},       {.entry = fault}, {.entry = fault},
};
