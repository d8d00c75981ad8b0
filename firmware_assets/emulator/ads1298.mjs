// An ADS1298 or ADS1299 on SPI, alone or two in a daisy chain, that plays a file of codes.
//
//   {file, chip: 'ads1298', chips: 1, spi: 0, pins: {select, ready}, gain, reference_4_volt,
//    ppm: 0, events: [{time_us, kind, positive, negative}]}
//
// The file has a code of 32 bits for each channel of each converter, frame by frame; it is right for `gain` and
// the reference only, and the program must set them. It starts with the first conversion and goes on in the
// converter's time, whose clock is off by `ppm`. While it plays, the chip does not wait for the wall clock.
// Events: 'leads' takes electrodes off, by bit masks; 'unplug' and 'plug' remove the converter and its
// supply, and bring it back.
//
// Source: SBAS459K and SBAS499C, chapters 7.6, 9.3.2, 9.4, 9.5, 9.6 and 11.1.
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';

const T_CLK = 1e9 / 2.048e6;
const CHANNELS = 8, FRAME_BITS = 24 * (1 + CHANNELS), FRAME_BYTES = FRAME_BITS / 8;
const POWER_ON_CLOCKS = 1 << 18, DECODE_CLOCKS = 4, SELECT_CLOCKS = 2;
const ID = 0, CONFIG1 = 1, CONFIG3 = 3, LOFF = 4, CH1SET = 5, LOFF_SENSP = 0x0f, LOFF_SENSN = 0x10;
const LOFF_STATP = 0x12, LOFF_STATN = 0x13, GPIO = 0x14, CONFIG4 = 0x17, REGISTERS = 0x1a;
const READ_ONLY = [ID, LOFF_STATP, LOFF_STATN];
const RESET = 0x06, START = 0x08, STOP = 0x0a, RDATAC = 0x10, SDATAC = 0x11, RREG = 0x20, WREG = 0x40;
const LOW = 0; // GPIOPinState

const KINDS = {
  ads1298: {
    reset: { [ID]: 0x92, [CONFIG1]: 0x06, 2: 0x40, [CONFIG3]: 0x40, [GPIO]: 0x0f },
    gains: [6, 1, 2, 3, 4, 8, 12],
    clocks: (config1) => (config1 & 0x80 ? 64 : 128) << (config1 & 7),
    senses: (registers) => registers[LOFF] & 1,
  },
  ads1299: {
    reset: {
      [ID]: 0x3e, [CONFIG1]: 0x96, 2: 0xc0, [CONFIG3]: 0x60, [GPIO]: 0x0f,
      ...Object.fromEntries([...Array(CHANNELS)].map((_, channel) => [CH1SET + channel, 0x61])),
    },
    gains: [1, 2, 4, 6, 8, 12, 24],
    clocks: (config1) => 128 << (config1 & 7),
    senses: () => true,
  },
};

// What one converter of the chain knows.
class Converter {
  constructor(kind) {
    this.kind = kind;
    this.reset();
  }

  reset() {
    this.registers = new Uint8Array(REGISTERS);
    for (const [address, value] of Object.entries(this.kind.reset)) this.registers[address] = value;
    this.continuous = true; // after power-on and reset
    this.converting = false;
    this.frame = new Uint8Array(FRAME_BYTES);
    this.select();
  }

  select() {
    Object.assign(this, { opcode: 0, left: 0, address: 0, reading: false, writing: false });
  }

  convert(codes, positive, negative) {
    const { registers, frame } = this;
    const senses = registers[CONFIG4] & 2 && this.kind.senses(registers);
    registers[LOFF_STATP] = senses ? positive & registers[LOFF_SENSP] : 0;
    registers[LOFF_STATN] = senses ? negative & registers[LOFF_SENSN] : 0;
    const status = 0xc00000 | registers[LOFF_STATP] << 12 | registers[LOFF_STATN] << 4 |
      registers[GPIO] >> 4;
    const words = [status, ...codes.map((code, i) => (registers[CH1SET + i] & 0x80 ? 0 : code))];
    words.forEach((word, i) => {
      for (let byte = 0; byte < 3; byte++) frame[3 * i + byte] = word >> (16 - 8 * byte);
    });
  }

