// In place of a select of time zones a search, after ARIA's combobox practice. The select keeps the choice and is sent.
(() => {
  const vals = JSON.stringify({ detected: Intl.DateTimeFormat().resolvedOptions().timeZone });
  let isEntered = false;

  const start = (picker, swapped) => {
    const [label, select, input, list, clock] = ["label", "select", "[role=combobox]", "[role=listbox]", "[data-zone-clock]"].map((one) => picker.querySelector(one));
    const box = input.parentElement, options = [...list.querySelectorAll("[data-zone]")];
    const chosen = options.find((one) => one.dataset.zone === select.value);
    const mark = (option) => {
      for (const one of options) one.ariaSelected = one === option;
      input.setAttribute("aria-activedescendant", option?.id || "");
      option?.scrollIntoView({ block: "nearest" });
    };
    const show = (isOpen) => { mark(); list.hidden = !isOpen; input.ariaExpanded = isOpen; isEntered = false; };
    const focus = () => { if (document.activeElement === input) input.select(); };
    const close = () => { show(false); input.value = select.selectedOptions[0]?.text; focus(); };
    const open = () => { input.value = ""; input.dispatchEvent(new Event("input")); show(true); };
    const choose = ({ dataset }) => {
      select.value = dataset.zone;
      select.dispatchEvent(new Event("change", { bubbles: true }));
      clock.textContent = dataset.clock;
    };

    label.htmlFor = input.id;
    input.setAttribute("hx-vals", vals);
    Object.assign(select, { className: "visually-hidden", tabIndex: -1, ariaHidden: true, onfocus: () => input.focus(), onchange: () => { close(); clock.textContent = ""; } });
    Object.assign(input, { onfocus: focus, onblur: close });
    Object.assign(box, {
      hidden: false,
      oninput: (event) => { event.stopPropagation(); show(true); },
      onmousedown: (event) => { if (event.target !== input) event.preventDefault(); },
      onclick: ({ target }) => { const option = target.closest("[data-zone]"); if (option) choose(option); else if (list.hidden) open(); },
      onkeydown: (event) => {
        const { key } = event, isOpen = !list.hidden, at = options.findIndex((one) => one.ariaSelected === "true");
        const to = { ArrowDown: at + 1, ArrowUp: at - 1, ...(isOpen && { Home: 0, End: -1, Enter: at, Escape: at }) }[key];
        if (to === undefined) return;
        event.preventDefault();
        if (!isOpen) open();
        else if (key === "Escape") close();
        else if (key !== "Enter") mark(options.at(to % options.length));
        else if (at < 0) isEntered = true;
        else choose(options[at]);
      },
    });
    if (swapped === list && !list.hidden) {
      const first = (!input.value && chosen) || options[0];
      if (isEntered && first) choose(first); else { list.scrollIntoView({ block: "nearest" }); mark(first); }
    } else if (document.activeElement !== input) close();
  };

  const startAll = (event) => { for (const one of document.querySelectorAll("[data-zone-picker]")) start(one, event?.detail.ctx.target); };
  document.addEventListener("htmx:after:swap", startAll);
  startAll();
})();
