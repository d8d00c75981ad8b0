// The chip, its boot and its resets.
//
// It boots as the chip's ROM does: the first 256 bytes of flash are checked against their CRC, copied
// into RAM and called. rp2040js (MIT, Uri Shaked) models the chip; resets, which it does not model, are
// implemented here.
import { correct } from './corrections.mjs';
import { FlashChip } from './flash_chip.mjs';

const FLASH = 0x10000000, RAM = 0x20000000;
const BOOT2_BYTES = 256, BOOT2_RAM = 0x20041f00;
const WATCHDOG = 0x40058, TIMER_REASON = 1;
const PPB_AIRCR = 0xd0c, SYSRESETREQ = 1 << 2, PPB_CFSR = 0xd28;
const HAD_POR = 1 << 8, HAD_RUN = 1 << 16;

export const NANOS_PER_CYCLE = 8; // 125 MHz

function load(flash, elf) {
  const view = new DataView(elf.buffer, elf.byteOffset, elf.length);
  const offset = view.getUint32(28, true), count = view.getUint16(44, true);
  for (let i = 0; i < count; i++) {
    const at = offset + i * view.getUint16(42, true);
    const [type, from, , address, bytes] = [0, 4, 8, 12, 16].map((o) => view.getUint32(at + o, true));
    if (type === 1 && bytes) flash.set(elf.subarray(from, from + bytes), address - FLASH);
  }
}

function crc(bytes) {
  let value = 0xffffffff;
  for (const byte of bytes) {
    value ^= byte << 24;
    for (let i = 0; i < 8; i++) value = (value << 1) ^ (value < 0 ? 0x04c11db7 : 0);
  }
  return value >>> 0;
}

// Whether the boot ROM accepts the second stage in flash.
export function bootable(flash) {
  const expected = new DataView(flash.buffer).getUint32(BOOT2_BYTES - 4, true);
  return crc(flash.subarray(0, BOOT2_BYTES - 4)) === expected;
}

// What is connected to the chip is a part: `attach(machine)` connects it to a chip that has just
// been made, `turn()` exchanges with the world between turns, `busy` says that the chip may not
// wait for the wall clock. turn and busy are optional.
export class Machine {
  constructor({ RP2040, LogLevel, ConsoleLogger }, elf, parts, quadEnable) {
    this.make = (clock) => {
      const chip = new RP2040(clock);
      chip.logger = new ConsoleLogger(LogLevel.Error, false);
      return chip;
    };
    this.parts = [new FlashChip(quadEnable), ...parts];
    this.flash = new Uint8Array(16 << 20).fill(0xff);
    load(this.flash, elf);
    if (!bootable(this.flash)) {
      throw new Error('the boot ROM refuses the second stage: its CRC is wrong');
    }
    this.chip = null;
    this.note = () => {}; // a journal replaces it
    this.pendingReset = null;
    this.inBootloader = false; // the image does not run
  }

  // Nanoseconds since power-on: resets do not stop the clock.
  get nanos() {
    return this.chip.clock.nanos;
  }

  powerOn() {
    this.replaceChip(0, new Uint32Array(8));
    this.boot();
  }

  // The supply dips: the brown-out detector resets all of the chip, RAM keeps its content.
  dip() {
    this.pendingReset ??= () => {
      this.note({ reset: 'brownout' });
      this.replaceChip(0, new Uint32Array(8));
    };
  }

  // The button at the pin RUN.
  pressRun() {
    this.pendingReset ??= () => {
      this.note({ reset: 'run' });
      this.replaceChip(0, new Uint32Array(8), HAD_RUN);
    };
  }

  // The boot ROM restarts by the watchdog, with its own words for it.
  restartByRom() {
    this.pendingReset ??= () => {
      this.note({ reset: 'rom' });
      this.replaceChip(TIMER_REASON, new Uint32Array(8));
    };
  }

