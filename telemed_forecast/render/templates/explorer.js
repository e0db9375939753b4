/* The page: controls, charts and tables of one state, which stands in the address. */
const run = JSON.parse(document.getElementById("run").textContent);
const { facts, levers, scenarios } = run;
const made = model(opened(run.columns, facts.kept), facts);
const compared = scenarios.filter(({ weight }) => weight !== null);
const MONEY_LEVERS = levers.map(({ lever }) => lever).filter((lever) => lever !== "licensing");
const LEVELS = [0.025, 0.1, 0.25, 0.5, 0.75, 0.9, 0.975];
const CHOICES = { definition: run.definitions, currency: ["CNY", "USD"], prices: ["nominal", "real"] };
const $ = (id) => document.getElementById(id);
const find = (selector) => [...document.querySelectorAll(selector)];

/* ---- State, and its text in the address ---- */
const preset = (name) => Object.fromEntries(levers.map((one) => [one.lever, one[`value_${name}`]]));
const neutral = Object.fromEntries(levers.map((one) => [one.lever, one.neutral]));
const fresh = () => ({
  lang: run.languages[0], scenario: scenarios.some((one) => one.scenario === run.scenario) ? run.scenario : "base",
  levers: preset(scenarios.some((one) => one.scenario === run.scenario) ? run.scenario : "base"),
  weights: Object.fromEntries(compared.map((one) => [one.scenario, Math.round(100 * one.weight)])),
  definition: "healthcare", currency: "CNY", prices: "nominal",
});
let state = fresh();

function written() {
  const told = new URLSearchParams(), usual = fresh();
  for (const key of ["lang", "scenario", ...Object.keys(CHOICES)]) if (state[key] !== usual[key]) told.set(key, state[key]);
  if (state.scenario === "own") for (const [lever, value] of Object.entries(state.levers)) {
    if (value !== neutral[lever]) told.set(lever, value);
  }
  const weights = Object.values(state.weights).join("-");
  if (weights !== Object.values(usual.weights).join("-")) told.set("weights", weights);
  return told.toString();
}

/* What is not understood, or lies outside of what is allowed, is left as it is. */
function read() {
  const told = new URLSearchParams(location.hash.slice(1)), found = fresh();
  if (run.languages.includes(told.get("lang"))) found.lang = told.get("lang");
  for (const [key, allowed] of Object.entries(CHOICES)) if (allowed.includes(told.get(key))) found[key] = told.get(key);
  if ([...scenarios.map((one) => one.scenario), "own", "mixture"].includes(told.get("scenario"))) found.scenario = told.get("scenario");
  if (scenarios.some((one) => one.scenario === found.scenario)) found.levers = preset(found.scenario);
  else found.levers = { ...neutral };
  if (found.scenario === "own") for (const { lever, low, high } of levers) {
    const value = told.has(lever) ? Number(told.get(lever)) : NaN;
    if (value >= low && value <= high) found.levers[lever] = value;
  }
  const weights = (told.get("weights") ?? "").split("-").map(Number);
  if (weights.length === compared.length && weights.every((w) => w >= 0 && w <= 100) && weights.some((w) => w > 0)) {
    compared.forEach((one, k) => (found.weights[one.scenario] = weights[k]));
  }
  state = found;
}

/* ---- Words and numbers ---- */
const text = (key, values = {}) =>
  (run.texts[state.lang][key] ?? key).replace(/\{(\w+)\}/g, (all, name) => values[name] ?? all);
