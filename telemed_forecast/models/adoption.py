r"""Users of online medical services: internet users times usage rate, with two surges.

The usage rate (share of internet users) follows

.. math:: q_t = \kappa - (\kappa - b_t)\,\prod_k \bigl(1 - G_k\, g(t - t_k)\bigr), \qquad
          g(s) = \rho + (1 - \rho)\, 2^{-s/\tau} \text{ for } s \ge 0,\; 0 \text{ before},

where :math:`b_t` is a growth process below the ceiling :math:`\kappa` (who would ever use it), wave :math:`k` (early
2020, December 2022) brings in a share :math:`G_k` of those who were not yet users, a part :math:`\rho` of them stays
and the others leave with half-life :math:`\tau`. A wave thus pulls future adoption forward, and no sum of waves passes
the ceiling. Internet users are a growth process below the population.

Definition breaks are offsets of reports: 2015 counted looking up information, June 2020 counted buying drugs and
devices apart, and what came before December 2022, when the survey renamed the service, may have counted others than
what is counted since. Monthly active users of an app panel share the path up to a constant and tell the height of the
first wave. Surveys of one region or one panel ("have you ever used it") see the usage rate through a contrast of their
own whose spread is learned; the share of people who know the services at all bounds the ceiling from above.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from telemed_forecast.models import constants, growth, later_waves
from telemed_forecast.models.growth import Growth
from telemed_forecast.models.likelihood import DEGREES_OF_FREEDOM, noise
from telemed_forecast.models.model import Model, Posterior, Rows, Values, claims_of, draws
from telemed_forecast.models.odds import expit, log_expit
from telemed_forecast.models.priors import Prior
from telemed_forecast.models.timeline import carried, decimal_year, half_year_at_or_after, half_years, on_grid

if TYPE_CHECKING:
    from telemed_forecast.evidence.observations import Observations

STEP = 0.5
"""[years] The statistical office reports twice a year."""

GRID = 23
"""Steps of history that the model sees: eleven years, fixed so that one compiled model serves every as-of date."""

WAVES = (2020.1, 2022.95)
"""[year] When the two waves of the epidemic brought people online."""

CEILING_USAGE = constants.pair("adoption", "ceiling_usage")
"""Mean and sd of logit(ceiling of the usage rate): half of the prior between 40% and 77%. The highest usage rates that
the same national survey printed for fifteen other online services (metrics ``*_usage_rate`` and ``*_users``) go from
21% of internet users (wealth management) to 98% (messaging): mean 0.8 and sd 1.5 on this scale, with the median
at 51%. Care is needed by those who are ill, so the few universal services count half in the mean."""

AWARENESS_GAP = constants.pair("adoption", "awareness_gap")
"""Mean and sd (log odds) of how far knowing of the services lies above the ceiling of their use. In the survey of the
Yangtze River Delta 80.95% knew of them (seed-yrd-lack) and 22.07% had used them (seed-yrd-used), 2.7 apart: the ceiling
lies between the two, and a uniform distribution over that stretch has this mean and sd."""

REGIONAL_SPREAD = constants.pair("adoption", "regional_spread")
"""Mean and sd of the log of the contrast (log odds) between a survey of one region or panel and the whole country: 0.5,
90% between 0.26 and 0.96. Within the national survey itself rural users lie 0.63 below the total
(cnnic-2022-12-online-medical-usage-rate-rural-hk51: 21.5% against 34.0%)."""

CEILING_INTERNET = constants.pair("adoption", "ceiling_internet")
"""Mean and sd of logit(ceiling of internet users as a share of the population): 90% of it between 74% and 97%."""

CLASS = {name: constants.entries()["adoption"][f"growth_{name}"].value for name in ("internet", "usage")}
"""Reference class of each process: internet users are one of the technologies learned from; the use of medical services
among them is one more online service of the same people."""

POPULATION_PACE = 1.0
"""Part of the latest known growth of the population that goes on after its last count."""

SURVEY_NOISE = constants.pair("adoption", "survey_noise")
"""Mean and sd of the log of a survey's noise (log scale): 3%, 90% between 1% and 8%: sampling
error of tens of thousands of interviews in clusters, and changes of the questionnaire."""

OFFSETS = {
    name: constants.pair("adoption", name)
    for name in ("definition_2015", "definition_2020h1", "name_until_2022", "panel")
}
"""Mean and sd (log scale) of the offset of each other definition against the plain count of users. In June 2020 29.4%
of internet users had used any such service, 26.4% had bought drugs or devices and 17.9% had registered or consulted
(online_medical_component_usage_rate): if the later counts hold no purchases the offset is log(29.4 / 17.9) = 0.50, if
they hold all of them it is 0; mean and sd are those of a uniform distribution between. Until
June 2022 the survey asked for online medical care, since December 2022 for internet medical care: nobody says what the
new name took in or left out, so that up to an eighth either way (90%) may be the name's, and the second wave, which
came in the same half-year, is known that much less. The panel of apps sees between one user in 1.4 and one in 14
(90%)."""

RENAMED = "2022-12-31"
"""Day of the first count under the present name."""

MOST_USAGE = 0.999
"""Largest share that a survey's interval may reach: the log odds of everybody have no number."""


