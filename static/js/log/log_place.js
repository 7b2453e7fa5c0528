// A link to a line that is not on the page leads to the part of the log where it is.
(() => {
  const go = () => {
    const number = /^#L(\d+)$/.exec(location.hash)?.[1];
    if (!number || document.getElementById(`L${number}`)) return;
    // Once: there may be no such line.
    if (new URLSearchParams(location.search).get("line") !== number) location.replace(`?line=${number}#L${number}`);
  };

  addEventListener("hashchange", go);
  go();
})();
