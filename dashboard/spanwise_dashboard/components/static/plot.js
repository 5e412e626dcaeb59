// A plot over time: legend, axes, what is read where the pointer is, and zooming into the range that it is dragged over.
// A kind of plot says what its ticks and contents are, how a step is marked, and which lines a step's reading has.
class Plot {
  constructor(root, data, { height, head = TOP, nothing = "no data", onZoom = null }) {
    Object.assign(this, { data, height, head, nothing, onZoom });
    this.read = READ[data.unit];
    [this.start, this.end] = data.window;
    this.svg = shape("svg", { role: "img", height, "aria-label": data.title });
    this.tip = el("div", { class: "tip", style: { display: "none" } });
    this.plot = el("div", { class: "plot" }, this.svg, this.tip);
    root.replaceChildren(el("div", { class: "legend" }, this.legend()), this.plot);
    this.svg.addEventListener("pointermove", (event) => this.move(event));
    this.svg.addEventListener("pointerleave", () => { if (this.from === undefined) this.leave(); });
    if (!onZoom) return;
    this.svg.addEventListener("pointerdown", (event) => { if (event.button === 0) { this.from = this.at(event); this.svg.setPointerCapture(event.pointerId); } });
    this.svg.addEventListener("pointerup", (event) => this.release(event));
    this.svg.addEventListener("pointercancel", () => { this.from = undefined; this.leave(); });
  }

  legend() {
    return this.data.series.map((line) => el("span", { class: "item" },
      el("span", { class: "swatch", style: { background: line.color } }), el("span", { class: "name", title: line.label }, line.label)));
  }

  x(ms) { return this.left + ((ms - this.start) / (this.end - this.start)) * (this.right - this.left); }
  y(value) { return this.height - BOTTOM - ((value - this.low) / (this.high - this.low)) * (this.height - this.head - BOTTOM); }
  inside(x) { return Math.min(this.right, Math.max(this.left, x)); }
  middle(index) { return this.inside(this.x(this.data.times[index] + this.data.step / 2)); }
  point(index, value) { return `${this.middle(index).toFixed(1)} ${this.y(value).toFixed(1)}`; }
  at(event) {
    const share = (event.clientX - this.svg.getBoundingClientRect().left - this.left) / (this.right - this.left);
    return this.start + Math.min(1, Math.max(0, share)) * (this.end - this.start);
  }

  // Steps in which every one of the lists has a value, in stretches; up to `bridged` steps without one do not end a stretch.
  runs(lists, bridged = 0) {
    const found = [];
    this.data.times.forEach((_, index) => {
      if (!lists.every((list) => known(list[index]))) return;
      const run = found[found.length - 1];
      if (run && index - run[run.length - 1] <= bridged + 1) run.push(index); else found.push([index]);
    });
    return found;
  }

  draw() {
    const width = this.plot.clientWidth;
    if (!width) return;
    const ticks = this.ticks();
    [this.low, this.high] = [ticks[0], ticks[ticks.length - 1]];
    const labels = ticks.map((tick) => this.read(tick));
    this.left = 10 + Math.max(...labels.map((label) => label.length)) * 6.6;
    this.right = width - RIGHT;
    this.overlay = shape("g", {});
    this.svg.setAttribute("viewBox", `0 0 ${width} ${this.height}`);
    this.svg.replaceChildren(
      ...ticks.flatMap((tick, index) => [
        shape("line", { class: index ? "grid" : "base", x1: this.left, x2: this.right, y1: this.y(tick), y2: this.y(tick) }),
        shape("text", { x: this.left - 7, y: this.y(tick) + 4, "text-anchor": "end" }, labels[index])]),
      ...timeTicks(this.start, this.end, this.right - this.left).map((tick) => {
        const at = this.x(tick);
        const anchor = at > this.right - 18 ? "end" : at < this.left + 14 ? "start" : "middle";
        return shape("text", { x: at, y: this.height - 5, "text-anchor": anchor }, clock(tick));
      }),
      ...this.contents(),
      shape("rect", { x: this.left, y: 0, width: Math.max(0, this.right - this.left), height: this.height - BOTTOM, fill: "transparent" }),
      this.overlay);
  }

  // A rectangle over the whole height.
  column(kind, from, to) {
    return shape("rect", { class: kind, x: from, y: this.head, width: Math.max(0, to - from), height: this.height - this.head - BOTTOM });
  }

  mark(index) {
    return shape("line", { class: "cross", x1: this.middle(index), x2: this.middle(index), y1: this.head, y2: this.height - BOTTOM });
  }

  // Left and right edge of what the tip must not cover.
  edges(index) { return [this.middle(index), this.middle(index)]; }

  move(event) {
    if (!this.overlay) return;
    const now = this.at(event);
    const { times, step } = this.data;
    const index = times.findIndex((time) => now >= time && now < time + step);
    const mark = this.from !== undefined ? this.column("brush", ...[this.x(this.from), this.x(now)].sort((a, b) => a - b))
      : index >= 0 ? this.mark(index) : null;
    this.overlay.replaceChildren(...(mark ? [mark] : []));
    if (index < 0) { this.tip.style.display = "none"; return; }
    const lines = this.reading(index);
    this.tip.replaceChildren(
      el("div", { class: "when" }, `${clock(times[index], "full")} – ${clock(times[index] + step, "full").split(" ").pop()}`),
      ...lines.map(([color, name, value]) => el("div", { class: "line" }, color ? el("span", { class: "swatch", style: { background: color } }) : "",
        el("span", { class: "name" }, name), el("span", { class: "value" }, value))),
      lines.length ? "" : el("div", { class: "muted" }, this.nothing));
    this.tip.style.display = "block";
    const [before, after] = this.edges(index);
    const flip = after + 10 + this.tip.offsetWidth > this.right;
    this.tip.style.left = `${flip ? Math.max(0, before - this.tip.offsetWidth - 10) : after + 10}px`;
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
