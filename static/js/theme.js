// Sets the theme before the first paint, which is why this file is not part of app.js; then the three-way choice.
(() => {
  const root = document.documentElement;
  const read = () => { try { return localStorage.getItem("theme") || "system"; } catch { return root.dataset.chosenTheme || "system"; } };
  // Private windows may refuse storage; the choice then lasts as long as the page.
  const keep = (theme) => { try { localStorage.setItem("theme", theme); } catch { /* not kept */ } };
  const apply = (theme) => {
    if (theme === "system") delete root.dataset.theme; else root.dataset.theme = theme;
    for (const button of document.querySelectorAll("[data-theme-set]")) {
      button.setAttribute("aria-pressed", String(button.dataset.themeSet === theme));
    }
  };
  // What the person chose, on whichever machine, is what this one shows from now on, before signing in too.
  if (root.dataset.chosenTheme) keep(root.dataset.chosenTheme);
  apply(read());
  document.addEventListener("DOMContentLoaded", () => apply(read()));
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-theme-set]");
    if (!button) return;
    keep(button.dataset.themeSet);
    apply(button.dataset.themeSet);
  });
  addEventListener("storage", (event) => { if (event.key === "theme") apply(read()); });
})();