def retention(since: Any, *, kept: Any, half_life: Any, xp: Any = np) -> Any:
    """Share of a wave that is still there `since` years after it (negative: before it, 0).

    `kept` is rho in (0, 1), the share that stays for good, and `half_life` is tau [years], of the rest.
    """
    after = xp.maximum(since, 0.0)
    return xp.where(since >= 0, kept + (1.0 - kept) * xp.exp2(-after / half_life), 0.0)


def usage(base: Any, *, ceiling: Any, gained: Any, stays: Any) -> Any:
    """Usage rate from the path without waves b_t, the ceiling kappa, and for each wave G_k and g(t - t_k).

    Everything is broadcastable to the path. Dims: (..., time).
    """
    missing = ceiling - base
    for share, left in zip(gained, stays, strict=True):
        missing = missing * (1.0 - share * left)
    return ceiling - missing


def priors(d: Values) -> dict[str, Prior]:
    """The parameters in the order of the graph."""
    c = constants.of("adoption", d)
    surge, (middles, spreads) = c["surge"], zip(*(c[name] for name in OFFSETS), strict=True)
    return {
        "internet_logit_ceiling": Prior("Normal", c["ceiling_internet"]),
        **growth.priors("internet", c["growth_internet"], GRID),
        "usage_logit_ceiling": Prior("Normal", c["ceiling_usage"]),
        **growth.priors("usage", c["growth_usage"], GRID),
        "surge_logit_kept": Prior("Normal", surge.logit_kept),
        "surge_half_life": Prior("LogNormal", surge.log_half_life),
        "surge_gained": Prior("Beta", surge.gained, len(WAVES)),
        "definition_offset": Prior("Normal", (middles, spreads)),
        "survey_noise": Prior("LogNormal", c["survey_noise"]),
        "regional_spread": Prior("LogNormal", c["regional_spread"]),
    }


def _growth(p: Values, d: Values, xp: Any) -> dict[str, Growth]:
    """Internet users below the population, usage below a ceiling that stands still."""
    reach = {name: log_expit(p[f"{name}_logit_ceiling"], xp)[..., None] for name in CLASS}
    log_ceiling = {"internet": d["log_population"] + reach["internet"], "usage": reach["usage"]}
    c = constants.of("adoption", d)
    return {name: Growth(c[f"growth_{name}"], STEP, log_ceiling[name]) for name in CLASS}


def _paths(p: Values, d: Values) -> dict[str, Any]:
    return {name: d[f"{name}_guess"] + growth.PATH_UNIT * p[f"{name}_path"] for name in CLASS}


def _share(p: Values, d: Values, xp: Any) -> Any:
    """Usage rate on the grid. Dims: (..., time)."""
    kept, half_life = expit(p["surge_logit_kept"], xp)[..., None], p["surge_half_life"][..., None]
    stays = [retention(d["grid"] - d["wave"][k], kept=kept, half_life=half_life, xp=xp) for k in range(len(WAVES))]
    gained = [p["surge_gained"][..., k, None] for k in range(len(WAVES))]
    ceiling = expit(p["usage_logit_ceiling"], xp)[..., None]
    return usage(xp.exp(p["usage_log_level"]), ceiling=ceiling, gained=gained, stays=stays)


def _users(p: Values, d: Values, xp: Any) -> tuple[Any, Any]:
    mu = on_grid(p["log_users"], d["users_at"], xp)
    offset = (d["users_definition"] * p["definition_offset"][..., None, :]).sum(axis=-1)
    return mu + offset, noise(d["users_scale"], p["survey_noise"][..., None], xp)


def _aware(p: Values, d: Values, xp: Any) -> tuple[Any, Any]:
    middle, spread = constants.of("adoption", d)["awareness_gap"]
    return p["usage_logit_ceiling"][..., None] + middle, noise(d["aware_scale"], spread, xp)


