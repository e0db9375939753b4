"use strict";
/* The projections of the models for stored draws: what models/growth.py, market_size.py, adoption.py and
   internet_hospitals.py do to a draw and its shocks, formula by formula. A test holds both against each other. */

/* Columns of draws by market and name: numbers of 16 bits between the ends of the column. */
function opened(rows, size) {
  const parts = {};
  for (const { part, name, step, low, high, packed } of rows) {
    const column = new Float64Array(size).fill(low);
    if (packed) {
      const bytes = atob(packed), unit = (high - low) / 65535;
      for (let i = 0; i < size; i++) {
        column[i] += unit * (bytes.charCodeAt(2 * i) + 256 * bytes.charCodeAt(2 * i + 1));
      }
    }
    const own = (parts[part] ??= {});
    (own[name] ??= [])[step] = column;
  }
  return parts;
}

const expit = (x) => 1 / (1 + Math.exp(-x));
const ordered = (draws) => Float64Array.from(draws).sort();

/* A quantile of sorted draws, between neighbours in proportion. */
function atLevel(sorted, level) {
  const at = (sorted.length - 1) * level, k = Math.floor(at);
  return k + 1 < sorted.length ? sorted[k] + (at - k) * (sorted[k + 1] - sorted[k]) : sorted[k];
}
const median = (draws) => atLevel(ordered(draws), 0.5);

/* What is asked for again and again, by key; the oldest go first. */
function remembered(make, most = 24) {
  const found = new Map();
  return (...given) => {
    const key = JSON.stringify(given);
    if (!found.has(key)) {
      if (found.size >= most) found.delete(found.keys().next().value);
      found.set(key, make(...given));
    }
    return found.get(key);
  };
}

/* Log levels after each future step. `ceiling(k)` is a column, `added` columns of dated growth or nothing. */
function grown(p, name, ceiling, pace, added) {
  const [step, floor, elasticity, most] = p[name + "_law"].map((column) => column[0]);
  const [rates, innovations, sigmas] = ["rate", "innovation", "sigma"].map((key) => p[`${name}_log_${key}`][0].map(Math.exp));
  const thetas = p[name + "_theta"][0], decays = p[name + "_rho"][0].map((rho) => rho ** step);
  const z = p[name + "_level"].at(-1).slice(), xi = p[name + "_deviation"][0].slice();
  return (p[name + "_shock"] ?? []).map((shocks, k) => {
    const top = ceiling(k), known = added?.[k];
    for (let i = 0; i < z.length; i++) {
      const u = Math.exp(Math.max(z[i] - top[i], -50));
      const law = pace * rates[i] * (1 - Math.exp(thetas[i] * Math.log(u))) / thetas[i] + innovations[i] * (1 - u) / u;
      const expected = most * Math.tanh(law / most);
      const scale = sigmas[i] * (floor + Math.sqrt(expected ** 2 + 1e-8)) ** elasticity * Math.sqrt(step);
      xi[i] = decays[i] * xi[i] + scale * shocks[i] / step;
      z[i] = Math.min(z[i] + step * (expected + (known ? known[i] : 0) + xi[i]), top[i]);
    }
    return z.slice();
  });
}

