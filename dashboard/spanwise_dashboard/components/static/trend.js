// Means over time with their intervals: a line and a shaded band for each series.
const BRIDGED = 2;  // steps without a score, so that rare scores make a line

class Trend extends Plot {
  ticks() {
    const { series, unit } = this.data;
    const all = series.flatMap((line) => [...line.values, ...line.low, ...line.high]).filter((value) => value !== null);
    const most = Math.max(...all), least = Math.min(...all);
    const top = all.length ? most : 1, bottom = all.length ? least : 0;
    const narrow = bottom > top * 0.3 || bottom < 0;
    const ticks = niceTicks(top === bottom ? top + Math.max(Math.abs(top), 1) * 0.1 : top, false, narrow ? bottom - (top - bottom) * 0.1 : 0);
    return unit === "ratio" ? ticks.filter((tick) => tick <= 1.0001) : ticks;
  }

  contents() {
    const backwards = [...this.data.series].reverse();
    return [...backwards.flatMap((line) => this.band(line)), ...backwards.flatMap((line) => this.path(line))];
  }

  band(line) {
    const faint = this.data.series.length > 3 ? 0.1 : 0.18;
    return this.runs([line.low, line.high], BRIDGED).map((run) => {
      if (run.length === 1) {
        const at = this.middle(run[0]);
        return shape("line", { x1: at, x2: at, y1: this.y(line.low[run[0]]), y2: this.y(line.high[run[0]]), stroke: line.color, "stroke-width": 6, "stroke-opacity": 0.25, "data-band": line.label });
      }
      const above = run.map((index) => this.point(index, line.high[index]));
      const below = [...run].reverse().map((index) => this.point(index, line.low[index]));
      return shape("path", { d: `M${[...above, ...below].join("L")}Z`, fill: line.color, "fill-opacity": faint, "data-band": line.label });
    });
  }

  path(line) {
    return this.runs([line.values], BRIDGED).flatMap((run) => {
      const dots = run.length < 40 ? run.map((index) => shape("circle", { cx: this.middle(index), cy: this.y(line.values[index]), r: run.length === 1 ? 3.2 : 2.2, fill: line.color })) : [];
      if (run.length === 1) return dots;
      const d = `M${run.map((index) => this.point(index, line.values[index])).join("L")}`;
      return [shape("path", { d, fill: "none", stroke: line.color, "stroke-width": 1.8, "stroke-linejoin": "round", "data-line": line.label }), ...dots];
    });
  }

  reading(index) {
    return this.data.series.filter((line) => known(line.values[index])).map((line) => [line.color, line.label, this.words(line, index)]);
  }

  words(line, index) {
    const [low, high] = [line.low[index], line.high[index]];
    const sure = known(low) && known(high) ? ` (${this.read(low)} to ${this.read(high)})` : "";
    return `${this.read(line.values[index])}${sure}, n ${line.n[index].toLocaleString("en")}`;
  }
}

export default function ({ data, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector(".sw");
  return kept(root, new Trend(root, data, { height: 250, nothing: "no scores", onZoom: (span) => setTriggerValue("zoomed", span) }));
}
