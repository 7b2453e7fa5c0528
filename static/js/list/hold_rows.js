// Keeps the rows of a list in their order while somebody is in it: cells change, new rows wait behind a button until it is left.
(() => {
  const REST_MS = 3000, LOOK_MS = 500;
  const body = document.querySelector("[data-hold-rows]"), news = document.querySelector("[data-new-rows]");
  if (!body || !news) return;
  const table = body.closest(".table-wrap");
  let isOver = false, lastAt = -REST_MS, isForced = false, isBehind = false;

  const isIn = () => isOver || table.contains(document.activeElement) || table.getBoundingClientRect().top < 0 || !!body.querySelector("details[open], input:checked");
  const isHeld = () => !isForced && (isIn() || performance.now() - lastAt < REST_MS);
  const rows = (place) => [...place.querySelectorAll("tr[id]")];

  const say = (count) => {
    news.hidden = !count;
    news.textContent = `${count} ${count === 1 ? news.dataset.one : news.dataset.many} – Show`;
  };

  const refresh = () => body.dispatchEvent(new CustomEvent("held-rows"));

  document.addEventListener("htmx:before:swap", ({ detail: { ctx, tasks } }) => {
    const task = tasks.find(({ target }) => target === body);
    if (ctx.sourceElement !== body || !task) return;
    const old = rows(body), found = rows(task.fragment), fresh = new Map(found.map((row) => [row.id, row]));
    const isSame = old.length === found.length && old.every((row, place) => row.id === found[place].id);
    isBehind = isHeld() && old.length > 0 && !isSame;
    isForced = false;
    say(isBehind ? found.filter(({ id }) => !document.getElementById(id)).length : 0);
    if (isBehind) found[0]?.parentNode.replaceChildren(...old.map((row) => fresh.get(row.id) || row.cloneNode(true)));
  });

  table.addEventListener("pointerenter", () => { isOver = true; });
  table.addEventListener("pointerleave", () => { isOver = false; });
  news.addEventListener("click", () => { isForced = true; refresh(); body.querySelector("a")?.focus(); });
  setInterval(() => {
    if (isIn()) lastAt = performance.now();
    else if (isBehind && !isHeld() && !document.hidden) refresh();
  }, LOOK_MS);
})();
