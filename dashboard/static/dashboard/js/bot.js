// The balance after each settled day, of a bot or of a backtest.
"use strict";

(async () => {
  const element = document.getElementById("equity-chart");
  if (!element) return;
  const equity = await zerohour.load(element.dataset.url);
  zerohour.line(element, [equity.at, equity.closing_balance_cents], { label: "Balance", isDaily: true });
})();
