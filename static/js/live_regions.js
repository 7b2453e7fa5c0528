// Refreshes of live parts: one that would change nothing is answered by 304; one that fails leaves what is shown, says so
// beside it and comes again by itself.
(() => {
  const LIVE = "[hx-trigger*='live:']", LONGEST_MS = 60000;
  const tags = new WeakMap(), troubles = new WeakMap();
  const regionOf = ({ sourceElement: region, request }) => (request.method === "GET" && region?.matches(LIVE) ? region : null);
  const refresh = (region) => {
    if (region.isConnected) document.body.dispatchEvent(new CustomEvent(region.getAttribute("hx-trigger").match(/live:\w+/)[0]));
  };
  // What a page asks for by itself waits while it is paused; a press on Try again does not.
  const retry = (region) => {
    const trouble = troubles.get(region);
    if (document.querySelector("[data-live-pill][data-state=paused]")) trouble.timer = setTimeout(retry, trouble.pause, region);
    else refresh(region);
  };

  const clear = (region) => {
    const trouble = troubles.get(region);
    clearTimeout(trouble?.timer);
    trouble?.note.remove();
    troubles.delete(region);
  };

  const complain = (region, why) => {
    const pause = Math.min(2 * (troubles.get(region)?.pause || 2500), LONGEST_MS);
    clear(region);
    const note = Object.assign(document.createElement("p"), { className: "refresh-note", role: "status", textContent: `Could not refresh (${why}). ` });
    const again = Object.assign(document.createElement("button"), { type: "button", className: "link", textContent: "Try again", onclick: () => refresh(region) });
    note.append(again);
    (region.closest(".table-wrap") || region).before(note);
    troubles.set(region, { note, pause, timer: setTimeout(retry, pause, region) });
  };

  document.addEventListener("htmx:config:request", ({ detail: { ctx } }) => {
    const tag = tags.get(regionOf(ctx));
    if (tag) ctx.request.headers["If-None-Match"] = tag;
  });

  document.addEventListener("htmx:before:response", ({ detail: { ctx } }) => {
    const region = regionOf(ctx);
    if (!region) return;
    if (ctx.response.status < 400) clear(region);
    // Whoever was signed out by a clock did not ask to leave the page, on which something may be typed.
    if (ctx.response.status === 401) ctx.hx.redirect = "";
  });

  document.addEventListener("htmx:after:swap", ({ detail: { ctx } }) => {
    const region = regionOf(ctx), { status, headers } = ctx.response;
    if (region && status === 304) return;
    // What others put into a part makes it another one than the server has tagged.
    if (!region || status !== 200 || ctx.isHeld) tags.delete(ctx.target.closest(LIVE));
    else tags.set(region, headers.get("ETag"));
  });

  document.addEventListener("htmx:response:error", ({ detail: { ctx } }) => {
    const reference = ctx.text.match(/reference (\w+)/)?.[1];
    if (ctx.response.status >= 500 && regionOf(ctx)) complain(regionOf(ctx), `server error${reference ? `, ref ${reference}` : ""}`);
  });
  document.addEventListener("htmx:error", ({ detail: { ctx } }) => { if (regionOf(ctx)) complain(regionOf(ctx), "no answer"); });
})();
