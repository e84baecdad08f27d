"use strict";
// What the page shows; `data` is what the backtest wrote. Nothing of it is ever used as HTML.
const data = JSON.parse(document.getElementById("data").textContent);
const $ = (id) => document.getElementById(id);
const el = (name, text, className) => {
  const made = document.createElement(name);
  if (text !== undefined) made.textContent = text;
  if (className) made.className = className;
  return made;
};

// --- numbers ---------------------------------------------------------------------------------------------------------
const money = (value) => (value === null ? "–" : value.toLocaleString("en-US", { minimumFractionDigits: 2, maximumFractionDigits: 2 }));
const percent = (value) => (value === null ? "–" : (value * 100).toLocaleString("en-US", { maximumFractionDigits: 2 }) + " %");
const ratio = (value) => (value === null ? "–" : value.toLocaleString("en-US", { maximumFractionDigits: 2 }));
const count = (value) => (value === null ? "–" : value.toLocaleString("en-US"));
const when = (ms) => (ms === null ? "–" : new Date(ms).toISOString().slice(0, 16).replace("T", " "));
const price = (value) => (value === null ? "–" : value.toLocaleString("en-US", { maximumSignificantDigits: 8 }));
const span = (ms) => {
  if (ms === null) return "–";
  const minutes = Math.round(ms / 60000), days = Math.floor(minutes / 1440), hours = Math.floor((minutes % 1440) / 60);
  return days ? `${days} d ${hours} h` : hours ? `${hours} h ${minutes % 60} min` : `${minutes} min`;
};

// Integers as the page was given them: four runs of bytes, compressed; a series as its differences.
async function unpack(text) {
  const given = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const stream = new Blob([given]).stream().pipeThrough(new DecompressionStream("deflate"));
  const bytes = new Uint8Array(await new Response(stream).arrayBuffer());
  const length = bytes.length / 4, out = new Int32Array(length);
  for (let at = 0; at < length; at++)
    out[at] = bytes[at] | (bytes[at + length] << 8) | (bytes[at + 2 * length] << 16) | (bytes[at + 3 * length] << 24);
  return out;
}

async function unpackSeries(text) {
  const steps = await unpack(text), out = new Float64Array(steps.length);
  let sum = 0;
  for (let at = 0; at < steps.length; at++) out[at] = sum += steps[at];
  return out;
}

// --- figures and tables ----------------------------------------------------------------------------------------------
function figures() {
  const m = data.metrics;
  const signed = (value) => (value === null || value === 0 ? "" : value > 0 ? "good" : "bad");
  const all = [
    ["net profit", money(m.net_profit), signed(m.net_profit), "net_profit"],
    ["realized", money(m.realized_profit), signed(m.realized_profit), "realized_profit"],
    ["return", percent(m.return_ratio), signed(m.return_ratio), "return_ratio"],
    ["CAGR", percent(m.cagr), signed(m.cagr), "cagr"],
    ["max drawdown", percent(m.max_drawdown.ratio), "", "max_drawdown"],
    ["Sharpe", ratio(m.sharpe), "", "sharpe"], ["Sortino", ratio(m.sortino), "", "sortino"],
    ["Calmar", ratio(m.calmar), "", "calmar"], ["profit factor", ratio(m.profit_factor), "", "profit_factor"],
    ["win rate", percent(m.win_rate), "", "win_rate"],
    ["expectancy a deal", money(m.expectancy), signed(m.expectancy), "expectancy"],
    ["exposure", percent(m.exposure), "", "exposure"],
    ["capital used at most", money(m.capital_used_at_most), "", "capital_used_at_most"],
    ["deals (closed)", `${count(m.deals)} (${count(m.closed_deals)})`, "", "deals"],
    ["safety orders", count(m.safety_orders), "", "safety_orders"],
    ["longest deal", span(m.longest_deal_ms), "", "longest_deal_ms"], ["fees", money(m.fees), "", "fees"],
    ["ambiguous bars", count(data.deals.reduce((sum, deal) => sum + deal.ambiguous_bars, 0)), "", "ambiguous_bars"],
  ];
  for (const [name, value, className, id] of all) {
    const box = el("div", undefined, "figure"), shown = el("b", value, className);
    shown.dataset.figure = id;
    box.append(el("span", name), shown);
    $("figures").append(box);
  }
}

