// Axes of charts over time: how values and times read, and where the lines of the grid are.
const SVG = "http://www.w3.org/2000/svg";
const TOP = 6, BOTTOM = 22, RIGHT = 6, MINUTE = 60000, HOUR = 60 * MINUTE, DAY = 24 * HOUR;
const STEPS = [MINUTE, 2 * MINUTE, 5 * MINUTE, 10 * MINUTE, 15 * MINUTE, 30 * MINUTE, HOUR, 2 * HOUR, 3 * HOUR, 6 * HOUR, 12 * HOUR, DAY, 2 * DAY, 3 * DAY, 7 * DAY, 14 * DAY];

function shape(tag, attributes, text) {
  const node = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, String(value));
  if (text !== undefined) node.textContent = text;
  return node;
}

function short(value, digits) {
  const rounded = Number(value.toPrecision(digits));
  return rounded.toLocaleString("en", { maximumFractionDigits: 12 });
}

const READ = {
  count(value) {
    for (const [unit, size] of [["B", 1e9], ["M", 1e6], ["k", 1e4]]) if (value >= size) return `${short(value / (unit === "k" ? 1e3 : size), 3)}${unit}`;
    return short(value, 4);
  },
  ms(value) {
    if (value < 1000) return `${short(value, 3)} ms`;
    return value < 120000 ? `${short(value / 1000, 3)} s` : `${short(value / 60000, 3)} min`;
  },
  ratio(value) { return `${short(value * 100, 3)}%`; },
  bytes(value) {
    const [unit, size] = [["GB", 1e9], ["MB", 1e6], ["kB", 1e3]].find(([, each]) => Math.abs(value) >= each) ?? ["B", 1];
    return `${short(value / size, 3)} ${unit}`;
  },
  score(value) { return short(value, 3); },
  usd(value) { return `$${value >= 1 ? value.toLocaleString("en", { maximumFractionDigits: 2 }) : short(value, 2)}`; },
};

// Round numbers for the axis: 1, 2 or 5 times a power of ten, whole ones for counts. Starts at the last one up to `bottom`.
function niceTicks(top, whole, bottom = 0) {
  const rough = Math.max(top - bottom, 1e-12) / 4;
  const power = 10 ** Math.floor(Math.log10(rough));
  let step = [1, 2, 5, 10].map((factor) => factor * power).find((each) => each >= rough);
  if (whole) step = Math.max(1, Math.round(step));
  const ticks = [];
  for (let value = Math.floor(bottom / step) * step; ticks.length < 7; value += step) { ticks.push(value); if (value >= top) break; }
  return ticks;
}

function timeTicks(start, end, room) {
  const step = STEPS.find((each) => (end - start) / each <= Math.max(2, room / 62)) ?? Math.ceil((end - start) / (6 * DAY)) * DAY;
  const first = new Date(start);
  if (step >= HOUR) first.setHours(0, 0, 0, 0); else first.setMinutes(0, 0, 0);
  const ticks = [];
  for (let at = first.getTime(); at <= end; at += step) if (at >= start) ticks.push(at);
  return ticks;
}

function clock(ms, step) {
  const moment = new Date(ms);
  const day = moment.toLocaleDateString("en-GB", { day: "numeric", month: "short" });
  const time = moment.toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit" });
  if (step === "full") return `${day} ${time}`;
  return moment.getHours() === 0 && moment.getMinutes() === 0 ? day : time;
}

function known(value) { return value !== null && value !== undefined; }

// Draws, and draws again when the width changes; returns what ends that.
function kept(root, drawing) {
  drawing.draw();
  const observer = new ResizeObserver(() => drawing.draw());
  observer.observe(root);
  return () => observer.disconnect();
}
