// Bars or lines over time. Moving over it reads the values, dragging over it zooms into a time range.
const SVG = "http://www.w3.org/2000/svg";
const HEIGHT = 176, TOP = 6, BOTTOM = 22, RIGHT = 6, MINUTE = 60000, HOUR = 60 * MINUTE, DAY = 24 * HOUR;
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
  usd(value) { return `$${value >= 1 ? value.toLocaleString("en", { maximumFractionDigits: 2 }) : short(value, 2)}`; },
};

// Round numbers for the axis: 1, 2 or 5 times a power of ten, whole ones for counts.
function niceTicks(top, whole) {
  const rough = Math.max(top, 1e-12) / 4;
  const power = 10 ** Math.floor(Math.log10(rough));
  let step = [1, 2, 5, 10].map((factor) => factor * power).find((each) => each >= rough);
  if (whole) step = Math.max(1, Math.round(step));
  const ticks = [];
  for (let value = 0; ticks.length < 7; value += step) { ticks.push(value); if (value >= top) break; }
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

class Chart {
  constructor(root, data, onZoom) {
    this.root = root;
    this.data = data;
    this.onZoom = onZoom;
    this.read = READ[data.unit];
    [this.start, this.end] = data.window;
    const legend = data.series.map((line) => el("span", { class: "item" },
      el("span", { class: "swatch", style: { background: line.color } }), el("span", { class: "name", title: line.label }, line.label)));
    this.svg = shape("svg", { role: "img", height: HEIGHT, "aria-label": data.title });
    this.tip = el("div", { class: "tip", style: { display: "none" } });
    this.plot = el("div", { class: "plot" }, this.svg, this.tip);
    root.replaceChildren(el("div", { class: "legend" }, legend), this.plot);
    this.svg.addEventListener("pointermove", (event) => this.move(event));
    this.svg.addEventListener("pointerleave", () => { if (this.from === undefined) this.leave(); });
    this.svg.addEventListener("pointerdown", (event) => { if (event.button === 0) { this.from = this.at(event); this.svg.setPointerCapture(event.pointerId); } });
    this.svg.addEventListener("pointerup", (event) => this.release(event));
    this.svg.addEventListener("pointercancel", () => { this.from = undefined; this.leave(); });
  }

  draw() {
    const width = this.plot.clientWidth;
    if (!width) return;
    const { series, kind, unit, times } = this.data;
    const sums = times.map((_, index) => series.map((line) => line.values[index] ?? 0));
    const tops = sums.map((values) => (kind === "bars" ? values.reduce((a, b) => a + b, 0) : Math.max(...values, 0)));
    const ticks = niceTicks(Math.max(...tops, unit === "count" ? 4 : 0), unit === "count");
    const top = ticks[ticks.length - 1];
    const labels = ticks.map((tick) => this.read(tick));
    this.left = 10 + Math.max(...labels.map((label) => label.length)) * 6.6;
    this.right = width - RIGHT;
    const y = (value) => HEIGHT - BOTTOM - (value / top) * (HEIGHT - TOP - BOTTOM);
    const parts = [];
    ticks.forEach((tick, index) => {
      parts.push(shape("line", { class: index ? "grid" : "base", x1: this.left, x2: this.right, y1: y(tick), y2: y(tick) }));
      parts.push(shape("text", { x: this.left - 7, y: y(tick) + 4, "text-anchor": "end" }, labels[index]));
    });
    for (const tick of timeTicks(this.start, this.end, this.right - this.left)) {
      const at = this.x(tick);
      const anchor = at > this.right - 18 ? "end" : at < this.left + 14 ? "start" : "middle";
      parts.push(shape("text", { x: at, y: HEIGHT - 5, "text-anchor": anchor }, clock(tick)));
    }
    parts.push(...(kind === "bars" ? this.bars(y) : this.lines(y)));
    this.overlay = shape("g", {});
    parts.push(shape("rect", { x: this.left, y: 0, width: Math.max(0, this.right - this.left), height: HEIGHT - BOTTOM, fill: "transparent" }), this.overlay);
    this.svg.setAttribute("viewBox", `0 0 ${width} ${HEIGHT}`);
    this.svg.replaceChildren(...parts);
  }

  x(ms) { return this.left + ((ms - this.start) / (this.end - this.start)) * (this.right - this.left); }

  at(event) {
    const inside = event.clientX - this.svg.getBoundingClientRect().left;
    const share = (inside - this.left) / (this.right - this.left);
    return this.start + Math.min(1, Math.max(0, share)) * (this.end - this.start);
  }

  bars(y) {
    const { times, step, series } = this.data;
    const drawn = [];
    times.forEach((time, index) => {
      const from = Math.max(this.left, this.x(time)), to = Math.min(this.right, this.x(time + step));
      const width = Math.max(1, (to - from) * 0.88);
      let below = 0;
      for (const line of series) {
        const value = line.values[index];
        if (!value) continue;
        const high = y(below + value);
        drawn.push(shape("rect", { x: from, y: high, width, height: Math.max(0.8, y(below) - high), fill: line.color, "data-bar": line.label }));
        below += value;
      }
    });
    return drawn;
  }

  lines(y) {
    const { times, step, series } = this.data;
    return [...series].reverse().flatMap((line) => {
      const paths = [];
      let path = "", run = 0, last = null;
      const close = () => {
        if (run > 1) paths.push(shape("path", { d: path, fill: "none", stroke: line.color, "stroke-width": 1.8, "stroke-linejoin": "round", "data-line": line.label }));
        else if (run === 1) paths.push(shape("circle", { cx: last[0], cy: last[1], r: 3, fill: line.color, "data-line": line.label }));
        path = ""; run = 0;
      };
      times.forEach((time, index) => {
        const value = line.values[index];
        if (value === null || value === undefined) { close(); return; }
        const middle = Math.min(this.right, Math.max(this.left, this.x(time + step / 2)));
        last = [middle, y(value)];
        path += `${run ? "L" : "M"}${middle.toFixed(1)} ${last[1].toFixed(1)}`;
        run += 1;
      });
      close();
      return paths;
    });
  }

  move(event) {
    if (!this.overlay) return;
    const now = this.at(event);
    const { times, step, series, kind } = this.data;
    const index = times.findIndex((time) => now >= time && now < time + step);
    const marks = [];
    if (this.from !== undefined) {
      const [a, b] = [this.x(Math.min(this.from, now)), this.x(Math.max(this.from, now))];
      marks.push(shape("rect", { class: "brush", x: a, y: TOP, width: b - a, height: HEIGHT - TOP - BOTTOM }));
    } else if (index >= 0 && kind === "bars") {
      const [a, b] = [Math.max(this.left, this.x(times[index])), Math.min(this.right, this.x(times[index] + step))];
      marks.push(shape("rect", { class: "band", x: a, y: TOP, width: Math.max(0, b - a), height: HEIGHT - TOP - BOTTOM }));
    } else if (index >= 0) {
      const middle = Math.min(this.right, this.x(times[index] + step / 2));
      marks.push(shape("line", { class: "cross", x1: middle, x2: middle, y1: TOP, y2: HEIGHT - BOTTOM }));
    }
    this.overlay.replaceChildren(...marks);
    if (index < 0) { this.tip.style.display = "none"; return; }
    const lines = series.map((line) => [line, line.values[index]]).filter(([, value]) => value !== null && value !== undefined);
    this.tip.replaceChildren(
      el("div", { class: "when" }, `${clock(times[index], "full")} – ${clock(times[index] + step, "full").split(" ").pop()}`),
      ...lines.map(([line, value]) => el("div", { class: "line" }, el("span", { class: "swatch", style: { background: line.color } }),
        el("span", { class: "name" }, line.label), el("span", { class: "value" }, this.read(value)))),
      lines.length ? "" : el("div", { class: "muted" }, "no data"));
    this.tip.style.display = "block";
    const at = this.x(times[index] + step);
    const flip = at + this.tip.offsetWidth + 12 > this.right;
    this.tip.style.left = `${flip ? Math.max(0, this.x(times[index]) - this.tip.offsetWidth - 8) : at + 8}px`;
  }

  release(event) {
    if (this.from === undefined) return;
    const span = [this.from, this.at(event)].sort((a, b) => a - b);
    const wide = this.x(span[1]) - this.x(span[0]) > 6;
    this.from = undefined;
    this.leave();
    if (wide) this.onZoom(span.map(Math.round));
  }

  leave() {
    this.tip.style.display = "none";
    this.overlay?.replaceChildren();
  }
}

export default function (component) {
  const { data, parentElement, setTriggerValue } = component;
  const root = parentElement.querySelector(".sw");
  const chart = new Chart(root, data, (span) => setTriggerValue("zoomed", span));
  chart.draw();
  const observer = new ResizeObserver(() => chart.draw());
  observer.observe(root);
  return () => observer.disconnect();
}
