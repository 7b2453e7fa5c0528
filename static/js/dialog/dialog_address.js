// An open dialog has an address of its own: Back closes it, a reload shows the same as a page, closing restores the address.
// So has another view of a part of the page, from which Back leads to the one before.
(() => {
  const dialog = document.querySelector("[data-dialog]");
  if (!dialog) return;
  const here = () => location.pathname + location.search;
  let shown = here(), title = document.title, isPushed = false, isLeaving = false;

  const adopt = () => {
    const address = dialog.open && dialog.querySelector("[data-address]")?.dataset.address;
    if (!address) return;
    if (isPushed) return history.replaceState(null, "", address);
    title = document.title;
    history.pushState(null, "", address);
    isPushed = true;
    document.title = `${dialog.querySelector("#dialog-title").textContent} · Belfry`;
  };

  document.addEventListener("htmx:after:swap", ({ detail: { ctx } }) => {
    if (ctx.sourceElement?.matches("[data-view]")) { history.pushState(null, "", ctx.request.action); shown = here(); }
    if (ctx.target === dialog) adopt();
  });

  dialog.addEventListener("close", () => {
    document.title = title;
    if (isPushed && here() !== shown) { isLeaving = true; history.back(); }
    isPushed = false;
  });

  addEventListener("popstate", () => {
    if (isLeaving) { isLeaving = false; return; }
    if (dialog.open) {
      if (here() !== shown) return;
      // Whoever typed something is asked first, at the address of what they typed.
      const address = dialog.querySelector("[data-address]")?.dataset.address;
      if (!dialog.dispatchEvent(new CustomEvent("dialog:leave", { cancelable: true })) && address) history.pushState(null, "", address);
    } else if (here() !== shown) location.reload();
  });
  adopt();
})();
