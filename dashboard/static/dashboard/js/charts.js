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

  // data: [times, cents]. Options: label, isSigned, isDaily.
  function line(element, data, { label, isSigned = false, isDaily = false }) {
    const ofTime = (at) => {
      const isWide = at.length > 1 && at[at.length - 1] - at[0] < 300;
      return at.map(isDaily ? date : isWide ? clock : minute);
    };
    const options = {
      width: element.clientWidth,
      height: HEIGHT,
      tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), NEW_YORK),
      cursor: { y: false, drag: { x: true, y: false } },
      hooks: { draw: [zeroLine] },
      axes: [
        axis({ values: (plot, at) => ofTime(at), incrs: isDaily ? [1, 2, 7, 14, 30, 90, 365].map((n) => n * DAY_SECONDS) : undefined }),
        axis({ size: 88, values: (plot, amounts) => amounts.map((amount) => dollars(amount, isSigned)) }),
      ],
      series: [
        { label: "New York", value: (plot, at) => (at === null ? "\u2013" : isDaily ? date(at) : clock(at)) },
        {
          label,
          stroke: () => colour("--accent"),
          width: 1.5,
          points: { show: isDaily },
          value: (plot, amount) => dollars(amount, isSigned),
        },
      ],
    };
    const plot = new uPlot(options, data, element);
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

  return { cents, clock, dollars, line, load };
})();
