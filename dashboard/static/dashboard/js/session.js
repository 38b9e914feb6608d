// The live line and key figures of a session. The page's parts follow the same stream through htmx;
// whatever was missed while it was broken is read again when it is back.
"use strict";

(() => {
  const CATCH_UP_AGAIN_MS = 1000;
  const DRAW_EVERY_MS = 250;
  const SIGNED = new Set(["profit_loss"]);
  const STATES = {
    live: "● Live",
    broken: "The live stream is interrupted; what you see may be old. Reconnecting…",
    ended: "The session is settled.",
  };

  const element = document.getElementById("pl-chart");
  const state = document.getElementById("stream-state");
  const at = [];
  const profitLoss = [];
  let plot = null;
  let lastSeq = -1;
  let wasBroken = false;
  let isDrawing = false;

  function say(name) {
    state.dataset.state = name;
    state.textContent = STATES[name];
  }

  function add(seconds, cents) {
    if (at.length && seconds <= at[at.length - 1]) return;
    at.push(seconds);
    profitLoss.push(cents);
  }

  function draw() {
    isDrawing = false;
    element.dataset.points = at.length;
    if (!at.length) return;
    const data = [at.slice(), profitLoss.slice()]; // the plot keeps what it is given
    if (!plot) {
      plot = zerohour.line(element, data, { label: "P&L", isSigned: true });
      return;
    }
    const { min, max } = plot.scales.x;
    const [first, last] = [plot.data[0][0], plot.data[0][plot.data[0].length - 1]];
    const isZoomed = min > first || max < last;
    plot.setData(data, !isZoomed);
    if (isZoomed) plot.redraw();
  }

  function drawSoon() {
    if (isDrawing) return;
    isDrawing = true;
    setTimeout(draw, DRAW_EVERY_MS);
  }

  async function catchUp() {
    const missed = await zerohour.load(`${element.dataset.url}?after=${lastSeq}`);
    const newer = at.splice(0).map((seconds, index) => [seconds, profitLoss[index]]);
    profitLoss.length = 0;
    const points = new Map(newer);
    missed.at.forEach((seconds, index) => points.set(seconds, missed.profit_loss_cents[index]));
    [...points].sort((a, b) => a[0] - b[0]).forEach(([seconds, cents]) => add(seconds, cents));
    lastSeq = Math.max(lastSeq, missed.last_seq);
    drawSoon();
  }

  // The server may be on its way back only: ask until it answers.
  function keepCatchingUp() {
    catchUp().catch((error) => {
      console.warn(`the missed seconds did not come: ${error.message}`);
      setTimeout(keepCatchingUp, CATCH_UP_AGAIN_MS);
    });
  }

  function showFigures(row) {
    for (const figure of document.querySelectorAll("[data-live]")) {
      const name = figure.dataset.live;
      if (name === "datetime") {
        figure.textContent = zerohour.clock(Date.parse(row.datetime) / 1000);
        figure.title = `${row.datetime.slice(0, 10)} ${row.datetime.slice(11, 19)} UTC`;
        continue;
      }
      const cents = zerohour.cents(row[name]);
      figure.textContent = zerohour.dollars(cents, SIGNED.has(name));
      if (SIGNED.has(name)) {
        figure.classList.toggle("gain", cents > 0);
        figure.classList.toggle("loss", cents < 0);
      }
    }
  }

  function onFinancial(event) {
    const row = JSON.parse(event.data);
    const seconds = Math.floor(Date.parse(row.datetime) / 1000);
    lastSeq = Math.max(lastSeq, Number(event.lastEventId.split(".")[0]));
    add(seconds, zerohour.cents(row.profit_loss));
    showFigures(row);
    drawSoon();
  }

  function onStatus(event) {
    const session = JSON.parse(event.data);
    if (!session.settled_at) return;
    say("ended");
    location.reload();
  }

  keepCatchingUp();
  if (!state) return;

  element.addEventListener("sse:financial", (event) => onFinancial(event.detail));
  document.getElementById("session-head").addEventListener("sse:status", (event) => onStatus(event.detail));
  document.body.addEventListener("htmx:sseError", () => {
    wasBroken = true;
    say("broken");
  });
  document.body.addEventListener("htmx:sseOpen", () => {
    say("live");
    if (!wasBroken) return;
    wasBroken = false;
    keepCatchingUp();
    for (const part of document.querySelectorAll("[hx-trigger*=catchup]")) htmx.trigger(part, "catchup");
  });
})();
