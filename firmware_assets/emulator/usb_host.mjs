// A host on the chip's own USB; the serial port that it finds there is a TCP port of this machine, which
// it prints: "port N".
//
// It enumerates the device as Linux does, and opens the serial port while a client is connected: it asks for
// packets only then, and as fast as the client reads them. rp2040js models the registers; here is the
// bus: packets wait in DPSRAM until a transaction fetches them, data toggles and STALL count, and there
// are no 800 us of idle bus after a reset, as behind a busy hub (RP2040-E5). What the controller would
// not forgive ends the emulator. RP2040 datasheet, 4.1.
//
// Signals are faults: at SIGHUP the client stops to read, at SIGUSR2 a program opens the port at 1200
// bit/s and closes it.
import { createServer } from 'node:net';

const RESETS = 0x4000c, RESETS_USBCTRL = 1 << 24;
const SIE_CTRL = 0x4c, PULL_UP = 1 << 16;
const SIE_STATUS = 0x50, BUS_RESET = 1 << 19, SETUP_REC = 1 << 17, CONNECTED = 1 << 16;
const LINE_STATE = 3 << 2, LINE_IDLE = 1 << 2;
const SOF_RD = 0x48, INTE = 0x90, DEV_SOF = 1 << 17;
const EP_CONTROL_ENABLE = 1 << 31, EP_CONTROL_BASE = 0xffc0;
const BUFFERS = 0x80, BUFFERS_END = 0x100, EP0_BUFFER = 0x100;
const FULL = 1 << 15, DATA1 = 1 << 13, SEND_STALL = 1 << 11, AVAILABLE = 1 << 10, LENGTH = 0x3ff;
const PACKET_BYTES = 64;

const MS = 1e6;
const DEBOUNCE = 100 * MS, RESET = 12 * MS, RECOVERY = 10 * MS, ADDRESS_RECOVERY = 2 * MS; // 7.1.7, 9.2.6
const FRAME = 1 * MS, PACKET = 0.055 * MS;
const PATIENCE = 500 * MS; // of a control transfer
const NAK = 'NAK', STALL = 'STALL', SILENCE = 'no answer';
const UNREAD_BYTES = 1 << 16; // of a client, at which the host stops asking for packets

const GET_DESCRIPTOR = 6, SET_ADDRESS = 5, SET_CONFIGURATION = 9;
const SET_LINE_CODING = 0x20, SET_CONTROL_LINE_STATE = 0x22, DTR_RTS = 3;
const DEVICE = 1, CONFIGURATION = 2, STRING = 3, ENDPOINT = 5;
const ADDRESS = 5;

export class UsbHost {
  constructor() {
    this.received = []; // buffers that the device has not taken yet
    this.requests = []; // control transfers between packets, as functions that make a generator
    this.socket = null;
    this.number = 0; // of the port; the same after each return of the device
    this.server = createServer((client) => this.open(client));
    this.reads = true; // whether the client takes what the device sends
    process.on('SIGUSR2', () => this.touch());
    process.on('SIGHUP', () => { this.reads = false; });
  }

  listen(started) {
    started();
  }

  attach(machine) {
    const { chip } = machine;
    this.machine = machine;
    this.usb = chip.usbCtrl;
    this.view = chip.usbDPRAMView;
    this.memory = chip.usbDPRAM;
    this.alarm = chip.clock.createAlarm(() => this.step());
    this.frames = chip.clock.createAlarm(() => this.frame());
    this.unplug();
    this.watchRegisters(chip);
  }

