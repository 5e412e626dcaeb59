// Shares before and after, as two bars above each other for each line, with the difference and its interval.
export default function (component) {
  const { data, parentElement, setTriggerValue } = component;
  const root = parentElement.querySelector(".sw");
  const most = Math.max(...data.rows.flatMap((row) => [row.before, row.after]), 1e-9);
  const bar = (kind, share, text) => el("div", { class: "pair" },
    el("span", { class: "track" }, el("span", { class: `fill ${kind}`, style: { width: `${(Math.max(0, share) / most) * 100}%` } })),
    el("span", { class: "num" }, text));
  const rows = data.rows.map((row) => el("li", {},
    el("div", { class: "what" }, el("span", { class: "label", title: row.label }, row.label),
      (row.badges || []).map((badge) => el("span", { class: `badge ${badge.tone || ""}`, title: badge.title }, badge.text))),
    el("div", { class: "bars" }, bar("before", row.before, row.beforeText), bar("after", row.after, row.afterText)),
    el("div", { class: "moved" }, el("span", { class: row.tone || "" }, row.difference), row.interval ? el("span", { class: "muted" }, row.interval) : null),
    (row.examples || []).length ? el("ul", { class: "examples" }, row.examples.map((example) => el("li", {}, example.href
      ? link(example.href, { title: "Open the trace" }, () => setTriggerValue("opened", { action: "trace", value: example.value }), example.text)
      : el("span", {}, example.text)))) : null));
  const key = (kind, text) => el("span", { class: "item" }, el("span", { class: `fill ${kind}` }), text);
  root.replaceChildren(
    el("div", { class: "legend" }, key("before", data.beforeLabel), key("after", data.afterLabel)),
    el("ul", { class: "rows", "aria-label": data.label }, rows));
}