  // 2.13.2 and 4.7.2: with PSM.WDSEL as the port sets it, the watchdog resets everything but its own words.
  timeOut() {
    this.pendingReset ??= () => {
      this.note({ reset: 'watchdog' });
      this.replaceChip(TIMER_REASON, this.chip.peripherals[WATCHDOG].scratchData);
    };
  }

  // SYSRESETREQ resets the core only: DMA, PWM and all other blocks run on.
  resetCore() {
    this.pendingReset ??= () => {
      this.note({ reset: 'core' });
      const { chip } = this;
      chip.core = new chip.core.constructor(chip);
      chip.ppb.reset();
      this.watchCalls(this.onCall);
    };
  }

  // A new chip with the RAM and the time of the one before.
  replaceChip(reason, scratch, supplyFlags = HAD_POR) {
    const before = this.chip;
    if (before) before.clock.nextAlarm = null; // no block of the old chip acts any more
    const chip = this.chip = this.make(before?.clock);
    chip.flash.set(this.flash);
    if (before) chip.sram.set(before.sram);
    correct(chip, supplyFlags);
    const watchdog = chip.peripherals[WATCHDOG];
    watchdog.reason = reason;
    watchdog.scratchData.set(scratch);
    watchdog.onWatchdogTrigger = () => {
      watchdog.timer.enable = false; // its alarm would come again at the same time, for ever
      this.timeOut();
    };
    const write = chip.ppb.writeUint32.bind(chip.ppb), read = chip.ppb.readUint32.bind(chip.ppb);
    chip.ppb.writeUint32 = (at, value) => {
      if (at !== PPB_AIRCR) write(at, value);
      else if (value & SYSRESETREQ) this.resetCore();
    };
    // Armv6-M has no fault status; it reads as zero.
    chip.ppb.readUint32 = (at) => (at === PPB_CFSR || at === PPB_AIRCR ? 0 : read(at));
    for (const part of this.parts) part.attach(this);
  }

  boot() {
    const { chip } = this;
    chip.sram.set(this.flash.subarray(0, BOOT2_BYTES), BOOT2_RAM - RAM);
    chip.core.LR = 0;
    chip.core.PC = BOOT2_RAM;
  }

  // Calls `callback(address, first argument, second argument)` for every call of a function.
  watchCalls(callback) {
    this.onCall = callback;
    if (callback) {
      this.chip.core.blTaken = ({ PC, registers }) => callback(PC, registers[0], registers[1]);
    }
  }

  // An interrupt that is pending ends a sleep though it is masked, and though it was pending before.
  get awake() {
    if (this.inBootloader) return false;
    const { core } = this.chip;
    const pending = core.pendingInterrupts & core.enabledInterrupts || core.pendingSystick;
    if (core.waiting && pending) {
      core.waiting = false;
      core.interruptsUpdated = true;
    }
    return !core.waiting;
  }

  // Runs until the CPU sleeps, for at most `most` instructions.
  run(most) {
    if (this.pendingReset) {
      this.pendingReset();
      this.pendingReset = null;
      this.boot();
    }
    const { core, clock } = this.chip;
    for (let i = 0; i < most && !this.pendingReset; i++) {
      if (core.waiting && !this.awake) break;
      // As clock.tick does, without a call for each instruction.
      clock.nanosCounter += core.executeInstruction() * NANOS_PER_CYCLE;
      if (clock.nextAlarm && clock.nextAlarm.nanos <= clock.nanosCounter) clock.tick(0);
    }
  }

  // Lets a sleeping CPU wait until something happens, for at most `nanos`.
  sleep(nanos) {
    const { clock } = this.chip;
    const end = clock.nanos + nanos;
    while (clock.nanos < end && !this.awake && !this.pendingReset) {
      const next = clock.nextAlarm ? clock.nextAlarm.nanos : end;
      clock.tick(Math.min(Math.max(next, clock.nanos), end) - clock.nanos);
    }
  }
}
