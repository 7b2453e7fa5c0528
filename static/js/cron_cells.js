// The five cells under a cron field repeat its parts and light up the one the caret is in.
(() => {
  const LONGEST_SENT = 200;

  const show = (input) => {
    const cells = input.closest("[data-cron-field]")?.querySelectorAll("[data-cron-cell]") || [];
    const parts = input.value.trim().split(/\s+/);
    const before = input.value.slice(0, input.selectionStart ?? 0).trimStart();
    const current = document.activeElement === input ? before.split(/\s+/).length - 1 : -1;
    cells.forEach((cell, index) => {
      cell.querySelector("[data-cron-part]").textContent = parts[index] || "·";
      cell.toggleAttribute("data-current", index === current);
    });
  };

  const update = (event) => { if (event.target.matches?.("[data-cron-input]")) show(event.target); };
  for (const name of ["input", "keyup", "click", "focusin"]) document.addEventListener(name, update);
  // The caret is still in the field while focusout is told.
  document.addEventListener("focusout", (event) => setTimeout(update, 0, event));

  // The preview asks by an address, which has no room for a pasted page; that the text is too long shows all the same.
  document.addEventListener("htmx:config:request", ({ detail }) => {
    const { sourceElement, request } = detail.ctx, text = request.body?.get("cron");
    if (text?.length > LONGEST_SENT && sourceElement.querySelector("[data-cron-input]")) request.body.set("cron", text.slice(0, LONGEST_SENT));
  });

  // An answer marks the wrong cell; the next key makes that mark stale.
  document.addEventListener("input", (event) => {
    if (!event.target.matches?.("[data-cron-input]")) return;
    for (const cell of event.target.closest("[data-cron-field]")?.querySelectorAll("[data-state]") || []) delete cell.dataset.state;
  });
})();
