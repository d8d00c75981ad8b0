// The page of edgebio studio: what the server sends is shown, what a person does is a request.
import { Signals } from "./signals.js";

const $ = (id) => document.getElementById(id);
const signals = new Signals($("signals"));
const state = { classes: [], pictures: {}, phase: "", source: null, model: [] };

function show(text, isError = false) {
  $("message").textContent = text;
  $("message").classList.toggle("error", isError);
}

async function request(name, content = {}) {
  try {
    const response = await fetch(`/api/${name}`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(content),
    });
    const answer = await response.json();
    if (!response.ok) throw new Error(answer.error);
    if (answer.command) $("command").textContent = answer.command;
    show("");
    return answer;
  } catch (error) {
    show(error.message, true);
    return null;
  }
}

// Drawings come from the server of this page.
function draw(element, name) {
  if (element.dataset.name === name) return;
  element.dataset.name = name;
  element.innerHTML = state.pictures[name] ?? state.pictures.other;
}

// --- tabs -----------------------------------------------------------------------------------------

const tabs = [...document.querySelectorAll('[role="tab"]')];

function choose(tab) {
  for (const each of tabs) {
    each.setAttribute("aria-selected", String(each === tab));
    each.tabIndex = each === tab ? 0 : -1;
    $(each.getAttribute("aria-controls")).hidden = each !== tab;
  }
}

tabs.forEach((tab, number) => {
  tab.addEventListener("click", () => choose(tab));
  tab.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    const next = tabs[(number + step + tabs.length) % tabs.length];
    choose(next);
    next.focus();
  });
});

document.addEventListener("keydown", (event) => {
  const typing = /INPUT|SELECT|TEXTAREA/.test(event.target.tagName);
  if (typing || event.ctrlKey || event.metaKey || event.altKey) return;
  const number = Number(event.key);
  if (number >= 1 && number <= tabs.length) choose(tabs[number - 1]);
  if (!$("prompt").hidden && event.target.tagName !== "BUTTON") {
    if (event.key === " ") { event.preventDefault(); $("record-pause").click(); }
    if (event.key === "r") $("record-repeat").click();
    if (event.key === "q") $("record-save").click();
  }
});

// --- source ---------------------------------------------------------------------------------------

function showSource(source) {
  state.source = source;
  if (!source) {
    signals.close();
    $("source-text").textContent = "No source is open.";
    $("findings").replaceChildren();
    return;
  }
  signals.open(source.channels, source.rate);
  const notes = source.notes.length ? `; ${source.notes.join("; ")}` : "";
  $("source-text").textContent =
    `${source.name}: ${source.channels.length} channels at ${source.rate} Hz, ${source.units}${notes}`;
}

$("source-form").addEventListener("submit", async (event) => {
  event.preventDefault();
  show("opening the source …");
  const answer = await request("source/open", { url: $("source").value });
  showSource(answer && answer.source);
});
$("source-close").addEventListener("click", async () => {
  if (await request("source/close")) showSource(null);
});
$("source-look").addEventListener("click", async () => {
  show("looking …");
  const answer = await request("sources");
  if (!answer) return;
  const there = answer.sources.filter((each) => each.available);
  $("sources").replaceChildren(...there.map((each) => new Option(each.name, each.url)));
  show(there.map((each) => each.url).join("   "));
});

// --- recording ------------------------------------------------------------------------------------

$("record-form").addEventListener("submit", async (event) => {
  event.preventDefault();
  const form = new FormData(event.target);
  const text = (name) => form.get(name);
  const number = (name) => Number(form.get(name));
  const answer = await request("record/start", {
    subject: text("subject"), session: text("session"), placement: text("placement"),
    repetitions: number("repetitions"), seconds: number("seconds"), rest_seconds: number("rest_seconds"),
  });
  if (answer) { $("prompt").hidden = false; document.activeElement.blur(); }
});
$("record-pause").addEventListener("click", () =>
  request(state.phase === "paused" ? "record/resume" : "record/pause"));