  // Decodes a byte; returns the register that is read, or null.
  take(byte) {
    const answer = this.reading ? this.registers[this.address++ % REGISTERS] : null;
    if (this.writing) {
      const address = this.address++ % REGISTERS;
      if (!READ_ONLY.includes(address)) this.registers[address] = byte;
      this.restarts = address === CONFIG1; // the digital filter
      this.writing = --this.left > 0;
    } else if (this.reading) {
      this.reading = --this.left > 0;
    } else if (this.opcode) {
      this.address = this.opcode & 0x1f;
      this.left = (byte & 0x1f) + 1;
      this.reading = (this.opcode & 0xe0) === RREG;
      this.writing = !this.reading;
      this.opcode = 0;
    } else if (byte === RESET) {
      this.reset();
    } else if (byte === START) {
      this.converting = this.restarts = true;
    } else if (byte === STOP) {
      this.converting = false;
    } else if (byte === RDATAC || byte === SDATAC) {
      this.continuous = byte === RDATAC;
    } else if ([RREG, WREG].includes(byte & 0xe0) && !this.continuous) {
      this.opcode = byte;
    }
    return answer;
  }
}

export class Ads1298 {
  constructor(settings, folder) {
    const { file, chip = 'ads1298', chips = 1, ppm = 0, events = [] } = settings;
    const bytes = readFileSync(resolve(folder, file));
    this.settings = settings;
    this.kind = KINDS[chip];
    this.codes = new Int32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));
    this.width = CHANNELS * chips;
    this.frames = this.codes.length / this.width;
    this.clock_nanos = T_CLK * (1 + ppm * 1e-6);
    this.events = [...events].sort((a, b) => a.time_us - b.time_us);
    this.converters = [...Array(chips)].map(() => new Converter(this.kind));
    Object.assign(this, {
      plugged: true, powered: 0, positive: 0, negative: 0, selected: false, count: 0,
      nextEdge: null, first: null, lastByte: -Infinity, deselected: -Infinity, busy: true,
    });
  }

  attach(machine) {
    const { chip } = machine, { pins, spi: index = 0 } = this.settings;
    this.machine = machine;
    this.spi = chip.spi[index];
    this.ready = chip.gpio[pins.ready];
    this.byteAlarm = chip.clock.createAlarm(() => this.exchange());
    this.edgeAlarm = chip.clock.createAlarm(() => this.convert());
    this.powerAlarm = chip.clock.createAlarm(() => this.powerUp());
    this.eventAlarm = chip.clock.createAlarm(() => this.happen());
    this.spi.onTransmit = (byte) => {
      this.byte = byte;
      this.byteAlarm.schedule(8e9 / this.spi.clockFrequency);
    };
    chip.gpio[pins.select].addListener((value) => this.select(value === LOW));
    this.selected = false;
    this.setReady(true);
    if (this.powered !== null) this.at(this.powerAlarm, this.powered);
    if (this.nextEdge !== null) this.at(this.edgeAlarm, this.nextEdge);
    this.scheduleEvent();
  }

  at(alarm, nanos) {
    alarm.schedule(Math.max(nanos - this.machine.nanos, 0));
  }

  setReady(level) {
    this.readyLevel = level;
    this.ready.setInputValue(level);
  }

  // A time that is too short for the converter is the program's fault.
  check(nanos, clocks, name) {
    if (this.machine.nanos - nanos < clocks * this.clock_nanos - 1) this.fail(`${name} is too short`);
  }

  fail(reason) {
    console.error(`ads1298: ${reason}`);
    process.exit(1);
  }

  // The end of the power-on reset; what was written before is gone.
  powerUp() {
    this.powered = null;
    for (const converter of this.converters) converter.reset();
  }

  select(selected) {
    if (selected === this.selected) return;
    this.selected = selected;
    if (selected) {
      this.check(this.deselected, SELECT_CLOCKS, 't_CSH');
      this.count = 0;
      for (const converter of this.converters) converter.select();
    } else {
      this.check(this.lastByte, DECODE_CLOCKS, 't_SCCS');
      this.deselected = this.machine.nanos;
    }
  }

  exchange() {
    const { byte, machine, spi } = this;
    if (!this.plugged || !this.selected) {
      spi.completeTransmit(0xff); // pulled up
      return;
    }
    if (spi.spiMode !== 1 || spi.dataBits !== 8) this.fail('SPI is not in mode 1 of 8 bits');
    if (byte) this.check(this.lastByte, DECODE_CLOCKS, 't_SDECODE');
    this.lastByte = machine.nanos;
    let out = this.converters[0].continuous ? this.data(8 * this.count) : 0;
    this.converters.forEach((converter, i) => {
      const answer = converter.take(byte);
      if (i === 0 && answer !== null) out = answer;
      if (converter.restarts) {
        converter.restarts = false;
        if (i === 0 && converter.converting) this.start(byte === START);
      }
    });
    if (!this.converters[0].converting) this.stop();
    this.count++;
    if (!this.readyLevel) this.setReady(true); // 9.5.1: at the first falling edge of SCLK
    spi.completeTransmit(out);
  }

  // Eight bits of the chain's data: the first converter's, one that is undefined, the second one's.
  data(first) {
    const chained = !(this.converters[0].registers[CONFIG1] & 0x40);
    let byte = 0;
    for (let bit = first; bit < first + 8; bit++) {
      let value = 1;
      if (bit < FRAME_BITS || !chained) value = this.bit(0, bit % FRAME_BITS);
      else if (bit > FRAME_BITS && bit <= 2 * FRAME_BITS && this.converters.length > 1) {
        value = this.bit(1, bit - FRAME_BITS - 1);
      }
      byte = byte << 1 | value;
    }
    return byte;
  }

  bit(converter, bit) {
    return this.converters[converter].frame[bit >> 3] >> (7 - (bit & 7)) & 1;
  }

  get period() {
    return this.kind.clocks(this.converters[0].registers[CONFIG1]) * this.clock_nanos;
  }

  start(byCommand) {
    if (byCommand) this.checkSettings();
    // 9.3.2, Settling time: 4.5 periods and 8 t_CLK
    this.nextEdge = this.machine.nanos + 4.5 * this.period + 8 * this.clock_nanos;
    this.at(this.edgeAlarm, this.nextEdge);
  }

  stop() {
    this.nextEdge = null;
    this.edgeAlarm.cancel();
  }

  // The codes are those of one gain and one reference.
  checkSettings() {
    const { gain, reference_4_volt: fourVolt = false, chip = 'ads1298' } = this.settings;
    for (const { registers } of this.converters) {
      if (chip === 'ads1298' && Boolean(registers[CONFIG3] & 0x20) !== fourVolt) {
        this.fail('the codes to play are those of another reference');
      }
      for (let channel = 0; channel < CHANNELS; channel++) {
        const value = registers[CH1SET + channel];
        if (!(value & 0x80) && (value & 7 || this.kind.gains[value >> 4] !== gain)) {
          this.fail(`channel ${channel} is not set up for a gain of ${gain}`);
        }
      }
    }
    this.machine.note?.({ ads1298: 'start', registers: [...this.converters[0].registers] });
  }

  convert() {
    const { machine, width } = this;
    this.first ??= this.nextEdge;
    const frame = Math.round((this.nextEdge - this.first) / this.period);
    if (frame >= this.frames && this.busy) {
      this.busy = false;
      machine.note?.({ ads1298: 'end', frames: this.frames });
    }
    const codes = frame < this.frames
      ? this.codes.subarray(frame * width, (frame + 1) * width) : new Int32Array(width);
    this.converters.forEach((converter, i) => converter.convert(
      [...codes.subarray(CHANNELS * i, CHANNELS * (i + 1))],
      this.positive >> CHANNELS * i, this.negative >> CHANNELS * i,
    ));
    if (!this.readyLevel) this.setReady(true); // nobody has read
    this.setReady(false);
    this.nextEdge += this.period;
    this.at(this.edgeAlarm, this.nextEdge);
  }

  scheduleEvent() {
    const [next] = this.events;
    if (next) this.at(this.eventAlarm, next.time_us * 1000);
  }

  happen() {
    const { kind, positive = 0, negative = 0 } = this.events.shift();
    if (kind === 'leads') {
      Object.assign(this, { positive, negative });
    } else if (kind === 'unplug') {
      this.plugged = false;
      this.stop();
      this.setReady(true);
    } else if (kind === 'plug') {
      this.plugged = true;
      for (const converter of this.converters) converter.reset();
      this.powered = this.machine.nanos + POWER_ON_CLOCKS * this.clock_nanos;
      this.at(this.powerAlarm, this.powered);
    } else {
      this.fail(`no event ${kind}`);
    }
    this.machine.note?.({ ads1298: kind, positive, negative });
    this.scheduleEvent();
  }
}
