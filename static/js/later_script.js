// Scripts that others do without: with the first part of a page that needs one, and with the first request for the dialog.
(() => {
  const add = (src) => {
    if (!document.querySelector(`script[src="${src}"]`)) document.head.append(Object.assign(document.createElement("script"), { src }));
  };
  const load = () => { for (const { dataset } of document.querySelectorAll("[data-script]")) add(dataset.script); };

  document.addEventListener("htmx:config:request", ({ detail: { ctx } }) => { if (ctx.target?.dataset?.later) add(ctx.target.dataset.later); });
  document.addEventListener("htmx:after:swap", load);
  load();
})();
