/* Second stage of the RP2040's boot: its ROM copies the first 256 bytes of flash into RAM, checks
 * their CRC (which the build appends) and calls them. They let the core run from flash, by the read
 * command that every SPI flash knows, and enter the image. Before, while nothing runs from flash, they read
 * its unique id, which becomes that of the board: link_usb.c.
 *
 * RP2040 datasheet, chapters on the boot sequence and on the SSI.
 */
    .syntax unified
    .cpu cortex-m0plus
    .thumb
    .section .text
    .global _start
    .thumb_func
_start:
    ldr r3, =0x18000000 /* XIP_SSI */
    movs r1, #0
    str r1, [r3, #0x08] /* SSIENR: off while it is set up */
    movs r1, #4
    str r1, [r3, #0x14] /* BAUDR: 31 MHz at 125 MHz; command 03h goes to 50 MHz */

    /* Command 4Bh, four idle bytes, and the id of eight, into SCRATCH0 and 1 of the watchdog. */
    ldr r1, =0x00070000
    str r1, [r3, #0x00] /* CTRLR0: 8 bits a frame, in both directions */
    movs r1, #1
    str r1, [r3, #0x08]
    movs r1, #0x4B
    movs r2, #13
1:  str r1, [r3, #0x60] /* DR: the FIFO holds 16 */
    movs r1, #0
    subs r2, #1
    bne 1b
2:  ldr r1, [r3, #0x28] /* SR: until all is sent (TFE), and not BUSY */
    movs r2, #5
    ands r1, r2
    cmp r1, #4
    bne 2b
3:  ldr r1, [r3, #0x60]
    subs r2, #1
    bne 3b
    ldr r0, =0x4005800C
    movs r5, #2
4:  movs r2, #4
5:  ldr r1, [r3, #0x60]
    lsls r4, r4, #8
    orrs r4, r1
    subs r2, #1
    bne 5b
    stm r0!, {r4}
    subs r5, #1
    bne 4b
    movs r1, #0
    str r1, [r3, #0x08]

    ldr r1, =0x001F0300
    str r1, [r3, #0x00] /* CTRLR0: 32 bits a frame, EEPROM read */
    movs r1, #0
    str r1, [r3, #0x04] /* CTRLR1: one frame a read */
    ldr r1, =0x03000218
    ldr r0, =0x180000F4
    str r1, [r0]        /* SPI_CTRLR0: command 03h of 8 bits, address of 24 */
    movs r1, #1
    str r1, [r3, #0x08]
    ldr r0, =0x10000200 /* the vector table: sections.ld */
    ldr r1, =0xE000ED08
    str r0, [r1]        /* VTOR */
    ldmia r0, {r0, r1}
    msr msp, r0
    bx r1
    .ltorg