$("record-repeat").addEventListener("click", () => request("record/repeat"));
$("record-save").addEventListener("click", () => request("record/save"));

const PHASES = { check: "checking the signal: relax", rest: "relax", hold: "hold", paused: "paused", done: "done" };

function showPrompt(prompt) {
  state.phase = prompt.phase;
  $("prompt").hidden = false;
  $("prompt").className = prompt.phase;
  $("prompt-phase").textContent = `${PHASES[prompt.phase]} · ${prompt.done} of ${prompt.total}`;
  draw($("prompt-sign"), prompt.name);
  if ($("prompt-name").textContent !== prompt.name) $("prompt-name").textContent = prompt.name;
  $("prompt-time").value = prompt.seconds ? 1 - prompt.remaining / prompt.seconds : 0;
  $("prompt-next").textContent = prompt.message || (prompt.following ? `next: ${prompt.following}` : "");
  $("record-pause").firstChild.textContent = prompt.phase === "paused" ? "Continue " : "Pause ";
}

async function showRecorded(recorded) {
  $("prompt").hidden = true;
  const reaction = recorded.reaction === null ? "" : `, reaction ${recorded.reaction.toFixed(2)} s`;
  await load();
  show(`saved: ${recorded.recordings} recordings, ${recorded.lost} samples lost${reaction}`);
}

// --- training -------------------------------------------------------------------------------------

$("do-train").addEventListener("click", () => {
  const epochs = Number($("epochs").value);
  request("train", epochs ? { epochs } : {});
});
$("do-quantize").addEventListener("click", () => request("quantize"));
$("do-report").addEventListener("click", () => request("report"));
$("job-stop").addEventListener("click", () => request("job/stop"));

async function showJob(job) {
  const running = job.code === null;
  const end = job.code === 0 ? "done" : `failed: ${job.lines.at(-1) ?? ""}`;
  $("job-text").textContent = `${job.name}: ${running ? "at work …" : end}`;
  $("job-lines").textContent = job.lines.join("\n");
  $("job-lines").scrollTop = $("job-lines").scrollHeight;
  $("command").textContent = job.command;
  drawCurve(job.curve);
  if (!running) {
    if (job.code) show(job.lines.at(-1) ?? `${job.name} failed`, true);
    await load();
  }
}

function drawCurve(points) {
  const canvas = $("curve"), context = canvas.getContext("2d");
  const ratio = window.devicePixelRatio || 1;
  const width = canvas.clientWidth || 600, height = 180;
  canvas.width = width * ratio; canvas.height = height * ratio;
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  const style = getComputedStyle(document.documentElement);
  const color = (name) => style.getPropertyValue(name).trim();
  context.font = "12px system-ui, sans-serif";
  context.strokeStyle = color("--line");
  context.strokeRect(40.5, 8.5, width - 50, height - 32);
  context.fillStyle = color("--quiet");
  if (!points.length) { context.fillText("no epoch yet", 50, 30); return; }
  const last = Math.max(2, ...points.map((each) => each.epoch));
  const loss = Math.max(...points.map((each) => each.loss ?? 0), 1e-9);
  const curves = [["accuracy", "--accent", 1], ["val_accuracy", "--good", 1], ["loss", "--warning", loss]];
  curves.forEach(([name, tint, top], number) => {
    const there = points.filter((each) => each[name] !== undefined);
    if (!there.length) return;
    context.strokeStyle = context.fillStyle = color(tint);
    context.lineWidth = 2;
    context.beginPath();
    there.forEach((each, i) => {
      const x = 40 + (width - 50) * (each.epoch - 1) / (last - 1);
      const y = 8 + (height - 32) * (1 - each[name] / top);
      if (i) context.lineTo(x, y); else context.moveTo(x, y);
    });
    context.stroke();
    context.fillText(`${name} ${there.at(-1)[name]}`, 50 + 160 * number, height - 6);
  });
}

// --- decisions ------------------------------------------------------------------------------------

