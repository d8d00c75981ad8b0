// An RP2040 that runs an image from flash, with what is connected to its pins.
//
//   node rp2040.mjs FOLDER-OF-RP2040JS IMAGE.elf [SETTINGS.json]
//
// Prints "port N" once its UART0, or its USB with the setting "link": "usb", is at that TCP port of this
// machine. The setting "flash" is bit QE of its flash (flash_chip.mjs). Each other key of the settings connects
// a part (PARTS below). While the CPU works, it takes the time it needs; while it sleeps, its clock keeps
// pace with this machine's, or runs ahead to the next event if a part plays a signal.
import { readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Ads1298 } from './ads1298.mjs';
import { BootRom } from './boot_rom.mjs';
import { Electrodes } from './electrodes.mjs';
import { Faults } from './faults.mjs';
import { Journal } from './journal.mjs';
import { Machine } from './machine.mjs';
import { SerialLink } from './serial_link.mjs';
import { UsbHost } from './usb_host.mjs';

// By key of the settings: makes a part of the key's value, and the folder that its paths are in.
const PARTS = {
  journal: (value, place) => new Journal(value, place),
  electrodes: (value, place) => new Electrodes(value, place),
  ads1298: (value, place) => new Ads1298(value, place),
  faults: (value) => new Faults(value),
  drives: (value) => new BootRom(value),
};

const TURN = 200_000; // instructions between looks at the world

const [folder, image, settingsFile] = process.argv.slice(2);
const rp2040js = await import(pathToFileURL(join(folder, 'dist', 'esm', 'index.js')));

let link, parts, machine;
try {
  const settings = settingsFile ? JSON.parse(readFileSync(settingsFile)) : {};
  const place = settingsFile ? dirname(resolve(settingsFile)) : '';
  const { link: kind = 'uart', flash, ...others } = settings;
  link = kind === 'usb' ? new UsbHost() : new SerialLink();
  parts = [link];
  for (const [key, value] of Object.entries(others)) {
    if (!PARTS[key]) throw new Error(`${settingsFile}: no part ${key}`);
    parts.push(PARTS[key](value, place));
  }
  machine = new Machine(rp2040js, readFileSync(image), parts, flash);
} catch (error) {
  console.error(error.message);
  process.exit(1);
}

let last = process.hrtime.bigint();
function turn() {
  machine.run(TURN);
  const now = process.hrtime.bigint();
  const busy = parts.some((part) => part.busy);
  machine.sleep(busy ? Infinity : Number(now - last));
  last = now;
  for (const part of parts) part.turn?.();
  if (busy || machine.awake || machine.pendingReset) setImmediate(turn);
  else setTimeout(turn, 1);
}

link.listen(() => {
  machine.powerOn();
  turn();
});