  watchRegisters(chip) {
    const { usb } = this;
    const shadow = new Uint32Array((BUFFERS_END - BUFFERS) / 4);
    usb.DPRAMUpdated = (offset, value) => {
      if (offset < BUFFERS || offset >= BUFFERS_END) return;
      const index = (offset - BUFFERS) / 4, before = shadow[index];
      shadow[index] = value;
      if (!(value & AVAILABLE)) return;
      if (this.view.getUint32(offset, true) !== value) throw new Error('the host writes, too');
      if (before !== (value & ~AVAILABLE) >>> 0) {
        this.refuse('a buffer becomes available together with its length or toggle: 4.1.2.5.1');
      }
      this.wake();
    };
    const write = usb.writeUint32.bind(usb), read = usb.readUint32.bind(usb);
    usb.writeUint32 = (offset, value) => {
      const clears = offset === SIE_STATUS && usb.rawWriteValue & BUS_RESET;
      const line = usb.sieStatus & LINE_STATE;
      write(offset, value);
      if (clears) usb.sieStatus = (usb.sieStatus & ~(LINE_STATE | CONNECTED)) | line;
      if (offset === SIE_CTRL) this.plug(Boolean(usb.sieCtrl & PULL_UP));
      if (offset === INTE && usb.intEnable & DEV_SOF) this.frames.schedule(FRAME);
    };
    usb.readUint32 = (offset) => {
      if (offset === SOF_RD) {
        usb.intRaw &= ~DEV_SOF;
        usb.checkInterrupts();
      }
      return read(offset);
    };
    const resets = chip.peripherals[RESETS], reset = resets.writeUint32.bind(resets);
    resets.writeUint32 = (offset, value) => {
      reset(offset, value);
      if (resets.reset & RESETS_USBCTRL) {
        Object.assign(usb, { sieCtrl: 0, sieStatus: 0, buffStatus: 0, intRaw: 0, intEnable: 0, addrEndp: 0 });
        usb.checkInterrupts();
        shadow.fill(0);
        this.plug(false);
      }
    };
  }

  refuse(text) {
    console.error(`USB: ${text}`);
    process.exit(1);
  }

  // The cable, and who holds the other end of the serial port.

  plug(on) {
    if (on === this.plugged) return;
    this.unplug();
    if (on) {
      this.plugged = true;
      this.task = this.session();
      this.step();
    }
  }

  unplug() {
    this.plugged = false;
    this.task = null;
    this.alarm.cancel();
    this.frames.cancel();
    this.socket?.destroy();
    this.server.close();
    this.received.length = this.requests.length = 0;
  }

  open(client) {
    this.socket?.destroy();
    this.socket = client;
    this.reads = true;
    client.setNoDelay(true);
    client.on('data', (data) => { this.received.push(data); this.wake(); });
    client.on('drain', () => this.wake());
    client.on('error', () => {});
    client.on('close', () => {
      if (this.socket !== client) return;
      this.socket = null;
      this.received.length = 0;
      this.request(0);
    });
    this.request(DTR_RTS);
  }

  request(lines, rate = 921600) {
    const coding = new Uint8Array([0, 0, 0, 0, 0, 0, 8]);
    new DataView(coding.buffer).setUint32(0, rate, true);
    this.requests.push(function* () {
      yield* this.control(0x21, SET_LINE_CODING, 0, 0, coding);
      yield* this.control(0x21, SET_CONTROL_LINE_STATE, lines, 0, new Uint8Array());
    }.bind(this));
    this.wake();
  }

  // Asks for the boot loader, by custom.
  touch() {
    this.request(DTR_RTS, 1200);
    this.request(0, 1200);
  }

  get busy() {
    return this.received.length > 0 || Boolean(this.task && !this.configured);
  }

  turn() {
    if (this.machine.inBootloader) this.plug(false);
  }

  // What the host does is a generator, which yields the nanoseconds until its next step, Infinity to wait
  // for an event.

  step() {
    const { value, done } = this.task.next();
    this.waits = value === Infinity;
    if (!done && !this.waits) this.alarm.schedule(value);
  }

  wake() {
    if (this.task && this.waits) {
      this.waits = false;
      this.alarm.schedule(PACKET);
    }
  }

