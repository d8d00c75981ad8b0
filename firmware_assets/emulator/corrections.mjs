// What rp2040js 1.4.1 models otherwise than the RP2040 datasheet describes, put right in a chip that has
// just been made.
const RESETS = 0x4000c, VREG_AND_CHIP_RESET = 0x40064;
const CHIP_RESET = 0x8;
const DMA_CHAN_ABORT = 0x444, DREQ_ADC = 36;
const BLOCKS = 0x1ffffff, QSPI = 1 << 6 | 1 << 9; // QSPI's pins: the boot ROM releases them
const FUNCTION_NONE = 0x1f, PAD_AFTER_RESET = 0x56;
const UART_AFTER_RESET = 0x300;

export function correct(chip, supplyFlags) {
  correctRoundRobin(chip.adc);
  correctResets(chip);

  // 2.5.7: CHAN_ABORT reads as the channels that are not aborted yet. It has no reading there.
  const read = chip.dma.readUint32.bind(chip.dma);
  chip.dma.readUint32 = (offset) => (offset === DMA_CHAN_ABORT ? 0 : read(offset));

  // 2.12.8: the cause of a reset. It is not implemented there and reads as all ones.
  chip.peripherals[VREG_AND_CHIP_RESET] = {
    readUint32: (offset) => (offset === CHIP_RESET ? supplyFlags : 0),
    writeUint32Atomic: () => {},
  };
}

// 4.9.2.1 and CS.RROBIN: after each conversion, the next input of the mask in ascending order. The setter there
// masks the input with the number of the field's first bit, so that inputs 1 to 3 become 0; and its
// search skips input 0 after input 4.
function correctRoundRobin(adc) {
  const SHIFT = 12, MASK = 7, ROUND_ROBIN = 16, INPUTS = 5;
  Object.defineProperty(adc, 'activeChannel', {
    get: () => (adc.cs >> SHIFT) & MASK,
    set: (wanted) => {
      const mask = (adc.cs >> ROUND_ROBIN) & 0x1f;
      let next = wanted;
      if (mask) {
        next = (adc.activeChannel + 1) % INPUTS;
        while (!(mask >> next & 1)) next = (next + 1) % INPUTS;
      }
      adc.cs = (adc.cs & ~(MASK << SHIFT)) | next << SHIFT;
    },
  });
}

// 2.14: a block that is held in reset has the registers of power-up. There, RESETS has no effect.
function correctResets(chip) {
  const resets = chip.peripherals[RESETS];
  const blocks = {
    0: () => resetAdc(chip),
    2: () => resetDma(chip.dma),
    5: () => chip.gpio.forEach(resetPin),
    8: () => chip.gpio.forEach((pin) => { pin.padValue = PAD_AFTER_RESET; pin.checkForUpdates(); }),
    14: () => resetPwm(chip.pwm),
    22: () => resetUart(chip.uart[0]),
    23: () => resetUart(chip.uart[1]),
  };
  const write = resets.writeUint32.bind(resets);
  resets.writeUint32 = (offset, value) => {
    const before = resets.reset;
    write(offset, value);
    const asserted = resets.reset & ~before;
    for (const [bit, reset] of Object.entries(blocks)) if (asserted >> bit & 1) reset();
    resets.reset_done = ~resets.reset & BLOCKS;
  };
  resets.reset = BLOCKS & ~QSPI;
  resets.reset_done = QSPI;
}

function resetAdc({ adc, dma }) {
  adc.sampleAlarm.cancel();
  adc.multiShotAlarm.cancel();
  Object.assign(adc, { cs: 0, fcs: 0, clockDiv: 0, intEnable: 0, intForce: 0, result: 0, busy: false });
  adc.fifo.reset();
  adc.checkInterrupts();
  dma.clearDREQ(DREQ_ADC);
}

function resetDma(dma) {
  for (const channel of dma.channels) {
    channel.abort();
    channel.reset();
    Object.assign(channel, { readAddr: 0, writeAddr: 0, transCount: 0, transCountReload: 0 });
  }
  Object.assign(dma, { intRaw: 0, intEnable0: 0, intEnable1: 0, intForce0: 0, intForce1: 0 });
  dma.checkInterrupts();
}

function resetPwm(pwm) {
  pwm.reset();
  Object.assign(pwm, { intRaw: 0, intEnable: 0, intForce: 0 });
  pwm.checkInterrupts();
  for (let pin = 0; pin < 30; pin++) pwm.gpioSet(pin, false);
}

function resetPin(pin) {
  Object.assign(pin, { ctrl: FUNCTION_NONE, irqEnableMask: 0, irqForceMask: 0 });
  pin.checkForUpdates();
}

function resetUart(uart) {
  Object.assign(uart, {
    ctrlRegister: UART_AFTER_RESET, lineCtrlRegister: 0, interruptMask: 0, interruptStatus: 0,
  });
  uart.rxFIFO.reset();
  uart.checkInterrupts();
}
