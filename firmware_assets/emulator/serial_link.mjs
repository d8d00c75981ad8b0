// UART0 at a TCP port of this machine, which it prints: "port N".
//
// Bytes arrive at the pace of the wire. rp2040js has no overrun: bytes that its FIFO has no room for wait.
import { createServer } from 'node:net';
import { NANOS_PER_CYCLE } from './machine.mjs';

const NANOS_PER_BYTE = 1356 * NANOS_PER_CYCLE; // at 921,600 baud

export class SerialLink {
  constructor() {
    this.received = []; // buffers that the chip has not read yet
    this.position = 0; // in the first of them
    this.sent = [];
    this.socket = null;
    this.nextByte = 0;
    this.server = createServer((client) => {
      this.socket?.destroy();
      this.socket = client;
      client.setNoDelay(true);
      client.on('data', (data) => { this.received.push(data); });
      client.on('error', () => {});
      client.on('close', () => { if (this.socket === client) this.socket = null; });
    });
  }

  listen(started) {
    this.server.listen(0, '127.0.0.1', () => {
      started();
      console.log(`port ${this.server.address().port}`);
    });
  }

  attach({ chip }) {
    this.clock = chip.clock;
    this.uart = chip.uart[0];
    this.uart.onByte = (byte) => this.sent.push(byte);
    this.alarm = chip.clock.createAlarm(() => this.feed());
    this.scheduled = false;
    this.turn();
  }

  get busy() {
    return this.received.length > 0;
  }

  feed() {
    this.scheduled = false;
    if (!this.uart.rxFIFO.full) {
      this.uart.feedByte(this.received[0][this.position++]);
      if (this.position === this.received[0].length) {
        this.received.shift();
        this.position = 0;
      }
    }
    this.nextByte = this.clock.nanos + NANOS_PER_BYTE;
    this.schedule();
  }

  schedule() {
    if (this.busy && !this.scheduled) {
      this.alarm.schedule(Math.max(this.nextByte - this.clock.nanos, 0));
      this.scheduled = true;
    }
  }

  turn() {
    this.schedule();
    if (this.sent.length && this.socket) this.socket.write(Uint8Array.from(this.sent));
    this.sent.length = 0;
  }
}
