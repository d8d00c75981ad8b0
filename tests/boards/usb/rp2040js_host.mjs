// The USB host of rp2040js, another one than the emulator's own, with the probe: asks it for its letter 'y'.
//
//   node rp2040js_host.mjs FOLDER-OF-RP2040JS FOLDER-OF-THE-EMULATOR IMAGE.elf
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const [library, emulator, image] = process.argv.slice(2);
const rp2040js = await import(pathToFileURL(join(library, 'dist', 'esm', 'index.js')));
const { Machine } = await import(pathToFileURL(join(emulator, 'machine.mjs')));

const got = [];
const host = {
  attach({ chip }) {
    const port = new rp2040js.USBCDC(chip.usbCtrl);
    port.onDeviceConnected = () => port.sendSerialByte('y'.charCodeAt());
    port.onSerialData = (bytes) => got.push(...bytes);
  },
};
const machine = new Machine(rp2040js, readFileSync(image), [host]);
machine.powerOn();
for (let turn = 0; turn < 1000 && got.length < 4; turn++) {
  machine.run(100_000);
  machine.sleep(1e6);
}
console.log(Buffer.from(got).toString('hex'));