  frame() {
    const { usb } = this;
    if (!(usb.intEnable & DEV_SOF) || !this.plugged) return;
    usb.sofFrameNumber = (usb.sofFrameNumber + 1) & 0x7ff;
    usb.intRaw |= DEV_SOF;
    usb.checkInterrupts();
    this.frames.schedule(FRAME);
  }

  * session() {
    this.configured = false;
    yield DEBOUNCE;
    try {
      yield* this.enumerate();
    } catch (error) {
      this.refuse(`the host gives up: ${error.message}`);
    }
    yield* this.exchange();
  }

  * reset() {
    const { usb } = this;
    this.address = 0;
    usb.sieStatus = (usb.sieStatus & ~(LINE_STATE | CONNECTED)) | BUS_RESET;
    usb.sieStatusUpdated();
    yield RESET;
    usb.sieStatus |= LINE_IDLE;
    yield RECOVERY;
    if (!(usb.sieStatus & CONNECTED)) throw new Error('the device waits for an idle bus: RP2040-E5');
  }

  * enumerate() {
    yield* this.reset();
    yield* this.describe(DEVICE, 0, 64);
    yield* this.reset();
    yield* this.control(0x00, SET_ADDRESS, ADDRESS, 0, new Uint8Array());
    yield ADDRESS_RECOVERY;
    this.address = ADDRESS;
    const device = yield* this.describe(DEVICE, 0, 18);
    const [, , low, high] = yield* this.describe(CONFIGURATION, 0, 9);
    const configuration = yield* this.describe(CONFIGURATION, 0, low | high << 8);
    const texts = [];
    for (const index of device.slice(14, 17)) texts.push(yield* this.text(index));
    const id = (at) => (device[at] | device[at + 1] << 8).toString(16).padStart(4, '0');
    yield* this.control(0x00, SET_CONFIGURATION, 1, 0, new Uint8Array());
    this.endpoints(configuration);
    console.log(`USB ${id(8)}:${id(10)} ${JSON.stringify(texts)}`);
    this.configured = true;
    this.server.listen(this.number, '127.0.0.1', () => {
      const { port } = this.server.address();
      if (!this.number) console.log(`port ${port}`);
      this.number = port;
    });
  }

  * text(index) {
    const bytes = yield* this.describe(STRING, index, 255, 0x0409);
    return Buffer.from(bytes.slice(2)).toString('utf16le');
  }

  endpoints(configuration) {
    for (let at = 0; at < configuration.length; at += configuration[at]) {
      const [, type, address, attributes] = configuration.slice(at, at + 4);
      if (type === ENDPOINT && attributes === 2) this[address & 0x80 ? 'bulkIn' : 'bulkOut'] = address & 0xf;
    }
  }

  // The open serial port: packets in both directions.
  * exchange() {
    let inToggle = 0, outToggle = 0;
    for (;;) {
      let done = false;
      if (this.requests.length) {
        yield* this.requests.shift()();
        done = true;
      }
      if (this.received.length) {
        const packet = this.received[0].subarray(0, PACKET_BYTES);
        if (this.out(this.bulkOut, packet, outToggle) === undefined) {
          outToggle ^= 1;
          this.received[0] = this.received[0].subarray(packet.length);
          if (!this.received[0].length) this.received.shift();
          done = true;
          yield PACKET;
        }
      }
      if (this.reads && this.socket && this.socket.writableLength < UNREAD_BYTES) {
        const packet = this.in(this.bulkIn, inToggle);
        if (packet instanceof Uint8Array) {
          inToggle ^= 1;
          if (packet.length) this.socket?.write(packet);
          done = true;
          yield PACKET;
        }
      }
      if (!done) yield Infinity;
    }
  }

  // Transfers of endpoint 0: USB 2.0, 8.5.3.

  * describe(type, index, length, language = 0) {
    return yield* this.control(0x80, GET_DESCRIPTOR, type << 8 | index, language, length);
  }

