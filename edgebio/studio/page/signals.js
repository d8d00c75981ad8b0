// The signals of the last seconds, one row for each channel, drawn at the rate of the screen.
const SECONDS = 4;

export class Signals {
  constructor(canvas) {
    this.canvas = canvas;
    this.channels = 0;
    this.drawn = 0;
    requestAnimationFrame(() => this.draw());
  }

  open(names, rate) {
    this.names = names;
    this.channels = names.length;
    this.length = Math.ceil(SECONDS * rate);
    this.data = new Int16Array(this.length * this.channels);
    this.end = 0;
    this.quality = names.map(() => "good");
    this.scale = 100;
  }

  close() { this.channels = 0; }

  add(first, channels, samples) {
    if (channels !== this.channels) return;
    const rows = samples.length / channels;
    for (let row = 0; row < rows; row++) {
      const at = ((first + row) % this.length) * channels;
      for (let c = 0; c < channels; c++) this.data[at + c] = samples[row * channels + c];
    }
    this.end = first + rows;
  }

  draw() {
    requestAnimationFrame(() => this.draw());
    const { canvas } = this;
    const ratio = window.devicePixelRatio || 1;
    const width = canvas.clientWidth, height = canvas.clientHeight;
    if (canvas.width !== Math.round(width * ratio)) {
      canvas.width = Math.round(width * ratio);
      canvas.height = Math.round(height * ratio);
    }
    const context = canvas.getContext("2d");
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, width, height);
    const style = getComputedStyle(document.documentElement);
    const color = (name) => style.getPropertyValue(name).trim();
    if (!this.channels || !this.end) {
      context.fillStyle = color("--quiet");
      context.fillText("no signal", 12, 20);
      return;
    }
    const rowHeight = height / this.channels, left = 90;
    const plot = Math.max(50, width - left - 8);
    const start = Math.max(0, this.end - this.length);
    let largest = 1;
    context.lineWidth = 1;
    context.font = "12px system-ui, sans-serif";
    for (let c = 0; c < this.channels; c++) {
      const middle = (c + 0.5) * rowHeight;
      const quality = this.quality[c];
      context.fillStyle = color(`--${quality}`);
      const mark = { good: "●", warning: "▲", error: "✖" }[quality];
      context.fillText(`${mark} ${this.names[c]}`.slice(0, 14), 8, middle + 4);
      context.strokeStyle = color("--accent");
      context.beginPath();
      let mean = 0;
      for (let i = start; i < this.end; i += 16) mean += this.data[(i % this.length) * this.channels + c];
      mean /= Math.max(1, Math.ceil((this.end - start) / 16));
      const step = this.length / plot;
      for (let x = 0; x < plot; x++) {
        const from = Math.floor(this.end - this.length + x * step);
        if (from < start) continue;
        let low = 32767, high = -32768;
        for (let i = from; i < Math.min(this.end, from + step); i++) {
          const value = this.data[(i % this.length) * this.channels + c];
          if (value < low) low = value;
          if (value > high) high = value;
        }
        if (low > high) continue;
        largest = Math.max(largest, high - mean, mean - low);
        const y = (value) => middle - Math.max(-1, Math.min(1, (value - mean) / this.scale)) * rowHeight * 0.48;
        context.moveTo(left + x, y(low));
        context.lineTo(left + x, y(high) + 0.5);
      }
      context.stroke();
    }
    this.scale += (Math.max(largest, 10) - this.scale) * 0.05;
    this.drawn++;
  }
}
