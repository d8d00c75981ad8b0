// Electrodes at the inputs of the converter: they play a file of codes.
//
//   {file, inputs: [of each channel], period_us: [numerator, denominator], zero: code}
//
// The file has a code of 16 bits for each channel, frame by frame. It starts with the first conversion and
// goes on in the chip's time, a frame every period: a conversion that the chip omits is missed. Before
// and after it the electrodes give `zero`. While it plays, the chip does not wait for the wall clock.
// The journal has the frame with which the
// converter starts, after a reset or a pause: {electrodes: 'start', frame}.
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';

const CONVERSION_NANOS = 2000; // 96 cycles of 48 MHz: 4.9.2

export class Electrodes {
  constructor({ file, inputs, period_us: [numerator, denominator], zero }, folder) {
    const bytes = readFileSync(resolve(folder, file));
    this.codes = new Uint16Array(bytes.buffer, bytes.byteOffset, bytes.length / 2);
    this.frames = this.codes.length / inputs.length;
    this.channel = new Map(inputs.map((input, channel) => [input, channel]));
    this.channels = inputs.length;
    this.framesPerNano = denominator / numerator / 1000;
    this.zero = zero;
    this.start = null;
    this.frame = 0;
    this.pauseNanos = 1.5e3 * numerator / denominator / inputs.length;
    this.busy = true;
  }

  attach(machine) {
    const { adc } = machine.chip;
    this.machine = machine;
    this.last = -Infinity;
    adc.onADCRead = (input) => {
      adc.currentChannel = input;
      adc.channelValues[input] = this.code(input);
      adc.sampleAlarm.schedule(CONVERSION_NANOS);
    };
  }

  code(input) {
    const { nanos } = this.machine;
    this.start ??= nanos;
    if (nanos - this.last > this.pauseNanos) { // the phase of the converter is a new one
      this.anchorNanos = nanos;
      this.anchorFrame = Math.round((nanos - this.start) * this.framesPerNano);
      this.machine.note({ electrodes: 'start', frame: this.anchorFrame });
    }
    this.last = nanos;
    const channel = this.channel.get(input);
    if (channel === undefined) return this.zero;
    if (channel === 0) { // the others of a frame are held, though they are converted later
      const passed = Math.round((nanos - this.anchorNanos) * this.framesPerNano);
      this.frame = this.anchorFrame + passed;
    }
    if (this.frame < this.frames) return this.codes[this.frame * this.channels + channel];
    if (this.busy) this.machine.note({ electrodes: 'end', frames: this.frames });
    this.busy = false;
    return this.zero;
  }
}
