// A press on a choice of a rhythm, or a change of its fields, writes the text; the server says which choice a text is.
(() => {
  const textOf = (form) => form?.querySelector("[data-cron-input]");
  const all = (form, mark) => [...form.querySelectorAll(`[data-${mark}]`)];
  const checked = (form, mark) => all(form, mark).find((one) => one.checked);
  const plain = (value) => (/^\d+$/.test(value) ? `${+value}` : value.replace("T", " "));

  const valuesIn = (form, pattern) => {
    const values = { days: all(form, "part").filter((one) => one.checked).map((one) => one.value).sort().join() };
    for (const { dataset, type, value, validity } of all(form, "part")) if (type !== "checkbox") values[dataset.part] = validity.valid ? plain(value) : "";
    if (pattern.includes("{hour}")) [values.hour = "", values.minute = ""] = values.time.split(":").map(plain);
    if (pattern.includes("{again}") && +values.hour > +values.again) [values.hour, values.again] = [values.again, values.hour];
    return values;
  };

  const write = (form, pattern) => {
    const values = valuesIn(form, pattern), names = [...pattern.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
    return names.every((name) => values[name]) ? pattern.replace(/\{(\w+)\}/g, (_, name) => values[name]) : null;
  };

  document.addEventListener("change", ({ target }) => {
    const { form, dataset = {} } = target, { part, kind, start } = dataset, input = textOf(form);
    if (!input || (part ?? kind ?? start) === undefined) return;
    const choice = start ? target : [kind === undefined ? checked(form, "kind") : target].find((one) => one?.dataset.cron) || checked(form, "start") || all(form, "start").find((one) => one.value === "daily");
    // What somebody set stays set where the next choice has room for it.
    if (part) dataset.touched = "";
    const isOwn = part || !choice.dataset.start || form.querySelector("[data-touched]"), text = isOwn ? write(form, choice.dataset.cron) : choice.dataset.start;
    // A field that holds nothing, or what cannot be, leaves the text alone: the server asks the choices then, and says what is wrong.
    if (!text) form.elements.cron_was.value = input.value;
    else if (text !== input.value) form.dispatchEvent(new CustomEvent("rhythm:write", { bubbles: true, detail: text }));
  });

  document.addEventListener("htmx:after:swap", ({ detail: { ctx } }) => {
    const form = ctx.sourceElement?.closest("[data-preview]")?.closest("form"), { text: about, kind, preset, values, custom } = form?.querySelector("[data-answer]")?.dataset || {};
    // What was typed or pressed since then has its own answer coming.
    if (!kind || about !== textOf(form).value.trim()) return;
    const known = JSON.parse(values), chips = form.dataset.free === textOf(form).value ? [] : form.querySelectorAll("[name=preset]");
    for (const one of [...all(form, "kind"), ...chips]) one.checked = one.value === kind || one.value === preset;
    form.toggleAttribute("data-custom", custom);
    for (const field of all(form, "part")) if (field.dataset.part in known && field !== document.activeElement) {
      const text = known[field.dataset.part];
      if (field.type === "checkbox") field.checked = text.includes(field.value); else field.value = text;
      if ("own" in known) field.dataset.touched = "";
    }
  });

  // Custom has no text of its own: it leads to the field, and stays while the text does.
  document.addEventListener("click", ({ target: { form, dataset }, detail }) => {
    const input = "cronCustom" in dataset && textOf(form);
    if (!input) return;
    form.dataset.free = input.value;
    if (detail) input.focus();
  });
})();
