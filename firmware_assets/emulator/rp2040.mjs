// An RP2040 that runs an image from flash, with what is connected to its pins.
//
//   node rp2040.mjs FOLDER-OF-RP2040JS IMAGE.elf [SETTINGS.json]
//
// Prints "port N" once its UART0 is at that TCP port of this machine. Each key of the settings connects
// a part (PARTS below). While the CPU works, it takes the time it needs; while it sleeps, its clock
// keeps pace with this machine's, or runs ahead to the next event if a part plays a signal.
import { readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Machine } from './machine.mjs';
import { SerialLink } from './serial_link.mjs';

// By key of the settings: makes a part of the key's value, and the folder that its paths are in.
const PARTS = {};

const TURN = 200_000; // instructions between looks at the world

const [folder, image, settingsFile] = process.argv.slice(2);
const rp2040js = await import(pathToFileURL(join(folder, 'dist', 'esm', 'index.js')));

const link = new SerialLink();
const parts = [link];
let machine;
try {
  const settings = settingsFile ? JSON.parse(readFileSync(settingsFile)) : {};
  const place = settingsFile ? dirname(resolve(settingsFile)) : '';
  for (const [key, value] of Object.entries(settings)) {
    if (!PARTS[key]) throw new Error(`${settingsFile}: no part ${key}`);
    parts.push(PARTS[key](value, place));
  }
  machine = new Machine(rp2040js, readFileSync(image), parts);
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
  if (busy || machine.awake || machine.resetWanted) setImmediate(turn);
  else setTimeout(turn, 1);
}

link.listen(() => {
  machine.reset();
  turn();
});
