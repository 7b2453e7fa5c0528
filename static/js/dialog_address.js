// An open dialog has an address of its own: Back closes it, a reload shows the same as a page, closing restores the address.
(() => {
  const dialog = document.querySelector("[data-dialog]");
  if (!dialog) return;
  const here = () => location.pathname + location.search, shown = here();
  let title = document.title, isLeaving = false;
  const isOpenIn = (state) => Boolean(state?.dialog);

  document.addEventListener("htmx:after:swap", ({ detail: { ctx } }) => {
    const address = ctx.target === dialog && dialog.open && dialog.querySelector("[data-address]")?.dataset.address;
    if (!address) return;
    if (isOpenIn(history.state)) return history.replaceState({ dialog: true }, "", address);
    title = document.title;
    history.pushState({ dialog: true }, "", address);
    document.title = `${dialog.querySelector("#dialog-title").textContent} · Belfry`;
  });

  dialog.addEventListener("close", () => {
    document.title = title;
    if (isOpenIn(history.state) && here() !== shown) { isLeaving = true; history.back(); }
  });

  addEventListener("popstate", () => {
    if (isLeaving) { isLeaving = false; return; }
    if (dialog.open) {
      if (here() !== shown) return;
      // Whoever typed something is asked first, at the address of what they typed.
      const address = dialog.querySelector("[data-address]")?.dataset.address;
      if (!dialog.dispatchEvent(new CustomEvent("dialog:leave", { cancelable: true })) && address) history.pushState({ dialog: true }, "", address);
    } else if (here() !== shown) location.reload();
  });
})();
