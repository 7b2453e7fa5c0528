// Copies the address of the page. Plain-HTTP addresses other than localhost have no clipboard: there a selection has to do.
(() => {
  const button = document.querySelector("[data-copy-link]");
  if (!button) return;
  button.hidden = false;

  const bySelection = (text) => {
    const field = Object.assign(document.createElement("textarea"), { value: text, readOnly: true });
    document.body.append(field);
    field.select();
    const isDone = document.execCommand("copy");
    field.remove();
    button.focus();
    return isDone;
  };

  button.addEventListener("click", async () => {
    const text = location.href;
    const isDone = await (navigator.clipboard ? navigator.clipboard.writeText(text).then(() => true, () => bySelection(text)) : bySelection(text));
    const detail = isDone ? { message: button.dataset.done, kind: "success" } : { message: `Copy this address by hand: ${text}`, kind: "error" };
    document.dispatchEvent(new CustomEvent("toast", { detail }));
  });
})();
