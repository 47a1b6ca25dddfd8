// How fast a chain and its targets answered, with troubles shaded and drills marked. Drawn by uPlot.
/* global uPlot */
const REST = 20; // a reading that took so long is followed by a rest of so many times that, however much happens,
const REST_LEAST = 1000; // but of so many ms at least,
const REST_MOST = 30000; // and at most
const RETRY = 5000; // ms after a reading that failed
const HEIGHT = 220;
const DASHES = [[], [7, 3], [2, 3], [9, 3, 2, 3], [4, 4], [1, 2]];
const MARKS = {passed: ["▲", "--green"], deviated: ["✕", "--red"]};
const place = document.getElementById("speed");
const figures = [...place.querySelectorAll("[data-chart]")];
const state = {window: "", history: null, plots: [], next: 0, timer: 0, late: false};

const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

function span(seconds) {
  if (seconds == null) return "–";
  if (seconds >= 10) return `${Math.floor(seconds)} s`;
  return seconds >= 1 ? `${seconds.toFixed(2)} s` : `${Math.round(seconds * 1000)} ms`;
}

function ticks(values) {
  const most = Math.max(...values);
  return values.map((value) => (most >= 1 ? `${+value.toFixed(2)} s` : `${Math.round(value * 1000)} ms`));
}

// The chain itself is the bold line; each target has its own colour and dashes, as in the strip above.
function series(line, place) {
  const whole = line.target === null;
  const rank = state.order.indexOf(line.target);
  return {
    label: whole ? "whole chain" : line.target,
    stroke: whole ? colour("--text") : colour(`--p${Math.min(rank, 5)}`),
    width: whole ? 2 : 1.5,
    dash: whole ? [] : DASHES[rank % DASHES.length],
    spanGaps: true,
    points: {size: whole ? 5 : 4, show: (plot, index) => plot.data[index].filter((value) => value != null).length < 30},
    value: (plot, value) => span(value),
    order: place,
  };
}

function troubles(plot) {
  const {ctx, bbox} = plot;
  for (const one of state.history.troubles) {
    const from = Math.max(plot.valToPos(one.start, "x", true), bbox.left);
    const to = Math.min(plot.valToPos(one.end ?? state.history.end, "x", true), bbox.left + bbox.width);
    ctx.fillStyle = colour(one.health === "down" ? "--shade" : "--shade-mild");
    ctx.fillRect(from, bbox.top, Math.max(to - from, 2), bbox.height);
  }
}

function drills(plot) {
  const {ctx, bbox} = plot;
  const scale = devicePixelRatio;
  for (const run of state.history.runs) {
    const x = Math.round(plot.valToPos(run.at, "x", true));
    if (x < bbox.left || x > bbox.left + bbox.width) continue;
    const [mark, tone] = MARKS[run.verdict.kind] ?? ["◆", "--amber"];
    ctx.strokeStyle = ctx.fillStyle = colour(tone);
    ctx.lineWidth = scale;
    ctx.setLineDash([]);
    ctx.globalAlpha = 0.55;
    ctx.beginPath();
    ctx.moveTo(x, bbox.top);
    ctx.lineTo(x, bbox.top + bbox.height);
    ctx.stroke();
    ctx.globalAlpha = 1;
    ctx.font = `${11 * scale}px sans-serif`;
    ctx.textAlign = "center";
    ctx.fillText(mark, x, bbox.top + 10 * scale);
  }
}

function options(lines, width) {
  const grid = {stroke: colour("--line"), width: 1};
  const axis = {stroke: colour("--muted"), font: "12px system-ui, sans-serif", grid, ticks: grid};
  return {
    width,
    height: HEIGHT,
    cursor: {sync: {key: "speed"}, y: false},
    legend: {markers: {fill: (plot, index) => plot.series[index].stroke(plot, index)}},
    scales: {x: {range: () => [state.history.start, state.history.end]}, y: {range: (plot, low, high) => [0, high > 0 ? high * 1.15 : 1]}},
    axes: [{...axis, size: 34, values: hours}, {...axis, size: 62, values: (plot, values) => ticks(values)}],
    series: [{label: "at", value: (plot, at) => (at == null ? "–" : new Date(at * 1000).toLocaleString())}, ...lines.map(series)],
    hooks: {drawClear: [troubles], draw: [drills]},
  };
}

