// A title with badges and a line of facts; or, as `chips`, facts that can be removed.
export default function (component) {
  const { data, parentElement, setTriggerValue } = component;
  const root = parentElement.querySelector(".sw");
  const open = (action, value) => setTriggerValue("opened", { action, value });
  const badges = (data.badges || []).map((badge) => el("span", { class: `badge ${badge.tone || ""}`, title: badge.title }, badge.text));
  const title = data.title
    ? el("div", { class: "title" }, el(data.level === 2 ? "h2" : "h1", {}, data.title), badges)
    : null;
  const facts = data.facts.map((fact) => {
    const attributes = { class: `value ${fact.tone || ""} ${fact.mono ? "mono" : ""}`.trim(), title: fact.title || fact.text };
    const value = fact.href
      ? link(fact.href, attributes, () => open(fact.action, fact.value), fact.text)
      : el("span", attributes, fact.text);
    const remove = fact.removable
      ? el("button", { class: "remove", type: "button", "aria-label": `Remove the filter ${fact.label} ${fact.text}`, on: { click: () => open("remove", fact.value) } }, "×")
      : null;
    return el("span", { class: "fact" }, fact.label ? el("span", { class: "label" }, fact.label) : null, value, remove);
  });
  const actions = (data.actions || []).map((action) =>
    el("button", { class: "button", type: "button", on: { click: () => open(action.action, "") } }, action.text));
  root.replaceChildren(...[title, el("div", { class: data.chips ? "facts chips" : "facts" }, facts, actions)].filter(Boolean));
}
