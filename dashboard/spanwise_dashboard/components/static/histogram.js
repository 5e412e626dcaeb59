// How values lie: a bar for each stretch of values, and where the mean is.
const HEIGHT = 190;

class Histogram {
  constructor(root, data) {
    this.data = data;
    this.read = READ[data.unit];
    this.svg = shape("svg", { role: "img", height: HEIGHT, "aria-label": data.title });
    this.tip = el("div", { class: "tip", style: { display: "none" } });
    this.plot = el("div", { class: "plot" }, this.svg, this.tip);
    root.replaceChildren(this.plot);
    this.svg.addEventListener("pointermove", (event) => this.move(event));
    this.svg.addEventListener("pointerleave", () => this.leave());
  }

  x(value) { return this.left + ((value - this.first) / (this.last - this.first)) * (this.right - this.left); }

  draw() {
    const width = this.plot.clientWidth;
    if (!width) return;
    const { bins, mean } = this.data;
    [this.first, this.last] = [bins[0].low, bins[bins.length - 1].high];
    const ticks = niceTicks(Math.max(...bins.map((bin) => bin.share), 0.01), false);
    const high = ticks[ticks.length - 1];
    const y = (share) => HEIGHT - BOTTOM - (share / high) * (HEIGHT - 18 - BOTTOM);
    const labels = ticks.map((tick) => READ.ratio(tick));
    this.left = 10 + Math.max(...labels.map((label) => label.length)) * 6.6;
    this.right = width - RIGHT - 8;
    const parts = [];
    ticks.forEach((tick, index) => {
      parts.push(shape("line", { class: index ? "grid" : "base", x1: this.left, x2: this.right, y1: y(tick), y2: y(tick) }));
      parts.push(shape("text", { x: this.left - 7, y: y(tick) + 4, "text-anchor": "end" }, labels[index]));
    });
    const steps = width > 360 ? 5 : 2;
    for (let step = 0; step <= steps; step += 1) {
      const value = this.first + ((this.last - this.first) * step) / steps;
      parts.push(shape("text", { x: this.x(value), y: HEIGHT - 5, "text-anchor": step === steps ? "end" : step ? "middle" : "start" }, this.read(value)));
    }
    for (const bin of bins) {
      if (!bin.count) continue;
      const [from, to] = [this.x(bin.low), this.x(bin.high)];
      parts.push(shape("rect", { class: "bar", x: from + 1, y: y(bin.share), width: Math.max(1, to - from - 2), height: Math.max(1, y(0) - y(bin.share)), rx: 1.5 }));
    }
    if (mean !== null) {
      const at = this.x(mean);
      parts.push(shape("line", { class: "mean", x1: at, x2: at, y1: 14, y2: HEIGHT - BOTTOM }));
      parts.push(shape("text", { class: "mean-label", x: at, y: 11, "text-anchor": at > this.right - 50 ? "end" : at < this.left + 50 ? "start" : "middle" }, `mean ${this.read(mean)}`));
    }
    this.svg.setAttribute("viewBox", `0 0 ${width} ${HEIGHT}`);
    this.svg.replaceChildren(...parts);
  }

  move(event) {
    const inside = event.clientX - this.svg.getBoundingClientRect().left;
    const bin = this.data.bins.find((each) => inside >= this.x(each.low) && inside < this.x(each.high));
    if (!bin) { this.leave(); return; }
    this.tip.replaceChildren(
      el("div", { class: "when" }, `${this.read(bin.low)} to ${this.read(bin.high)}`),
      el("div", { class: "line" }, el("span", { class: "name" }, `${bin.count.toLocaleString("en")} scores`), el("span", { class: "value" }, READ.ratio(bin.share))));
    this.tip.style.display = "block";
    this.tip.style.left = `${Math.min(this.x(bin.high) + 6, Math.max(0, this.right - this.tip.offsetWidth))}px`;
  }

  leave() { this.tip.style.display = "none"; }
}

export default function ({ data, parentElement }) {
  const root = parentElement.querySelector(".sw");
  return kept(root, new Histogram(root, data));
}
