// Bars or lines over time.
class Chart extends Plot {
  ticks() {
    const { series, kind, unit, times } = this.data;
    const sums = times.map((_, index) => series.map((line) => line.values[index] ?? 0));
    const tops = sums.map((values) => (kind === "bars" ? values.reduce((a, b) => a + b, 0) : Math.max(...values, 0)));
    return niceTicks(Math.max(...tops, unit === "count" ? 4 : 0), unit === "count");
  }

  contents() { return this.data.kind === "bars" ? this.bars() : this.lines(); }

  bars() {
    const { times, series } = this.data;
    const drawn = [];
    times.forEach((_, index) => {
      const [from, to] = this.step(index);
      const width = Math.max(1, (to - from) * 0.88);
      let below = 0;
      for (const line of series) {
        const value = line.values[index];
        if (!value) continue;
        const high = this.y(below + value);
        drawn.push(shape("rect", { x: from, y: high, width, height: Math.max(0.8, this.y(below) - high), fill: line.color, "data-bar": line.label }));
        below += value;
      }
    });
    return drawn;
  }

  lines() {
    return [...this.data.series].reverse().flatMap((line) => this.runs([line.values]).map((run) => {
      if (run.length === 1) return shape("circle", { cx: this.middle(run[0]), cy: this.y(line.values[run[0]]), r: 3, fill: line.color, "data-line": line.label });
      const d = `M${run.map((index) => this.point(index, line.values[index])).join("L")}`;
      return shape("path", { d, fill: "none", stroke: line.color, "stroke-width": 1.8, "stroke-linejoin": "round", "data-line": line.label });
    }));
  }

  step(index) {
    const { times, step } = this.data;
    return [this.inside(this.x(times[index])), this.inside(this.x(times[index] + step))];
  }

  edges(index) { return this.step(index); }
  mark(index) { return this.data.kind === "bars" ? this.column("band", ...this.step(index)) : super.mark(index); }
  reading(index) {
    return this.data.series.filter((line) => known(line.values[index])).map((line) => [line.color, line.label, this.read(line.values[index])]);
  }
}

export default function ({ data, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector(".sw");
  return kept(root, new Chart(root, data, { height: 176, onZoom: (span) => setTriggerValue("zoomed", span) }));
}
