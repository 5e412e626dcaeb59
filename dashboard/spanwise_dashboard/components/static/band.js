// A number over time beside what is usual for it: the line, the band, the limit, and when an alert began, fired and ended.
const GAP = 64;

class Band extends Plot {
  legend() {
    const { label, low, expected, threshold, spans, spanLabel } = this.data;
    const entry = (kind, name) => el("span", { class: "item" }, el("span", { class: `key ${kind}` }), el("span", { class: "name" }, name));
    return [
      entry("measured", label),
      low.some(known) ? entry("usual", "usual range") : null,
      expected.some(known) ? entry("expected", "expected") : null,
      threshold === null ? null : entry("limit", `limit ${this.read(threshold)}`),
      spans.length ? entry("fires", spanLabel) : null,
    ];
  }

  ticks() {
    const { values, low, high, expected, threshold, unit } = this.data;
    const all = [...values, ...low, ...high, ...expected, threshold].filter(known);
    const top = Math.max(...all, unit === "count" ? 4 : 0), least = Math.min(...all, top);
    const narrow = least > top / 2 || least < 0;
    return niceTicks(top, unit === "count", narrow ? least - (top - least) * 0.15 : 0);
  }

  contents() {
    const { values, expected, threshold } = this.data;
    const limit = threshold === null ? [] : [shape("line", { class: "limit-line", x1: this.left, x2: this.right, y1: this.y(threshold), y2: this.y(threshold) })];
    return [...this.spans(), ...this.area(), ...this.path(expected, "expected-line"), ...limit,
      ...this.path(values, "measured-line"), ...this.outside(), ...this.marks()];
  }

  path(values, kind) {
    return this.runs([values]).map((run) => run.length === 1
      ? shape("circle", { class: kind, cx: this.middle(run[0]), cy: this.y(values[run[0]]), r: 2.5 })
      : shape("path", { class: kind, d: `M${run.map((index) => this.point(index, values[index])).join("L")}` }));
  }

  area() {
    const { low, high, times, step } = this.data;
    return this.runs([low, high]).map((run) => {
      // From edge to edge of the steps, so that a single one is seen too.
      const edges = run.flatMap((index) => [[this.x(times[index]), index], [this.x(times[index] + step), index]])
        .map(([at, index]) => [this.inside(at), index]);
      const above = edges.map(([at, index]) => `${at.toFixed(1)} ${this.y(high[index]).toFixed(1)}`);
      const below = [...edges].reverse().map(([at, index]) => `${at.toFixed(1)} ${this.y(low[index]).toFixed(1)}`);
      return shape("path", { class: "usual-area", d: `M${[...above, ...below].join("L")}Z` });
    });
  }

  outside() {
    const { values, low, high, times } = this.data;
    if ((this.right - this.left) / times.length < 3) return [];
    return this.runs([values, low, high]).flat().filter((index) => values[index] > high[index] || values[index] < low[index])
      .map((index) => shape("circle", { class: "outside", cx: this.middle(index), cy: this.y(values[index]), r: 3 }));
  }

  spans() {
    return this.data.spans.map(([from, to]) => {
      const [a, b] = [Math.max(this.left, this.x(from)), Math.min(this.right, this.x(to))];
      return this.column("fires-area", a, Math.max(a + 2, b));
    });
  }

  marks() {
    const shown = this.data.marks.filter((mark) => mark.time >= this.start && mark.time <= this.end);
    return shown.flatMap((mark, index) => {
      const at = this.x(mark.time);
      const [before, after] = [shown[index - 1], shown[index + 1]];
      let anchor = "middle";
      if (at > this.right - GAP / 2 || (after && this.x(after.time) - at < GAP)) anchor = "end";
      if (at < this.left + GAP / 2 || (before && at - this.x(before.time) < GAP)) anchor = "start";
      const shift = { middle: 0, end: -4, start: 4 }[anchor];
      return [
        shape("line", { class: `mark ${mark.tone}`, x1: at, x2: at, y1: this.head - 6, y2: this.height - BOTTOM }),
        shape("text", { class: `mark-label ${mark.tone}`, x: at + shift, y: this.head - 10, "text-anchor": anchor }, mark.label),
      ];
    });
  }

  reading(index) {
    const { values, low, high, expected, label } = this.data;
    return [
      ["", label, known(values[index]) ? this.read(values[index]) : this.nothing],
      known(low[index]) && known(high[index]) ? ["", "usual", `${this.read(low[index])} to ${this.read(high[index])}`] : null,
      known(expected[index]) ? ["", "expected", this.read(expected[index])] : null,
    ].filter(Boolean);
  }
}

export default function ({ data, parentElement }) {
  const root = parentElement.querySelector(".sw");
  return kept(root, new Band(root, data, { height: 224, head: 22 }));
}
