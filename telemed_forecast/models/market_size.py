r"""Market size: three nested definitions, each seen from above and from below in one posterior.

Yearly flows in CNY million, nominal:

=====================  =====================================================================================
consultation  C        advice and follow-up visits paid for online
services      S        C plus the other telemedicine services (between institutions, monitoring): :math:`S = C (1 + m)`
healthcare    B        S plus medicines and health goods sold online: :math:`B = S + P`
=====================  =====================================================================================

*Top-down.* :math:`C` and :math:`P` are growth processes; every published estimate observes one of the sums through
the bias of its origin, :math:`\log v = \log x + \beta_{\text{origin}} + \text{noise}`, with biases pooled
towards none. The same origin repeated by others is one voice.

*Bottom-up.* :math:`C_t` is also users x encounters per user x price. Users come from the adoption model (mean and sd
of each year); encounters and price from what platforms, the regulator and censuses report. The two meet in

.. math:: \log C_t = \log U_t + \log e_t + \log p_t + \delta,

where the coherence gap :math:`\delta` has a wide prior and is reported: the two directions need not agree, and a reader
must see by how much they do not.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from telemed_forecast.models.channel_share import PLATFORM_MULTIPLE, Encounters
from telemed_forecast.models.growth import growth_process, simulate
from telemed_forecast.models.likelihood import interval_logp
from telemed_forecast.models.priors import growth_prior

if TYPE_CHECKING:
    from xarray import Dataset

    from telemed_forecast.evidence.observations import Observations

DEFINITIONS = ("consultation", "services", "healthcare", "pharmacy")
"""What a published estimate measures; pharmacy is the part of `healthcare` that is goods."""

STEP = 1.0
"""[years] Published sizes are yearly."""

GRID = 13
"""Years of history."""

OTHER_SERVICES = (0.0, 0.8)
"""Mean and sd of log m, the other telemedicine services over consultation: about as much again, 90% between a quarter
and four times as much."""

ORIGINS = 40
"""Slots for origins of estimates; fixed so that one compiled model serves every date. An empty slot has its prior."""

BIAS_SPREAD = (-1.0, 0.5)
"""Mean and sd of the log of the spread of origin biases (log scale): 0.37, 90% between 0.16 and 0.84. That they differ
is certain, so zero is left out."""

ESTIMATE_NOISE = (-1.9, 0.5)
"""Mean and sd of the log of the noise on an estimate beside its origin's bias (log scale): 15%."""

ENCOUNTERS = (0.4, 0.6)
"""Mean and sd of log(encounters per user and year) in the last year: 1.5, 90% between 0.6 and 4."""

ENCOUNTERS_TREND = (0.0, 0.08)
"""Mean and sd of its change a year."""

PRICE = (3.2, 0.5)
"""Mean and sd of log(CNY per encounter), free ones included: 25, 90% between 11 and 56. A platform's mean list price
was 32 (2017) and 40 (2020), a hospital's fee 25 (2020), a web census' median 6 (2020)."""

PRICE_TREND = (0.0, 0.05)
"""Mean and sd of its change a year."""

COHERENCE = 0.7
"""sd of the coherence gap (log): the two directions may differ by a factor of two without surprise."""


def build(data: Any) -> Any:
    """The model of the market's size.

    Parameters
    ----------
    data
        Arrays: ``age`` (time,), years before the last of the grid, <= 0; ``consultation_guess`` and
        ``pharmacy_guess`` (time,), log CNY million; ``users_mean``, ``users_sd`` (time,), log persons; estimates
        size_{low, high} (log CNY million), size_year (index), size_definition (index in DEFINITIONS),
        size_origin (index, below ORIGINS), size_scale; volumes volume_{low, high} (log encounters), volume_year,
        volume_scale.
    """
    import pymc as pm
    import pytensor.tensor as pt

    prior = growth_prior("any")
    with pm.Model() as model:
        d = {name: pm.Data(name, value) for name, value in data.items()}

        def market(name: str) -> Any:
            guess = d[f"{name}_guess"]
            distance = pm.LogNormal(f"{name}_distance", *prior.log_distance)
            return growth_process(name, guess=guess, log_ceiling=guess[-1] + distance, step=STEP, prior=prior).log_level

        consultation, pharmacy = market("consultation"), market("pharmacy")
        other = pm.Normal("other_services", *OTHER_SERVICES)
        services = consultation + pt.log1p(pt.exp(other))
        healthcare = pt.logaddexp(services, pharmacy)
        sizes = pm.Deterministic("log_size", pt.stack([consultation, services, healthcare, pharmacy], axis=1))

        spread = pm.LogNormal("bias_spread", *BIAS_SPREAD)
        standard = pm.Normal("bias_standard", 0.0, 1.0, shape=ORIGINS)
        bias = pm.Deterministic("origin_bias", spread * standard)
        noise = pm.LogNormal("estimate_noise", *ESTIMATE_NOISE)
        mu = sizes[d["size_year"], d["size_definition"]] + bias[d["size_origin"]]
        scale = pt.sqrt(d["size_scale"] ** 2 + noise**2)
        logp = interval_logp(d["size_low"], d["size_high"], mu, scale, pt)
        pm.Potential("size_evidence", logp.sum())

        users = pm.Normal("users_standard", 0.0, 1.0) * d["users_sd"] + d["users_mean"]
        encounters = pm.Normal("encounters", *ENCOUNTERS) + pm.Normal("encounters_trend", *ENCOUNTERS_TREND) * d["age"]
        price = pm.Normal("price", *PRICE) + pm.Normal("price_trend", *PRICE_TREND) * d["age"]
        volume = users + encounters
        logp = interval_logp(d["volume_low"], d["volume_high"], volume[d["volume_year"]], d["volume_scale"], pt)
        pm.Potential("volume_evidence", logp.sum())
        bottom_up = pm.Deterministic("bottom_up", volume + price - np.log(1e6))
        # The two directions meet in the last year, where the user base is surveyed; earlier years follow.
        gap = pm.Deterministic("coherence_gap", consultation - bottom_up)
        pm.Potential("coherence", pm.logp(pm.Normal.dist(0.0, COHERENCE), gap[-1]))
    return model


