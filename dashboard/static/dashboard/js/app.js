// Says when the pages no longer move, and when they do again.
"use strict";

(() => {
  const notice = document.getElementById("offline");
  const show = (isOffline) => { notice.hidden = !isOffline; };
  for (const name of ["htmx:sendError", "htmx:responseError", "htmx:timeout"]) {
    document.body.addEventListener(name, () => show(true));
  }
  document.body.addEventListener("htmx:afterOnLoad", (event) => {
    if (event.detail.xhr.status < 400) show(false);
  });

  // Times are New York's; the reader's own is one hover away.
  document.addEventListener("mouseover", (event) => {
    const time = event.target.closest("time[datetime]");
    if (!time || time.dataset.local) return;
    time.dataset.local = "1";
    const local = new Date(time.dateTime).toLocaleString([], { dateStyle: "medium", timeStyle: "medium" });
    time.title = `${local} your time, ${time.title}`;
  });

  // A part that is read again stays where its reader has scrolled to.
  const scrolled = new Map();
  document.body.addEventListener("htmx:beforeSwap", (event) => {
    for (const box of event.detail.target.querySelectorAll(".scroll[id]")) scrolled.set(box.id, box.scrollTop);
  });
  document.body.addEventListener("htmx:afterSwap", () => {
    for (const [id, top] of scrolled) document.getElementById(id)?.scrollTo(0, top);
    scrolled.clear();
  });

  const problems = document.getElementById("problems");
  if (problems) problems.focus();
})();
