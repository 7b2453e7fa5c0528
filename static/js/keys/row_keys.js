// Keys of the rows of a table: the focus goes from name to name, so that Enter opens what it stands on.
(() => {
  const NAMES = "main tbody tr[id] :is(a, button).name";
  let tickedAt = null;

  const rows = () => [...document.querySelectorAll(NAMES)].filter((name) => name.checkVisibility());
  const here = () => document.activeElement.closest("tr");
  const move = (step) => {
    const names = rows(), at = names.findIndex((name) => name.closest("tr") === here());
    const next = names[at < 0 ? (step > 0 ? 0 : names.length - 1) : at + step];
    next?.focus();
    next?.scrollIntoView({ block: "nearest" });
    return Boolean(names.length);
  };

  const boxOf = (row) => row?.querySelector("input[type=checkbox]:not(:disabled)");
  const tick = (isRange) => {
    const box = boxOf(here()), boxes = rows().map((name) => boxOf(name.closest("tr"))).filter(Boolean);
    if (!box) return false;
    const from = isRange && boxes.includes(tickedAt) ? boxes.indexOf(tickedAt) : boxes.indexOf(box), to = boxes.indexOf(box);
    if (from === to) box.click();
    else for (const one of boxes.slice(Math.min(from, to), Math.max(from, to) + 1)) if (!one.checked) one.click();
    tickedAt = box;
    return true;
  };

  const tickPage = () => {
    const boxes = rows().map((name) => boxOf(name.closest("tr"))).filter(Boolean), isTicked = boxes.every((box) => box.checked);
    // What counts the ticks, and keeps rows in place, comes with the focus.
    if (!here()) move(1);
    for (const box of boxes) if (box.checked === isTicked) box.click();
    return Boolean(boxes.length);
  };

  const openMenu = () => {
    const menu = here()?.querySelector("details[data-menu]");
    if (!menu) return false;
    menu.open = true;
    menu.querySelector(".menu :is(a, button:not(:disabled))")?.focus();
    return true;
  };

  const ACTIONS = {
    j: () => move(1), k: () => move(-1),
    ArrowDown: () => Boolean(here()) && move(1), ArrowUp: () => Boolean(here()) && move(-1),
    x: () => tick(false), X: () => tick(true), a: tickPage, ".": openMenu,
    Escape: () => { if (here() && !here().querySelector("details[open]")) document.activeElement.blur(); return false; },
  };

  document.addEventListener("keydown", (event) => {
    const { target, key, altKey, ctrlKey, metaKey, defaultPrevented } = event;
    if (defaultPrevented || altKey || ctrlKey || metaKey || document.querySelector("dialog[open]")) return;
    if (target.closest("textarea, select, [contenteditable], [role=combobox], input:not([type=checkbox])")) return;
    if (Object.hasOwn(ACTIONS, key) && ACTIONS[key]()) event.preventDefault();
  });
})();