SEGMENTS = {"online_consultation": 0, "telemedicine": 1, "internet_healthcare": 2, "online_pharmacy": 3}
"""The ledger's segments that are read as these definitions; other segments are other markets and stay context."""

SERVICES_ONLY = ("idc-2016-oms-2015", "ms-internet-health-2018", "fs-pagd-2018-ih-2016", "fs-pagd-2018-ih-2016-kr")
"""Rows of the segment internet_healthcare whose stated scope leaves drug sales out (online medical services, company
sales without platforms' goods; an industry smaller than the drug sales that the same house prints beside it): they
observe `services`."""


def arrays(
    sizes: Observations,
    volumes: Observations,
    encounters: Sequence[Encounters],
    users: tuple[np.ndarray, np.ndarray, np.ndarray],
    last_year: int,
) -> tuple[dict[str, np.ndarray], list[str], Observations]:
    """The arrays of :func:`build`, the names of the origins, and the estimates that entered.

    Parameters
    ----------
    sizes
        Published market sizes in CNY million.
    volumes
        National online consultations a year.
    encounters
        Encounters at hospitals and the largest platform: floor and roof of the yearly volume.
    users
        Years, means and sds of log users (persons) from the adoption model. Dims: (year,).
    last_year
        Last year of the grid.
    """
    grid = np.arange(last_year - GRID + 1, last_year + 1)
    year = sizes.end.astype("datetime64[Y]").astype(int) + 1970
    days = (sizes.end - sizes.start).astype(int) + 1
    entering = np.isin(sizes.segment, list(SEGMENTS)) & (days >= 365) & (year >= grid[0]) & (year <= last_year)
    sizes, year = sizes.where(entering), year[entering]
    origins = sorted(set(sizes.origin.tolist()))
    known, mean, sd = users
    # Before the survey series starts its first value holds with a wide sd.
    spread = np.interp(grid, known, sd) + 0.05 * np.maximum(known[0] - grid, 0.0)
    in_year = [
        (np.log(low), np.log(high), y, scale)
        for low, high, y, scale in zip(
            volumes.low,
            volumes.high,
            volumes.end.astype("datetime64[Y]").astype(int) + 1970,
            volumes.scale(),
            strict=True,
        )
    ]
    in_year += [
        (
            np.log(max(e.hospitals[0], e.largest_platform)),
            np.log(e.hospitals[1] + PLATFORM_MULTIPLE * e.largest_platform),
            e.year,
            VOLUME_SCALE,
        )
        for e in encounters
    ]
    # Four columns even when nothing was published yet.
    volume = np.array([row for row in in_year if grid[0] <= row[2] <= last_year]).reshape(-1, 4)
    data = {
        "age": (grid - last_year).astype(float),
        **_first_guess(sizes, year, grid),
        "users_mean": np.interp(grid, known, mean),
        "users_sd": spread,
        "size_low": np.log(sizes.low),
        "size_high": np.log(sizes.high),
        "size_year": (year - grid[0]).astype(int),
        "size_definition": definitions(sizes),
        "size_origin": np.array([origins.index(o) for o in sizes.origin.tolist()], dtype=int),
        "size_scale": sizes.scale(),
        "volume_low": volume[:, 0],
        "volume_high": volume[:, 1],
        "volume_year": (volume[:, 2] - grid[0]).astype(int),
        "volume_scale": volume[:, 3],
    }
    return data, origins, sizes


