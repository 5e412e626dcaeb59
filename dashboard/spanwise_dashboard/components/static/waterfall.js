// Tree and waterfall of one trace. Only the rows in sight are in the page, so that 20,000 spans scroll like twenty.
const ROW = 28, MARGIN = 8, INDENT = 14, MAX_INDENT = 12;
const boards = new WeakMap();

function took(ms) {
  if (ms === 0) return "0";
  if (ms < 0.1) return "<0.1 ms";
  if (ms < 10) return `${ms.toFixed(1)} ms`;
  if (ms < 1000) return `${ms.toFixed(0)} ms`;
  if (ms < 60000) return `${(ms / 1000).toFixed(2)} s`;
  return `${Math.floor(ms / 60000)}m ${String(Math.floor((ms % 60000) / 1000)).padStart(2, "0")}s`;
}

class Board {
  constructor(root, onSelect) {
    this.root = root;
    this.onSelect = onSelect;
    this.collapsed = new Set();
    this.query = "";
    this.critical = false;
    this.active = 0;
    this.selected = "";
    this.drawn = new Map();
  }

  load(data) {
    this.spans = data.spans;
    this.whole = Math.max(data.total_ms, 0.001);
    [this.from, this.total] = [0, this.whole]; // the part of the trace that the lanes show: its start and length
    this.version = data.version;
    this.height = data.height;
    this.collapsed.clear();
    this.selected = data.selected;
    this.build(data);
    this.refresh();
    const at = this.shown.findIndex((index) => this.spans[index].id === this.selected);
    this.active = Math.max(0, at);
    if (at >= 0) this.reveal(at);
  }

  build(data) {
    const tool = (text, handler, attributes) => el("button", { class: "button", type: "button", ...attributes, on: { click: handler } }, text);
    this.input = el("input", { type: "search", placeholder: "Search spans", title: "Name, kind, model, tool, error, start of input and output", "aria-label": "Search spans", value: this.query });
    this.input.addEventListener("input", () => { this.query = this.input.value; this.refresh(); });
    this.found = el("span", { class: "found", "aria-live": "polite" });
    const errors = this.spans.filter((span) => span.error).length;
    this.errorAt = -1;
    const critical = tool("Critical path", () => {
      this.critical = !this.critical;
      critical.setAttribute("aria-pressed", String(this.critical));
      this.view.classList.toggle("critical", this.critical);
    }, { "aria-pressed": String(this.critical), title: "Highlight the spans that decided how long the trace took" });
    const tools = el("div", { class: "tools" }, this.input, this.found,
      errors ? tool(errors === 1 ? "Go to error" : `Next error (${errors})`, () => this.nextError()) : null,
      critical,
      tool("Collapse", () => { this.spans.forEach((span, index) => { if (span.below && span.depth > 0) this.collapsed.add(index); }); this.refresh(); }, { title: "Collapse all below the first level" }),
      tool("Expand", () => { this.collapsed.clear(); this.refresh(); }, { title: "Expand all" }));
    this.scale = el("div", {});
    this.unzoom = el("button", { class: "button", type: "button", style: { display: "none" }, on: { click: () => this.zoom(0, this.whole) } }, "Whole trace");
    tools.append(this.unzoom);
    const axis = el("div", { class: "axis", "aria-hidden": "true" }, el("div", { class: "names" }, "Span"), this.scale, el("div", {}));
    this.space = el("div", { class: "space", role: "presentation" });
    this.view = el("div", { class: `view ${this.critical ? "critical" : ""}`, role: "tree", tabindex: "0", "aria-label": "Spans of the trace", style: { maxHeight: `${this.height}px` } }, this.space);
    this.view.addEventListener("scroll", () => this.draw());
    this.view.addEventListener("keydown", (event) => this.key(event));
    this.view.addEventListener("click", (event) => this.click(event));
    this.view.addEventListener("dblclick", (event) => { const row = event.target.closest(".row"); if (row) this.zoomTo(Number(row.dataset.at)); });
    const kinds = [...new Set(this.spans.map((span) => span.kind))].slice(0, 8);
    const legend = kinds.map((kind) => el("span", { class: `item k-${kind}` }, el("span", { class: "mark", style: { width: "8px" } }), kind));
    if (this.spans.some((span) => span.ttft !== null)) legend.push(el("span", { class: "item" }, "▏time to first token"));
    if (this.spans.some((span) => span.orphan)) legend.push(el("span", { class: "item" }, "⚠ parent not in this trace"));
    this.drawn.clear();
    this.drawScale();
    this.root.replaceChildren(tools, el("div", { class: "frame" }, axis, this.view, el("div", { class: "foot" }, legend)));
  }

