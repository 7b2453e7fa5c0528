// Enter in a field of a long form goes on to the next one and saves nothing; Ctrl or Cmd with Enter saves from anywhere.
(() => {
  const isText = (field) => field.matches("input:not([type=submit], [type=button]), select");
  const isShown = (field) => field.tabIndex >= 0 && field.type !== "hidden" && field.checkVisibility();

  document.addEventListener("keydown", (event) => {
    const { target, key } = event, form = target.closest?.("form[data-form-keys]");
    if (key !== "Enter" || !form || event.defaultPrevented || event.isComposing) return;
    if (event.ctrlKey || event.metaKey) {
      event.preventDefault();
      // What is typed last counts when its field is left.
      target.blur();
      target.focus();
      form.requestSubmit(form.querySelector("[data-save]"));
    } else if (isText(target)) {
      event.preventDefault();
      const fields = [...form.elements].filter(isShown);
      fields[fields.indexOf(target) + 1]?.focus();
    }
  });
})();
