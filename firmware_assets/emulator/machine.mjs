// The chip, its boot and its resets.
//
// It boots as the chip's ROM does: the first 256 bytes of flash are checked against their CRC, copied
// into RAM and called. rp2040js (MIT, Uri Shaked) models the chip; resets by SYSRESETREQ and by the
// watchdog, which it does not model, are implemented here.
const FLASH = 0x10000000, RAM = 0x20000000;
const BOOT2_BYTES = 256, BOOT2_RAM = 0x20041f00;
const WATCHDOG = 0x40058, TIMER_REASON = 1;
const PPB_AIRCR = 0xd0c, SYSRESETREQ = 1 << 2, PPB_CFSR = 0xd28;

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

// What is connected to the chip is a part: `attach(machine)` connects it to a chip that has just
// been reset, `turn()` exchanges with the world between turns, `busy` says that the chip may not
// wait for the wall clock. turn and busy are optional.
export class Machine {
  constructor({ RP2040, LogLevel, ConsoleLogger }, elf, parts) {
    this.make = (clock) => {
      const chip = new RP2040(clock);
      chip.logger = new ConsoleLogger(LogLevel.Error, false);
      return chip;
    };
    this.parts = parts;
    this.flash = new Uint8Array(16 << 20).fill(0xff);
    load(this.flash, elf);
    const expected = new DataView(this.flash.buffer).getUint32(BOOT2_BYTES - 4, true);
    if (crc(this.flash.subarray(0, BOOT2_BYTES - 4)) !== expected) {
      throw new Error('the boot ROM refuses the second stage: its CRC is wrong');
    }
    this.chip = null;
    this.reason = 0;
  }

  // Nanoseconds since power-on: resets do not stop the clock.
  get nanos() {
    return this.chip.clock.nanos;
  }

  reset() {
    const before = this.chip;
    if (before) before.clock.nextAlarm = null; // no peripheral of the old chip acts any more
    const chip = this.chip = this.make(before?.clock);
    chip.flash.set(this.flash);
    if (before) chip.sram.set(before.sram); // RAM survives a reset
    this.resetWanted = false;
    const watchdog = chip.peripherals[WATCHDOG];
    watchdog.reason = this.reason;
    this.reason = 0;
    watchdog.onWatchdogTrigger = () => { this.reason = TIMER_REASON; this.resetWanted = true; };
    const write = chip.ppb.writeUint32.bind(chip.ppb), read = chip.ppb.readUint32.bind(chip.ppb);
    chip.ppb.writeUint32 = (at, value) => {
      if (at === PPB_AIRCR) this.resetWanted ||= Boolean(value & SYSRESETREQ);
      else write(at, value);
    };
    // Armv6-M has no fault status; it reads as zero.
    chip.ppb.readUint32 = (at) => (at === PPB_CFSR || at === PPB_AIRCR ? 0 : read(at));
    chip.sram.set(this.flash.subarray(0, BOOT2_BYTES), BOOT2_RAM - RAM);
    chip.core.LR = 0;
    chip.core.PC = BOOT2_RAM;
    for (const part of this.parts) part.attach(this);
  }

  // An interrupt that is pending ends a sleep though it is masked, and though it was pending before.
  get awake() {
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
    if (this.resetWanted) this.reset();
    const { core, clock } = this.chip;
    for (let i = 0; i < most && this.awake && !this.resetWanted; i++) {
      clock.tick(core.executeInstruction() * NANOS_PER_CYCLE);
    }
  }

  // Lets a sleeping CPU wait until something happens, for at most `nanos`.
  sleep(nanos) {
    const { clock } = this.chip;
    const end = clock.nanos + nanos;
    while (clock.nanos < end && !this.awake && !this.resetWanted) {
      const next = clock.nextAlarm ? clock.nextAlarm.nanos : end;
      clock.tick(Math.min(Math.max(next, clock.nanos), end) - clock.nanos);
    }
  }
}
