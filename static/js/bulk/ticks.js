// How many rows are ticked stands on every button of the bar below; the box in the bar ticks all of the page.
(() => {
  const bar = document.getElementById("bulk"), all = bar.querySelector("[data-tick-all]");
  const boxes = () => [...document.querySelectorAll("input[name=id][form=bulk]")];

  const tell = () => {
    const ticked = boxes().filter((box) => box.checked).length;
    for (const button of bar.querySelectorAll("[data-counted]:enabled")) button.textContent = `${button.dataset.counted} ${ticked}`;
    all.checked = ticked > 0 && ticked === boxes().length;
    all.indeterminate = ticked > 0 && !all.checked;
  };
  const tick = (isTicked) => { for (const box of boxes()) box.checked = isTicked; tell(); };

  all.closest("label").hidden = false;
  all.addEventListener("change", () => tick(all.checked));
  document.addEventListener("change", ({ target }) => target.matches("[form=bulk]") && tell());
  document.addEventListener("htmx:after:swap", tell);
  document.addEventListener("bulk:started", () => tick(false));
  addEventListener("pageshow", tell);
  tell();
})();