function hours(plot, values) {
  const week = state.history.window === "7d";
  const pad = (number) => String(number).padStart(2, "0");
  return values.map((value) => {
    const at = new Date(value * 1000);
    return week ? `${pad(at.getMonth() + 1)}-${pad(at.getDate())}` : `${pad(at.getHours())}:${pad(at.getMinutes())}`;
  });
}

function describe(name, lines) {
  const last = (values) => values.findLast((value) => value != null);
  const told = lines.map((line) => `${line.target ?? "whole chain"} ${span(last(line.median))}`);
  return `${name === "latency" ? "Time until the whole answer" : "Time until the first token"}, last: ${told.join(", ")}`;
}

function say(figure, sentence) {
  const none = document.createElement("p");
  none.className = "none";
  none.textContent = sentence;
  figure.removeAttribute("role");
  figure.removeAttribute("aria-label");
  figure.replaceChildren(none);
}

function draw() {
  for (const plot of state.plots) plot.destroy();
  state.plots = [];
  state.order = [...document.querySelectorAll(".target h3")].map((title) => title.textContent);
  for (const figure of figures) {
    const name = figure.dataset.chart;
    const lines = state.history[name];
    figure.replaceChildren();
    if (!lines.length) {
      say(figure, name === "latency" ? "No answer in this time yet." : "No stream in this time. A probe of the kind stream measures it.");
      continue;
    }
    figure.setAttribute("role", "img");
    figure.setAttribute("aria-label", describe(name, lines));
    const data = [state.history.at, ...lines.map((line) => line.median)];
    state.plots.push(new uPlot(options(lines, figure.clientWidth), data, figure));
  }
  for (const button of place.querySelectorAll("[data-window]")) {
    button.setAttribute("aria-pressed", String(button.dataset.window === state.history.window));
  }
}

async function read() {
  const from = new URL(place.dataset.history, location.origin);
  if (state.window) from.searchParams.set("window", state.window);
  const begun = Date.now();
  try {
    const answer = await fetch(from);
    if (!answer.ok) throw new Error(`HTTP ${answer.status}`);
    state.history = await answer.json();
  } catch (trouble) {
    state.next = Date.now() + RETRY;
    if (!state.history) for (const figure of figures) say(figure, `The history could not be read (${trouble.message}). Another try follows.`);
    soon();
    return;
  }
  state.next = Date.now() + Math.min(Math.max(REST * (Date.now() - begun), REST_LEAST), REST_MOST);
  draw();
}

// Once per rest, whatever number of events came meanwhile; a page that nobody looks at reads when it is looked at again.
function soon() {
  if (state.timer) return;
  state.timer = setTimeout(() => {
    state.timer = 0;
    if (document.hidden) state.late = true;
    else read();
  }, Math.max(0, state.next - Date.now()));
}

for (const button of place.querySelectorAll("[data-window]")) {
  button.addEventListener("click", () => { state.window = button.dataset.window; read(); });
}
new ResizeObserver(() => {
  for (const plot of state.plots) {
    const width = plot.root.parentElement.clientWidth;
    if (width && width !== plot.width) plot.setSize({width, height: HEIGHT});
  }
}).observe(place);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => { if (state.history) draw(); });
document.addEventListener("fallbackd:heard", ({detail: {name, data}}) => {
  if (["outcome", "verdict", "health"].includes(name) && place.dataset.history.includes(`/${encodeURIComponent(data.chain)}/`)) soon();
});
document.addEventListener("visibilitychange", () => {
  if (document.hidden || !state.late) return;
  state.late = false;
  soon();
});
read();