const label = (named) => (named.startsWith("@") ? text(named.slice(1)) : named);
const scenarioName = (name) => {
  const one = scenarios.find((one) => one.scenario === name);
  return one ? label(one.label) : text(name === "mixture" ? "scenarios.mixture" : "explorer.own");
};
const unitOf = (quantity) => {
  const zh = state.lang === "zh";
  if (quantity === "size") return { by: zh ? 1e2 : 1e3, text: text(`explorer.unit_${state.currency}`) };
  if (quantity === "users") return { by: zh ? 1e8 : 1e6, text: text("explorer.unit_persons") };
  return { by: 1, text: text("explorer.unit_hospitals") };
};
/* Numbers of one exhibit stop at the same place: so many digits of the largest. */
function place(numbers, digits) {
  const largest = Math.max(...numbers.map(Math.abs));
  return largest > 0 ? Math.floor(Math.log10(largest)) - digits + 1 : 0;
}
function figure(number, at, sign = false) {
  const rounded = at > 0 ? Math.round(number / 10 ** at) * 10 ** at : number;
  const decimals = Math.max(0, -at), shown = Math.abs(rounded).toFixed(decimals);
  const minus = Number(shown) !== 0 && number < 0;
  const [whole, part] = shown.split(".");
  const grouped = whole.replace(/\B(?=(\d{3})+$)/g, ",") + (part ? "." + part : "");
  return (minus ? "\u2212" : sign && Number(shown) !== 0 ? "+" : "") + grouped;
}
const range = (low, high, at) => figure(low, at) + (low < 0 ? text("explorer.to") : "\u2013") + figure(high, at);
const money = (number) => text(`explorer.money_${state.currency}`, { number });
const setting = (unit, value) => unit === "per_year"
  ? (value > 0 ? "+" : value < 0 ? "\u2212" : "") + Number((100 * Math.abs(value)).toPrecision(3)) + "%"
  : "\u00d7" + Number(value.toPrecision(3));

/* ---- Draws of a state ---- */
const shares = () => {
  const all = Object.values(state.weights).reduce((a, b) => a + b, 0);
  return Object.fromEntries(Object.entries(state.weights).map(([name, weight]) => [name, weight / all]));
};
/* Draws of one scenario, or of the weighted three: each draw lies in one of them. */
function drawsOf(name, own, of) {
  if (name !== "mixture") return of(own);
  const weights = shares(), apart = compared.map((one) => of(preset(one.scenario)));
  const chosen = sharedOut(compared.map((one) => weights[one.scenario]), made.size);
  return apart[0].map((_, i) => apart[chosen[i]][i]);
}
const quantiles = (draws) => { const sorted = ordered(draws); return LEVELS.map((level) => atLevel(sorted, level)); };
const pastOf = remembered((told, t) => quantiles(made.sizes(neutral, told, t)), 400);
const told = () => ({ definition: state.definition, currency: state.currency, prices: state.prices });
const last = facts.last_year - facts.first_year, end = made.years - 1;

function results() {
  const money = told(), of = (t) => drawsOf(state.scenario, state.levers, (s) => made.sizes(s, money, t));
  const path = Array.from({ length: made.years }, (_, t) => (t <= last ? pastOf(money, t) : quantiles(of(t))));
  const now = made.sizes(neutral, money, last), then = of(end), span = end - last;
  const growth = then.map((x, i) => 100 * ((x / now[i]) ** (1 / span) - 1));
  const at = (what) => quantiles(drawsOf(state.scenario, state.levers, (s) => made[what](s, facts.horizon)));
  return { path, growth: quantiles(growth), users: at("usersAt"), hospitals: at("hospitalsAt"), bridge: bridge(path, money) };
}

/* From the last year to the horizon: growth with neutral levers, then each lever's part. */
function bridge(path, money) {
  const mixed = state.scenario === "mixture", start = path[last][3];
  const outcome = mixed ? mixtureMedian(money) : (names) => {
    const chosen = { ...neutral };
    for (const name of names) chosen[name] = state.levers[name];
    return median(made.sizes(chosen, money, end));
  };
  const moved = mixed ? compared.map((one) => one.scenario).filter((name) => name !== "base") : MONEY_LEVERS;
  const parts = decomposed(moved, outcome), base = outcome([]);
  const rows = [{ key: "now", total: start }, { key: "base", part: base - start }];
  for (const name of moved) rows.push({ key: name, part: parts[name] });
  return [...rows, { key: "then", total: path[end][3] }];
}
function mixtureMedian(money) {
  const weights = shares(), apart = compared.map((one) => made.sizes(preset(one.scenario), money, end));
  return (names) => {
    const kept = compared.map((one) => (one.scenario === "base" || names.includes(one.scenario) ? weights[one.scenario] : 0));
    kept[compared.findIndex((one) => one.scenario === "base")] += 1 - kept.reduce((a, b) => a + b, 0);
    const chosen = sharedOut(kept, made.size);
    return median(apart[0].map((_, i) => apart[chosen[i]][i]));
  };
}
const bridgeName = (key) => key === "now" ? String(facts.last_year) : key === "then" ? String(facts.horizon)
  : key === "base" ? text("explorer.base_growth") : state.scenario === "mixture" ? scenarioName(key) : text(`lever.${key}`);

