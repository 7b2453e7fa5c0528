// Single keys of every page: help, search, g and a letter, the bar of what is ticked, new, edit, pause, whose clock,
// before and next, and those of logs. first_key.js loads this file.
(() => {
  const PATIENCE_MS = 1500;
  let wentAt = 0;

  const press = (element) => { element?.click(); return Boolean(element); };
  const find = (selector) => [...document.querySelectorAll(selector)].find((one) => one.checkVisibility());
  // The choice that comes after the current one: of links on the page of a schedule, of buttons on lists.
  const nextClock = () => {
    const choices = [...document.querySelectorAll("[data-clock-choice] :is(a, button)")];
    return choices[(choices.findIndex((one) => one.matches("[aria-current], [aria-pressed=true]")) + 1) % choices.length];
  };
  const edit = () => press(document.activeElement.closest("tr")?.querySelector("a[href$='/edit']") || find(".page-actions a[href$='/edit']"));
  // From the line that the address names, and from the last error on to the first. Many lines in a row are one error.
  const nextError = () => {
    const errors = [...document.querySelectorAll("[data-log-lines] > ol > [data-level=error]:not([data-level=error] + *, .log-fold + *)")], here = document.querySelector("[data-log-lines] :target");
    const next = errors.find((one) => !here || here.compareDocumentPosition(one) & Node.DOCUMENT_POSITION_FOLLOWING) || errors[0];
    if (next) location.hash = next.id;
    return Boolean(next);
  };

  const ACTIONS = {
    "?": () => press(document.querySelector("[data-key='?']")),
    "/": () => { const field = find("main input[type=search]"); field?.focus(); field?.select(); return Boolean(field); },
    b: () => { const button = find(".bulk button:not(:disabled)"); button?.focus(); return Boolean(button); },
    n: () => press(find("main a[href$='/new'], main a[href*='/new?']")),
    e: () => edit() || nextError(),
    f: () => press(find("[data-log-follow]")),
    "[": () => press(find("main a[rel=prev]")),
    "]": () => press(find("main a[rel=next]")),
    p: () => press(find("[data-live-pill]")),
    t: () => press(nextClock()),
    g: () => { wentAt = Date.now(); return true; },
  };

  // Many keyboards need Alt, or Alt and Ctrl, for a bracket.
  const isElsewhere = ({ target, key, altKey, ctrlKey, metaKey }) =>
    metaKey || ((altKey || ctrlKey) && !(altKey && /^[[\]]$/.test(key))) || document.querySelector("dialog[open]") ||
    target.closest("textarea, select, [contenteditable], [role=combobox], input:not([type=checkbox])");

  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || isElsewhere(event)) return;
    const isGoing = Date.now() - wentAt < PATIENCE_MS;
    wentAt = 0;
    const goal = isGoing && /^[a-z]$/.test(event.key) && document.querySelector(`[data-go="${event.key}"]`);
    const isDone = goal ? press(goal) : !isGoing && Object.hasOwn(ACTIONS, event.key) && ACTIONS[event.key]();
    if (isDone) event.preventDefault();
  });
})();