function table(target, columns, rows, pick) {
  const head = el("tr"), body = el("tbody");
  for (const column of columns) {
    const cell = el("th", undefined, column.text ? "text" : "");
    if (column.sort) {
      const button = el("button", column.name);
      button.type = "button";
      button.addEventListener("click", () => column.sort(column.key));
      cell.append(button);
    } else cell.textContent = column.name;
    head.append(cell);
  }
  for (const row of rows) {
    const line = el("tr", undefined, pick ? "pick" : "");
    for (const column of columns) {
      const value = row[column.key], cell = el("td", column.show ? column.show(value) : value ?? "–", column.text ? "text" : "");
      if (column.signed && value) cell.classList.add(value > 0 ? "good" : "bad");
      line.append(cell);
    }
    if (pick) {
      line.classList.toggle("chosen", row.deal_id === view.deal);
      line.addEventListener("click", () => pick(row));
    }
    body.append(line);
  }
  const header = el("thead");
  header.append(head);
  target.replaceChildren(header, body);
}

function summaries() {
  const columns = (key, name) => [
    { key, name, text: true }, { key: "deals", name: "deals", show: count }, { key: "closed", name: "closed", show: count },
    { key: "won", name: "won", show: count }, { key: "profit", name: "profit", show: money, signed: true },
    { key: "best", name: "best", show: money }, { key: "worst", name: "worst", show: money },
    { key: "safety_orders", name: "safety orders", show: count }, { key: "longest_ms", name: "longest", show: span },
  ];
  table($("months"), columns("month", "month"), data.months);
  table($("bots"), columns("bot_id", "bot"), data.bots);
  table($("pairs"), columns("symbol", "symbol"), data.pairs);
  for (const [id, values] of [["settings", data.settings], ["provenance", data.provenance]])
    for (const [name, value] of Object.entries(values)) $(id).append(el("dt", name), el("dd", String(value)));
  for (const [name, text] of Object.entries(data.configs)) $("configs").append(el("b", name), el("pre", text));
  if (data.notes.length) {
    $("notes").hidden = false;
    for (const note of data.notes) $("notes").append(el("li", note));
  }
}

const PAGE = 50;
const deals = { sorted: "opened_at_ms", up: true, page: 0, words: "" };
function showDeals() {
  const sort = (key) => {
    deals.up = deals.sorted === key ? !deals.up : true;
    deals.sorted = key;
    deals.page = 0;
    showDeals();
  };
  const columns = [
    { key: "bot_id", name: "bot", text: true }, { key: "symbol", name: "symbol", text: true }, { key: "side", name: "side", text: true },
    { key: "opened_at_ms", name: "opened", show: when }, { key: "closed_at_ms", name: "closed", show: when },
    { key: "close_reason", name: "by", text: true }, { key: "average_price", name: "average", show: price },
    { key: "invested", name: "invested", show: money }, { key: "safety_orders_filled", name: "safety orders", show: count },
    { key: "profit", name: "profit", show: money, signed: true },
  ].map((column) => ({ ...column, sort }));
  const words = deals.words.toLowerCase().split(/\s+/).filter(Boolean);
  const found = data.deals.filter((deal) => words.every((word) => `${deal.bot_id} ${deal.symbol} ${deal.side} ${deal.close_reason}`.toLowerCase().includes(word)));
  const key = deals.sorted, way = deals.up ? 1 : -1;
  found.sort((a, b) => (a[key] === b[key] ? 0 : a[key] === null ? 1 : b[key] === null ? -1 : a[key] < b[key] ? -way : way));
  const pages = Math.max(1, Math.ceil(found.length / PAGE));
  deals.page = Math.min(deals.page, pages - 1);
  table($("deals"), columns, found.slice(deals.page * PAGE, (deals.page + 1) * PAGE), (deal) => choose(deal.deal_id, true));
  $("count").textContent = `${count(found.length)} of ${count(data.deals.length)}`;
  $("pages").textContent = `${deals.page + 1} / ${pages}`;
  $("back").disabled = deals.page === 0;
  $("next").disabled = deals.page === pages - 1;
}