/* The three scenarios, the weighted one and the reader's, at the horizon. Only the reader's moves with the levers. */
const atHorizon = (name, own, money) => {
  const at = (of) => quantiles(drawsOf(name, own, of));
  return {
    name, size: at((s) => made.sizes(s, money, end)),
    users: at((s) => made.usersAt(s, facts.horizon)), hospitals: at((s) => made.hospitalsAt(s, facts.horizon)),
  };
};
const fixedRows = remembered((money) => [...scenarios.map(({ scenario }) => atHorizon(scenario, preset(scenario), money)), atHorizon("mixture", neutral, money)]);
function scenarioRows() {
  const money = told(), rows = fixedRows(money, state.weights);
  return state.scenario === "own" ? [...rows, atHorizon("own", state.levers, money)] : rows;
}
/* How far the draws kept here take the report's own numbers, in percent, and the report's own error. */
const apart = (() => {
  let most = 0, error = 0;
  const nominal = { currency: "CNY", prices: "nominal" };
  for (const { scenario, quantity, level, value, error: own } of run.report) {
    const s = preset(scenario), money = { ...nominal, definition: quantity === "market" ? "healthcare" : quantity };
    const draws = quantity === "users" ? made.usersAt(s, facts.horizon)
      : quantity === "hospitals" ? made.hospitalsAt(s, facts.horizon) : made.sizes(s, money, end);
    most = Math.max(most, Math.abs(atLevel(ordered(draws), level) / value - 1));
    error = Math.max(error, own / value);
  }
  return { most: 100 * most, error: 100 * error };
})();

/* ---- Drawing ---- */
const SVG = "http://www.w3.org/2000/svg";
function draw(tag, attributes, ...inside) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...inside);
  return element;
}
const write = (x, y, words, kind = "", anchor = "start") =>
  draw("text", { x, y, class: kind, "text-anchor": anchor }, String(words));
function chart(id, width, height, described, pieces) {
  const svg = draw("svg", { viewBox: `0 0 ${width} ${height}`, width, height, role: "img", "aria-label": described });
  svg.append(...pieces);
  $(id).replaceChildren(svg);
}
function ticks(most, count) {
  const rough = most / count, unit = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 2.5, 5, 10].map((k) => k * unit).find((k) => k >= rough);
  return Array.from({ length: Math.floor(most / step) + 1 }, (_, k) => k * step);
}

const worthOf = remembered((currency, prices, t) => median(made.worth(currency, prices, t)), 100);

