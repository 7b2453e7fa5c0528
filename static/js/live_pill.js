// The pill that says how fresh the page is, and pauses and resumes live.js.
(() => {
  const pill = document.querySelector("[data-live-pill]");
  if (!pill) return;
  const text = pill.querySelector("[data-live-text]");
  let freshAt = new Date();

  const show = (state) => {
    if (state === "live") freshAt = new Date();
    const words = {
      live: "Live",
      paused: "Paused",
      offline: `Offline – showing ${freshAt.toLocaleTimeString("en-GB", { hour12: document.documentElement.dataset.clock === "12" })}`,
      "signed-out": "Signed out – sign in again",
    };
    if (pill.dataset.state === state && text.textContent === words[state]) return;
    pill.dataset.state = state;
    pill.title = { live: "Pause live updates", paused: "Resume live updates" }[state] || "";
    text.textContent = words[state];
  };

  pill.addEventListener("click", () => {
    if (pill.dataset.state === "signed-out") {
      // A new tab, so that whatever is typed on this page stays.
      open(document.documentElement.dataset.loginUrl, "_blank", "noopener");
      return;
    }
    const isPausing = pill.dataset.state !== "paused";
    show(isPausing ? "paused" : "live");
    document.dispatchEvent(new CustomEvent("live-pause", { detail: isPausing }));
  });
  document.addEventListener("live-state", ({ detail }) => show(detail));
  pill.hidden = false;
})();
