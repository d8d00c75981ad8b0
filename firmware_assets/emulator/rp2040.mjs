// An RP2040 that runs an image from flash, its UART0 at a TCP port of this machine.
//
//   node rp2040.mjs FOLDER-OF-RP2040JS IMAGE.elf
//
// Prints "port N" once it listens. It boots as the chip's ROM does: the first 256 bytes of flash are
// checked against their CRC, copied into RAM and called. rp2040js (MIT, Uri Shaked) models the chip;
// resets by SYSRESETREQ and by the watchdog, which it does not model, are implemented here. While the CPU
// sleeps, its clock keeps pace with this machine's; while it works, it takes the time it needs.
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const [folder, image] = process.argv.slice(2);
const library = join(folder, 'dist', 'esm', 'index.js');
const { RP2040, LogLevel, ConsoleLogger } = await import(pathToFileURL(library));

const FLASH = 0x10000000;
const BOOT2_BYTES = 256, BOOT2_RAM = 0x20041f00;
const NANOS_PER_CYCLE = 8; // 125 MHz
const CYCLES_PER_BYTE = 1356; // of the UART, at 921,600 baud
const TURN = 200_000; // instructions between looks at the line
const PPB_AIRCR = 0xd0c, SYSRESETREQ = 1 << 2, PPB_CFSR = 0xd28;
const TIMER_REASON = 1;

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

const flash = new Uint8Array(16 << 20).fill(0xff);
load(flash, readFileSync(image));
const expected = new DataView(flash.buffer).getUint32(BOOT2_BYTES - 4, true);
if (crc(flash.subarray(0, BOOT2_BYTES - 4)) !== expected) {
  console.error('the boot ROM refuses the second stage: its CRC is wrong');
  process.exit(1);
}

let chip, pending = [], socket = null, resetWanted = false, reason = 0;

function boot() {
  const sram = chip ? chip.sram.slice() : null; // RAM survives a reset
  chip = new RP2040();
  chip.logger = new ConsoleLogger(LogLevel.Error, false);
  chip.flash.set(flash);
  if (sram) chip.sram.set(sram);
  chip.peripherals[0x40058].reason = reason;
  reason = 0;
  chip.peripherals[0x40058].onWatchdogTrigger = () => { reason = TIMER_REASON; resetWanted = true; };
  const write = chip.ppb.writeUint32.bind(chip.ppb), read = chip.ppb.readUint32.bind(chip.ppb);
  chip.ppb.writeUint32 = (at, value) => {
    if (at === PPB_AIRCR) resetWanted ||= Boolean(value & SYSRESETREQ);
    else write(at, value);
  };
  // Armv6-M has no fault status; it reads as zero.
  chip.ppb.readUint32 = (at) => (at === PPB_CFSR || at === PPB_AIRCR ? 0 : read(at));
  chip.uart[0].onByte = (byte) => out.push(byte);
  chip.sram.set(flash.subarray(0, BOOT2_BYTES), BOOT2_RAM - 0x20000000);
  chip.core.LR = 0;
  chip.core.PC = BOOT2_RAM;
}

const out = [];
function flush() {
  if (out.length && socket) socket.write(Uint8Array.from(out));
  out.length = 0;
}

// An interrupt that is pending ends a sleep though it is masked, and though it was pending before.
function awake(core) {
  const pending = core.pendingInterrupts & core.enabledInterrupts || core.pendingSystick;
  if (core.waiting && pending) {
    core.waiting = false;
    core.interruptsUpdated = true;
  }
  return !core.waiting;
}

let last = process.hrtime.bigint(), nextByte = 0;
function turn() {
  if (resetWanted) {
    resetWanted = false;
    boot();
    nextByte = 0;
  }
  const { core, clock, uart } = chip;
  for (let i = 0; i < TURN && awake(core) && !resetWanted; i++) {
    clock.tick(core.executeInstruction() * NANOS_PER_CYCLE);
    if (pending.length && clock.nanos >= nextByte && !uart[0].rxFIFO.full) {
      uart[0].feedByte(pending.shift());
      nextByte = clock.nanos + CYCLES_PER_BYTE * NANOS_PER_CYCLE;
    }
  }
  const now = process.hrtime.bigint();
  if (!awake(core) && !resetWanted) {
    if (pending.length) {
      clock.tick(Math.max(nextByte - clock.nanos, NANOS_PER_CYCLE));
      uart[0].feedByte(pending.shift());
      nextByte = clock.nanos + CYCLES_PER_BYTE * NANOS_PER_CYCLE;
    } else {
      clock.tick(Number(now - last));
    }
  }
  last = now;
  flush();
  if (!awake(core) && !pending.length) setTimeout(turn, 1);
  else setImmediate(turn);
}

const server = createServer((client) => {
  socket?.destroy();
  socket = client;
  client.setNoDelay(true);
  client.on('data', (data) => { for (const byte of data) pending.push(byte); });
  client.on('error', () => {});
  client.on('close', () => { if (socket === client) socket = null; });
});
server.listen(0, '127.0.0.1', () => {
  boot();
  turn();
  console.log(`port ${server.address().port}`);
});
