// Numbers of two sides: the values, the difference, its interval around zero, and what is to be made of it.
export default function (component) {
  const { data, parentElement, setTriggerValue } = component;
  const root = parentElement.querySelector(".sw");
  const focused = root.getRootNode().activeElement?.dataset?.id;
  const percent = (share) => `${(share * 100).toFixed(2)}%`;

  function bar(row) {
    if (!row.bar) return el("span", { class: "track" }, el("span", { class: "zero" }));
    const { low, high, value, cut } = row.bar;
    return el("span", { class: "track", role: "img", "aria-label": `difference ${row.text}, interval ${row.interval}`, title: row.interval },
      el("span", { class: "zero" }),
      el("span", { class: `reach ${cut[0] ? "cut-low" : ""} ${cut[1] ? "cut-high" : ""}`, style: { left: percent(low), width: percent(high - low) } }),
      el("span", { class: "point", style: { left: percent(value) } }));
  }

  const side = (kind, text) => el("span", { class: "num side", title: text }, el("span", { class: `spot ${kind}` }), el("span", { class: "name" }, text));
  const head = el("div", { class: "row head" },
    el("span", { class: "what" }, data.label), side("a", data.sides[0]), side("b", data.sides[1]), el("span", { class: "num" }, "Difference"),
    el("span", { class: "draws scale" }, el("span", {}, "← less"), el("span", {}, "0"), el("span", {}, "more →")), el("span", { class: "verdict" }, "Verdict"));
  const rows = data.rows.map((row) => el("li", { class: `row tone-${row.verdict.tone || "none"} ${row.href ? "opens" : ""}`.trim() },
    el("div", { class: "what" },
      row.href ? link(row.href, { class: "title", "data-id": row.id }, () => setTriggerValue("opened", { action: "row", value: row.id }), row.title)
        : el("span", { class: "title" }, row.title),
      row.counted ? el("span", { class: "sub" }, row.counted) : null),
    el("span", { class: "num" }, row.a), el("span", { class: "num" }, row.b),
    el("span", { class: "num" }, row.text ? el("strong", {}, row.text) : el("span", { class: "none" }, "—"), row.interval ? el("span", { class: "sub" }, row.interval) : null),
    el("span", { class: "draws" }, bar(row)),
    el("span", { class: "verdict" }, el("span", { class: `badge ${row.verdict.tone || ""}`, title: row.verdict.title }, row.verdict.text))));
  root.replaceChildren(el("div", { class: "frame" }, head, el("ul", { "aria-label": data.label }, rows)));
  if (focused) for (const node of root.querySelectorAll("a.title")) if (node.dataset.id === focused) node.focus();
}
