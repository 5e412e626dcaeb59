// A dense, readable table. Rows may open something; cells may link elsewhere. Columns with `hide` leave a narrow page.
export default function (component) {
  const { data, parentElement, setTriggerValue } = component;
  const root = parentElement.querySelector(".sw");
  const visible = data.columns.map((column) => !column.hide || root.clientWidth >= column.hide || root.clientWidth === 0);
  const focused = root.getRootNode().activeElement?.dataset?.id;

  const open = (action, value) => setTriggerValue("opened", { action, value });

  function content(cell, row, first) {
    const parts = [];
    if (cell.dot !== undefined) parts.push(el("span", { class: `dot ${cell.dot}`, title: cell.dotTitle || "" }));
    if (cell.kind) parts.push(el("span", { class: `dot k-${cell.kind}`, style: { background: "var(--kind)" } }));
    if (first && row.href) {
      const attributes = { class: "rowlink", "data-id": row.id };
      parts.push(link(row.href, attributes, () => open("row", row.id), cell.text || "—"));
    } else if (cell.href) {
      parts.push(link(cell.href, { class: "celllink" }, () => open(cell.action, cell.value), cell.text));
    } else if (cell.action && cell.text) {
      parts.push(el("button", { class: "button", type: "button", on: { click: () => open(cell.action, cell.value) } }, cell.text));
    } else if (cell.text) {
      parts.push(el("span", { class: `${cell.tone || ""} ${cell.mono ? "mono" : ""}`.trim() }, cell.text));
    }
    if (cell.trend) {
      const most = Math.max(...cell.trend, 1);
      parts.push(el("span", { class: "trend", "aria-hidden": "true" },
        cell.trend.map((count) => el("span", { class: count ? "" : "none", style: { height: `${count ? Math.max(12, (count / most) * 100) : 5}%` } }))));
    }
    for (const badge of cell.badges || []) parts.push(el("span", { class: `badge ${badge.tone || ""}`, title: badge.title || badge.text }, badge.text));
    if (cell.delta) parts.push(el("span", { class: `delta ${cell.delta.tone}`, title: "against the window before" }, cell.delta.text));
    if (cell.sub) parts.push(el("span", { class: "sub" }, cell.sub));
    if (cell.bar) parts.push(el("span", { class: "bar", style: { width: `${Math.min(100, cell.bar * 100)}%` } }));
    return parts;
  }

  function draw() {
    const shown = data.columns.map((column, index) => [column, index]).filter(([, index]) => visible[index]);
    const head = el("tr", {}, shown.map(([column]) =>
      el("th", { scope: "col", class: column.align, style: { width: column.width }, title: column.help || "" }, column.label)));
    const body = data.rows.map((row) =>
      el("tr", { class: `${row.href ? "opens" : ""} ${row.selected ? "selected" : ""}`.trim() }, shown.map(([column, index]) => {
        const cell = row.cells[index];
        const title = cell.title ?? (column.wrap ? "" : cell.text);
        return el("td", { class: `${column.align || ""} ${column.wrap ? "wrap" : ""}`.trim(), title }, content(cell, row, index === 0));
      })));
    const table = el("table", { "aria-label": data.label }, el("thead", {}, head), el("tbody", {}, body));
    const empty = data.rows.length ? null : el("div", { class: "empty" }, data.empty);
    root.replaceChildren(el("div", { class: "frame" }, el("div", { class: "scroll" }, table), empty));
    if (focused) for (const node of root.querySelectorAll(".rowlink")) if (node.dataset.id === focused) node.focus();
  }

  draw();
  const observer = new ResizeObserver(() => {
    let changed = false;
    data.columns.forEach((column, index) => {
      const fits = !column.hide || root.clientWidth >= column.hide;
      if (fits !== visible[index]) { visible[index] = fits; changed = true; }
    });
    if (changed) draw();
  });
  observer.observe(root);
  root.onkeydown = (event) => {
    if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return;
    const links = [...root.querySelectorAll(".rowlink")];
    const at = links.indexOf(root.getRootNode().activeElement);
    const next = links[at + (event.key === "ArrowDown" ? 1 : -1)];
    if (at >= 0 && next) { event.preventDefault(); next.focus(); }
  };
  return () => observer.disconnect();
}