def _surveyed(p: Values, d: Values, xp: Any) -> tuple[Any, Any]:
    rate = p["usage_share"]
    mu = on_grid(xp.log(rate) - xp.log1p(-rate), d["survey_at"], xp)
    return mu, noise(d["survey_scale"], p["regional_spread"][..., None], xp)


MODEL = Model(
    priors=priors,
    growth=_growth,
    paths=_paths,
    latent=lambda p, d, xp: {"usage_share": _share(p, d, xp)},
    derived=lambda p, d, xp: {"log_users": p["internet_log_level"] + xp.log(p["usage_share"])},
    observed={
        "internet": lambda p, d, xp: (
            on_grid(p["internet_log_level"], d["internet_at"], xp),
            noise(d["internet_scale"], 0.0, xp),
        ),
        "users": _users,
        "survey": _surveyed,
        "aware": _aware,
    },
)
"""Counts of internet users and of users (log persons), surveys of use and of awareness (log odds)."""

prior_sample = MODEL.prior_sample


def build(data: Any) -> Any:
    """The graph for the arrays of :func:`arrays`."""
    return MODEL.graph(data)


def arrays(
    users: Observations,
    internet: Observations,
    panel: Observations,
    population: Observations,
    surveys: Observations,
    unaware: Observations,
    stated: Mapping[str, np.ndarray] | None = None,
) -> Rows:
    """The arrays of the model from interval evidence.

    Parameters
    ----------
    users
        Counts of online medical users (persons), one for each survey.
    internet
        Counts of internet users (persons).
    panel
        Monthly active users of an app panel (persons).
    population
        Residents (persons).
    surveys
        Residents or respondents who have used such services (percent).
    unaware
        Residents who lack knowledge of them (percent).
    stated
        The constants of a day (`constants.arrays`); today's by default.

    Returns
    -------
    ``grid`` (decimal years; it ends at the half-year of the newest count of users or internet users, and older evidence
    only shapes the first guess), ``wave``, ``log_population`` and a guess of each path; for each block of `MODEL` its
    ends, positions on the grid and scales by grade, and ``users_definition``, one-hots over `OFFSETS`.
    """
    ends = np.concatenate([decimal_year(users.end), decimal_year(internet.end)])
    grid = half_years(half_year_at_or_after(float(ends.max())), GRID)
    known, value = decimal_year(internet.end), np.log(_middle(internet))
    order = np.argsort(known)
    guess = _usage_guess(users, internet, grid)
    users, panel, internet = (_inside(rows, grid) for rows in (users, panel, internet))
    surveys = surveys.where((survey_years(surveys) >= grid[0]) & (survey_years(surveys) <= grid[-1]))
    data = {
        "grid": grid,
        "wave": np.array(WAVES),
        "log_population": np.log(residents(population, grid)),
        "internet_guess": np.interp(grid, known[order], value[order]),
        "usage_guess": guess,
        **_block("internet", [internet], grid),
        **user_rows(users, grid, panel),
        "survey_low": _logit(surveys.low / 100.0),
        "survey_high": _logit(surveys.high / 100.0),
        "survey_at": (survey_years(surveys) - grid[0]) / STEP,
        "survey_scale": surveys.scale(),
        "aware_low": _logit(1.0 - unaware.high / 100.0),
        "aware_high": _logit(1.0 - unaware.low / 100.0),
        "aware_scale": unaware.scale(),
        **(stated or constants.arrays("adoption")),
    }
    claims = {
        "internet": claims_of(internet),
        "users": claims_of(users, panel),
        "survey": claims_of(surveys),
        "aware": claims_of(unaware),
    }
    return Rows(data, claims)


def user_rows(users: Observations, grid: np.ndarray, panel: Observations | None = None) -> dict[str, np.ndarray]:
    """The arrays of counts of users on a grid: national ones, and those of an app panel after them."""
    parts, known = [users], [definitions(users)]
    if panel is not None:
        parts, known = (
            [users, panel],
            [*known, np.tile(np.arange(len(OFFSETS)) == PANEL, (len(panel), 1)).astype(float)],
        )
    return {**_block("users", parts, grid), "users_definition": np.concatenate(known)}


