// What a page does beyond showing: charts tell their values where a reader points, tables that scroll say so.
(() => {
  const tip = document.createElement("div");
  tip.className = "tip"; tip.hidden = true; tip.setAttribute("aria-hidden", "true");
  document.body.append(tip);
  for (const title of document.querySelectorAll("svg[role=img] > title")) {
    const svg = title.parentNode; // a title would be shown above what is told here
    svg.setAttribute("aria-label", title.textContent); svg.removeAttribute("aria-labelledby"); title.remove();
    const words = svg.querySelector("desc");
    if (words) svg.setAttribute("aria-describedby", words.id);
  }
  const tell = (event) => {
    const place = event.target.closest ? event.target.closest("[data-tip]") : null;
    tip.hidden = !place;
    if (!place) return;
    tip.textContent = place.dataset.tip;
    const box = tip.getBoundingClientRect(), width = document.documentElement.clientWidth;
    tip.style.left = Math.max(4, Math.min(event.clientX + 14, width - box.width - 4)) + "px";
    tip.style.top = (event.clientY > box.height + 20 ? event.clientY - box.height - 12 : event.clientY + 18) + "px";
  };
  for (const kind of ["pointermove", "pointerdown"]) document.addEventListener(kind, tell);
  document.addEventListener("keydown", (event) => { if (event.key === "Escape") tip.hidden = true; });
  document.addEventListener("scroll", () => { tip.hidden = true; }, { passive: true });
  const look = () => {
    for (const table of document.querySelectorAll(".scroll")) {
      const wide = table.scrollWidth > table.clientWidth + 1;
      table.classList.toggle("scrolls", wide);
      if (wide) table.tabIndex = 0; else table.removeAttribute("tabindex");
    }
  };
  // What a citation leads to, or what is printed, may lie folded.
  const reveal = () => {
    const at = document.getElementById(decodeURIComponent(location.hash.slice(1))), fold = at && at.closest("details");
    if (fold && !fold.open) { fold.open = true; at.scrollIntoView(); }
  };
  reveal();
  window.addEventListener("hashchange", reveal);
  window.addEventListener("beforeprint", () => { for (const fold of document.querySelectorAll(".endnotes")) fold.open = true; });
  look();
  window.addEventListener("resize", look);
  document.addEventListener("toggle", look, true);
})();