// --- charts ----------------------------------------------------------------------------------------------------------
const charts = [];
const color = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
const looks = () => ({
  layout: { background: { color: color("panel") }, textColor: color("muted"), attributionLogo: true },
  grid: { vertLines: { color: color("line") }, horzLines: { color: color("line") } },
  timeScale: { borderColor: color("line"), timeVisible: true, minBarSpacing: 0.01 }, rightPriceScale: { borderColor: color("line") },
});

async function equityChart() {
  const chart = LightweightCharts.createChart($("equity"), { autoSize: true, ...looks() });
  charts.push(chart);
  const points = async (line) => {
    const times = await unpackSeries(line.time_s);
    return line.values.map((value, at) => ({ time: times[at], value }));
  };
  const equity = chart.addSeries(LightweightCharts.AreaSeries, { lineColor: color("accent"), topColor: color("accent") + "44", bottomColor: color("accent") + "05", lineWidth: 2 });
  equity.setData(await points(data.equity));
  const fall = chart.addSeries(LightweightCharts.AreaSeries, { lineColor: color("down"), topColor: color("down") + "05", bottomColor: color("down") + "44", lineWidth: 1, invertFilledArea: true, priceFormat: { type: "percent" } }, 1);
  fall.setData((await points(data.drawdown)).map((point) => ({ ...point, value: point.value * 100 })));
  chart.panes()[1].setHeight(80);
  chart.timeScale().fitContent();
}

// A year of minutes is half a million candles: what is shown are bars of a length at which about a thousand fill the view.
const LENGTHS = [1, 5, 15, 60, 240, 1440, 10080].map((minutes) => minutes * 60);
const SHOWN = 1200, MARGIN = 2;
const view = { symbol: null, bars: new Map(), length: 0, from: 0, to: 0, deal: null };

async function load(symbol) {
  if (!view.bars.has(symbol)) {
    const given = data.symbols[symbol], unit = 10 ** given.decimals;
    const [time, close] = await Promise.all([given.time_s, given.close].map(unpackSeries));
    const [open, above, below] = await Promise.all([given.open, given.above, given.below].map(unpack));
    const columns = [0, 1, 2, 3].map(() => new Float64Array(time.length));
    for (let at = 0; at < time.length; at++) {
      const opened = open[at] + (at ? close[at - 1] : 0);
      columns[0][at] = opened / unit;
      columns[1][at] = (Math.max(opened, close[at]) + above[at]) / unit;
      columns[2][at] = (Math.min(opened, close[at]) - below[at]) / unit;
      columns[3][at] = close[at] / unit;
    }
    view.bars.set(symbol, { time, columns, decimals: given.decimals });
  }
  return view.bars.get(symbol);
}

function firstAt(times, wanted) {
  let low = 0, high = times.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (times[middle] < wanted) low = middle + 1; else high = middle;
  }
  return low;
}

function folded(bars, length, from, to) {
  const [open, high, low, close] = bars.columns, out = [];
  for (let at = firstAt(bars.time, from); at < bars.time.length && bars.time[at] < to; at++) {
    const time = bars.time[at] - (bars.time[at] % length), last = out[out.length - 1];
    if (last && last.time === time) {
      last.high = Math.max(last.high, high[at]);
      last.low = Math.min(last.low, low[at]);
      last.close = close[at];
    } else out.push({ time, open: open[at], high: high[at], low: low[at], close: close[at] });
  }
  return out;
}

