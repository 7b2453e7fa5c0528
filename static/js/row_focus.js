// A pressed [data-focus-next="retry"] button that leaves the page with its row hands the focus to the one of the next row,
// or else to the current tab. Without this it would fall to the top of the page.
(() => {
  let pressed = null;
  const alike = (name) => [...document.querySelectorAll(`[data-focus-next="${name}"]`)];

  document.addEventListener("htmx:before:swap", () => {
    const button = document.activeElement?.closest("[data-focus-next]");
    pressed = button && { button, name: button.dataset.focusNext, place: alike(button.dataset.focusNext).indexOf(button) };
  });

  document.addEventListener("htmx:after:swap", () => {
    if (!pressed || pressed.button.isConnected) return;
    const next = alike(pressed.name)[pressed.place] || document.querySelector(".tabs [aria-current]");
    pressed = null;
    next?.focus();
  });
})();