function fan(path) {
  const unit = unitOf("size"), width = Math.max(280, $("fan").clientWidth), height = width < 520 ? 290 : 370;
  const box = { left: 50, right: width - (width < 520 ? 62 : 84), top: 14, bottom: height - 26 };
  const amount = path.map((row) => row.map((x) => x / unit.by));
  const dots = run.estimates.filter((one) => one.definition === state.definition).map((one) => {
    const t = one.year - facts.first_year, worth = worthOf(state.currency, state.prices, t);
    return { ...one, t, value: (one.value * worth) / unit.by };
  });
  const fanTop = Math.max(...amount.map((row) => row[5]));
  const most = 1.04 * Math.max(fanTop, ...dots.map((dot) => dot.value).filter((value) => value < 1.3 * fanTop));
  const x = (t) => box.left + ((box.right - box.left) * t) / end;
  const y = (value) => box.bottom - ((box.bottom - box.top) * value) / most;
  const pieces = [], marks = ticks(most, 5), gap = place(marks.slice(1, 2), 2);
  for (const mark of marks) {
    pieces.push(draw("line", { x1: box.left, x2: box.right, y1: y(mark), y2: y(mark), class: "grid" }));
    pieces.push(write(box.left - 6, y(mark) + 4, figure(mark, Math.min(gap, 0)), "soft", "end"));
  }
  const every = Math.ceil(made.years / (width < 520 ? 5 : 9));
  for (let t = end % every; t <= end; t += every) pieces.push(write(x(t), height - 6, facts.first_year + t, "soft", "middle"));
  const band = (low, high, kind, from) => {
    const span = Array.from({ length: end - from + 1 }, (_, k) => from + k);
    const there = span.map((t) => `${x(t)},${y(amount[t][high])}`), back = span.reverse().map((t) => `${x(t)},${y(amount[t][low])}`);
    return draw("polygon", { points: [...there, ...back].join(" "), class: kind });
  };
  const line = (k, kind, from, to) => draw("polyline", {
    points: amount.slice(from, to + 1).map((row, j) => `${x(from + j)},${y(row[k])}`).join(" "), class: kind });
  const newest = facts.newest - facts.first_year;
  pieces.push(band(1, 5, "band80", 0), band(2, 4, "band50", 0), line(1, "edge", 0, end), line(5, "edge", 0, end));
  pieces.push(line(3, "median", 0, newest), line(3, "median inferred", newest, end));
  pieces.push(draw("line", { x1: x(last), x2: x(last), y1: box.top, y2: box.bottom, class: "cut" }));
  pieces.push(write(x(last) - 5, box.top + 8, text("explorer.forecast_from", { year: facts.last_year + 1 }), "soft", "end"));
  for (const dot of dots.filter((dot) => dot.value <= most)) {
    const told = draw("title", {}, `${dot.origin}, ${dot.year}: ${money(figure(dot.value, place([dot.value], 3)))}`);
    pieces.push(draw("circle", { cx: x(dot.t), cy: y(dot.value), r: 3.5, class: "dot" }, told));
  }
  amount.forEach((row, t) => {
    const at = place([row[3]], 3), words = `${facts.first_year + t}: ${money(figure(row[3], at))} (80%: ${money(range(row[1], row[5], at))})`;
    const wide = (box.right - box.left) / end;
    pieces.push(draw("rect", { x: x(t) - wide / 2, y: box.top, width: wide, height: box.bottom - box.top, class: "hover" }, draw("title", {}, words)));
  });
  const at = place([amount[end][3]], 3);
  for (const [k, kind] of [[1, "soft"], [3, "strong"], [5, "soft"]]) {
    pieces.push(write(box.right + 6, y(amount[end][k]) + 4, figure(amount[end][k], at), kind));
  }
  $("fan-title").textContent = text("explorer.fan", { unit: unit.text });
  const above = dots.filter((dot) => dot.value > most).length;
  $("above").textContent = above ? text("explorer.above", { count: above }) : "";
  chart("fan", width, height, $("answer").textContent, pieces);
}

function waterfall(rows) {
  const unit = unitOf("size"), width = Math.max(280, $("bridge").clientWidth), narrow = width < 560;
  const row = narrow ? 42 : 30, height = rows.length * row + 6, left = narrow ? 4 : 250, right = width - 76;
  let at = 0;
  const bars = rows.map((one) => {
    const from = one.total === undefined ? at : 0, to = one.total === undefined ? at + one.part : one.total;
    at = to;
    return { ...one, from: from / unit.by, to: to / unit.by };
  });
  const most = Math.max(...bars.flatMap(({ from, to }) => [from, to])), x = (v) => left + ((right - left) * v) / most;
  const digits = place([bars.at(-1).to], 3), pieces = [draw("line", { x1: left, x2: left, y1: 0, y2: height, class: "cut" })];
  bars.forEach((bar, k) => {
    const top = k * row + (narrow ? 18 : 5), low = Math.min(x(bar.from), x(bar.to)), wide = Math.max(Math.abs(x(bar.to) - x(bar.from)), 1.5);
    const kind = bar.total !== undefined ? "whole" : Math.abs(bar.part) < 1e-9 ? "none" : bar.part > 0 ? "more" : "less";
    pieces.push(narrow ? write(left + 5, top - 4, bridgeName(bar.key)) : write(left - 8, top + 15, bridgeName(bar.key), "", "end"));
    pieces.push(draw("rect", { x: low, y: top, width: wide, height: narrow ? 18 : 20, class: kind }));
    const amount = bar.total !== undefined ? figure(bar.to, digits) : figure(bar.part / unit.by, digits, true);
    pieces.push(write(low + wide + 6, top + 14, amount, bar.total !== undefined ? "strong" : ""));
    if (k + 1 < bars.length) pieces.push(draw("line", { x1: x(bar.to), x2: x(bar.to), y1: top, y2: top + row + 12, class: "grid" }));
  });
  const largest = bars.filter((bar) => bar.part !== undefined && bar.key !== "base").sort((a, b) => Math.abs(b.part) - Math.abs(a.part))[0];
  const finding = largest && Math.abs(largest.part) > 0
    ? text(state.scenario === "mixture" ? "explorer.bridge_mixed" : "explorer.bridge_finding", { horizon: facts.horizon, lever: bridgeName(largest.key), part: money(figure(largest.part / unit.by, digits, true)) })
    : text("explorer.bridge_none");
  $("bridge-title").textContent = finding;
  chart("bridge", width, height, finding, pieces);
}

