"""Learn what stays after a surge from families of series that had one.

Every value after a surge is a target of every origin before it. These windows overlap and areas of a family share their
shocks, so that their likelihood is a composite one; it is tempered until a family weighs a third of its area-years.
What comes out is called a composite posterior for that reason: its width is a judgement, not a theorem, and was
checked on areas and families left out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from telemed_forecast.curves.retention import FEWEST, NU, PARAMETERS, predictive, window
from telemed_forecast.curves.series import Series
from telemed_forecast.curves.surges import SMALLEST_VALUE, Surge, surge_of
from telemed_forecast.errors import InputError
from telemed_forecast.fits.sampling import ModelSpec, Profile, fit

if TYPE_CHECKING:
    from xarray import DataTree

FAMILY_OF = {"nhs_england_stp_monthly": "nhs_england", "nhs_england_monthly": "nhs_england"}
"""Reference classes that are one family: the regions of England and their sum have one payer and one set of rules."""

PANDEMIC = ("us_medicare_quarterly", "us_medicaid_monthly", "nhs_england_stp_monthly", "nhs_england_monthly")
"""Classes whose surge was that of spring 2020; the surge of any other is found from its series."""

SOURCES = {
    "us_medicare_quarterly": "US Medicare: share of users with a telehealth service, by state (public, US government)",
    "us_medicaid_monthly": "US Medicaid: live telehealth services by state (public, US government)",
    "nhs_england": "NHS England: appointments in general practice by mode (Open Government Licence v3)",
}
"""Where the series of the known families come from."""

AHEAD = {"annual": (1, 2, 3), "quarterly": (1, 2, 4, 8), "monthly": (1, 3, 6, 12, 18)}
"""Horizons [periods] that the likelihood looks at."""

MOST_ORIGINS = 250
"""Origins of a family that the likelihood looks at: neighbours tell the same, and the weight is fixed anyway."""

FEWEST_KNOWN = 2
"""Values before the first origin: fewer than a forecast needs, since most series start shortly before their surge."""

WEIGHT = 1.0 / 3.0
"""Part of its area-years that a family weighs."""

LEARNED = PARAMETERS[:6]
"""Parameters that each family has of its own; the others but the volatility are common to all."""

POPULATION = {
    "logit_kept": (-1.0, 0.7, 0.5),
    "log_half_life": (-0.2, 0.5, 0.4),
    "emergency": (0.2, 0.2, 0.2),
    "log_forgetting": (-0.5, 0.7, 0.5),
    "log_spread": (-3.0, 0.5, 0.3),
    "log_drift": (-2.2, 0.5, 0.4),
}
"""Mean and sd of the population's mean, and scale of its (half-normal) spread between families."""

COMMON = {"log_noise": (-1.0, 0.6), "log_walk": (-1.6, 0.6), "log_unrest": (-1.8, 0.6), "log_return": (-1.0, 0.8)}
"""Mean and sd of what all families share."""

ENOUGH_CHANGES = 4.0
"""Changes of a series from which its volatility is taken for its family's."""

USUAL_VOLATILITY = -2.3
"""Log volatility where no series tells it: changes by a third in a year."""

SEASON_SCALE = 0.08
"""[log points] Scale (half-normal) of the seasonal factors' size."""

GAINED = (1.5, 6.0)
"""Beta of the share of not-yet-users that a wave brings in: a weak prior, not learned from these series."""

PROFILE = Profile(chains=2, tune=400, draws=500, target_accept=0.9)
"""Effort of the sampler."""


def family_of(reference_class: str) -> str:
    """Name of the family of a reference class."""
    return FAMILY_OF.get(reference_class, reference_class)


def _surge(curve: Series) -> Surge:
    return surge_of(curve, pandemic=curve.reference_class in PANDEMIC)