$("live-start").addEventListener("click", async () => {
  show("starting …");
  const answer = await request("live/start", {
    board: $("live-board").value, port: $("live-port").value, calibrated: $("calibrated").checked,
  });
  if (!answer) return;
  state.model = answer.classes;
  show("decisions arrive");
});
$("live-stop").addEventListener("click", async () => {
  const answer = await request("live/stop");
  if (!answer || !answer.decisions) return;
  const { median, p99 } = answer.delay_ms;
  show(`${answer.decisions} decisions, ${answer.differing} differ; delay ${median} ms (median), ${p99} ms (p99)`);
});
$("do-build").addEventListener("click", () => request("build", { board: $("live-board").value }));
$("do-flash").addEventListener("click", () =>
  request("flash", { board: $("live-board").value, port: $("live-port").value }));
$("do-calibrate").addEventListener("click", () =>
  request("calibrate", { recording: $("calibrate-recording").value, labels: $("calibrate-labels").checked }));

function showDecision(decision) {
  draw($("decision-sign"), decision.name);
  if ($("decision").textContent !== decision.name) $("decision").textContent = decision.name;
  const rows = decision.probabilities.map((value, number) => {
    const row = document.createElement("div");
    row.className = "bar";
    const name = document.createElement("span");
    name.textContent = state.model[number] ?? `class ${number + 1}`;
    const bar = document.createElement("i");
    bar.style.width = `${100 * value}%`;
    const text = document.createElement("span");
    text.textContent = value.toFixed(2);
    row.append(name, bar, text);
    return row;
  });
  $("probabilities").replaceChildren(...rows);
  $("delay").textContent =
    `${decision.decisions} decisions, ${decision.differing} differ from this machine; ` +
    `${decision.delay} ms after the last sample`;
}

function showImage(view) {
  const frames = view.getUint16(1, true), bins = view.getUint16(3, true);
  const pixels = new Int8Array(view.buffer, view.byteOffset + 5, frames * bins);
  const canvas = $("image");
  canvas.width = frames; canvas.height = bins;
  const context = canvas.getContext("2d");
  const image = context.createImageData(frames, bins);
  const stops = [[0, 0, 40], [0, 90, 160], [240, 200, 40], [255, 255, 255]];
  for (let frame = 0; frame < frames; frame++) {
    for (let bin = 0; bin < bins; bin++) {
      const level = (pixels[frame * bins + bin] + 128) / 255 * 3;
      const low = Math.min(2, Math.floor(level)), part = level - low;
      const at = 4 * ((bins - 1 - bin) * frames + frame);
      for (let c = 0; c < 3; c++) {
        image.data[at + c] = stops[low][c] + (stops[low + 1][c] - stops[low][c]) * part;
      }
      image.data[at + 3] = 255;
    }
  }
  context.putImageData(image, 0, 0);
}

// --- tests ----------------------------------------------------------------------------------------

$("test-targets").addEventListener("click", () => request("test/start", { kind: "targets" }));
$("test-cursor").addEventListener("click", () => {
  const directions = [...$("directions").querySelectorAll("select")].map((each) => each.value);
  request("test/start", { kind: "cursor", directions });
});

function showTest(test) {
  const cursor = test.test === "cursor";
  $("field").hidden = !cursor;
  $("test-target").textContent = test.done ? "done"
    : cursor ? `target ${test.number + 1} of ${test.count}` : test.target;
  if (cursor) drawField(test);
  const names = {
    attempts: "attempts", completion_rate: "completion rate", seconds: "seconds to a target",
    path_efficiency: "path efficiency", throughput: "throughput, bit/s",
  };
  const rows = Object.entries(names).map(([key, name]) => {
    const row = document.createElement("tr");
    for (const text of [name, test.score[key] ?? "–"]) {
      const cell = document.createElement("td");
      cell.textContent = text;
      row.append(cell);
    }
    return row;
  });
  $("score").querySelector("tbody").replaceChildren(...rows);
}