/* Everything that depends on levers, from the columns of a run. */
function model(parts, facts) {
  const market = parts.market_size, people = parts.user_adoption, licensed = parts.internet_hospitals;
  const size = market.other_services[0].length;
  const past = market.pharmacy_level.length, years = facts.horizon - facts.first_year + 1;
  const each = (make) => Float64Array.from({ length: size }, (_, i) => make(i));

  const internet = remembered(() => grown(people, "internet", (k) => people.internet_ceiling[k], 1));
  const grid = people.grid.map((column) => column[0]), now = grid[0];

  /* Users at the ends of the half-years after the last known one. */
  const users = remembered((retention, trust, insurance) => {
    const kappa = people.logit_ceiling[0].map(expit);
    const raised = people.logit_ceiling[0].map((x) => Math.log(expit(x + Math.log(insurance))));
    const base = grown(people, "usage", () => raised, trust);
    const kept = people.logit_kept[0].map(expit);
    const keptLater = people.logit_kept[0].map((x) => expit(x + Math.log(retention)));
    const half = people.log_half_life[0].map(Math.exp);
    const waves = people.wave.map((column) => column[0]).map((start, k) => ({ since: now - start, gained: people.gained[k] }))
      .filter(({ since }) => since >= 0);
    return internet().map((online, k) => each((i) => {
      const ahead = grid[k + 1] - now;
      let missing = Math.max(kappa[i] - Math.exp(base[k][i]), 0), all = missing;
      for (const { since, gained } of waves) {
        const there = kept[i] + (1 - kept[i]) * 2 ** (-since / half[i]), part = kept[i] / there;
        const stays = part * retention / (1 - part + part * retention);
        missing *= 1 - gained[i] * there * (stays + (1 - stays) * 2 ** (-ahead / half[i]));
      }
      (people.later_at ?? []).forEach((at, w) => {
        const since = grid[k + 1] - at[i];
        if (since < 0) return;
        missing *= 1 - people.later_gained[w][i] * (keptLater[i] + (1 - keptLater[i]) * 2 ** (-since / half[i]));
      });
      return Math.exp(online[i]) * (Math.exp(base[k][i]) + all - missing);
    }));
  });
  const half = (end) => grid.slice(1).findIndex((t) => Math.abs(t - end) < 1e-6);
  const usersAt = (s, year) => users(s.retention, s.trust, s.insurance)[half(year + 1)];
  const usersMedian = remembered((retention, trust, insurance, year) => median(usersAt({ retention, trust, insurance }, year)), 200);

  const licences = remembered((pace) => {
    const [own, firm] = ["hospital", "firm"].map((name) =>
      grown(licensed, name, (k) => licensed[name + "_ceiling"][k], pace, licensed.policy));
    return own.map((level, k) => each((i) => Math.exp(level[i]) + Math.exp(firm[k][i])));
  });
  const licencesGrid = licensed.grid.map((column) => column[0]);
  const hospitalsAt = (s, year) =>
    licences(s.licensing)[licencesGrid.slice(1).findIndex((t) => Math.abs(t - year - 1) < 1e-6)];

  /* Log levels over the past and the future. */
  const pharmacy = remembered((pace) =>
    [...market.pharmacy_level, ...grown(market, "pharmacy", (k) => market.pharmacy_ceiling[k], pace)]);
  const consultation = remembered(() =>
    [...market.consultation_level, ...grown(market, "consultation", () => market.consultation_ceiling[0], 1)]);

  /* Millions of nominal yuan of a definition in one year (0 is the first of the past). */
  function nominal(s, definition, t) {
    if (definition === "pharmacy") return pharmacy(s.prescription_drugs)[t].map(Math.exp);
    const ahead = Math.max(t - past + 1, 0), paid = Math.exp((s.price + s.first_visits) * ahead);
    const year = facts.first_year + t;
    const more = ahead ? usersMedian(s.retention, s.trust, s.insurance, year) / usersMedian(1, 1, 1, year) : 1;
    const drugs = pharmacy(s.prescription_drugs)[t], visits = consultation()[t], other = market.other_services[0];
    return each((i) => {
      const advice = Math.exp(visits[i]) * paid * more;
      if (definition === "consultation") return advice;
      const services = advice * (1 + Math.exp(other[i] + s.payers * ahead));
      return definition === "services" ? services : services + Math.exp(drugs[i]);
    });
  }

  /* What one nominal yuan of a year is worth, in draws: dollars of real prices are at the base year's rate. */
  const base = facts.last_year - facts.first_year;
  const worth = remembered((currency, prices, t) => {
    const level = market.log_prices[t], rate = market.log_rate[prices === "real" ? base : t];
    return each((i) => Math.exp((prices === "real" ? -level[i] : 0) - (currency === "USD" ? rate[i] : 0)));
  }, 100);

  function sizes(s, told, t) {
    const amount = nominal(s, told.definition, t), value = worth(told.currency, told.prices, t);
    return amount.map((x, i) => x * value[i]);
  }

  return { size, years, past, sizes, usersAt, hospitalsAt, worth };
}

/* Gives each draw to one scenario, evenly mixed and in proportion to the weights. */
function sharedOut(weights, size) {
  let sum = 0;
  const ends = weights.map((weight) => (sum += weight));
  return Array.from({ length: size }, (_, i) => {
    const at = ((i + 0.5) * (Math.sqrt(5) - 1) / 2) % 1, found = ends.findIndex((end) => at < end);
    return found < 0 ? weights.length - 1 : found;
  });
}

/* Shares out the difference of medians among levers: each one's part is averaged over an order and its reverse. */
function decomposed(levers, outcome) {
  const parts = Object.fromEntries(levers.map((lever) => [lever, 0]));
  for (const order of [levers, [...levers].reverse()]) {
    let before = outcome([]);
    order.forEach((lever, k) => {
      const after = outcome(order.slice(0, k + 1));
      parts[lever] += (after - before) / 2;
      before = after;
    });
  }
  return parts;
}
