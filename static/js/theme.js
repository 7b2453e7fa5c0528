// Sets the theme before the first paint, which is why this file is not part of app.js; then the three-way choice.
(() => {
  const root = document.documentElement;
  const read = () => { try { return localStorage.getItem("theme") || "system"; } catch { return "system"; } };
  const apply = (theme) => {
    if (theme === "system") delete root.dataset.theme; else root.dataset.theme = theme;
    for (const button of document.querySelectorAll("[data-theme-set]")) {
      button.setAttribute("aria-pressed", String(button.dataset.themeSet === theme));
    }
  };
  apply(read());
  document.addEventListener("DOMContentLoaded", () => {
    for (const choice of document.querySelectorAll("[data-theme-choice]")) choice.hidden = false;
    apply(read());
  });
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-theme-set]");
    if (!button) return;
    // Private windows may refuse storage; the choice then lasts as long as the page.
    try { localStorage.setItem("theme", button.dataset.themeSet); } catch { /* not kept */ }
    apply(button.dataset.themeSet);
  });
  addEventListener("storage", (event) => { if (event.key === "theme") apply(read()); });
})();