def definitions(users: Observations) -> np.ndarray:
    """Which definition each national count of users follows: one-hots over `OFFSETS`. Dims: (obs, definition)."""
    day = users.end.astype("datetime64[D]").astype(str)
    found = np.zeros((len(users), len(OFFSETS)))
    found[:, 0] = day <= "2015-12-31"
    found[:, 1] = day == "2020-06-30"
    found[:, 2] = day < RENAMED
    return found


PANEL = list(OFFSETS).index("panel")


def survey_years(surveys: Observations) -> np.ndarray:
    """Decimal year at which a survey sees the usage rate: the middle of its window. Dims: (obs,)."""
    return 0.5 * (decimal_year(surveys.start) + decimal_year(surveys.end))


UNKNOWN_USAGE = 0.15
"""Usage rate around which the sampler starts when no survey is known."""


def residents(population: Observations, grid: np.ndarray) -> np.ndarray:
    """Residents on a grid, from the counts known. Dims: (time,)."""
    return carried(population.end, _middle(population), grid, pace=POPULATION_PACE)


def _usage_guess(users: Observations, internet: Observations, grid: np.ndarray) -> np.ndarray:
    """Log usage rates around which the sampler starts, from the surveys known."""
    if not len(users):
        return np.full(len(grid), np.log(UNKNOWN_USAGE))
    year, known = decimal_year(users.end), decimal_year(internet.end)
    first, order = np.argsort(known), np.argsort(year)
    online = np.interp(year, known[first], np.log(_middle(internet))[first])
    return np.interp(grid, year[order], (np.log(_middle(users)) - online)[order])


def _inside(observations: Observations, grid: np.ndarray) -> Observations:
    year = decimal_year(observations.end)
    return observations.where((year >= grid[0]) & (year <= grid[-1] + 0.01))


def _middle(observations: Observations) -> np.ndarray:
    return 0.5 * (observations.low + np.where(np.isfinite(observations.high), observations.high, observations.low))


def _block(name: str, parts: Sequence[Observations], grid: np.ndarray) -> dict[str, np.ndarray]:
    """Interval evidence on a stock: ends on the log scale, position on the grid, scale by grade."""
    low = np.concatenate([np.log(o.low) for o in parts])
    high = np.concatenate([np.log(o.high) for o in parts])
    at = np.concatenate([(decimal_year(o.end) - grid[0]) / STEP for o in parts])
    scale = np.concatenate([o.scale() for o in parts])
    return {
        f"{name}_low": low,
        f"{name}_high": high,
        f"{name}_at": np.clip(at, 0.0, len(grid) - 1.0),
        f"{name}_scale": scale,
    }