const shownAs = (seconds) => (seconds < 3600 ? `${seconds / 60} min` : seconds < 86400 ? `${seconds / 3600} h` : `${seconds / 86400} d`);
let chart, candles, markers, overlays = [], redrawing = false;

function candleChart() {
  chart = LightweightCharts.createChart($("candles"), { autoSize: true, ...looks() });
  charts.push(chart);
  candles = chart.addSeries(LightweightCharts.CandlestickSeries, { upColor: color("up"), downColor: color("down"), wickUpColor: color("up"), wickDownColor: color("down"), borderVisible: false });
  markers = LightweightCharts.createSeriesMarkers(candles, []);
  let waiting = 0;
  chart.timeScale().subscribeVisibleTimeRangeChange((range) => {
    if (!range || redrawing) return;
    clearTimeout(waiting);
    waiting = setTimeout(() => draw(range.from, range.to), 60);
  });
}

function lengthFor(seconds) {
  const base = data.interval_ms / 1000;
  return LENGTHS.filter((length) => length >= base && length % base === 0).find((length) => seconds / length <= SHOWN) ?? LENGTHS[LENGTHS.length - 1];
}

async function draw(from, to, force = false) {
  const bars = await load(view.symbol), length = lengthFor(to - from), wide = (to - from) * MARGIN;
  const held = length === view.length && from - length >= view.from && to + length <= view.to;
  const first = bars.time[0], last = bars.time[bars.time.length - 1];
  const complete = length === view.length && view.from <= first && view.to > last;
  if (!force && (held || complete)) return;
  redrawing = true;
  view.length = length;
  view.from = Math.max(from - wide, first);
  view.to = Math.min(to + wide, last + 1);
  const shown = folded(bars, length, view.from, view.to);
  candles.applyOptions({ priceFormat: { type: "price", precision: Math.max(0, bars.decimals), minMove: 10 ** -bars.decimals } });
  candles.setData(shown);
  drawFills(shown);
  drawLevels(shown);
  if (shown.length) chart.timeScale().setVisibleRange({ from: Math.max(from, shown[0].time), to: Math.min(to, shown[shown.length - 1].time) });
  $("resolution").textContent = `${shownAs(length)} a candle, ${count(shown.length)} of ${count(bars.time.length)} bars' worth drawn`;
  $("candles").dataset.length = length;
  $("candles").dataset.drawn = shown.length;
  setTimeout(() => { redrawing = false; }, 30);
}

function drawFills(shown) {
  const times = shown.map((bar) => bar.time), labelled = view.deal !== null;
  let fills = data.fills.filter((fill) => fill.symbol === view.symbol && (view.deal === null || fill.deal_id === view.deal));
  // A fill belongs to the bar in which it happened, which closed at its time.
  fills = fills.map((fill) => ({ ...fill, time: fill.at_ms / 1000 - data.interval_ms / 1000 })).filter((fill) => fill.time >= view.from && fill.time < view.to);
  const drawn = fills.length > 3000 ? [] : fills;
  $("candles").dataset.fills = drawn.length;
  markers.setMarkers(drawn.map((fill) => {
    const at = Math.max(0, firstAt(times, fill.time - (fill.time % view.length))), buy = fill.side === "buy";
    return {
      time: times[Math.min(at, times.length - 1)], position: buy ? "belowBar" : "aboveBar", shape: buy ? "arrowUp" : "arrowDown",
      color: color(buy ? "up" : "down"), text: labelled || drawn.length <= 60 ? fill.level : "",
    };
  }).sort((a, b) => a.time - b.time));
}