  drawScale() {
    this.scale.replaceChildren(...[0, 0.25, 0.5, 0.75].map((share) =>
      el("span", { class: `tick ${share ? "" : "first"}`, style: { left: `${share * 100}%` } }, took(this.from + this.total * share))));
  }

  // The lanes show one span's time from edge to edge, with a little air.
  zoomTo(at) {
    const span = this.spans[this.shown[at]];
    if (!span) return;
    const air = Math.max(span.duration, 0.01) * 0.03;
    this.zoom(Math.max(0, span.offset - air), Math.max(span.duration, 0.01) + 2 * air);
  }

  zoom(from, length) {
    [this.from, this.total] = [from, length];
    this.unzoom.style.display = length === this.whole ? "none" : "";
    this.drawScale();
    this.redraw();
  }

  // Which spans are shown, by collapse and search; a match keeps its ancestors.
  refresh() {
    const needle = this.query.trim().toLowerCase();
    const keep = needle ? new Set() : null;
    let matches = 0;
    if (keep) {
      const path = [];
      this.spans.forEach((span, index) => {
        path.length = span.depth;
        path.push(index);
        if (span.find.includes(needle)) { matches += 1; path.forEach((each) => keep.add(each)); }
      });
    }
    this.matching = needle;
    this.shown = [];
    for (let index = 0; index < this.spans.length; index += 1) {
      if (keep && !keep.has(index)) continue;
      this.shown.push(index);
      if (!keep && this.collapsed.has(index)) index += this.spans[index].below;
    }
    this.found.textContent = needle ? `${matches.toLocaleString("en")} of ${this.spans.length.toLocaleString("en")}` : "";
    this.active = Math.min(this.active, Math.max(0, this.shown.length - 1));
    this.space.style.height = `${this.shown.length * ROW}px`;
    this.redraw();
  }

  redraw() {
    for (const node of this.drawn.values()) node.remove();
    this.drawn.clear();
    this.draw();
  }

  draw() {
    const height = this.view.clientHeight || this.height;
    const first = Math.max(0, Math.floor(this.view.scrollTop / ROW) - MARGIN);
    const last = Math.min(this.shown.length, Math.ceil((this.view.scrollTop + height) / ROW) + MARGIN);
    for (const [at, node] of this.drawn) if (at < first || at >= last) { node.remove(); this.drawn.delete(at); }
    for (let at = first; at < last; at += 1) {
      if (this.drawn.has(at)) continue;
      const node = this.row(at);
      this.drawn.set(at, node);
      this.space.append(node);
    }
    this.mark();
  }

  row(at) {
    const index = this.shown[at];
    const span = this.spans[index];
    const open = !this.collapsed.has(index) || Boolean(this.matching);
    const indent = 6 + Math.min(span.depth, MAX_INDENT) * INDENT;
    const name = el("div", { class: "name", style: { paddingLeft: `${indent}px` } },
      el("span", { class: `caret ${span.below && open ? "open" : ""}`, "data-caret": span.below ? "1" : "" }, span.below ? "▶" : ""),
      el("span", { class: "mark" }),
      el("span", { class: "label" }, span.name || "(no name)"),
      span.orphan ? el("span", { title: "Its parent is not in this trace: not arrived, expired, or sent elsewhere" }, "⚠") : null,
      span.error ? el("span", { class: "sign", title: span.error }, "✕") : null,
      !span.error && span.errors_below && !open ? el("span", { class: "sign below" }, `${span.errors_below} ✕`) : null,
      span.detail ? el("span", { class: "detail" }, span.detail) : null,
      span.cost ? el("span", { class: "cost" }, span.cost) : null);
    const position = (ms) => Math.min(100, Math.max(0, ((ms - this.from) / this.total) * 100));
    const left = position(span.offset), width = position(span.offset + span.duration) - left;
    const outside = span.offset + span.duration < this.from || span.offset > this.from + this.total;
    const bar = el("div", { class: "bar", style: { left: `${left}%`, width: `${width}%`, display: outside ? "none" : "" } });
    if (span.ttft !== null && width >= 1) {
      const share = Math.max(0, ((position(span.offset + span.ttft) - left) / width) * 100);
      if (share > 0) bar.append(el("div", { class: "wait", title: `First token after ${took(span.ttft)}`, style: { width: `${share}%` } }));
    }
    const lane = el("div", { class: "lane" }, bar);
    const classes = ["row", `k-${span.kind}`, span.error ? "error" : "", span.critical ? "path" : ""];
    if (this.matching && !span.find.includes(this.matching)) classes.push("dim");
    return el("div", {
      class: classes.filter(Boolean).join(" "), id: `row-${at}`, role: "treeitem", "data-at": at, "aria-level": span.depth + 1,
      "aria-expanded": span.below ? String(open) : null,
      "aria-label": `${span.name}, ${span.kind}, ${took(span.duration)}${span.error ? ", failed" : ""}`,
      style: { top: `${at * ROW}px` }, title: `${span.name}\n${span.kind}${span.detail ? ` · ${span.detail}` : ""}\nstarts at ${took(span.offset)}, took ${took(span.duration)}\ndouble-click to zoom`,
    }, name, lane, el("div", { class: "took" }, took(span.duration)));
  }