function drawField(test) {
  const canvas = $("field"), context = canvas.getContext("2d"), size = canvas.width;
  const style = getComputedStyle(document.documentElement);
  context.clearRect(0, 0, size, size);
  const at = (x, y) => [(x + 0.5) * size, (0.5 - y) * size];
  const disc = (x, y, radius, color) => {
    context.fillStyle = style.getPropertyValue(color).trim();
    context.beginPath();
    context.arc(...at(x, y), radius, 0, 2 * Math.PI);
    context.fill();
  };
  if (test.target) disc(test.target[0], test.target[1], test.target[2] / 2 * size, "--warning");
  disc(test.cursor[0], test.cursor[1], 8, "--accent");
}

// --- messages of the server -----------------------------------------------------------------------

const HANDLERS = {
  prompt: showPrompt,
  recorded: showRecorded,
  job: (message) => showJob(message.job),
  decision: showDecision,
  test: showTest,
  status: (message) => show(message.text),
  error: (message) => { show(message.text, true); $("prompt").hidden = true; load(); },
  quality: (message) => {
    signals.quality = message.channels;
    $("lost").textContent = `${message.lost} samples lost`;
    const items = message.findings.map((text) => {
      const item = document.createElement("li");
      item.textContent = text;
      return item;
    });
    $("findings").replaceChildren(...items);
  },
};

function receive(event) {
  const view = new DataView(event.data);
  const kind = view.getUint8(0);
  if (kind === 0) {
    const message = JSON.parse(new TextDecoder().decode(new Uint8Array(event.data, 1)));
    HANDLERS[message.kind]?.(message);
  } else if (kind === 1) {
    const samples = new Int16Array(event.data.slice(9));
    signals.add(view.getUint32(1, true), view.getUint16(5, true), samples);
  } else if (kind === 2) {
    showImage(view);
  }
}

function connect() {
  const scheme = location.protocol === "https:" ? "wss" : "ws";
  const socket = new WebSocket(`${scheme}://${location.host}/socket`);
  socket.binaryType = "arraybuffer";
  socket.addEventListener("message", receive);
  socket.addEventListener("open", load);
  socket.addEventListener("close", () => {
    show("the studio does not answer; trying again …", true);
    setTimeout(connect, 1000);
  });
}

async function load() {
  const response = await fetch("/api/state");
  const now = await response.json();
  if (!response.ok) { show(now.error, true); return; }
  $("project").textContent = `· ${now.project}`;
  if (!$("source").value) $("source").value = now.suggested.source;
  state.classes = now.classes;
  state.pictures = now.pictures;
  if (now.source && (!state.source || state.source.url !== now.source.url)) showSource(now.source);
  if (!now.source && state.source) showSource(null);
  const unfinished = now.unfinished.map((name) => `${name} (unfinished)`);
  $("recordings").textContent = [...now.recordings, ...unfinished].join(", ") || "none";
  $("runs").replaceChildren(...(now.runs.length ? now.runs.flatMap((run) => {
    const text = document.createElement(run.report ? "a" : "span");
    text.textContent = run.name + (run.quantized ? " (int8)" : "");
    if (run.report) { text.href = `/runs/${run.name}/report.html`; text.target = "_blank"; }
    return [text, document.createTextNode(" ")];
  }) : [document.createTextNode("none")]));
  const board = $("live-board");
  if (board.options.length === 1) {
    board.append(...now.boards.map((name) => new Option(name, name)));
    if (now.boards.includes(now.suggested.board)) board.value = now.suggested.board;
  }
  $("calibrate-recording").replaceChildren(...now.recordings.map((name) => new Option(name, name)));
  if (!$("directions").children.length) {
    const names = now.classes;
    ["right", "up", "left", "down"].forEach((direction, number) => {
      const label = document.createElement("label");
      const select = document.createElement("select");
      select.append(...names.map((name) => new Option(name, name)));
      select.value = names[(number + 1) % names.length];
      label.append(`${direction} `, select);
      $("directions").append(label);
    });
  }
  if (now.job && now.job.code === null) showJob(now.job);
}

let before = 0;
setInterval(() => {
  $("frames").textContent = `${signals.drawn - before} frames/s`;
  before = signals.drawn;
}, 1000);

drawCurve([]);
connect();
