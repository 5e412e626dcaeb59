// Lines of plain text, such as what is wrong with a field.
export default function (component) {
  const root = component.parentElement.querySelector(".sw");
  root.replaceChildren(...component.data.lines.map((line) => el("div", { class: `line ${line.tone || ""}`.trim(), role: line.tone === "bad" ? "alert" : null }, line.text)));
}
