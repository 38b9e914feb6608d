// Line numbers beside a program, and the line that is wrong, as the preview tells it.
"use strict";

(() => {
  const area = document.querySelector("textarea.code");
  const preview = document.getElementById("preview");
  const gutter = document.createElement("pre");
  gutter.className = "gutter";
  gutter.setAttribute("aria-hidden", "true");
  const frame = document.createElement("div");
  frame.className = "editor";
  area.before(frame);
  frame.append(gutter, area);
  area.wrap = "off";

  function wrongLine() {
    const mark = preview.querySelector("mark[data-line]");
    return mark ? Number(mark.dataset.line) : 0;
  }

  function number() {
    const wrong = wrongLine();
    const count = area.value.split("\n").length;
    gutter.replaceChildren();
    for (let line = 1; line <= count; line += 1) {
      const row = document.createElement(line === wrong ? "mark" : "span");
      row.textContent = line === wrong ? `✕ ${line}\n` : `${line}\n`;
      gutter.append(row);
    }
    gutter.scrollTop = area.scrollTop;
  }

  // To the wrong line, by its mark in the preview.
  function goTo(line) {
    const start = area.value.split("\n").slice(0, line - 1).join("\n").length + (line > 1 ? 1 : 0);
    const end = area.value.indexOf("\n", start);
    area.focus();
    area.setSelectionRange(start, end < 0 ? area.value.length : end);
  }

  area.addEventListener("input", number);
  area.addEventListener("scroll", () => { gutter.scrollTop = area.scrollTop; });
  preview.addEventListener("htmx:afterSwap", number);
  preview.addEventListener("click", (event) => {
    const mark = event.target.closest("mark[data-line]");
    if (mark) goTo(Number(mark.dataset.line));
  });
  number();
})();
