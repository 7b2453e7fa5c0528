// Keeps <time data-relative> ticking by the server's clock: "past" counts up, "due" counts down and then says it is late.
(() => {
  const STEPS = [["d", 86400], ["h", 3600], ["min", 60], ["s", 1]];
  const WEEK_SECONDS = 7 * 86400, GRACE_SECONDS = 60;
  const server = Date.parse(document.querySelector("meta[name=server-now]")?.content || "");
  const offset = Number.isNaN(server) ? 0 : server - Date.now();

  const amount = (seconds) => {
    const [unit, length] = STEPS.find((step) => seconds >= step[1]);
    return `${Math.floor(seconds / length)} ${unit}`;
  };

  const words = (seconds, isDue) => {
    const size = Math.abs(seconds);
    if (isDue && seconds <= 0) return size < GRACE_SECONDS ? "due now" : `late ${amount(size)}`;
    if (size < 1) return "now";
    return seconds > 0 ? `in ${amount(size)}` : `${amount(size)} ago`;
  };

  const tick = () => {
    if (document.hidden) return;
    const now = Date.now() + offset;
    for (const element of document.querySelectorAll("time[data-relative]")) {
      const seconds = Math.trunc((Date.parse(element.dateTime) - now) / 1000);
      // Beyond a week the server has written the date, which does not tick.
      if (!(Math.abs(seconds) <= WEEK_SECONDS)) continue;
      const text = words(seconds, element.dataset.relative === "due");
      if (element.textContent !== text) element.textContent = text;
    }
  };

  setInterval(tick, 1000);
  document.addEventListener("htmx:after:swap", tick);
  document.addEventListener("visibilitychange", tick);
  tick();
})();
