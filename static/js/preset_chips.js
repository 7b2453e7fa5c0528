// Chips and the cron text beside them agree: a chip writes its text, a text that equals a preset checks its chip.
// The text is the truth: nothing is ever written without a press on a chip.
(() => {
  const inputFor = (element) => element.form?.querySelector("[data-cron-input]");

  document.addEventListener("change", (event) => {
    const text = event.target.dataset?.cron;
    const input = text === undefined ? null : inputFor(event.target);
    if (!input || input.value === text) return;
    input.value = text;
    input.dispatchEvent(new Event("input", { bubbles: true }));
  });

  document.addEventListener("input", (event) => {
    if (!event.target.matches?.("[data-cron-input]") || !event.target.form) return;
    const { form, value } = event.target;
    const chips = [...form.querySelectorAll("[data-cron]")];
    const chip = chips.find((one) => one.dataset.cron === value.trim()) || form.querySelector("[data-cron-custom]");
    if (chip) chip.checked = true;
  });

  // Custom has no text of its own: it leads to the field.
  document.addEventListener("click", (event) => {
    if (event.target.matches?.("[data-cron-custom]") && event.detail > 0) inputFor(event.target)?.focus();
  });
})();