function table(id, head, rows) {
  const cell = (tag, one, kind) => {
    const made = document.createElement(tag);
    made.textContent = one.text ?? one;
    if (one.value !== undefined) made.dataset.value = one.value;
    if (kind) made.className = kind;
    return made;
  };
  const line = (cells, tag) => {
    const row = document.createElement("tr");
    cells.forEach((one, k) => {
      const own = cell(tag === "th" || k === 0 ? "th" : "td", one, k === 0 ? "" : "n");
      if (own.tagName === "TH") own.scope = tag === "th" ? "col" : "row";
      row.append(own);
    });
    return row;
  };
  const thead = document.createElement("thead"), tbody = document.createElement("tbody");
  thead.append(line(head, "th"));
  tbody.append(...rows.map((cells) => line(cells, "td")));
  $(id).replaceChildren(thead, tbody);
}
const shownAs = (row, quantity, at) => {
  const { by } = unitOf(quantity), [low, middle, high] = [row[1], row[3], row[5]].map((x) => x / by);
  return [{ text: figure(middle, at), value: row[3] }, { text: range(low, high, at), value: `${row[1]} ${row[5]}` }];
};
function scenarioTable(rows) {
  const columns = ["size", "users", "hospitals"], at = Object.fromEntries(columns.map((name) =>
    [name, place(rows.map((row) => row[name][3] / unitOf(name).by), 3)]));
  const names = { size: text(`definition.${state.definition}`), users: text("scenarios.users"), hospitals: text("scenarios.hospitals") };
  const head = [text("explorer.scenario"), ...columns.flatMap((name) => [text("explorer.heading", { name: names[name], unit: unitOf(name).text }), "80%"])];
  table("by-scenario", head, rows.map((row) => [scenarioName(row.name), ...columns.flatMap((name) => shownAs(row[name], name, at[name]))]));
  find("#by-scenario tbody tr").forEach((line, k) => (line.dataset.scenario = rows[k].name));
}
function yearTable(path) {
  const unit = unitOf("size"), at = place(path.map((row) => row[3] / unit.by), 4);
  const wide = (row) => ({ text: range(row[0] / unit.by, row[6] / unit.by, at), value: `${row[0]} ${row[6]}` });
  table("by-year", [text("explorer.year"), text("explorer.heading", { name: text("explorer.median"), unit: unit.text }), "80%", "95%"],
    path.map((row, t) => [facts.first_year + t, ...shownAs(row, "size", at), wide(row)]));
}