  * control(kind, request, value, index, dataOrLength) {
    const toDevice = dataOrLength instanceof Uint8Array;
    const length = toDevice ? dataOrLength.length : dataOrLength;
    const packet = new Uint8Array(8), fields = new DataView(packet.buffer);
    packet.set([kind, request]);
    [value, index, length].forEach((field, i) => fields.setUint16(2 + 2 * i, field, true));
    yield* this.setup(packet);
    const data = [];
    if (toDevice) {
      if (length) yield* this.persist(() => this.out(0, dataOrLength, 1));
      yield* this.persist(() => this.in(0, 1));
    } else {
      let toggle = 1, piece;
      do {
        piece = yield* this.persist(() => this.in(0, toggle));
        data.push(...piece);
        toggle ^= 1;
      } while (piece.length === PACKET_BYTES && data.length < length);
      yield* this.persist(() => this.out(0, new Uint8Array(), 1));
    }
    return data;
  }

  * setup(packet) {
    const { usb } = this;
    if ((usb.addrEndp & 0x7f) !== this.address) throw new Error(`no device at address ${this.address}`);
    this.memory.set(packet);
    usb.epStallArm = 0;
    usb.sieStatus |= SETUP_REC;
    usb.sieStatusUpdated();
    yield PACKET;
  }

  // Repeats a transaction that the device is not ready for.
  * persist(transaction) {
    const end = this.machine.nanos + PATIENCE;
    for (;;) {
      const result = transaction();
      yield PACKET;
      if (result === STALL || result === SILENCE) throw new Error(result);
      if (result !== NAK) return result;
      if (this.machine.nanos > end) throw new Error('the device is never ready');
    }
  }

  // Transactions: a packet, nothing for an accepted one, or NAK, STALL, SILENCE.

  in(endpoint, toggle) {
    const offset = BUFFERS + 8 * endpoint;
    const word = this.ready(endpoint, offset, 1 << (2 * endpoint));
    if (typeof word === 'string') return word;
    if (!(word & FULL)) this.refuse('an empty buffer is available to the host');
    this.checkToggle(endpoint, word, toggle);
    const base = this.base(endpoint, 0);
    const packet = this.memory.slice(base, base + (word & LENGTH));
    this.finish(offset, word & ~(FULL | AVAILABLE), 1 << (2 * endpoint));
    return packet;
  }

  out(endpoint, packet, toggle) {
    const offset = BUFFERS + 8 * endpoint + 4;
    const word = this.ready(endpoint, offset, 2 << (2 * endpoint));
    if (typeof word === 'string') return word;
    if ((word & LENGTH) < packet.length) this.refuse('a packet is longer than its buffer');
    this.checkToggle(endpoint, word, toggle);
    this.memory.set(packet, this.base(endpoint, 4));
    this.finish(offset, (word & ~(AVAILABLE | LENGTH)) | FULL | packet.length, 2 << (2 * endpoint));
    return undefined;
  }

  ready(endpoint, offset, bit) {
    const { usb } = this;
    if ((usb.addrEndp & 0x7f) !== this.address) return SILENCE;
    if (endpoint && !(this.view.getUint32(offset - BUFFERS, true) & EP_CONTROL_ENABLE)) return SILENCE;
    const word = this.view.getUint32(offset, true);
    if (word & SEND_STALL && (endpoint || usb.epStallArm & bit)) return STALL;
    return word & AVAILABLE ? word : NAK;
  }

  base(endpoint, direction) {
    return endpoint ? this.view.getUint32(8 * endpoint + direction, true) & EP_CONTROL_BASE : EP0_BUFFER;
  }

  checkToggle(endpoint, word, toggle) {
    if (Boolean(word & DATA1) !== Boolean(toggle)) this.refuse(`wrong data toggle of endpoint ${endpoint}`);
  }

  finish(offset, word, bit) {
    this.view.setUint32(offset, word, true);
    this.usb.buffStatus |= bit;
    this.usb.buffStatusUpdated();
  }
}
