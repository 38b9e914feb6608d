// The live lines and key figures of a session. The page's parts follow the same stream through htmx;
// whatever was missed while it was broken is read again when it is back.
"use strict";

(() => {
  const CATCH_UP_AGAIN_MS = 1000;
  const DRAW_EVERY_MS = 250;
  const READ_BOOK_EVERY_MS = 2000;
  const SIGNED = new Set(["profit_loss"]);
  const STATES = {
    live: "● Live",
    broken: "The live stream is interrupted; what you see may be old. Reconnecting…",
    ended: "The session is settled.",
  };

  const element = document.getElementById("pl-chart");
  const spotElement = document.getElementById("spot-chart");
  const state = document.getElementById("stream-state");
  let marks = [];
  let wasBroken = false;

  function say(name) {
    state.dataset.state = name;
    state.textContent = STATES[name];
  }

  const index = (cents) => (cents === null || cents === undefined
    ? "\u2013" : (cents / 100).toLocaleString("en-US", { minimumFractionDigits: 2 }));

  // A line that grows: points come from the stream, and from the page's own data where it broke.
  function growing(chart, options) {
    const at = [];
    const values = [];
    let plot = null;
    let isDrawing = false;

    function add(seconds, value) {
      if (at.length && seconds <= at[at.length - 1]) return;
      at.push(seconds);
      values.push(value);
    }

    function draw() {
      isDrawing = false;
      chart.dataset.points = at.length;
      if (!at.length) return;
      const data = [at.slice(), values.slice()]; // the plot keeps what it is given
      if (plot) zerohour.update(plot, data);
      else plot = zerohour.line(chart, data, { ...options, group: "session" });
    }

    function drawSoon() {
      if (isDrawing) return;
      isDrawing = true;
      setTimeout(draw, DRAW_EVERY_MS);
    }

    return {
      push(seconds, value) {
        add(seconds, value);
        drawSoon();
      },
      merge(missedAt, missedValues) {
        const points = new Map(at.splice(0).map((seconds, number) => [seconds, values[number]]));
        values.length = 0;
        missedAt.forEach((seconds, number) => points.set(seconds, missedValues[number]));
        [...points].sort((a, b) => a[0] - b[0]).forEach(([seconds, value]) => add(seconds, value));
        drawSoon();
      },
      drawSoon,
      lastAt: () => (at.length ? at[at.length - 1] : 0),
    };
  }

  const profit = growing(element, { label: "P&L", isSigned: true });
  const spot = growing(spotElement, { label: "SPX", amount: index, marks: () => marks });
  let lastSeq = -1;
  let spotFrom = 0; // the second up to which nothing of the index is missing

  // A column comes as steps: its first value, then each one's difference to the one before.
  function summed(steps) {
    let value = 0;
    return steps.map((step) => (value += step));
  }

  async function catchUp() {
    const missed = await zerohour.load(`${element.dataset.url}?after=${lastSeq}`);
    profit.merge(summed(missed.at), summed(missed.profit_loss_cents));
    lastSeq = Math.max(lastSeq, missed.last_seq);
    const market = await zerohour.load(`${spotElement.dataset.url}?after=${spotFrom}`);
    spot.merge(summed(market.at), summed(market.spot_cents));
    await readMarks();
  }

  async function readMarks() {
    marks = (await zerohour.load(spotElement.dataset.marksUrl)).marks;
    spotElement.dataset.marks = marks.map((mark) => mark.kind).join(" ");
    spot.drawSoon();
  }

  // The server may be on its way back only: ask until it answers.
  function keepTrying(read) {
    read().catch((error) => {
      console.warn(`what was missed did not come: ${error.message}`);
      setTimeout(() => keepTrying(read), CATCH_UP_AGAIN_MS);
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
    lastSeq = Math.max(lastSeq, Number(event.lastEventId.split(".")[0]));
    profit.push(Math.floor(Date.parse(row.datetime) / 1000), zerohour.cents(row.profit_loss));
    showFigures(row);
  }

  function onStatus(event) {
    const session = JSON.parse(event.data);
    if (!session.settled_at) return;
    say("ended");
    location.reload();
  }

  // The book moves with every second. It is read at once, then at most every two seconds, and always
  // once more after what came last.
  const book = document.getElementById("session-book");
  let isBookFresh = false;
  let isBookOld = false;

  function readBook() {
    if (isBookFresh) {
      isBookOld = true;
      return;
    }
    isBookFresh = true;
    isBookOld = false;
    htmx.trigger(book, "refresh");
    setTimeout(() => {
      isBookFresh = false;
      if (isBookOld) readBook();
    }, READ_BOOK_EVERY_MS);
  }

  // The next nudge of each working order, counted down in market time from the last tick shown.
  function countDown() {
    const now = profit.lastAt();
    for (const cell of document.querySelectorAll("[data-nudge-at]")) {
      const left = Number(cell.dataset.nudgeAt) - now;
      cell.textContent = left > 0 ? `in ${left} s` : "due";
    }
  }

  // A browser gives a stream up for good that was answered with an error.
  function followMarket() {
    const market = new EventSource(spotElement.dataset.streamUrl);
    market.addEventListener("market", (event) => {
      const row = JSON.parse(event.data);
      spot.push(Math.floor(Date.parse(row.datetime) / 1000), zerohour.cents(row.spx));
    });
    market.addEventListener("error", () => {
      if (market.readyState === EventSource.CLOSED) setTimeout(followMarket, CATCH_UP_AGAIN_MS);
    });
  }

  keepTrying(catchUp);
  if (!state) return;

  setInterval(countDown, DRAW_EVERY_MS);
  element.addEventListener("sse:financial", (event) => onFinancial(event.detail));
  for (const name of ["financial", "order", "position"]) element.addEventListener(`sse:${name}`, readBook);
  for (const name of ["order", "transaction"]) {
    element.addEventListener(`sse:${name}`, () => keepTrying(readMarks));
  }
  document.getElementById("session-head").addEventListener("sse:status", (event) => {
    keepTrying(readMarks);
    onStatus(event.detail);
  });
  followMarket();
  document.body.addEventListener("htmx:sseError", () => {
    if (!wasBroken) spotFrom = spot.lastAt();
    wasBroken = true;
    say("broken");
  });
  document.body.addEventListener("htmx:sseOpen", () => {
    say("live");
    if (!wasBroken) return;
    wasBroken = false;
    keepTrying(catchUp);
    for (const part of document.querySelectorAll("[hx-trigger*=catchup]")) htmx.trigger(part, "catchup");
  });
})();
