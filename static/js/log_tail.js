// Keeps a log at its end while the reader is there; scrolling up lets go, the follow button brings it back.
(() => {
  const SLACK_PIXELS = 24;
  const isAtEnd = (lines) => lines.scrollHeight - lines.scrollTop - lines.clientHeight <= SLACK_PIXELS;

  const start = (log) => {
    const lines = log.querySelector("[data-log-lines]"), button = log.querySelector("[data-log-follow]");
    if (!lines || !button || "followed" in log.dataset) return;
    log.dataset.followed = "";
    let isFollowing = true;
    const set = (value) => {
      isFollowing = value;
      button.setAttribute("aria-pressed", String(value));
      if (value) lines.scrollTop = lines.scrollHeight;
    };
    lines.addEventListener("scroll", () => { if (isFollowing !== isAtEnd(lines)) set(isAtEnd(lines)); }, { passive: true });
    button.addEventListener("click", () => set(!isFollowing));
    // Lines arrive by swaps of several kinds, and all of them change the children.
    new MutationObserver(() => { if (isFollowing) lines.scrollTop = lines.scrollHeight; }).observe(lines, { childList: true });
    button.hidden = false;
    set(true);
  };

  const startAll = () => document.querySelectorAll("[data-log-tail]").forEach(start);
  document.addEventListener("htmx:after:swap", startAll);
  startAll();
})();
