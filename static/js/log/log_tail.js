// Keeps a log at its end while the reader is there; scrolling up lets go, and what comes meanwhile is counted.
(() => {
  const SLACK_PIXELS = 24, MOST_LINES = 5000, EARLIER_LINES = 500;
  const log = document.querySelector("[data-log-tail]"), box = log?.querySelector("[data-log-lines]");
  if (!box) return;
  const list = box.firstElementChild, button = log.querySelector("[data-log-follow]"), news = log.querySelector("[data-log-new]");
  const lines = () => list.querySelectorAll("[data-level]");
  const isAtEnd = () => box.scrollHeight - box.scrollTop - box.clientHeight <= SLACK_PIXELS;
  let isFollowing = false, isLed = false, missed = 0, first = lines()[0], last = [...lines()].pop(), height = box.scrollHeight;

  const show = () => {
    button.setAttribute("aria-pressed", String(isFollowing));
    button.hidden = !list.querySelector("#log-more");
    news.hidden = !missed;
    news.textContent = `${missed} new line${missed === 1 ? "" : "s"} ↓`;
  };

  // What is taken out at the top is a page of its own, as are earlier lines for which there is no room.
  const trim = () => {
    const all = [...lines()], surplus = all.length - MOST_LINES;
    if (surplus <= 0) return;
    all.slice(0, surplus).forEach((line) => line.remove());
    list.querySelectorAll(".log-fold:not(:has([data-level]))").forEach((fold) => fold.remove());
    const way = Object.assign(document.createElement("li"), { id: "log-earlier", className: "log-none" });
    const address = new URL(location.href);
    ["line", "after", "before"].forEach((name) => address.searchParams.delete(name));
    address.searchParams.set("before", all[surplus].id.slice(1));
    address.hash = "log";
    way.append(Object.assign(document.createElement("a"), { href: address.href, textContent: `Load ${EARLIER_LINES} earlier` }));
    list.querySelector("#log-earlier")?.remove();
    list.prepend(way);
  };

  const follow = (value) => {
    isFollowing = value;
    if (value) { missed = 0; trim(); box.scrollTop = box.scrollHeight; }
    show();
  };

  new MutationObserver(() => {
    const [top, all] = [first, [...lines()]];
    if (button && !isFollowing && last) missed += all.length - 1 - all.indexOf(last);
    first = all[0]; last = all.at(-1);
    // Lines came above: what was on the screen stays there.
    if (top && top.isConnected && first !== top) { box.scrollTop += box.scrollHeight - height; (list.querySelector("#log-earlier a") || box).focus({ preventScroll: true }); }
    if (button) follow(isFollowing);
    height = box.scrollHeight;
  }).observe(list, { childList: true });

  list.addEventListener("click", (event) => { if (event.target.closest("#log-earlier") && lines().length > MOST_LINES - EARLIER_LINES) event.stopPropagation(); }, true);
  if (!button) return;
  box.addEventListener("scroll", () => { if (!isLed && isFollowing !== isAtEnd()) follow(isAtEnd()); isLed = false; }, { passive: true });
  // Who was led to a line reads it, also where the way there ends at the end.
  addEventListener("hashchange", () => { isLed = true; follow(false); });
  list.addEventListener("htmx:before:request", (event) => { if (event.target.id === "log-more" && !isFollowing && lines().length >= MOST_LINES) event.preventDefault(); });
  [button, news].forEach((each) => each.addEventListener("click", () => follow(each === news || !isFollowing)));
  // Who unfolds something reads it.
  list.addEventListener("toggle", () => isFollowing && !isAtEnd() && follow(false), true);
  follow(!/^#L\d/.test(location.hash));
})();