def arrays(curves: Sequence[Series], names: Sequence[str]) -> dict[str, np.ndarray]:
    """All origins of whole series with what came after them, family by family in the order of their names.

    Returns
    -------
    The arrays of the model: those of a `retention.Window`, and

    - family: position of each window's family. Dims: (window,)
    - ahead: horizons in periods. Dims of this and the next three: (window, horizon)
    - target: log of the value over the window's scale, 0 where there is none
    - weight: tempered, 0 where there is no value
    - target_phase: period of the year of each target
    - families: typical log volatility of each family. Dims: (family,)
    """
    found: list[dict[str, np.ndarray]] = []
    for k, name in enumerate(names):
        members = [curve for curve in curves if family_of(curve.reference_class) == name]
        rows = [row for curve in members for row in _rolling(curve, k)]
        own = _joined(rows[:: -(-len(rows) // MOST_ORIGINS)])
        years = sum(float(np.sum(curve.index >= _surge(curve).height)) * curve.step for curve in members)
        own["weight"] *= WEIGHT * years / own["weight"].sum()
        found.append(own)
    data = _joined(found)
    return data | {"families": _volatilities(data, len(names))}


def _joined(parts: Sequence[dict[str, np.ndarray]]) -> dict[str, np.ndarray]:
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def _rolling(curve: Series, family: int = 0) -> list[dict[str, np.ndarray]]:
    """Every origin of one series; the surge is seen from its whole length, the rest from what was known then."""
    surge = _surge(curve)
    steps = np.array(AHEAD[curve.frequency])
    place = {int(i): k for k, i in enumerate(curve.index)}
    pad = (0, max(map(len, AHEAD.values())) - steps.size)
    found = []
    for n in range(FEWEST_KNOWN, len(curve.values)):
        origin = int(curve.index[n - 1])
        past = Series(curve.series_id, curve.frequency, curve.index[:n], curve.values[:n])
        at = [place.get(origin + int(h)) for h in steps]
        scale = float(np.max(past.values))
        if origin < surge.height or scale <= 0 or not any(k is not None for k in at):
            continue
        target = np.array([0.0 if k is None else np.log(max(curve.values[k] / scale, SMALLEST_VALUE)) for k in at])
        after = {
            "ahead": np.pad(steps.astype(float), pad, constant_values=1),
            "target": np.pad(target, pad),
            "weight": np.pad(np.array([float(k is not None) for k in at]), pad),
            "target_phase": np.pad((origin + steps) % round(1.0 / curve.step), pad),
        }
        # The sampler's draws hang on the order of the arrays: another one is compiled otherwise, and rounds otherwise.
        known = window(past, surge) | {"family": np.array([family])}
        found.append(known | {name: values[None] for name, values in after.items()})
    return found


def build(data: Any) -> Any:
    """The hierarchy of families (arrays: see :func:`arrays`)."""
    import pymc as pm
    import pytensor.tensor as pt

    with pm.Model() as model:
        d = {name: pm.Data(name, value) for name, value in data.items()}
        number = int(data["families"].size)
        mean, sd, spread = np.array([POPULATION[name] for name in LEARNED]).T
        centre = pm.Normal("population_mean", mean, sd)
        width = pm.HalfNormal("population_sd", spread)
        own = pm.Normal("family_own", shape=(len(LEARNED), number))
        values = pm.Deterministic("family_values", centre[:, None] + width[:, None] * own)[:, d["family"]]
        p = {name: values[k][:, None] for k, name in enumerate(LEARNED)}
        common = pm.Normal("common", *np.array(list(COMMON.values())).T)
        p |= {name: common[k] for k, name in enumerate(COMMON)}
        p["log_volatility"] = d["families"][d["family"]][:, None]
        size = pm.HalfNormal("season_size", SEASON_SCALE)
        season = pm.Deterministic("season", size * pm.Normal("season_own", shape=(number, 12)))
        location, scale = predictive(
            p,
            d,
            ahead=d["ahead"],
            season_then=season[d["family"][:, None], d["target_phase"]],
            season_now=season[d["family"][:, None], d["phase"]],
            xp=pt,
        )
        # The density of a Student-t with fixed degrees of freedom, without its constants.
        residual = (d["target"] - location) / scale
        logp = -pt.log(scale) - 0.5 * (NU + 1.0) * pt.log1p(residual**2 / NU)
        pm.Potential("composite_likelihood", (d["weight"] * logp).sum())
    return model


def _volatilities(data: Mapping[str, np.ndarray], number: int) -> np.ndarray:
    """Typical log volatility of each family: the median over its origins with the longest pasts."""
    volatility, changes = data["volatility"], data["changes"]
    found = np.full(number, np.nan)
    for k in range(number):
        known = (data["family"] == k) & (volatility > 0)
        long = known & (changes >= min(ENOUGH_CHANGES, changes[known].max(initial=0.0)))
        if long.any():
            found[k] = np.median(np.log(volatility[long]))
    # A family whose series are all too short, or all without noise, takes what the others have.
    others = np.nanmean(found) if np.isfinite(found).any() else USUAL_VOLATILITY
    return np.where(np.isfinite(found), found, others)


def learn(curves: Sequence[Series], *, seed: int = 0) -> dict[str, Any]:
    """Learn retention from whole series after surges: what ``data/priors/surge.json`` holds.

    `reference_class` names the class of each series; `seed` is of the sampler and of the draws of an unseen family.
    """
    used = usable(curves)
    names = sorted({family_of(curve.reference_class) for curve in used})
    if not names:
        raise InputError(["curves: expected at least one series with a reference class, a surge and ten values"])
    data = arrays(used, names)
    # A name of its own for every number of families: the compiled model has their shape.
    posterior = fit(ModelSpec(f"retention_{len(names)}", build), data, profile=PROFILE, seed=seed)
    return content(posterior, used, names, data["families"], seed=seed)


def usable(curves: Sequence[Series]) -> list[Series]:
    """The series that retention can be learned from: those in which a surge is found, at its date where one is known.

    What never rose says nothing of what stays; with such series in the reference class (video consultations that no
    region took up) the forecasts of all others became worse.
    """
    return [curve for curve in curves if curve.reference_class and _has_surge(curve) and _rolling(curve)]


def _has_surge(curve: Series) -> bool:
    if len(curve.values) <= FEWEST or not np.any(curve.values > 0):
        return False
    how = surge_of(curve).how
    return how == "dated" if curve.reference_class in PANDEMIC else how != "assumed"


def content(
    posterior: DataTree, curves: Sequence[Series], names: Sequence[str], volatility: np.ndarray, *, seed: int
) -> dict[str, Any]:
    """The learned values as a file holds them."""
    p = posterior["posterior"].to_dataset().stack(sample=("chain", "draw"))
    common = dict(zip(COMMON, p["common"].values, strict=True))
    season = p["season"].mean("sample").values
    rows = {}
    for k, name in enumerate(names):
        draws = dict(zip(LEARNED, p["family_values"].values[:, k], strict=True)) | common
        own = [c for c in curves if family_of(c.reference_class) == name]
        rows[name] = _row(draws | {"log_volatility": np.full(len(draws["logit_kept"]), volatility[k])}) | {
            "classes": sorted({c.reference_class for c in own}),
            "series": len(own),
            "season": _season(season[k], own),
            "pandemic": all(c.reference_class in PANDEMIC for c in own),
        }
    rng = np.random.default_rng(seed)
    size = p.sizes["sample"]
    new = p["population_mean"].values + p["population_sd"].values * rng.standard_normal((len(LEARNED), size))
    draws = dict(zip(LEARNED, new, strict=True)) | common
    draws["log_volatility"] = volatility.mean() + 0.5 * rng.standard_normal(size)
    unseen = _row(draws) | {"classes": [], "season": [], "pandemic": False}
    return {
        "about": "What stays after a surge (see telemed_forecast/curves/retention.py for the meaning).",
        "status": "learned: composite posterior (see telemed_forecast/curves/learn_retention.py)",
        "sources": [SOURCES.get(name, f"{name}: given by the user") for name in names],
        "seed": seed,
        "new_family": {
            "logit_kept": _pair(draws["logit_kept"]),
            "log_half_life": _pair(draws["log_half_life"]),
            "gained": list(GAINED),
        },
        "retention": {"parameters": list(PARAMETERS), "families": rows, "unseen": unseen},
        "note": "gained is not learned from the surges: a weak prior, the share of not-yet-users that a wave brings in",
    }


def _pair(draws: np.ndarray) -> list[float]:
    return [round(float(draws.mean()), 3), round(float(draws.std()), 3)]


def _row(draws: Mapping[str, np.ndarray]) -> dict[str, Any]:
    x = np.stack([draws[name] for name in PARAMETERS])
    covariance = np.cov(x)
    return {
        "mean": {name: round(float(value), 4) for name, value in zip(PARAMETERS, x.mean(axis=1), strict=True)},
        "covariance": [[float(f"{value:.4g}") for value in line] for line in covariance],
    }


def _season(factors: np.ndarray, curves: Sequence[Series]) -> list[float]:
    """Seasonal factors around their mean; none for a family whose series have several frequencies."""
    periods = {round(1.0 / c.step) for c in curves}
    if len(periods) != 1 or periods == {1}:
        return []
    own = factors[: periods.pop()]
    return [round(float(value), 4) for value in own - own.mean()]
