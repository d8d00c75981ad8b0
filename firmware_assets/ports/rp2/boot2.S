/* Second stage of the RP2040's boot: its ROM copies the first 256 bytes of flash into RAM, checks
 * their CRC (which the build appends) and calls them. They let the core run from flash and enter the
 * image. Before, while nothing runs from flash, they read its unique id, which becomes that of the
 * board: link_usb.c.
 *
 * Flash is read by command EBh, four bits at a time, with the mode bits that leave out the command from
 * then on: 20 clocks of 62.5 MHz a word instead of 64 of 31 MHz, more than six times faster. The flash
 * has to know it, and its bit QE, bit 1 of status register 2, as the Pico's W25Q16JV and many others;
 * where it is 0, command 31h sets it, once for good. If it stays 0, command 03h is used, which every SPI
 * flash knows. The ROM ends the mode before it reads the flash itself.
 *
 * RP2040 datasheet, 2.7, 2.8.1 and 4.10; W25Q16JV datasheet, 7.1 and 8.2.
 */
    .syntax unified
    .cpu cortex-m0plus
    .thumb
    .section .text
    .global _start

    .equ CTRLR0, 0x00
    .equ CTRLR1, 0x04
    .equ SSIENR, 0x08
    .equ BAUDR, 0x14
    .equ SR, 0x28
    .equ DR0, 0x60
    .equ RX_SAMPLE_DLY, 0x00 /* of r2 */
    .equ SPI_CTRLR0, 0x04

    .thumb_func
_start:
    ldr r0, =0x40020000 /* PADS_QSPI */
    movs r1, #0x21      /* SCLK: 8 mA, fast slew */
    str r1, [r0, #0x04]
    movs r1, #0x50      /* SD0 to SD3: input, 4 mA, without the Schmitt trigger's delay */
    str r1, [r0, #0x08]
    str r1, [r0, #0x0C]
    str r1, [r0, #0x10]
    str r1, [r0, #0x14]

    movs r3, #0x18 >> 3 /* XIP_SSI, 0x18000000 */
    lsls r3, r3, #27
    mov r2, r3
    adds r2, #0xF0
    movs r4, #0
    movs r5, #1
    movs r7, #2         /* bit QE; also what is sent where the flash does not care */
    str r4, [r3, #SSIENR] /* off while it is set up */
    str r7, [r3, #BAUDR] /* 62.5 MHz at 125 MHz */
    str r5, [r2, #RX_SAMPLE_DLY] /* the way to the flash and back */
    movs r1, #7         /* 8 bits a frame, in both directions */
    lsls r1, r1, #16
    str r1, [r3, #CTRLR0]
    str r5, [r3, #SSIENR]

    movs r0, #0x4B      /* four idle bytes, and the id of eight */
    movs r1, #12
    bl transfer
    ldr r6, =0x4005800C /* SCRATCH0 and 1 of the watchdog */
    str r1, [r6, #0]
    str r0, [r6, #4]

    movs r0, #0x35      /* status register 2 */
    movs r1, #1
    bl transfer
    tst r0, r7
    bne quad
    movs r0, #0x06      /* write enable */
    movs r1, #0
    bl transfer
    movs r0, #0x31      /* status register 2 becomes r7 */
    movs r1, #1
    bl transfer
busy:
    movs r0, #0x05
    movs r1, #1
    bl transfer
    lsrs r0, r0, #1
    bcs busy
    movs r0, #0x35
    movs r1, #1
    bl transfer
    tst r0, r7
    bne quad

    str r4, [r3, #SSIENR]
    movs r1, #4
    str r1, [r3, #BAUDR] /* 31 MHz; command 03h goes to 50 MHz */
    ldr r1, =0x001F0300 /* 32 bits a frame, EEPROM read */
    str r1, [r3, #CTRLR0]
    ldr r1, =0x03000218 /* command 03h of 8 bits, address of 24 */
    b enter

quad:
    str r4, [r3, #SSIENR]
    ldr r1, =0x005F0300 /* 32 bits a frame, four lines, EEPROM read */
    str r1, [r3, #CTRLR0]
    str r4, [r3, #CTRLR1] /* one frame a read */
    ldr r1, =0x00002221 /* one line for a command of 8 bits; address with mode of 32; 4 idle clocks */
    str r1, [r2, #SPI_CTRLR0]
    str r5, [r3, #SSIENR]
    movs r0, #0xEB
    movs r7, #0xA0      /* address 0; reads go on without the command */
    movs r1, #1
    bl transfer
    str r4, [r3, #SSIENR]
    ldr r1, =0xA0002022 /* no command; the mode behind the address */
enter:
    str r4, [r3, #CTRLR1]
    str r1, [r2, #SPI_CTRLR0]
    str r5, [r3, #SSIENR]
    ldr r0, =0x10000200 /* the vector table: sections.ld */
    ldr r1, =0xE000ED08
    str r0, [r1]        /* VTOR */
    ldmia r0, {r0, r1}
    msr msp, r0
    bx r1

/* Sends r0 and r1 times r7, at most 15, which the FIFO holds. Returns the last four frames that came
 * back in r0, the latest in its lowest byte, and the four before in r1. */
transfer:
    str r0, [r3, #DR0]
1:  subs r1, #1
    bmi 2f
    str r7, [r3, #DR0]
    b 1b
2:  ldr r6, [r3, #SR]   /* until all is sent (TFE), and not BUSY */
    movs r1, #5
    ands r6, r1
    cmp r6, #4
    bne 2b
3:  lsls r1, r1, #8
    lsrs r6, r0, #24
    orrs r1, r6
    lsls r0, r0, #8
    ldr r6, [r3, #DR0]
    orrs r0, r6
    ldr r6, [r3, #SR]
    lsrs r6, r6, #4     /* RFNE */
    bcs 3b
    bx lr
    .ltorg
