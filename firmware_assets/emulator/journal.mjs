// What the pins and the program do, as lines of JSON in a file. Every line has `time_us`, the time since
// power-on; time goes on through resets.
//
//   {file, pulses: [pins], levels: [pins], calls: {name: address}}
//
// A pulse is reported at its end, with the time of its start: {pin, pulse_us}. A level: {pin, level}. A call of
// the function at an address: {call: name, arguments: [first two]}. A reset: {reset: cause}.
import { appendFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';

export class Journal {
  constructor({ file, pulses = [], levels = [], calls = {} }, folder) {
    Object.assign(this, { pulses, levels, lines: [], file: resolve(folder, file) });
    this.calls = new Map(Object.entries(calls).map(([name, address]) => [address & ~1, name]));
    writeFileSync(this.file, '');
  }

  write(nanos, record) {
    this.lines.push(`${JSON.stringify({ time_us: nanos / 1000, ...record })}\n`);
  }

  attach(machine) {
    const { chip } = machine;
    machine.note = (record) => this.write(machine.nanos, record);
    for (const pin of this.pulses) {
      let start = null;
      chip.gpio[pin].addListener((value) => {
        if (value === 1) start = machine.nanos;
        else if (start !== null) {
          this.write(start, { pin, pulse_us: (machine.nanos - start) / 1000 });
          start = null;
        }
      });
    }
    for (const pin of this.levels) {
      chip.gpio[pin].addListener((value) => machine.note({ pin, level: value === 1 ? 1 : 0 }));
    }
    machine.watchCalls((address, first, second) => {
      const call = this.calls.get(address);
      if (call) machine.note({ call, arguments: [first, second] });
    });
  }

  turn() {
    if (this.lines.length) appendFileSync(this.file, this.lines.join(''));
    this.lines.length = 0;
  }
}
