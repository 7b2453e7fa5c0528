// A part of a page may need a script that others do without: it comes with the first such part.
(() => {
  const load = () => {
    for (const { dataset: { script: src } } of document.querySelectorAll("[data-script]"))
      if (!document.querySelector(`script[src="${src}"]`)) document.head.append(Object.assign(document.createElement("script"), { src }));
  };

  document.addEventListener("htmx:after:swap", load);
  load();
})();
