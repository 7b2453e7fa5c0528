// Scripts that others do without: with the first part of a page that needs one, with the first request for the dialog, and
// for tables with the first sign that somebody is there.
(() => {
  const add = (src) => {
    if (!document.querySelector(`script[src="${src}"]`)) document.head.append(Object.assign(document.createElement("script"), { src }));
  };
  const load = () => { for (const { dataset } of document.querySelectorAll("[data-script]")) add(dataset.script); };

  document.addEventListener("htmx:config:request", ({ detail: { ctx } }) => { if (ctx.target?.dataset?.later) add(ctx.target.dataset.later); });
  const touch = () => { for (const { dataset } of document.querySelectorAll("[data-touch-script]")) add(dataset.touchScript); };

  for (const name of ["pointermove", "focusin", "scroll"]) document.addEventListener(name, touch, { passive: true });
  document.addEventListener("htmx:after:swap", load);
  load();
})();
