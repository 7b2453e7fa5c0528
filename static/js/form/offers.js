// What a press writes into a form: a choice, what the preview offers, or what stood there before, until it is saved.
(() => {
  const put = (field, value, type) => Object.assign(field, { value }).dispatchEvent(new Event(type, { bubbles: true }));
  const offerBack = (form, text) => {
    const was = form.querySelector("[data-was]");
    was.hidden = !text;
    was.querySelector("code").textContent = form.elements.replaced.value = text;
  };
  const write = (form, text, isKept) => {
    const { cron } = form.elements;
    if (isKept) offerBack(form, cron.value);
    put(cron, text, "input");
  };

  // Whoever takes the next choice at once still wants back what no choice writes.
  document.addEventListener("rhythm:write", ({ target, detail }) => { write(target, detail, "custom" in target.dataset); delete target.dataset.custom; });

  document.addEventListener("click", ({ target: { form, dataset, value } }) => {
    if (!form || !("putBack" in dataset || dataset.offer)) return;
    if (dataset.offer === "timezone") put(form.elements.timezone, value, "change");
    else write(form, dataset.offer ? value : form.elements.replaced.value, dataset.offer);
    if (!dataset.offer) offerBack(form, "");
    // What was pressed goes with the answer, and the focus must not fall to the top of the page.
    form.elements.cron.focus();
  });
})();
