// The parts of the boot ROM that an image can enter: the table of functions with reset_to_usb_boot
// (RP2040 datasheet, 2.8.3), and its drive, a folder of this machine that takes a UF2 file.
//
// The folder is DRIVES/process id/RPI-RP2 while the chip is in its boot loader. When a file in it is
// complete, the chip starts from it, and the folder is gone. The button at the pin RUN is SIGUSR1.
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { bootable } from './machine.mjs';

const MAGIC = 0x10, TABLE_POINTER = 0x14, LOOKUP_POINTER = 0x18;
const LOOKUP = 0x40, RESET_TO_USB_BOOT = 0x60, TABLE = 0x80;
const ENTER = 0xb0; // number of the breakpoint that stands for reset_to_usb_boot
// lookup(table, code): the pointer behind an equal code, 0 at the end.
const LOOKUP_CODE = [0x8802, 0x2a00, 0xd005, 0x428a, 0xd001, 0x3004, 0xe7f8, 0x8840, 0x4770, 0x2000, 0x4770];

const FLASH = 0x10000000, SECTOR = 4096;
const BLOCK = 512, PAYLOAD = 256, FAMILY = 0xe48bff56;
const MAGICS = [[0, 0x0a324655], [4, 0x9e5d5157], [8, 0x2000], [16, PAYLOAD], [28, FAMILY], [508, 0x0ab16f30]];
const LOOK_MS = 50;

const FILES = {
  'INFO_UF2.TXT': 'UF2 Bootloader v3.0\r\nModel: Raspberry Pi RP2\r\nBoard-ID: RPI-RP2\r\n',
  'INDEX.HTM': '<html><head></head><body>The emulated boot loader of an RP2040</body></html>\r\n',
};

export class BootRom {
  constructor(drives) {
    this.own = join(drives, String(process.pid));
    this.drive = join(this.own, 'RPI-RP2');
    this.nextLook = 0;
    process.on('exit', () => rmSync(this.own, { recursive: true, force: true }));
    process.on('SIGTERM', () => process.exit());
    process.on('SIGUSR1', () => this.press());
  }

  attach(machine) {
    const { chip } = machine;
    this.machine = machine;
    const rom = new DataView(chip.bootrom.buffer);
    const halves = (at, values) => values.forEach((value, i) => rom.setUint16(at + 2 * i, value, true));
    halves(MAGIC, ['M'.charCodeAt() | 'u'.charCodeAt() << 8, 0x0301]);
    halves(TABLE_POINTER, [TABLE]);
    halves(LOOKUP_POINTER, [LOOKUP | 1]);
    halves(LOOKUP, LOOKUP_CODE);
    halves(RESET_TO_USB_BOOT, [0xbe00 | ENTER, 0xe7fe]);
    halves(TABLE, ['U'.charCodeAt() | 'B'.charCodeAt() << 8, RESET_TO_USB_BOOT | 1, 0]);
    chip.onBreak = (number) => { if (number === ENTER) this.enter(); };
  }

  press() {
    this.leave();
    this.machine.pressRun();
  }

  enter() {
    this.machine.inBootloader = true;
    this.machine.chip.core.waiting = true;
    this.machine.note({ bootloader: true });
    mkdirSync(this.drive, { recursive: true });
    for (const [name, text] of Object.entries(FILES)) writeFileSync(join(this.drive, name), text);
  }

  leave() {
    this.machine.inBootloader = false;
    rmSync(this.own, { recursive: true, force: true });
  }

  turn() {
    if (!this.machine.inBootloader || Date.now() < this.nextLook) return;
    this.nextLook = Date.now() + LOOK_MS;
    for (const name of readdirSync(this.drive)) {
      if (name.toLowerCase().endsWith('.uf2') && this.write(readFileSync(join(this.drive, name)))) {
        this.leave();
        if (bootable(this.machine.flash)) this.machine.restartByRom();
        else this.enter(); // as after power-on with a second stage that is none
        return;
      }
    }
  }

  // Writes a file that has all of its blocks. The ROM ignores blocks of other families.
  write(file) {
    const view = new DataView(file.buffer, file.byteOffset, file.length);
    const blocks = new Map();
    let count = 0;
    for (let at = 0; at + BLOCK <= file.length; at += BLOCK) {
      const word = (offset) => view.getUint32(at + offset, true);
      if (MAGICS.some(([offset, value]) => word(offset) !== value)) continue;
      const target = word(12) - FLASH;
      if (target < 0 || target % PAYLOAD || target + PAYLOAD > this.machine.flash.length) continue;
      count = word(24);
      blocks.set(word(20), [target, file.subarray(at + 32, at + 32 + PAYLOAD)]);
    }
    if (!count || blocks.size < count) return false;
    for (const [target] of blocks.values()) {
      const sector = target - target % SECTOR;
      this.machine.flash.fill(0xff, sector, sector + SECTOR);
    }
    for (const [target, bytes] of blocks.values()) this.machine.flash.set(bytes, target);
    return true;
  }
}