function drawLevels(shown) {
  overlays.forEach((series) => chart.removeSeries(series));
  overlays = [];
  if (view.deal === null || !shown.length) return;
  const byName = new Map();
  for (const level of data.levels) if (level.deal_id === view.deal) byName.set(level.level, [...(byName.get(level.level) ?? []), level]);
  const end = shown[shown.length - 1].time;
  for (const [name, steps] of byName) {
    const kind = name === "average" ? "average" : name === "sl" || name.startsWith("stop") ? "stop" : name.startsWith("tp") ? "target" : "ladder";
    const series = chart.addSeries(LightweightCharts.LineSeries, {
      color: color(kind), lineWidth: kind === "ladder" ? 1 : 2, lineStyle: kind === "ladder" ? 2 : 0, lineType: 1,
      priceLineVisible: false, lastValueVisible: false, crosshairMarkerVisible: false, title: kind === "ladder" ? name : "",
    });
    const points = new Map();
    for (const step of steps) {
      for (const bar of shown) {
        const from = step.from_ms / 1000, to = (step.to_ms ?? end * 1000) / 1000;
        if (bar.time + view.length > from && bar.time < to) points.set(bar.time, step.price);
      }
    }
    series.setData(shown.map((bar) => (points.has(bar.time) ? { time: bar.time, value: points.get(bar.time) } : { time: bar.time })));
    overlays.push(series);
  }
}

async function whole() {
  const bars = await load(view.symbol);
  await draw(bars.time[0], bars.time[bars.time.length - 1] + data.interval_ms / 1000, true);
}

function listDeals() {
  const select = $("deal");
  select.replaceChildren(new Option("all deals", ""));
  for (const deal of data.deals) if (deal.symbol === view.symbol) select.append(new Option(`${deal.bot_id} ${when(deal.opened_at_ms)} ${money(deal.profit)}`, deal.deal_id));
  select.value = view.deal ?? "";
}

async function choose(dealId, scroll) {
  const deal = data.deals.find((one) => one.deal_id === dealId);
  view.deal = deal ? deal.deal_id : null;
  showDeals();
  if (!window.LightweightCharts) return;
  if (deal && deal.symbol !== view.symbol) {
    view.symbol = $("symbol").value = deal.symbol;
    view.length = 0;
  }
  listDeals();
  if (!deal) return whole();
  const bars = await load(view.symbol), end = deal.closed_at_ms ?? (bars.time[bars.time.length - 1] + 60) * 1000;
  const room = Math.max(40 * data.interval_ms, (end - deal.opened_at_ms) * 0.25);
  await draw((deal.opened_at_ms - room) / 1000, (end + room) / 1000, true);
  if (scroll) $("candles").scrollIntoView({ behavior: "smooth", block: "center" });
}

// --- theme and start -------------------------------------------------------------------------------------------------
function paint(theme) {
  document.documentElement.dataset.theme = theme;
  for (const one of charts) one.applyOptions(looks());
}

async function start() {
  paint(matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");
  $("theme").addEventListener("click", () => paint(document.documentElement.dataset.theme === "dark" ? "light" : "dark"));
  $("subtitle").textContent = `${Object.keys(data.symbols).length} symbols, ${data.bots.length} bots with deals, ${count(data.deals.length)} deals; times are UTC, amounts quote`;
  figures();
  summaries();
  showDeals();
  $("filter").addEventListener("input", () => { deals.words = $("filter").value; deals.page = 0; showDeals(); });
  $("back").addEventListener("click", () => { deals.page--; showDeals(); });
  $("next").addEventListener("click", () => { deals.page++; showDeals(); });
  const symbols = Object.keys(data.symbols).sort();
  if (window.LightweightCharts && symbols.length) {
    for (const symbol of symbols) $("symbol").append(new Option(symbol, symbol));
    view.symbol = symbols[0];
    $("symbol").addEventListener("change", () => { view.symbol = $("symbol").value; view.deal = null; view.length = 0; listDeals(); whole(); });
    $("deal").addEventListener("change", () => choose($("deal").value, false));
    $("all").addEventListener("click", () => { view.deal = null; listDeals(); whole(); });
    await equityChart();
    candleChart();
    listDeals();
    await whole();
  } else for (const panel of document.querySelectorAll(".charted")) panel.hidden = true;
  document.documentElement.dataset.ready = "yes";
}
start();
