// Short messages: success leaves after ten seconds, errors stay, pointing or focusing holds them. One at a time has an action.
(() => {
  const STAY_MS = 10000, MOST = 3, SPARE = ".toast:not([data-toast-kind=error], :last-child)"; // errors wait for a reader, however many
  const region = document.querySelector("[data-toasts]");
  const make = (tag, className, text = "") => Object.assign(document.createElement(tag), { className, textContent: text });

  const icon = (name) => {
    const [svg, use] = ["svg", "use"].map((tag) => document.createElementNS("http://www.w3.org/2000/svg", tag));
    svg.setAttribute("class", "icon");
    svg.setAttribute("aria-hidden", "true");
    use.setAttribute("href", `${document.documentElement.dataset.sprite}#${name}`);
    svg.append(use);
    return svg;
  };

  const actionLink = ({ label, url, post, newTab, fields = {} }) => {
    const control = make(post ? "button" : "a", "toast-action", label);
    if (!post) return Object.assign(control, { href: url }, newTab ? { target: "_blank", rel: "noopener" } : {});
    const form = Object.assign(make("form", ""), { method: "post", action: url });
    const sent = { ...fields, csrf_token: document.querySelector("meta[name=csrf-token]")?.content || "" };
    const hidden = Object.entries(sent).map(([name, value]) => Object.assign(make("input", ""), { type: "hidden", name, value }));
    for (const [name, text] of [["hx-post", url], ["hx-swap", "none"]]) form.setAttribute(name, text);
    form.append(...hidden, control);
    return form;
  };

  const start = (toast) => {
    const close = toast.querySelector("[data-toast-close]");
    let timer = 0;
    const hold = () => clearTimeout(timer);
    const leave = () => { hold(); if (toast.dataset.toastKind !== "error") timer = setTimeout(() => toast.remove(), STAY_MS); };
    close.hidden = false;
    close.addEventListener("click", () => toast.remove());
    toast.addEventListener("htmx:finally:request", () => toast.remove());
    for (const name of ["pointerenter", "focusin"]) toast.addEventListener(name, hold);
    for (const name of ["pointerleave", "focusout"]) toast.addEventListener(name, leave);
    leave();
  };

  document.addEventListener("toast", ({ detail }) => {
    const isFocused = region.contains(document.activeElement);
    // A poll that keeps failing says so once, and an old Undo would undo something else by now.
    for (const old of [...region.children]) if (old.querySelector("p").textContent === detail.message || (detail.action && old.querySelector(".toast-action"))) old.remove();
    const toast = make("div", "toast");
    toast.dataset.toastKind = detail.kind || "info";
    const close = Object.assign(make("button", "toast-close"), { type: "button", ariaLabel: "Close this message" });
    close.dataset.toastClose = "";
    close.append(icon("cross"));
    toast.append(icon({ success: "check", error: "cross" }[detail.kind] || "info"), make("p", "", detail.message));
    for (const action of [detail.action, detail.more]) if (action) toast.append(actionLink(action));
    toast.append(close);
    region.append(toast);
    while (region.children.length > MOST && region.querySelector(SPARE)) region.querySelector(SPARE).remove();
    window.htmx?.process(toast);
    start(toast);
    if (isFocused && !region.contains(document.activeElement)) toast.querySelector("button, a").focus();
  });

  for (const toast of region.querySelectorAll(".toast")) start(toast);
})();
