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

  const problems = document.getElementById("problems");
  if (problems) problems.focus();
})();
