// The flash behind the SSI, as far as a second stage talks to it: its registers, its unique id, and the
// mode in which it is read. rp2040js has the SSI's registers only, and reads flash in any mode and at once.
//
//   quadEnable: bit QE of status register 2, 'set', 'clear', or 'never' if it cannot be set
//
// RP2040 datasheet, 4.10; W25Q16JV datasheet, 7.1 and 8.2.
const SSI = 0x18000;
const CTRLR0 = 0x00, SSIENR = 0x08, SR = 0x28, DR0 = 0x60, SPI_CTRLR0 = 0xf4;
const SENT = 1 << 1 | 1 << 2, RECEIVED = 1 << 3; // TFNF and TFE, RFNE
const FORMAT = (control) => control >> 21 & 3, QUAD = 2;
const MODE = (control) => control >> 8 & 3, READ = 3;
const TRANSFER_TYPE = (control) => control & 3, ALL_BY_FORMAT = 2;
const QE = 2, WEL = 2;
const UNIQUE_ID = [0xe6, 0x61, 0x64, 0x08, 0x43, 0x2b, 0x7a, 0x2c];

export class FlashChip {
  constructor(quadEnable = 'set') {
    this.settable = quadEnable !== 'never';
    this.status2 = quadEnable === 'set' ? QE : 0;
  }

  attach(machine) {
    const ssi = machine.chip.peripherals[SSI], write = ssi.writeUint32.bind(ssi), read = ssi.readUint32.bind(ssi);
    Object.assign(this, { frames: [], answers: [], writable: false, continuous: false, ssi });
    ssi.writeUint32 = (offset, value) => {
      if (offset === DR0) this.send(value);
      else write(offset, value);
      if (offset === SSIENR) this.frames.length = this.answers.length = 0;
      if (offset === SSIENR && value) this.check(machine);
    };
    ssi.readUint32 = (offset) => {
      if (offset === DR0) return this.answers.shift() ?? 0;
      if (offset !== SR) return read(offset);
      this.frames.length = 0; // what was sent is through, and the flash is deselected
      return SENT | (this.answers.length ? RECEIVED : 0);
    };
  }

  // A frame of a command; what comes back at the same time.
  send(value) {
    const { frames } = this, [command = value] = frames;
    if (FORMAT(this.ssi.readUint32(CTRLR0)) === QUAD) {
      if (command === 0xeb && frames.length === 1) {
        this.continuous = Boolean(this.status2 & QE) && (value & 0xf0) === 0xa0;
        this.answers.push(0);
      }
    } else if (command === 0x31 && frames.length === 1) {
      if (this.writable && this.settable) this.status2 = value & 0xff;
      this.writable = false;
      this.answers.push(0);
    } else {
      this.answers.push(this.answer(command, frames.length));
      this.writable ||= command === 0x06;
    }
    frames.push(value);
  }

  answer(command, position) {
    if (position === 0) return 0xff;
    if (command === 0x05) return this.writable ? WEL : 0;
    if (command === 0x35) return this.status2;
    return command === 0x4b ? UNIQUE_ID[position - 5] ?? 0xff : 0xff;
  }

  // The SSI is on: it reads without a command if so set up, which only a flash in that mode understands.
  check(machine) {
    if (MODE(this.ssi.readUint32(CTRLR0)) !== READ) return;
    const quad = TRANSFER_TYPE(this.ssi.readUint32(SPI_CTRLR0)) === ALL_BY_FORMAT;
    if (quad && !this.continuous) throw new Error('the flash is read in a mode that it is not in');
    const serial = this.ssi.readUint32(SPI_CTRLR0) >>> 24 === 0x03;
    if (quad || serial) machine.note({ flash: quad ? 'quad' : 'serial' });
  }
}
