// The pill that says how fresh the page is, and pauses and resumes live.js. What is old says so on every table, too.
(() => {
  const STALE_MS = 60000, LOOK_MS = 5000;
  const pill = document.querySelector("[data-live-pill]");
  if (!pill) return;
  const text = pill.querySelector("[data-live-text]");
  let freshAt = new Date(), now = "live";
  const clock = () => freshAt.toLocaleTimeString("en-GB", { hour12: document.documentElement.dataset.clock === "12" });

  const markTables = (age) => {
    for (const wrap of document.querySelectorAll(".table-wrap")) {
      if (age < STALE_MS) delete wrap.dataset.stale;
      else wrap.dataset.stale = `As of ${clock()}, ${Math.floor(age / 60000)} min old`;
    }
  };

  const show = (state) => {
    now = state;
    const showing = `showing ${clock()}`;
    const words = {
      live: "Live",
      paused: "Paused",
      offline: `Offline – ${showing}`,
      error: `Could not refresh – ${showing}`,
      "signed-out": "Signed out – sign in again",
    };
    markTables(Date.now() - freshAt);
    if (pill.dataset.state === state && text.textContent === words[state]) return;
    pill.dataset.state = state;
    pill.title = { live: "Pause live updates", paused: "Resume live updates" }[state] || "";
    text.textContent = words[state];
  };

  pill.addEventListener("click", () => {
    if (now === "signed-out") {
      // A new tab, so that whatever is typed on this page stays.
      open(document.documentElement.dataset.loginUrl, "_blank", "noopener");
      return;
    }
    const isPausing = now !== "paused";
    show(isPausing ? "paused" : "live");
    document.dispatchEvent(new CustomEvent("live-pause", { detail: isPausing }));
  });
  document.addEventListener("live-state", ({ detail }) => {
    if (detail === "live") freshAt = new Date();
    show(detail);
  });
  // Nothing is heard of a page that is paused, and it gets old all the same.
  setInterval(() => { if (now !== "live") show(now); }, LOOK_MS);
  pill.hidden = false;
})();
