// Loads the keyboard shortcuts with the first key that may be one, and hands on what was pressed till then.
(() => {
  const { dataset } = document.body;
  if (!dataset.keys || dataset.shortcuts === "off") return;
  const pressed = [];

  const handOn = () => {
    document.removeEventListener("keydown", keep);
    for (const [target, key] of pressed) target.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));
  };

  const keep = ({ key, target, altKey, ctrlKey, metaKey }) => {
    if (key.length > 1 || metaKey || ((altKey || ctrlKey) && !(altKey && /^[[\]]$/.test(key))) || target.closest("input, textarea, select, [contenteditable], dialog")) return;
    if (pressed.push([target, key]) > 1) return;
    document.head.append(Object.assign(document.createElement("script"), { src: dataset.keys, onload: handOn }));
  };

  document.addEventListener("keydown", keep);
})();
