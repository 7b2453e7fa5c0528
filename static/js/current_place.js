// Shows where one is also on narrow screens, on which menu and tabs run on sideways.
(() => {
  for (const place of document.querySelectorAll(".nav [aria-current], .tabs [aria-current]")) {
    const row = place.parentElement;
    row.scrollLeft = place.offsetLeft - (row.clientWidth - place.offsetWidth) / 2;
  }
})();
