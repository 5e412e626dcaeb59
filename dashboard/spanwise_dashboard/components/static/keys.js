
// Draws nothing: a letter puts the cursor into a text field of the page, Escape takes it out, so that other keys work again.
export default function (component) {
  const { data } = component;

  function pressed(event) {
    const typing = event.target instanceof Element ? event.target.closest("textarea, input, [contenteditable=true]") : null;
    if (event.key === "Escape" && typing) {
      typing.blur();
      return;
    }
    if (typing || event.ctrlKey || event.metaKey || event.altKey) return;
    const key = data.fields[event.key.toLowerCase()];
    const field = key && document.querySelector(`.st-key-${CSS.escape(key)} textarea`);
    if (!field) return;
    event.preventDefault();
    field.focus();
    field.setSelectionRange(field.value.length, field.value.length);
  }

  document.addEventListener("keydown", pressed);
  return () => document.removeEventListener("keydown", pressed);
}
