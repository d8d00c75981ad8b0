// Faults that happen at given times since power-on: [{time_us, kind}].
//
//   brownout   the supply dips: everything is reset, RAM keeps its content
//   hang       the program runs on the spot, with interrupts, or without for hang-masked
//   overflow   a conversion is lost, as when the DMA is late
const BRANCH_TO_ITSELF = 0xe7fe;
const FCS_OVER = 1 << 11;
const RETRY_NANOS = 1000;

export class Faults {
  constructor(faults) {
    this.pending = [...faults].sort((a, b) => a.time_us - b.time_us);
  }

  attach(machine) {
    this.machine = machine;
    this.alarm = machine.chip.clock.createAlarm(() => this.happen());
    this.schedule();
  }

  schedule() {
    const [next] = this.pending;
    if (next) this.alarm.schedule(Math.max(next.time_us * 1000 - this.machine.nanos, 0));
  }

  happen() {
    const { machine } = this, { core, adc } = machine.chip, [{ kind }] = this.pending;
    if (kind.startsWith('hang')) {
      if (core.IPSR) { // wait for the end of the interrupt's handler
        this.alarm.schedule(RETRY_NANOS);
        return;
      }
      core.PC = this.spot();
      core.PM ||= kind === 'hang-masked';
      core.waiting = false;
    } else if (kind === 'overflow') {
      adc.fcs |= FCS_OVER;
    } else if (kind === 'brownout') {
      machine.dip();
    } else {
      throw new Error(`no fault ${kind}`);
    }
    machine.note({ fault: kind });
    this.pending.shift();
    this.schedule();
  }

  // Address of an instruction that branches to itself.
  spot() {
    const { flash16 } = this.machine.chip;
    return 0x10000000 + 2 * flash16.indexOf(BRANCH_TO_ITSELF, 0x100);
  }
}
