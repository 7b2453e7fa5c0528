// A second press while the first is under way does nothing. The button keeps the focus, which disabling would lose.
(() => {
  const LONGEST_MS = 20000; // a download answers without leaving the page, and no event says so
  const buttonsOf = (form) => form.querySelectorAll("button[type=submit], button:not([type])");

  const release = (form) => {
    delete form.dataset.busy;
    for (const button of buttonsOf(form)) for (const name of ["aria-busy", "aria-disabled"]) button.removeAttribute(name);
  };

  const hold = (form, pressed) => {
    form.dataset.busy = "";
    for (const button of buttonsOf(form)) button.setAttribute("aria-disabled", "true");
    (pressed || buttonsOf(form)[0])?.setAttribute("aria-busy", "true");
    setTimeout(release, LONGEST_MS, form);
  };

  document.addEventListener("submit", (event) => {
    if (!("busy" in event.target.dataset)) return;
    event.preventDefault();
    event.stopImmediatePropagation();
  }, true);

  document.addEventListener("submit", (event) => {
    const isPost = event.target.getAttribute("method")?.toLowerCase() === "post";
    if (isPost && event.target.target !== "_blank") hold(event.target, event.submitter);
  });

  document.addEventListener("htmx:finally:request", (event) => {
    const form = event.detail.ctx.sourceElement?.closest("form");
    if (form) release(form);
  });

  // The back button may bring the page back as it was left.
  addEventListener("pageshow", () => document.querySelectorAll("form[data-busy]").forEach(release));
})();
