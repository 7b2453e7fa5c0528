// What every htmx request needs: the CSRF header, and words for answers that are not swapped.
(() => {
  const SENTENCES = {
    0: "Belfry cannot be reached. Check the network, then try again.",
    403: "You are not allowed to do this. Ask an admin of your organization.",
    404: "This is gone: somebody may have deleted it. Reload the page to see what is there.",
    409: "Somebody changed this in the meantime. Reload the page, then try again.",
    429: "Too many requests at once. Wait a moment, then try again.",
  };
  const SIGNED_OUT = "You were signed out. Sign in in a new tab, then try again: what you typed is still here.";
  const meta = document.querySelector("meta[name=csrf-token]");
  const tell = (detail) => document.dispatchEvent(new CustomEvent("toast", { detail }));

  const isLive = ({ sourceElement, request }) => request.method === "GET" && sourceElement?.matches("[hx-trigger*='live:']");

  const useToken = (token) => {
    if (meta) meta.content = token;
    for (const field of document.querySelectorAll("input[name=csrf_token]")) field.value = token;
  };

  const wordsOf = (status, text) => {
    const found = new DOMParser().parseFromString(text || "", "text/html").querySelector("[data-toast]");
    return found?.dataset.toast || SENTENCES[status] || "Something went wrong on the server. Try again in a moment.";
  };

  document.addEventListener("htmx:config:request", (event) => {
    // A page that is paused fetches nothing by the clock.
    if (event.detail.ctx.sourceEvent?.type === "every" && document.querySelector("[data-live-pill][data-state=paused]")) return event.preventDefault();
    const { request } = event.detail.ctx;
    // As browsers do: the buttons of a list's rows share one form, and each says where it goes.
    request.action = request.submitter?.getAttribute("formaction") || request.action;
    if (meta) request.headers["X-CSRF-Token"] = meta.content;
  });

  document.addEventListener("htmx:before:response", (event) => {
    const token = event.detail.ctx.response.headers.get("X-CSRF-Token");
    if (token) useToken(token);
  });

  document.addEventListener("htmx:response:error", (event) => {
    const { ctx } = event.detail;
    const { status } = ctx.response;
    // What refreshes by itself says so in its place.
    if (isLive(ctx) && (status >= 500 || status === 401)) return;
    if (status === 422 || ctx.sourceElement?.hasAttribute(`hx-status:${status}`)) return;
    if (status !== 401) return tell({ message: wordsOf(status, ctx.text), kind: "error" });
    const action = { label: "Sign in", url: document.documentElement.dataset.loginUrl, newTab: true };
    tell({ message: SIGNED_OUT, kind: "error", action });
  });

  document.addEventListener("htmx:error", ({ detail: { ctx } }) => { if (!isLive(ctx)) tell({ message: SENTENCES[0], kind: "error" }); });
})();
