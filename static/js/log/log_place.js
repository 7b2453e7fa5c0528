// A link to a line that is not on the page leads to the part of the log where it is; one to a folded line unfolds it.
(() => {
  const go = () => {
    const number = /^#L(\d+)$/.exec(location.hash)?.[1];
    const line = number && document.getElementById(`L${number}`), fold = line?.closest("details:not([open])");
    if (fold) { fold.open = true; line.scrollIntoView({ block: "center" }); }
    if (!number || line) return;
    // Once: there may be no such line.
    if (new URLSearchParams(location.search).get("line") !== number) location.replace(`?line=${number}#L${number}`);
  };

  addEventListener("hashchange", go);
  go();
})();
