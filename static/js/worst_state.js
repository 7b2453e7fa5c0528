// The tab says how schedules fare, in its title and its icon, which are all that is seen of a page behind others.
(() => {
  const icon = document.querySelector("link[rel=icon]");

  document.addEventListener("live-counters", ({ detail }) => {
    const worst = ["failing", "late"].find((state) => detail[state]);
    const title = document.title.replace(/^\(\d+ \w+\) /, "");
    const said = worst ? `(${detail[worst]} ${worst}) ${title}` : title;
    if (document.title !== said) document.title = said;
    const href = icon.dataset[worst || "ok"];
    if (icon.getAttribute("href") !== href) icon.setAttribute("href", href);
    for (const state of ["failing", "late"]) for (const one of document.querySelectorAll(`[data-count="${state}"]`)) {
      one.hidden = !detail[state];
      one.firstElementChild.textContent = detail[state];
    }
  });
})();
