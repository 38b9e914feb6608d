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

  const problems = document.getElementById("problems");
  if (problems) problems.focus();
})();
