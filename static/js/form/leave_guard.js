// Who leaves the page with a form that was filled and not saved is asked by the browser, whichever way they go.
(() => {
  let isDirty = false;
  const forget = () => { isDirty = false; };

  for (const name of ["input", "change"]) document.addEventListener(name, ({ target }) => { if (target.form?.matches("[data-checks]") && target.name !== "more") isDirty = true; });
  // The dialog asks before it closes, and what comes into it anew is clean.
  document.addEventListener("close", forget, true);
  document.addEventListener("htmx:after:swap", ({ detail: { ctx } }) => { if (ctx.target?.matches("dialog")) forget(); });
  document.addEventListener("click", ({ target }) => { if (target.closest?.("[data-drop]")) forget(); });
  // A save that is done leads away; one that was refused leaves all as it is.
  document.addEventListener("htmx:before:response", ({ detail: { ctx } }) => { if (ctx.sourceElement?.matches("[data-checks]") && ctx.response.status < 300) forget(); });
  addEventListener("beforeunload", (event) => { if (isDirty) event.preventDefault(); });
})();