  click(event) {
    const row = event.target.closest(".row");
    if (!row) return;
    const at = Number(row.dataset.at);
    if (event.target.closest("[data-caret]") && this.spans[this.shown[at]].below) { this.toggle(at); return; }
    this.select(at);
  }

  toggle(at, want) {
    const index = this.shown[at];
    if (!this.spans[index].below || this.matching) return;
    const collapse = want ?? !this.collapsed.has(index);
    if (collapse) this.collapsed.add(index); else this.collapsed.delete(index);
    this.active = at;
    this.refresh();
  }

  select(at) {
    this.active = at;
    const id = this.spans[this.shown[at]].id;
    if (id !== this.selected) { this.selected = id; this.onSelect(id); }
    this.mark();
  }

  // Shows which row is active and which is selected, on the rows as they are: drawing them anew would break a double-click.
  mark() {
    for (const [at, node] of this.drawn) {
      const selected = this.spans[this.shown[at]].id === this.selected;
      node.classList.toggle("active", at === this.active);
      node.classList.toggle("selected", selected);
      node.setAttribute("aria-selected", String(selected));
    }
    this.view.setAttribute("aria-activedescendant", this.shown.length ? `row-${this.active}` : "");
  }

  reveal(at) {
    const top = at * ROW, height = this.view.clientHeight || this.height;
    if (top < this.view.scrollTop) this.view.scrollTop = top;
    else if (top + ROW > this.view.scrollTop + height) this.view.scrollTop = top + ROW - height;
    this.draw();
  }

  nextError() {
    const failing = this.spans.map((span, index) => (span.error ? index : -1)).filter((index) => index >= 0);
    const next = failing.find((index) => index > this.errorAt) ?? failing[0];
    this.errorAt = next;
    this.collapsed.clear();
    this.query = "";
    this.input.value = "";
    this.refresh();
    const at = this.shown.indexOf(next);
    this.reveal(at);
    this.select(at);
  }

  key(event) {
    const index = this.shown[this.active];
    const span = this.spans[index];
    if (!span) return;
    const page = Math.max(1, Math.floor(this.view.clientHeight / ROW) - 1);
    const open = span.below && !this.collapsed.has(index);
    const moves = { ArrowDown: this.active + 1, ArrowUp: this.active - 1, PageDown: this.active + page, PageUp: this.active - page, Home: 0, End: this.shown.length - 1 };
    if (event.key in moves) this.go(moves[event.key]);
    else if (event.key === "Enter" || event.key === " ") this.select(this.active);
    else if (event.key === "z") this.zoomTo(this.active);
    else if (event.key === "Escape") this.zoom(0, this.whole);
    else if (event.key === "ArrowRight" && span.below) { if (open) this.go(this.active + 1); else this.toggle(this.active, false); }
    else if (event.key === "ArrowLeft" && open) this.toggle(this.active, true);
    else if (event.key === "ArrowLeft" && span.depth > 0) {
      let at = this.active;
      while (at > 0 && this.spans[this.shown[at]].depth >= span.depth) at -= 1;
      this.go(at);
    } else return;
    event.preventDefault();
  }

  go(at) {
    this.active = Math.min(Math.max(0, at), this.shown.length - 1);
    this.reveal(this.active);
  }
}

export default function (component) {
  const { parentElement, setStateValue } = component;
  const data = JSON.parse(new TextDecoder().decode(component.data));
  const root = parentElement.querySelector(".sw");
  let board = boards.get(root);
  if (!board) {
    board = new Board(root, () => {});
    boards.set(root, board);
  }
  board.onSelect = (id) => setStateValue("selected", id);
  if (board.version !== data.version) board.load(data);
}
