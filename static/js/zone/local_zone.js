// Fills an untouched [data-detect-zone] field with the browser's time zone.
(() => {
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;

  const fill = () => {
    for (const field of document.querySelectorAll("[data-detect-zone]:not([data-detected])")) {
      field.dataset.detected = "";
      const options = field.options ? [...field.options] : null;
      const isChosen = options ? options.some((one) => one.defaultSelected && one.value !== "UTC") : field.value !== "" && field.value !== "UTC";
      if (!zone || isChosen || (options && !options.some((one) => one.value === zone))) continue;
      field.value = zone;
      field.dispatchEvent(new Event("change", { bubbles: true }));
    }
  };

  document.addEventListener("htmx:after:swap", fill);
  fill();
})();
