// Asks /live for version counters and turns a changed one into an event on <body>: live:runs, live:schedules, …
// One tab per browser asks: every answer, and that there was none, is told to the others, and whoever heard one waits
// again. Shown by live_pill.js.
(() => {
  const PERIOD_MS = 2500; // with the refresh that follows, a change is on screen within three seconds
  const url = document.documentElement.dataset.liveUrl;
  if (!url || !document.querySelector("[data-live-pill]")) return;
  const bus = "BroadcastChannel" in self ? new BroadcastChannel("belfry-live") : null;
  const patience = PERIOD_MS + Math.random() * 300; // tabs of one browser must not wake together
  // What the page was made from; without it, the first answer refreshes everything once rather than miss a change.
  let known = JSON.parse(document.querySelector("meta[name=live-counters]")?.content || "{}"), newest = known, heardAt = Date.now(), isPaused = false, timer = 0;

  const say = (state) => { if (!isPaused) document.dispatchEvent(new CustomEvent("live-state", { detail: state })); };
  const announce = (names) => {
    for (const name of names) document.body.dispatchEvent(new CustomEvent(`live:${name}`, { bubbles: true }));
  };

  const tell = (state) => { say(state); bus?.postMessage({ state }); };

  // What is not looked at is refreshed when it is; its title goes on meanwhile.
  const take = (counters) => {
    newest = counters;
    if (isPaused) return;
    say("live");
    document.dispatchEvent(new CustomEvent("live-counters", { detail: counters }));
    if (document.hidden) return;
    const before = known;
    known = counters;
    announce(Object.keys(counters).filter((name) => before[name] !== counters[name]));
  };

  const ask = async () => {
    heardAt = Date.now();
    bus?.postMessage({}); // the others wait while this one asks
    const options = { headers: { Accept: "application/json" }, redirect: "manual", signal: AbortSignal.timeout(10000) };
    const answer = await fetch(`${url}?since=${Object.values(newest).join(".")}`, options).catch(() => null);
    heardAt = Date.now();
    if (answer?.status === 401 || answer?.type === "opaqueredirect") return tell("signed-out");
    const counters = answer?.status === 200 ? await answer.json().catch(() => null) : answer?.status === 204 ? newest : null;
    if (!counters) return tell(answer ? "error" : "offline");
    take(counters);
    bus?.postMessage({ counters });
  };

  const isDue = () => !document.hidden && !isPaused && Date.now() - heardAt >= patience;
  const turn = async () => {
    clearTimeout(timer);
    // Plain-HTTP addresses other than localhost have no Web Locks; there the jitter and the bus have to do.
    if (isDue() && !navigator.locks) await ask();
    else if (isDue()) await navigator.locks.request("belfry-live", { ifAvailable: true }, (lock) => lock && isDue() && ask());
    clearTimeout(timer);
    timer = setTimeout(turn, Math.max(250, heardAt + patience - Date.now()));
  };

  if (bus) bus.onmessage = ({ data }) => { heardAt = Date.now(); if (data.state) say(data.state); if (data.counters) take(data.counters); };
  document.addEventListener("live-pause", ({ detail }) => { isPaused = detail; heardAt = 0; turn(); });
  document.addEventListener("visibilitychange", () => { if (!document.hidden && newest !== known) take(newest); turn(); });
  turn();
})();