def _first_guess(sizes: Observations, year: np.ndarray, grid: np.ndarray) -> dict[str, np.ndarray]:
    """Log CNY million around which the sampler starts and relative to whose last value ceilings are expressed.

    The level seen, from the estimates known: of drug sales (or the broad total) for `pharmacy`, consultation (or half
    of the services) for `consultation`; where a date knows none of the latter, a tenth of the former.
    """
    read_as = definitions(sizes)
    log_size = 0.5 * (np.log(sizes.low) + np.log(sizes.high))

    def path(*names: str) -> np.ndarray | None:
        chosen = np.isin(read_as, [DEFINITIONS.index(name) for name in names])
        if not chosen.any():
            return None
        years = np.unique(year[chosen])
        return np.interp(grid, years, [log_size[chosen & (year == y)].mean() for y in years])

    pharmacy, consultation = path("pharmacy"), path("consultation")
    if pharmacy is None:
        pharmacy = path("healthcare")
    if consultation is None and (services := path("services")) is not None:
        consultation = services - np.log(2.0)
    if pharmacy is None:
        pharmacy = np.full(len(grid), log_size.mean()) if consultation is None else consultation + np.log(10.0)
    if consultation is None:
        consultation = pharmacy - np.log(10.0)
    return {"consultation_guess": consultation, "pharmacy_guess": pharmacy}


def definitions(sizes: Observations) -> np.ndarray:
    """Which of `DEFINITIONS` each published size observes. Dims: (obs,)."""
    by_segment = np.array([SEGMENTS[s] for s in sizes.segment.tolist()], dtype=int)
    return np.where(np.isin(sizes.claim_id, SERVICES_ONLY), DEFINITIONS.index("services"), by_segment)


VOLUME_SCALE = 0.2
"""Noise scale (log) of a yearly volume of encounters: what counts as one differs between sources."""


def project(
    posterior: Dataset,
    data: Mapping[str, np.ndarray],
    *,
    years_ahead: int,
    rng: np.random.Generator,
    price_growth: float = 0.0,
    encounters_growth: float = 0.0,
    payers_growth: float = 0.0,
    drug_pace: float = 1.0,
    users_factor: np.ndarray | float = 1.0,
) -> dict[str, np.ndarray]:
    """Carry the sizes forward: CNY million by definition, dims (sample, time) over history and future.

    Parameters
    ----------
    posterior
        Draws with the dims (sample, ...).
    data
        The arrays of the fit.
    years_ahead
        Number of future years.
    rng
        Source of the future shocks.
    price_growth
        Lever: growth a year (log points) of the price of a consultation beyond what the past implies.
    encounters_growth
        Lever: the same for encounters per user.
    payers_growth
        Lever: growth a year (log points) of the other telemedicine services relative to consultation.
    drug_pace
        Lever: factor on the imitation rate of online drug sales from the last year of history on.
    users_factor
        Lever: users relative to what they would be without any lever. Dims: () or (future year,).
    """
    p = {name: np.asarray(values) for name, values in posterior.items()}
    prior = growth_prior("any")

    def forward(name: str, pace: float = 1.0) -> np.ndarray:
        past = p[f"{name}_log_level"]
        ceiling = data[f"{name}_guess"][-1] + p[f"{name}_distance"]
        future = simulate(
            log_level=past[:, -1],
            deviation=p[f"{name}_deviation"][:, -1],
            log_ceiling=np.repeat(ceiling[:, None], years_ahead, axis=1),
            rate=pace * p[f"{name}_rate"],
            **{k: p[f"{name}_{k}"] for k in ("theta", "innovation", "sigma", "rho")},
            prior=prior,
            step=STEP,
            rng=rng,
        )
        return np.exp(np.concatenate([past, future], axis=1))

    pharmacy = forward("pharmacy", drug_pace)
    ahead = np.maximum(np.arange(GRID + years_ahead) - (GRID - 1), 0)
    users = np.ones(GRID + years_ahead)
    users[GRID:] = users_factor
    consultation = forward("consultation") * np.exp((price_growth + encounters_growth) * ahead) * users
    # Payers other than patients (insurers, drug makers) buy the other services.
    services = consultation * (1.0 + np.exp(p["other_services"][:, None] + payers_growth * ahead))
    return {
        "consultation": consultation,
        "services": services,
        "healthcare": services + pharmacy,
        "pharmacy": pharmacy,
    }


def ceiling(posterior: Dataset, data: Mapping[str, np.ndarray]) -> np.ndarray:
    """Ceiling of the healthcare definition (CNY million). Dims: (sample,)."""
    p = {name: np.asarray(values) for name, values in posterior.items()}
    parts = [np.exp(data[f"{name}_guess"][-1] + p[f"{name}_distance"]) for name in ("consultation", "pharmacy")]
    return parts[0] * (1.0 + np.exp(p["other_services"])) + parts[1]
