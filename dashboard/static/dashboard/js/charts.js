// Lines over time with the page's colours. Money comes in cents, times in Unix seconds.
"use strict";

const zerohour = (() => {
  const MINUS = "\u2212";
  const HEIGHT = 280;
  const NEW_YORK = "America/New_York";
  const DAY_SECONDS = 86400;

  function dollars(cents, isSigned) {
    if (cents === null || cents === undefined) return "\u2013";
    const sign = cents < 0 ? MINUS : isSigned && cents > 0 ? "+" : "";
    const text = (Math.abs(cents) / 100).toLocaleString("en-US", {
      minimumFractionDigits: 2, maximumFractionDigits: 2,
    });
    return `${sign}$${text}`;
  }

  // "25312.40" as the API writes it, exactly.
  function cents(amount) {
    const [whole, rest = ""] = amount.replace("-", "").split(".");
    const value = Number(whole) * 100 + Number(rest.padEnd(2, "0"));
    return amount.startsWith("-") ? -value : value;
  }

  function newYork(seconds, options) {
    const format = { timeZone: NEW_YORK, hourCycle: "h23", ...options };
    return new Date(seconds * 1000).toLocaleString("en-US", format);
  }

  const clock = (seconds) => newYork(seconds, { hour: "2-digit", minute: "2-digit", second: "2-digit" });
  const minute = (seconds) => newYork(seconds, { hour: "2-digit", minute: "2-digit" });
  const date = (seconds) => newYork(seconds, { day: "numeric", month: "short" });

  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

  function zeroLine(plot) {
    const { min, max } = plot.scales.y;
    if (!(min < 0 && max > 0)) return;
    const y = Math.round(plot.valToPos(0, "y", true));
    plot.ctx.save();
    plot.ctx.strokeStyle = colour("--muted");
    plot.ctx.setLineDash([4, 4]);
    plot.ctx.beginPath();
    plot.ctx.moveTo(plot.bbox.left, y);
    plot.ctx.lineTo(plot.bbox.left + plot.bbox.width, y);
    plot.ctx.stroke();
    plot.ctx.restore();
  }

  function axis(more) {
    return {
      stroke: () => colour("--muted"),
      grid: { stroke: () => colour("--line"), width: 1 },
      ticks: { stroke: () => colour("--line"), width: 1 },
      ...more,
    };
  }

  // What happened, on the line at its second: a shape for each kind, so that colour is not needed.
  const MARKS = {
    entry: { glyph: "▲", colour: "--text" },
    exit: { glyph: "▼", colour: "--text" },
    reprice: { glyph: "•", colour: "--muted" },
    halt: { glyph: "■", colour: "--loss" },
  };

  function drawMarks(plot, marks) {
    const [times, values] = plot.data;
    const { min, max } = plot.scales.x;
    plot.ctx.save();
    plot.ctx.textAlign = "center";
    plot.ctx.font = `${14 * devicePixelRatio}px sans-serif`;
    for (const mark of marks) {
      if (mark.at < min || mark.at > max || !times.length) continue;
      const { glyph, colour: name } = MARKS[mark.kind];
      const value = values[Math.min(indexAt(times, mark.at), values.length - 1)];
      plot.ctx.fillStyle = colour(name);
      plot.ctx.strokeStyle = colour("--surface"); // a rim, so that it stands out from the line
      plot.ctx.lineWidth = 3 * devicePixelRatio;
      const isBelow = mark.kind === "entry";
      const shift = (isBelow ? 16 : mark.kind === "reprice" ? 4 : -6) * devicePixelRatio;
      const place = [plot.valToPos(mark.at, "x", true), plot.valToPos(value, "y", true) + shift];
      plot.ctx.strokeText(glyph, ...place);
      plot.ctx.fillText(glyph, ...place);
    }
    plot.ctx.restore();
  }

  // The first index at or after a time.
  function indexAt(times, at) {
    let low = 0, high = times.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (times[middle] < at) low = middle + 1; else high = middle;
    }
    return low;
  }

  // One finger pans, two zoom around the point between them; up and down still scrolls the page.
  function touch(over, zoom, pan) {
    const fingers = new Map(); // where each is, in pixels from the left

    over.addEventListener("pointerdown", (event) => {
      if (event.pointerType === "touch") fingers.set(event.pointerId, event.clientX);
    });
    for (const name of ["pointerup", "pointercancel", "pointerleave"]) {
      over.addEventListener(name, (event) => fingers.delete(event.pointerId));
    }
    over.addEventListener("pointermove", (event) => {
      if (!fingers.has(event.pointerId)) return;
      const before = [...fingers.values()];
      fingers.set(event.pointerId, event.clientX);
      const now = [...fingers.values()];
      const { left, width } = over.getBoundingClientRect();
      if (now.length === 1) pan((before[0] - now[0]) / width);
      if (now.length !== 2) return;
      const apart = ([one, other]) => Math.max(Math.abs(one - other), 10);
      zoom(apart(before) / apart(now), ((now[0] + now[1]) / 2 - left) / width);
    });
  }

  // Wheel zooms around the pointer, shift and wheel (or a sideways wheel) pans; with the keyboard
  // + and − zoom, the arrows pan, 0 shows everything. Dragging zooms by itself.
  function navigate(plot, group) {
    const whole = () => [plot.data[0][0], plot.data[0][plot.data[0].length - 1]];

    function show(from, to) {
      const [first, last] = whole();
      const width = Math.min(Math.max(to - from, 10), last - first);
      const start = Math.min(Math.max(from, first), last - width);
      for (const other of group()) other.setScale("x", { min: start, max: start + width });
    }

    function zoom(factor, share = 0.5) {
      const { min, max } = plot.scales.x;
      const at = min + share * (max - min);
      show(at - (at - min) * factor, at + (max - at) * factor);
    }

    function pan(share) {
      const { min, max } = plot.scales.x;
      show(min + share * (max - min), max + share * (max - min));
    }

    plot.over.addEventListener("wheel", (event) => {
      event.preventDefault();
      const isPan = event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY);
      if (isPan) pan(Math.sign(event.deltaX || event.deltaY) * 0.1);
      else zoom(event.deltaY < 0 ? 0.8 : 1.25, event.offsetX / plot.over.clientWidth);
    }, { passive: false });

    touch(plot.over, zoom, pan);

    const keys = {
      "+": () => zoom(0.8), "=": () => zoom(0.8), "-": () => zoom(1.25),
      ArrowLeft: () => pan(-0.1), ArrowRight: () => pan(0.1), 0: () => show(...whole()),
    };
    plot.root.parentElement.addEventListener("keydown", (event) => {
      if (!keys[event.key] || event.ctrlKey || event.metaKey) return;
      event.preventDefault();
      keys[event.key]();
    });
  }

  // What the legend says while the pointer is elsewhere.
  const latest = (plot, series) => plot.data[series][plot.data[series].length - 1];

  const groups = new Map(); // charts that show the same stretch of time

  // data: [times, cents]. Options: label, isSigned, isDaily; `group` names the charts that move
  // together, `marks` gives what is drawn on the line, `amount` writes a value.
  function line(element, data, { label, isSigned = false, isDaily = false, group = element.id, marks = () => [], amount = (cents) => dollars(cents, isSigned) }) {
    const ofTime = (at) => {
      const isWide = at.length > 1 && at[at.length - 1] - at[0] < 300;
      return at.map(isDaily ? date : isWide ? clock : minute);
    };
    const options = {
      width: element.clientWidth,
      height: HEIGHT,
      tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), NEW_YORK),
      cursor: { drag: { x: true, y: false }, sync: { key: group } },
      hooks: {
        draw: [zeroLine, (plot) => drawMarks(plot, marks())],
        setScale: [(plot, key) => {
          if (key === "x") element.dataset.shown = `${Math.round(plot.scales.x.min)} ${Math.round(plot.scales.x.max)}`;
        }],
      },
      axes: [
        axis({ values: (plot, at) => ofTime(at), incrs: isDaily ? [1, 2, 7, 14, 30, 90, 365].map((n) => n * DAY_SECONDS) : undefined }),
        axis({ size: 88, values: (plot, values) => values.map(amount) }),
      ],
      series: [
        { label: "New York", value: (plot, at) => (isDaily ? date : clock)(at ?? latest(plot, 0)) },
        {
          label,
          stroke: () => colour("--accent"),
          width: 1.5,
          points: { show: isDaily },
          value: (plot, value) => amount(value ?? latest(plot, 1)),
        },
      ],
    };
    const plot = new uPlot(options, data, element);
    groups.set(group, [...(groups.get(group) || []), plot]);
    navigate(plot, () => groups.get(group));
    new ResizeObserver(() => plot.setSize({ width: element.clientWidth, height: HEIGHT })).observe(element);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => plot.redraw(false, true));
    return plot;
  }

  // The JSON of one of our own pages. A visitor who is signed out meanwhile signs in again.
  async function load(url) {
    const answer = await fetch(url, { headers: { Accept: "application/json", "HX-Request": "true" } });
    if (answer.status === 401) location.reload();
    if (!answer.ok) throw new Error(`${url} answered ${answer.status}`);
    return answer.json();
  }

  // New data; who has zoomed in keeps what he looks at.
  function update(plot, data) {
    const { min, max } = plot.scales.x;
    const [times] = plot.data;
    const isZoomed = min > times[0] || max < times[times.length - 1];
    plot.setData(data, !isZoomed);
    if (isZoomed) plot.redraw();
  }

  return { cents, clock, dollars, line, load, update };
})();
