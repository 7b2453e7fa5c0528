// A second press while the first is under way does nothing. The button keeps the focus, which disabling would lose.
(() => {
  const LONGEST_MS = 20000; // a download answers without leaving the page, and no event says so
  // A form that the rows of a list share is never under way as a whole: what was pressed is.
  const subjectOf = (form, pressed) => ("shared" in form.dataset && pressed) || form;
  const buttonsOf = (subject) => (subject.matches("button") ? [subject] : subject.querySelectorAll("button[type=submit], button:not([type])"));

  const release = (subject) => {
    delete subject.dataset.busy;
    for (const button of buttonsOf(subject)) for (const name of ["aria-busy", "aria-disabled"]) button.removeAttribute(name);
  };

  const hold = (subject, pressed) => {
    subject.dataset.busy = "";
    for (const button of buttonsOf(subject)) button.setAttribute("aria-disabled", "true");
    (pressed || buttonsOf(subject)[0])?.setAttribute("aria-busy", "true");
    setTimeout(release, LONGEST_MS, subject);
  };

  document.addEventListener("submit", (event) => {
    if (!("busy" in subjectOf(event.target, event.submitter).dataset)) return;
    event.preventDefault();
    event.stopImmediatePropagation();
  }, true);

  document.addEventListener("submit", (event) => {
    const isPost = event.target.getAttribute("method")?.toLowerCase() === "post";
    if (isPost && event.target.target !== "_blank") hold(subjectOf(event.target, event.submitter), event.submitter);
  });

  document.addEventListener("htmx:finally:request", (event) => {
    const { sourceElement, request } = event.detail.ctx, form = sourceElement?.closest("form");
    if (form) release(subjectOf(form, request.submitter));
  });

  // The back button may bring the page back as it was left.
  addEventListener("pageshow", () => document.querySelectorAll("[data-busy]").forEach(release));
})();
