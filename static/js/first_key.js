// Loads the keyboard shortcuts with the first key that may be one, and hands that key on.
(() => {
  const { dataset } = document.body;
  if (!dataset.keys || dataset.shortcuts === "off") return;

  const first = ({ key, target, altKey, ctrlKey, metaKey }) => {
    if (key.length > 1 || altKey || ctrlKey || metaKey || target.closest("input, textarea, select, [contenteditable], dialog")) return;
    document.removeEventListener("keydown", first);
    const script = Object.assign(document.createElement("script"), { src: dataset.keys });
    script.onload = () => target.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));
    document.head.append(script);
  };

  document.addEventListener("keydown", first);
})();