/* ---- What is on the page ---- */
let shown = null;
function cards({ path, growth, users, hospitals }) {
  const size = unitOf("size"), people = unitOf("users");
  const put = (id, row, by, digits, dressed, sign = false) => {
    const [low, middle, high] = [row[1], row[3], row[5]].map((x) => x / by), at = place([middle], digits);
    $(`${id}-number`).textContent = dressed(figure(middle, at, sign));
    $(`${id}-range`).textContent = text("explorer.interval", { range: dressed(range(low, high, at)) });
  };
  const after = (words) => (number) => number + (state.lang === "en" && words !== "%" ? " " : "") + words;
  put("size", path[end], size.by, 3, money);
  put("growth", growth, 1, 2, after("%"), true);
  put("users", users, people.by, 3, after(people.text));
  put("hospitals", hospitals, 1, 3, after(text("explorer.unit_hospitals")));
}
function answer({ path, growth }) {
  const unit = unitOf("size"), row = path[end].map((x) => x / unit.by), at = place([row[3]], 3);
  const told = text("explorer.answer", {
    definition: text(`definition.${state.definition}`), scenario: scenarioName(state.scenario),
    last_year: facts.last_year, now: money(figure(path[last][3] / unit.by, at)), horizon: facts.horizon,
    then: money(figure(row[3], at)), growth: figure(growth[3], 0, true), range: money(range(row[1], row[5], at)), prices: text(`explorer.${state.prices}`, facts),
  });
  $("answer").textContent = told[0].toUpperCase() + told.slice(1);
}
function controls() {
  document.documentElement.lang = text("language.code");
  document.title = text("explorer.title");
  for (const element of find("[data-t]")) element.textContent = text(element.dataset.t, { ...facts, ...apartText() });
  for (const element of find("[data-label]")) element.setAttribute("aria-label", text(element.dataset.label));
  for (const element of find("[data-scenario-name]")) element.textContent = scenarioName(element.dataset.scenarioName);
  for (const radio of find("input[name=scenario]")) radio.checked = radio.value === state.scenario;
  for (const key of Object.keys(CHOICES)) $(key).value = state[key];
  for (const link of find("[data-lang]")) link.setAttribute("aria-pressed", String(link.dataset.lang === state.lang));
  const weights = shares();
  for (const { scenario } of compared) {
    $(`weight-${scenario}`).value = state.weights[scenario];
    $(`share-${scenario}`).textContent = figure(100 * weights[scenario], 0) + "%";
  }
  for (const one of levers) slider(one);
}
const apartText = () => ({ apart: apart.most < 0.1 ? "<0.1" : figure(apart.most, -1), error: figure(apart.error, -1) });

/* ---- Sliders: stops from one end of what is allowed to the other, and what has been seen of them ---- */
const stops = Object.fromEntries(levers.map((one) => {
  const told = scenarios.map(({ scenario }) => one[`value_${scenario}`]);
  const even = one.unit === "per_year"
    ? Array.from({ length: 81 }, (_, k) => Number((one.low + (k * (one.high - one.low)) / 80).toFixed(4)))
    : Array.from({ length: 81 }, (_, k) => Number((one.low * (one.high / one.low) ** (k / 80)).toPrecision(2)));
  return [one.lever, [...new Set([...even, ...told, one.neutral])].sort((a, b) => a - b)];
}));
const seenOf = (one) => {
  const told = [one.neutral, ...compared.map(({ scenario }) => one[`value_${scenario}`])];
  return [Math.min(...told), Math.max(...told)];
};
function slider(one) {
  const list = stops[one.lever], value = state.levers[one.lever], input = $(`lever-${one.lever}`), [low, high] = seenOf(one);
  const nearest = list.reduce((best, stop, k) => (Math.abs(stop - value) < Math.abs(list[best] - value) ? k : best), 0);
  const beyond = value < low - 1e-9 || value > high + 1e-9, name = setting(one.unit, value);
  input.value = nearest;
  input.setAttribute("aria-valuetext", name + (beyond ? ", " + text("explorer.beyond") : ""));
  $(`value-${one.lever}`).textContent = name;
  $(`seen-${one.lever}`).textContent = text("explorer.seen", { low: setting(one.unit, low), high: setting(one.unit, high) });
  $(`beyond-${one.lever}`).textContent = beyond ? text("explorer.beyond") : "";
  input.closest(".lever").classList.toggle("out", beyond);
  $(`why-${one.lever}`).replaceChildren(...scenarios.filter(({ scenario }) => one[`reason_${scenario}`]).map(({ scenario }) => {
    const item = document.createElement("li"), later = one[`later_${scenario}`] > 0 ? ` (${text("explorer.later")})` : "";
    item.textContent = `${setting(one.unit, one[`value_${scenario}`])} (${scenarioName(scenario)}): ${label(one[`reason_${scenario}`])}${later}`;
    return item;
  }));
}
function prepare() {
  find("form.settings")[0].addEventListener("submit", (event) => event.preventDefault());
  for (const one of levers) {
    const list = stops[one.lever], input = $(`lever-${one.lever}`), part = (value) => list.indexOf(value) / (list.length - 1);
    input.min = 0;
    input.max = list.length - 1;
    const [low, high] = seenOf(one), zone = input.previousElementSibling;
    zone.style.setProperty("--from", part(low));
    zone.style.setProperty("--to", part(high));
    zone.style.setProperty("--neutral", part(one.neutral));
    input.addEventListener("input", () => {
      if (state.scenario === "mixture") state.levers = { ...neutral };
      change({ scenario: "own", levers: { ...state.levers, [one.lever]: list[Number(input.value)] } });
    });
  }
  for (const radio of find("input[name=scenario]")) radio.addEventListener("change", () => {
    const own = scenarios.some((one) => one.scenario === radio.value);
    change({ scenario: radio.value, levers: own ? preset(radio.value) : radio.value === "mixture" ? { ...neutral } : state.levers });
  });
  for (const key of Object.keys(CHOICES)) $(key).addEventListener("change", (event) => change({ [key]: event.target.value }));
  for (const { scenario } of compared) $(`weight-${scenario}`).addEventListener("input", (event) => {
    const weights = { ...state.weights, [scenario]: Number(event.target.value) };
    if (Object.values(weights).some((weight) => weight > 0)) change({ weights, scenario: "mixture", levers: { ...neutral } });
    else event.target.value = state.weights[scenario];
  });
  for (const button of find("[data-lang]")) button.addEventListener("click", () => change({ lang: button.dataset.lang }));
  $("reset").addEventListener("click", () => change({ ...fresh(), lang: state.lang }));
  $("export").addEventListener("click", save);
  window.addEventListener("hashchange", () => { if (location.hash.slice(1) !== written()) { read(); show(); } });
  let width = window.innerWidth;
  window.addEventListener("resize", () => { if (window.innerWidth !== width) { width = window.innerWidth; paint(); } });
}

