// Helpers of every component. Recorded content reaches the page only as text nodes and attributes set here: never as markup.
function el(tag, attributes, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes || {})) {
    if (value === null || value === undefined || value === false || value === "") continue;
    if (name === "on") for (const [event, handler] of Object.entries(value)) node.addEventListener(event, handler);
    else if (name === "style") Object.assign(node.style, value);
    else node.setAttribute(name, value === true ? "" : String(value));
  }
  for (const child of children.flat()) {
    if (child === null || child === undefined || child === "") continue;
    node.append(child instanceof Node ? child : document.createTextNode(String(child)));
  }
  return node;
}

// A link inside the dashboard: a plain click stays in the page, any other click is the browser's. `href` is made by the
// dashboard from encoded parts; anything but a relative address with a query is refused here once more.
function link(href, attributes, onOpen, ...children) {
  const safe = /^[a-z]*\?[^\s]*$/.test(href) ? href : null;
  return el("a", {
    ...attributes,
    href: safe,
    on: {
      click: (event) => {
        if (event.metaKey || event.ctrlKey || event.shiftKey || event.button !== 0) return;
        event.preventDefault();
        event.stopPropagation();
        onOpen();
      },
    },
  }, ...children);
}