def project(
    posterior: Posterior,
    data: Mapping[str, np.ndarray],
    *,
    log_population_ahead: np.ndarray,
    rng: np.random.Generator,
    kept_odds: float = 1.0,
    ceiling_odds: float = 1.0,
    usage_pace: float = 1.0,
) -> dict[str, np.ndarray]:
    """Carry the posterior forward from the last grid point.

    Parameters
    ----------
    posterior
        Draws with the dims (sample, ...) (chains stacked).
    data
        The arrays that the model was fitted to (grid, population, waves).
    log_population_ahead
        Log residents at the start of each half-year after the last grid point. Dims: (step,).
    rng
        Source of the future shocks and of the survey noise.
    kept_odds
        Lever: factor on the odds that a user of a wave who is still there at the last grid point stays for good.
    ceiling_odds
        Lever: factor on the odds of the usage ceiling in the forecast (such as insurance that pays).
    usage_pace
        Lever: factor on the imitation rate of usage in the forecast (such as trust that is won or lost).

    Returns
    -------
    Draws by name, dims (sample, time) over history and future: ``users`` (persons, truth), ``published`` (persons, as
    a survey would print it), ``internet`` (persons), ``base``, ``kept`` and ``passing`` (persons: users without the
    waves, those of the waves who stay for good, those who are still there but leaving), ``usage`` (share), ``stays``
    and ``for_good`` (share of each wave still there, and share that will be for good; dims sample, time, wave),
    ``ceiling`` (persons, dims sample) and ``wave_gain`` (persons that each wave brought in; dims sample, wave).
    """
    steps = len(log_population_ahead)
    p, stated = draws(posterior), constants.of("adoption", data)
    grid = np.concatenate([data["grid"], data["grid"][-1] + STEP * np.arange(1, steps + 1)])

    def forward(name: str, log_ceiling: np.ndarray, pace: float = 1.0) -> np.ndarray:
        return np.exp(Growth(stated[f"growth_{name}"], STEP, log_ceiling).ahead(name, p, rng, pace=pace))

    reach = np.log(expit(p["internet_logit_ceiling"]))[:, None]
    internet = forward("internet", log_population_ahead[None, :] + reach)
    kappa = expit(p["usage_logit_ceiling"])[:, None]
    raised = np.log(expit(p["usage_logit_ceiling"] + np.log(ceiling_odds)))[:, None]
    base = forward("usage", np.repeat(raised, steps, axis=1), usage_pace)
    stays, for_good = _stays(p, data, grid, kept_odds)
    gained = p["surge_gained"][:, None, :]
    # A ceiling that a lever moves is one for those still to come; what the waves won was won below the old one.
    missing = np.maximum(kappa - base, 0.0)
    outside, unsettled = _outside_later_waves(p, data, grid, kept_odds, rng)
    rate = base + missing * (1.0 - outside * np.prod(1.0 - gained * stays, axis=2))
    settled = base + missing * (1.0 - unsettled * np.prod(1.0 - gained * for_good, axis=2))
    users = internet * rate

    def _gain(k: int, start: float) -> np.ndarray:
        """Persons that a wave brought in at its start (0 when it lies after the grid's history)."""
        if start > data["grid"][-1]:
            return np.zeros(len(internet))
        at = int(np.searchsorted(grid, start))
        outside = missing[:, at]
        for earlier in range(k):
            outside = outside * (1.0 - gained[:, 0, earlier] * stays[:, at, earlier])
        return internet[:, at] * outside * gained[:, 0, k]

    error = p["survey_noise"][:, None] * rng.standard_t(DEGREES_OF_FREEDOM, size=users.shape)
    return {
        "grid": grid,
        "users": users,
        "published": users * np.exp(error),
        "internet": internet,
        "usage": rate,
        "base": internet * base,
        "kept": internet * (settled - base),
        "passing": internet * (rate - settled),
        "stays": stays,
        "for_good": for_good,
        "ceiling": np.exp(log_population_ahead[0] + reach[:, 0] + raised[:, 0]),
        "wave_gain": np.stack([_gain(k, data["wave"][k]) for k in range(len(WAVES))], axis=1),
    }


def _stays(
    p: Mapping[str, np.ndarray], data: Mapping[str, np.ndarray], grid: np.ndarray, kept_odds: float
) -> tuple[np.ndarray, np.ndarray]:
    """Share of each wave that is still there, and the share that will be for good. Dims: (sample, time, wave).

    A wave that had not come by the last survey known is not known and is absent. The lever acts on those who are
    still there at the last survey: nobody who has left comes back.
    """
    now = len(data["grid"]) - 1
    kept = expit(p["surge_logit_kept"])[:, None, None]
    half_life = p["surge_half_life"][:, None, None]
    since = grid[None, :, None] - data["wave"][None, None, :]
    since = np.where(data["wave"] <= data["grid"][-1], since, -1.0)
    stays = retention(since, kept=kept, half_life=half_life)
    for_good = kept * (since >= 0)
    there = stays[:, now : now + 1]
    part = np.divide(for_good[:, now : now + 1], there, out=np.zeros_like(there), where=there > 0)
    part = part * kept_odds / (1.0 - part + part * kept_odds)
    left = np.exp2(-(grid[None, now + 1 :, None] - grid[now]) / half_life)
    stays[:, now + 1 :] = there * (part + (1.0 - part) * left)
    for_good[:, now + 1 :] = there * part
    return stays, for_good


def _outside_later_waves(
    p: Mapping[str, np.ndarray],
    data: Mapping[str, np.ndarray],
    grid: np.ndarray,
    kept_odds: float,
    rng: np.random.Generator,
) -> tuple[np.ndarray, np.ndarray]:
    """Part of those outside that waves yet to come do not hold, now and for good. Dims: (sample, time)."""
    last = float(data["grid"][-1])
    known = int((data["wave"] <= last).sum())
    kept = expit(p["surge_logit_kept"] + np.log(kept_odds))
    at = later_waves.arrivals(known=known, last=last, size=len(kept), rng=rng)
    share = later_waves.gained(p, known=known, prior=constants.of("adoption", data)["surge"], rng=rng)
    return later_waves.left_out(grid, at=at, share=share, kept=kept, half_life=p["surge_half_life"])


def _logit(share: np.ndarray) -> np.ndarray:
    # Not odds.logit: another last bit would make other fits.
    inside = np.clip(share, 1.0 - MOST_USAGE, MOST_USAGE)
    return np.log(inside) - np.log1p(-inside)