let asked = 0;
function change(part) {
  state = { ...state, ...part };
  cancelAnimationFrame(asked);
  asked = requestAnimationFrame(show);
}
function show() {
  const told = written();
  history.replaceState(null, "", told ? "#" + told : location.pathname + location.search);
  controls();
  shown = { ...results(), scenarios: scenarioRows() };
  paint();
}
function paint() {
  answer(shown);
  cards(shown);
  fan(shown.path);
  waterfall(shown.bridge);
  scenarioTable(shown.scenarios);
  yearTable(shown.path);
  document.body.dataset.ready = state.lang;
}

/* ---- Export: what is shown, a row a number ---- */
function rowsOf() {
  const money = `${state.currency}_million`, head = ["scenario", "definition", "prices", "quantity", "item", "year", "unit"];
  const ends = LEVELS.map((level) => `q${Number((100 * level).toPrecision(3))}`), named = [...head, ...ends, ...levers.map(({ lever }) => lever), ...compared.map(({ scenario }) => `weight_${scenario}`)];
  const weights = shares();
  const line = (scenario, quantity, item, year, unit, numbers) => {
    const own = scenario === "own" || scenario === state.scenario ? state.levers : scenario === "mixture" ? {} : preset(scenario);
    return [scenario, state.definition, state.prices, quantity, item, year, unit, ...numbers.map((x) => (x === "" ? "" : Number(x.toPrecision(10)))),
      ...levers.map(({ lever }) => (scenario === "mixture" ? "" : own[lever])), ...compared.map((one) => (scenario === "mixture" ? weights[one.scenario] : ""))];
  };
  const alone = (x) => LEVELS.map((level) => (level === 0.5 ? x : ""));
  return [
    named,
    ...shown.path.map((row, t) => line(state.scenario, "size", "", facts.first_year + t, money, row)),
    line(state.scenario, "growth", "", facts.horizon, "percent_a_year", shown.growth),
    ...shown.scenarios.flatMap((row) => [["size", money], ["users", "persons"], ["hospitals", "hospitals"]]
      .map(([name, unit]) => line(row.name, name === "size" ? "size_at_horizon" : name, "", facts.horizon, unit, row[name]))),
    ...shown.bridge.map((bar) => line(state.scenario, "bridge", bar.key, facts.horizon, money, alone(bar.total ?? bar.part))),
  ];
}
function save() {
  const quoted = (cell) => (/[",\n]/.test(String(cell)) ? `"${String(cell).replaceAll('"', '""')}"` : cell);
  const lines = rowsOf().map((row) => row.map(quoted).join(",")).join("\n") + "\n";
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob(["\ufeff" + lines], { type: "text/csv;charset=utf-8" }));
  link.download = `explorer-${state.scenario}-${facts.horizon}.csv`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}

prepare();
read();
show();
