// The page's one dialog: opens when content arrives, closes by button, Escape, backdrop or the event dialog:close.
// Typed text is never thrown away unasked.
(() => {
  const dialog = document.querySelector("[data-dialog]");
  if (!dialog) return;
  let isDirty = false, opener = null;

  const close = () => { isDirty = false; dialog.close(); };
  const question = () => dialog.querySelector("[data-dialog-discard]");
  const askOrClose = () => {
    if (!isDirty || !question()) return close();
    question().hidden = false;
    question().querySelector("[data-dialog-keep]").focus();
  };

  const show = () => {
    if (!dialog.childElementCount) return;
    isDirty = false;
    // Another content, such as the newer version after a conflict, is as clean as the first.
    if (!dialog.open) { opener = document.activeElement; dialog.showModal(); }
    // Without this Chromium focuses the close button.
    (dialog.querySelector("[autofocus]") || dialog.querySelector("input:not([type=hidden]), select, textarea"))?.focus();
  };
  document.addEventListener("htmx:after:swap", ({ detail }) => { if (detail.ctx.target === dialog) show(); });

  for (const name of ["input", "change"]) dialog.addEventListener(name, ({ target }) => { if (target.name !== "more") isDirty = true; });
  dialog.addEventListener("cancel", (event) => { event.preventDefault(); askOrClose(); });
  dialog.addEventListener("dialog:leave", (event) => { askOrClose(); if (dialog.open) event.preventDefault(); });
  dialog.addEventListener("close", () => {
    dialog.replaceChildren();
    // A menu closes behind the dialog, and what is in it cannot have the focus back.
    if (document.activeElement === document.body) opener?.closest("details")?.querySelector("summary").focus();
  });
  document.addEventListener("dialog:close", () => { if (dialog.open) close(); });

  dialog.addEventListener("click", (event) => {
    if (event.target === dialog && !isDirty) return close();
    const control = event.target.closest("[data-dialog-close], [data-dialog-keep], [data-dialog-drop]");
    if (!control) return;
    event.preventDefault();
    if ("dialogDrop" in control.dataset) close();
    else if ("dialogKeep" in control.dataset) question().hidden = true;
    else askOrClose();
  });
  // The first content may be there before this file is.
  show();
})();
