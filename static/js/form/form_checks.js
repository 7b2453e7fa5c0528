// What is wrong is said at its field while somebody types: after a moment of quiet, or when the field is left; it is gone
// with the first answer that has nothing against it. What is said of fields nobody has touched is left for the saving.
(() => {
  const QUIET_MS = 600, touched = new WeakSet();
  let typedAt = 0, timer = 0;

  const say = (input, message, blamed) => {
    const id = `${input.id.replace(/-\d+$/, "")}-error`, others = (input.getAttribute("aria-describedby") || "").split(" ").filter((one) => one && one !== id);
    let place = document.getElementById(id);
    if (message) {
      if (!place) input.closest(".field").append(place = Object.assign(document.createElement("p"), { id, className: "error" }));
      others.push(id);
      if (place.textContent.trim() !== message) place.textContent = message;
    } else place?.remove();
    Object.assign(input, { ariaInvalid: message ? "true" : null }).setAttribute("aria-describedby", others.join(" "));
    if ("cronInput" in input.dataset) { input.dataset.blamed = message && blamed; input.dispatchEvent(new Event("cron:blame", { bubbles: true })); }
  };

  const showAll = () => {
    const answer = document.querySelector("[data-answer]");
    if (!answer) return;
    const { blamed, zone, clock: words } = answer.dataset, problems = JSON.parse(answer.dataset.problems);
    clearTimeout(timer);
    // However the zone was chosen, its clock is told by the answer about it.
    for (const clock of document.querySelectorAll("[data-checks] [data-zone-clock]")) if (clock.closest("form").elements.timezone.value === zone) clock.textContent = words;
    for (const form of document.querySelectorAll("[data-checks]")) for (const input of form.elements) {
      if (!touched.has(input) || input.type === "hidden") continue;
      const message = problems[input.name] || "";
      if (!message || document.activeElement !== input || Date.now() - typedAt >= QUIET_MS) say(input, message, blamed);
    }
    const wait = QUIET_MS - (Date.now() - typedAt);
    if (wait > 0) timer = setTimeout(showAll, wait);
  };

  document.addEventListener("input", ({ target }) => { touched.add(target); typedAt = Date.now(); });
  document.addEventListener("focusout", ({ target }) => { if (target.closest?.("[data-checks]")) { typedAt = 0; showAll(); } });

  // The last good answer stays in sight while what is typed cannot be read yet.
  document.addEventListener("htmx:before:swap", ({ detail: { ctx, tasks } }) => {
    if (!ctx.sourceElement?.hasAttribute("data-preview")) return;
    const shown = document.querySelector("[data-answer]"), came = tasks[0]?.fragment.querySelector("[data-answer]");
    if (came && shown && "invalid" in came.dataset && shown.closest(".preview").querySelector(".next-runs")) {
      Object.assign(shown.dataset, came.dataset);
      shown.closest(".preview").dataset.stale = "";
      tasks.length = 0;
    }
  });
  document.addEventListener("htmx:after:swap", ({ detail: { ctx } }) => { if (ctx.sourceElement?.hasAttribute("data-preview")) showAll(); });

  // A refused save leads to what is wrong.
  document.addEventListener("htmx:after:swap", ({ detail: { ctx } }) => {
    const form = document.querySelector("[data-checks]");
    if (form && ctx.sourceElement === form) (form.querySelector("[aria-invalid=true]:not([type=hidden])") || form.querySelector(".error-summary"))?.focus();
  });
  document.addEventListener("click", ({ target }) => {
    const fold = target.closest?.("[data-fold]");
    if (fold) fold.ariaExpanded = fold.ariaExpanded !== "true";
  });
  showAll(); // an answer may have come before this script
})();
