// Things that deserve attention, one below the other: a sentence that opens it, badges, and what is to be known at a glance.
export default function (component) {
  const { data, parentElement, setTriggerValue } = component;
  const root = parentElement.querySelector(".sw");
  const focused = root.getRootNode().activeElement?.dataset?.id;
  const cards = data.cards.map((card) => el("li", { class: `card tone-${card.tone || "none"}` },
    el("div", { class: "head" },
      card.href
        ? link(card.href, { class: "title", "data-id": card.id }, () => setTriggerValue("opened", { action: "card", value: card.id }), card.title)
        : el("span", { class: "title" }, card.title),
      el("span", { class: "badges" }, (card.badges || []).map((badge) => el("span", { class: `badge ${badge.tone || ""}`, title: badge.title }, badge.text)))),
    (card.lines || []).map((line) => el("div", { class: "text" }, line)),
    el("div", { class: "facts" }, (card.facts || []).map((fact) => el("span", { class: "fact", title: fact.title },
      fact.label ? el("span", { class: "label" }, fact.label) : null, el("span", { class: `value ${fact.tone || ""}`.trim() }, fact.text))))));
  root.replaceChildren(el("ul", { "aria-label": data.label }, cards));
  if (focused) for (const node of root.querySelectorAll("a.title")) if (node.dataset.id === focused) node.focus();
}
