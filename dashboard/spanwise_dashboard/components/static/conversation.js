// Recorded messages, as text. Nothing here interprets markup, loads an address or makes a link of one.
const CLIP_CHARACTERS = 1800, CLIP_LINES = 24, TINT_LIMIT = 60000, DRAW_LIMIT = 200000;
const JSON_TOKEN = /("(?:\\.|[^"\\])*")(\s*:)?|\b(?:true|false|null)\b|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;

function tinted(text) {
  if (text.length > TINT_LIMIT || !/^[\[{]/.test(text)) return el("pre", {}, text);
  const pre = el("pre", {});
  let at = 0;
  for (const match of text.matchAll(JSON_TOKEN)) {
    pre.append(text.slice(at, match.index));
    const [whole, string, colon] = match;
    if (string && colon) pre.append(el("span", { class: "key" }, string), colon);
    else pre.append(el("span", { class: string ? "str" : "lit" }, whole));
    at = match.index + whole.length;
  }
  pre.append(text.slice(at));
  return pre;
}

// Long content is clipped with a button; very long content reaches the page only when it is asked for.
function clipped(text, draw) {
  const lines = text.split("\n", CLIP_LINES + 1).length;
  if (text.length <= CLIP_CHARACTERS && lines <= CLIP_LINES) return draw(text);
  const box = el("div", { class: "clip" }, draw(text.slice(0, CLIP_CHARACTERS * 2)));
  const label = `Show all ${text.length.toLocaleString("en")} characters`;
  const button = el("button", { class: "button small", type: "button", "aria-expanded": "false" }, label);
  let limit = DRAW_LIMIT;
  button.addEventListener("click", () => {
    box.className = "";
    box.replaceChildren(draw(text.slice(0, limit)));
    const rest = text.length - limit;
    limit += DRAW_LIMIT;
    if (rest > 0) button.textContent = `Show more (${rest.toLocaleString("en")} characters left)`;
    else button.remove();
  });
  return el("div", {}, box, el("div", { class: "more" }, button));
}

const plain = (text) => el("div", { class: "text" }, text);

function part(item) {
  const call = (sign, word) => el("div", { class: "call" }, `${sign} ${item.name || word}`, item.id ? el("span", { class: "id mono" }, item.id) : null);
  switch (item.kind) {
    case "reasoning":
      return el("details", { class: "part" }, el("summary", {}, "Reasoning"), clipped(item.text, plain));
    case "tool_call":
      return el("div", { class: "part" }, call("→", "tool call"), item.text ? clipped(item.text, tinted) : el("span", { class: "muted" }, "no arguments"));
    case "tool_result":
      return el("div", { class: "part" }, call("←", "tool result"), clipped(item.text, tinted));
    case "media":
      return el("details", { class: "part" }, el("summary", {}, `${item.name} (not loaded)`), clipped(item.text, tinted));
    case "json":
      return el("div", { class: "part" }, item.name ? el("div", { class: "call" }, item.name) : null, clipped(item.text, tinted));
    default:
      return el("div", { class: "part" }, item.name ? el("div", { class: "call" }, item.name) : null, clipped(item.text, plain));
  }
}

function copyButton(text) {
  const button = el("button", { class: "button small", type: "button" }, "Copy");
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(text);
      button.textContent = "Copied";
    } catch {
      button.textContent = "Not allowed";
    }
  });
  return button;
}

function message(item, tone) {
  const text = item.parts.map((each) => each.text).join("\n\n");
  const role = /^[a-z]+$/.test(item.role) ? `r-${item.role}` : "";
  const head = el("div", { class: "who" },
    el("span", { class: "role", title: item.role }, item.role || "data"),
    el("span", { class: "end" }, item.finish ? el("span", {}, item.finish) : null, copyButton(text)));
  const parts = item.parts.length ? item.parts.map(part) : el("div", { class: "part muted" }, "empty");
  return el("div", { class: `message ${tone ? `tone-${tone}` : role}` }, head, parts);
}

export default function (component) {
  const { data, parentElement } = component;
  const root = parentElement.querySelector(".sw");
  const nodes = data.sections.map((section) => [
    el("div", { class: "section" }, el("h3", {}, section.title), el("span", { class: "muted" }, section.note)),
    section.messages.length ? section.messages.map((item) => message(item, section.tone)) : el("div", { class: "empty" }, section.empty),
  ]);
  root.replaceChildren(...nodes.flat(2));
}
