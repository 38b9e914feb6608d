// The list of sessions in the admin site follows what happens: its rows are read again, but not
// while some are chosen or the list is out of sight.
"use strict";

(() => {
  const EVERY_MS = 5000;
  const rowsOf = (page) => page.querySelectorAll("#result_list > tbody");

  async function readAgain() {
    const isInUse = document.hidden || document.querySelector("#result_list input:checked");
    if (!rowsOf(document).length || isInUse) return;
    const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
    if (!answer.ok || answer.redirected) return; // signed out: the next click says so
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const list = document.getElementById("result_list");
    for (const row of rowsOf(document)) row.remove();
    list.append(...rowsOf(page));
  }

  setInterval(() => readAgain().catch((error) => console.warn(`the list is old: ${error.message}`)), EVERY_MS);
})();
