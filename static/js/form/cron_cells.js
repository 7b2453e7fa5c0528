// The cells under a cron field repeat the parts of the line the caret is in, and light up the one it is in.
(() => {
  const LONGEST_SENT = 600;
  const lineAt = (input) => {
    const caret = input.selectionStart ?? 0, begin = input.value.lastIndexOf("\n", caret - 1) + 1;
    return { line: input.value.slice(begin).split("\n")[0], before: input.value.slice(begin, caret).trimStart(), number: input.value.slice(0, begin).split("\n").length };
  };

  const show = (input) => {
    const list = input.closest("[data-cron-field]")?.querySelector("ol");
    if (!list) return;
    const { line, before, number } = lineAt(input), parts = line.trim().split(/\s+/), cells = [...list.children], spare = cells.length - 5;
    const current = document.activeElement === input ? before.split(/\s+/).length - 1 : -1;
    // The seconds, which come first, have a cell only while they are there.
    const shift = spare && parts.length < 6 ? spare : 0;
    list.hidden = /^(every|at|@)/i.test(parts[0]);
    cells.forEach((cell, index) => {
      cell.hidden = index < shift;
      cell.querySelector("[data-cron-part]").textContent = parts[index - shift] || "·";
      cell.toggleAttribute("data-current", index - shift === current);
      if (input.dataset.blamed === `${number} ${cell.lastChild.textContent}`) cell.dataset.state = "failed"; else delete cell.dataset.state;
    });
  };

  const update = (event) => { if (event.target.matches?.("[data-cron-input]")) show(event.target); };
  for (const name of ["input", "keyup", "click", "focusin", "cron:blame"]) document.addEventListener(name, update);
  // The caret is still in the field while focusout is told.
  document.addEventListener("focusout", (event) => setTimeout(update, 0, event));

  document.addEventListener("click", ({ target }) => {
    const input = target.matches?.("[data-another]") && target.form.querySelector("[data-cron-input]");
    if (!input) return;
    input.value = `${input.value.trimEnd()}\n`;
    input.rows = input.value.split("\n").length;
    input.focus();
  });

  // The preview asks by an address, which has no room for a pasted page; that the text is too long shows all the same.
  document.addEventListener("htmx:config:request", ({ detail }) => {
    const { sourceElement, request } = detail.ctx, text = request.body?.get?.("cron");
    if (text == null || !sourceElement.hasAttribute("data-preview")) return;
    for (const name of ["notes", "csrf_token"]) request.body.delete(name);
    for (const [name, value] of [...request.body]) if (value.length > LONGEST_SENT) request.body.set(name, value.slice(0, LONGEST_SENT));
  });

  // An answer marks the wrong cell; the next key makes that mark stale. From then on the text alone counts, whatever is chosen.
  document.addEventListener("input", ({ target }) => {
    if (!target.matches?.("[data-cron-input]")) return;
    for (const was of target.form?.querySelectorAll("[name=cron_was]") || []) was.value = "-";
    delete target.dataset.blamed;
  }, true);
})();
