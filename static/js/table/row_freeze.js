// While somebody works in a table, a refresh changes its cells but neither the order nor the number of its rows: what is
// new waits behind a button. A <tbody id data-rows="run"> takes part; the rows need ids.
(() => {
  const CALM_MS = 3000, LOOK_MS = 500;
  const touchedAt = new WeakMap(), held = new Map(), isFreed = new Set(), acted = new Set();
  const bodyOf = (target) => target instanceof Element && target.closest("tbody[data-rows]");
  const touch = ({ target }) => { const body = bodyOf(target); if (body) touchedAt.set(body, Date.now()); };
  for (const name of ["pointermove", "focusin", "focusout", "input"]) document.addEventListener(name, touch, { passive: true });

  const isBusy = (body) =>
    body.contains(document.activeElement) || body.querySelector("input:checked, details[open]") ||
    Date.now() - (touchedAt.get(body) || 0) < CALM_MS || body.getBoundingClientRect().top < 0;

  const release = (id, asked) => {
    const topic = held.get(id)?.topic;
    held.get(id)?.button?.remove();
    held.delete(id);
    if (asked) isFreed.add(id);
    if (topic) document.body.dispatchEvent(new CustomEvent(topic));
  };

  const offer = (body, count) => {
    const words = `${count} new ${body.dataset.rows}${count === 1 ? "" : "s"} – Show`;
    const button = held.get(body.id).button || Object.assign(document.createElement("button"), { type: "button", className: "new-rows", onclick: () => release(body.id, true) });
    button.textContent = words;
    body.closest(".table-wrap").before(button);
    held.get(body.id).button = button;
  };

  // The rows that are there, as the answer has them; those it no longer has, as they are, unless that is what was asked.
  const freeze = (body, fresh, topic) => {
    const rows = new Map([...fresh.children].map((row) => [row.id, row]));
    const added = [...rows.keys()].filter((id) => id && !document.getElementById(id));
    const staying = [...body.children].filter((row) => rows.has(row.id) || !acted.has(row.id));
    fresh.replaceChildren(...staying.map((row) => rows.get(row.id) || row.cloneNode(true)));
    held.set(body.id, { ...held.get(body.id), topic });
    if (added.length) offer(body, added.length);
  };

  document.addEventListener("htmx:before:request", ({ detail: { ctx } }) => {
    const row = (ctx.request.submitter || ctx.sourceElement)?.closest?.("tbody[data-rows] > tr");
    if (row) acted.add(row.id);
  });

  document.addEventListener("htmx:before:swap", ({ detail: { ctx, tasks } }) => {
    const topic = ctx.sourceElement?.getAttribute("hx-trigger")?.match(/live:\w+/)?.[0];
    if (!topic || ctx.response.status !== 200) return;
    for (const { fragment, target } of tasks) for (const body of target.matches("[data-rows]") ? [target] : target.querySelectorAll("[data-rows]")) {
      const fresh = body === target ? fragment : fragment.querySelector(`#${body.id}`);
      const isBack = fresh && [...fresh.children].some(({ id }) => acted.has(id) && !document.getElementById(id));
      if (!fresh || isBack || isFreed.delete(body.id) || !isBusy(body)) { held.get(body.id)?.button?.remove(); held.delete(body.id); continue; }
      freeze(body, fresh, topic);
      ctx.isHeld = true;
    }
  });

  // What somebody made in the dialog is shown at once.
  document.addEventListener("dialog:close", () => { for (const body of document.querySelectorAll("[data-rows]")) isFreed.add(body.id); });
  setInterval(() => { for (const id of held.keys()) { const body = document.getElementById(id); if (!body || !isBusy(body)) release(id); } }, LOOK_MS);
})();
