// Texts side by side; pieces that the other side has not are marked.
export default function (component) {
  const { data, parentElement } = component;
  const root = parentElement.querySelector(".sw");
  const piece = (part, tone) => part.changed ? el(tone === "good" ? "ins" : "del", { class: tone }, part.text) : part.text;
  root.replaceChildren(el("div", { class: "texts", role: "group", "aria-label": data.label },
    data.texts.map((text) => el("section", { class: "text", "aria-label": text.title },
      el("header", {}, el("span", { class: "name" }, text.title), text.note ? el("span", { class: "muted" }, text.note) : null),
      text.parts.length ? el("div", { class: "body" }, text.parts.map((part) => piece(part, text.tone)))
        : el("div", { class: "body muted" }, text.empty)))));
}
