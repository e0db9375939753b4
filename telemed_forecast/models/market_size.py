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

*Bottom-up.* :math:`C_t` is also users x encounters per user x price: users from the adoption model (mean and sd of
each year), encounters and price from what platforms, the regulator and censuses report. :math:`P_t` is also all
medicine sales of the country (official) x the part of them that is published as sold online. The two meet in

.. math::

   \log C_t = \log U_t + \log e_t + \log p_t + \delta_t, \qquad \log P_t = \log M_t + \log q_t + \delta'_t,

where the coherence gaps :math:`\delta` have a wide prior and are reported: the two directions need not agree, and a
reader must see by how much they do not. For the other services there is no second direction: S and B inherit theirs.

*Ceilings.* Drugs sold online are a part of all medicine sales: the ceiling of P is a share of :math:`M_t`, which itself
grows. Nothing of the kind bounds C, whose ceiling has the distance that past adoptions teach.

*Pace between estimates.* What two listed sellers, JD Health and Alibaba Health, sell on their own account is P times
their part of it, and that part walks at random below one: their accounts are a floor under P and carry its growth
past the newest estimate.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from telemed_forecast.evidence import decisions
from telemed_forecast.models.adoption import on_grid
from telemed_forecast.models.growth import growth_process, prior_paths, simulate
from telemed_forecast.models.likelihood import interval_logp
from telemed_forecast.models.priors import growth_prior

if TYPE_CHECKING:
    from xarray import Dataset

    from telemed_forecast.evidence.observations import Observations

DEFINITIONS = decisions.DEFINITIONS
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


MEDICINE_CEILING = (-0.85, 0.6)
"""Mean and sd of the logit of the part of all medicine sales at which online sales of drugs and health goods end: 30%,
80% between 17 and 48. In 2023 pharmacies' retail sales (640 of 2,930 bn yuan, mofcom-retail-2023 and
mofcom-circulation-2023) and online sales (about 300) were together 32% of them: all that retail sells may move online;
much more needs hospitals to let go of their prescriptions, much less says that it stops where it stands."""

ONLINE_SHARE = (-2.5, 0.8)
"""Mean and sd of the logit of the part of all medicine sales sold online in the last year: 8%, 80% between 3 and 19."""

ONLINE_SHARE_TREND = (0.15, 0.1)
"""Mean and sd of its change a year: printed shares rose from 1.5% (iimedia-2020-ecshare-2012) to 7%
(gs-drug-penetration-2023), 0.15 a year on the logit scale."""

ONLINE_SHARE_SCALE = 0.4
"""Noise scale (logit) of a printed online share: what counts as medicine and as online differs; two houses print 2.4%
and over 10% for 2019 (fs-jdh-2020-share-drugs-2019, iimedia-2020-ecshare-2019)."""

SELLER_SHARE = (-2.2, 0.7)
"""Mean and sd of the logit of JD Health's part of online sales in the last year: 10%, 80% between 4 and 21. The two
largest had 10.0% and 6.5% in 2021 (fs-2021-digital-retail-pharmacy-share-rank1 and -rank2)."""

SECOND_SELLER = (-0.43, 0.5)
"""Mean and sd of the log of Alibaba Health's own sales over JD Health's: the same two shares."""

SELLER_VOLATILITY = (-2.1, 0.5)
"""Mean and sd of the log of the yearly steps of that part (logit): 0.12, 90% between 0.05 and 0.28. A seller that grows
a fifth faster than its market for a year is common; one that doubles its part in a year is not."""

SELLER_SCALE = 0.08
"""Noise scale (log) of a seller's yearly rate from a full or a half year's accounts: half-years differ by that much."""


def build(data: Any) -> Any:
    """The model of the market's size.

    Parameters
    ----------
    data
        Arrays: ``age`` (time,), years before the last of the grid, <= 0; ``consultation_guess`` and
        ``pharmacy_guess`` (time,), log CNY million; ``users_mean``, ``users_sd`` (time,), log persons; estimates
        size_{low, high} (log CNY million), size_year (index), size_definition (index in DEFINITIONS),
        size_origin (index, below ORIGINS), size_scale; volumes volume_{low, high} (log encounters), volume_year,
        volume_scale; ``log_medicine`` (time,), log of all medicine sales (CNY million); printed online shares of them
        online_{low, high} (logit), online_year, online_scale; sellers' accounts seller_{low, high} (log CNY million a
        year), seller_at (position on the grid), seller_second (1 for Alibaba Health, else 0), seller_scale.
    """
    import pymc as pm
    import pytensor.tensor as pt

    prior = growth_prior("any")
    with pm.Model() as model:
        d = {name: pm.Data(name, value) for name, value in data.items()}

        distance = pm.LogNormal("consultation_distance", *prior.log_distance)
        reach = pm.Normal("pharmacy_logit_ceiling", *MEDICINE_CEILING)
        log_ceilings = {
            "consultation": d["consultation_guess"][-1] + distance,
            "pharmacy": d["log_medicine"] + pt.log(pm.math.sigmoid(reach)),
        }
        consultation, pharmacy = (
            growth_process(name, guess=d[f"{name}_guess"], log_ceiling=ceiling, step=STEP, prior=prior).log_level
            for name, ceiling in log_ceilings.items()
        )
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

        _from_below(d, consultation, pharmacy)
        _sellers(d, pharmacy)
    return model


def _from_below(d: Mapping[str, Any], consultation: Any, pharmacy: Any) -> None:
    """Users x encounters x price against consultation, online share x medicine sales against drug sales."""
    import pymc as pm
    import pytensor.tensor as pt

    users = pm.Normal("users_standard", 0.0, 1.0) * d["users_sd"] + d["users_mean"]
    encounters = pm.Normal("encounters", *ENCOUNTERS) + pm.Normal("encounters_trend", *ENCOUNTERS_TREND) * d["age"]
    price = pm.Normal("price", *PRICE) + pm.Normal("price_trend", *PRICE_TREND) * d["age"]
    volume = users + encounters
    logp = interval_logp(d["volume_low"], d["volume_high"], volume[d["volume_year"]], d["volume_scale"], pt)
    pm.Potential("volume_evidence", logp.sum())
    bottom_up = pm.Deterministic("bottom_up", volume + price - np.log(1e6))

    online = pm.Normal("online_share", *ONLINE_SHARE) + pm.Normal("online_share_trend", *ONLINE_SHARE_TREND) * d["age"]
    logp = interval_logp(d["online_low"], d["online_high"], online[d["online_year"]], d["online_scale"], pt)
    pm.Potential("online_evidence", logp.sum())
    drugs_bottom_up = pm.Deterministic("pharmacy_bottom_up", d["log_medicine"] + pt.log(pm.math.sigmoid(online)))
    # The two directions meet in the last year, where the user base is surveyed; earlier years follow.
    for name, gap in (("coherence", consultation - bottom_up), ("pharmacy_coherence", pharmacy - drugs_bottom_up)):
        pm.Deterministic(f"{name}_gap", gap)
        pm.Potential(name, pm.logp(pm.Normal.dist(0.0, COHERENCE), gap[-1]))


def _sellers(d: Mapping[str, Any], pharmacy: Any) -> None:
    """What two listed sellers sell on their own account, as a part of drug sales."""
    import pymc as pm
    import pytensor.tensor as pt

    steps = pm.LogNormal("seller_volatility", *SELLER_VOLATILITY) * pm.Normal("seller_steps", 0.0, 1.0, shape=GRID - 1)
    back = pt.concatenate([pt.cumsum(steps[::-1])[::-1], pt.zeros(1)])
    part = pm.Deterministic("seller_share", pm.Normal("seller_level", *SELLER_SHARE) - back)
    sales = pharmacy + pt.log(pm.math.sigmoid(part))
    mu = on_grid(sales, d["seller_at"], pt) + pm.Normal("second_seller", *SECOND_SELLER) * d["seller_second"]
    logp = interval_logp(d["seller_low"], d["seller_high"], mu, d["seller_scale"], pt)
    pm.Potential("seller_evidence", logp.sum())


_SCOPES = decisions.scopes()

SEGMENTS = {
    segment: DEFINITIONS.index(scope)
    for segment, scope in _SCOPES.items()
    if scope in DEFINITIONS and ":" not in segment
}
"""The ledger's segments that are read as these definitions; `LEFT_OUT` says why others are not."""

LEFT_OUT = {segment: scope for segment, scope in _SCOPES.items() if scope not in DEFINITIONS}
"""Segments that are not read, and what they are instead."""

SERVICES_ONLY = tuple(
    row.removeprefix("claim:") for row, scope in _SCOPES.items() if row.startswith("claim:") and scope == "services"
)
"""Rows of the segment internet_healthcare whose stated scope leaves drug sales out: they observe `services`."""


def definitions(sizes: Observations) -> np.ndarray:
    """Which of `DEFINITIONS` each published size observes. Dims: (obs,)."""
    by_segment = np.array([SEGMENTS[s] for s in sizes.segment.tolist()], dtype=int)
    return np.where(np.isin(sizes.claim_id, SERVICES_ONLY), DEFINITIONS.index("services"), by_segment)


def project(
    posterior: Dataset,
    data: Mapping[str, np.ndarray],
    *,
    log_medicine_ahead: np.ndarray,
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
    log_medicine_ahead
        Log of all medicine sales (CNY million) in the last year of history and in each future one.
        Dims: (sample, future year + 1).
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
    p = {str(name): np.asarray(values) for name, values in posterior.items()}
    prior = growth_prior("any")
    years_ahead = log_medicine_ahead.shape[1] - 1
    consultation_ceiling, pharmacy_reach = _log_reach(p, data)

    def forward(name: str, log_ceiling: np.ndarray, pace: float = 1.0) -> np.ndarray:
        past = p[f"{name}_log_level"]
        future = simulate(
            log_level=past[:, -1],
            deviation=p[f"{name}_deviation"][:, -1],
            log_ceiling=log_ceiling,
            rate=pace * p[f"{name}_rate"],
            **{k: p[f"{name}_{k}"] for k in ("theta", "innovation", "sigma", "rho")},
            prior=prior,
            step=STEP,
            rng=rng,
        )
        return np.exp(np.concatenate([past, future], axis=1))

    pharmacy = forward("pharmacy", log_medicine_ahead[:, :-1] + pharmacy_reach[:, None], drug_pace)
    ahead = np.maximum(np.arange(GRID + years_ahead) - (GRID - 1), 0)
    users = np.ones(GRID + years_ahead)
    users[GRID:] = users_factor
    flat = np.repeat(consultation_ceiling[:, None], years_ahead, axis=1)
    consultation = forward("consultation", flat) * np.exp((price_growth + encounters_growth) * ahead) * users
    # Payers other than patients (insurers, drug makers) buy the other services.
    services = consultation * (1.0 + np.exp(p["other_services"][:, None] + payers_growth * ahead))
    return {
        "consultation": consultation,
        "services": services,
        "healthcare": services + pharmacy,
        "pharmacy": pharmacy,
    }


def _log_reach(p: Mapping[str, np.ndarray], data: Mapping[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Log ceiling of consultation (CNY million), and log of the part of medicine sales that drug sales may reach."""
    return data["consultation_guess"][-1] + p["consultation_distance"], -np.log1p(np.exp(-p["pharmacy_logit_ceiling"]))


def ceiling(posterior: Dataset, data: Mapping[str, np.ndarray]) -> np.ndarray:
    """Ceiling of the healthcare definition in the last year of history (CNY million). Dims: (sample,)."""
    p = {str(name): np.asarray(values) for name, values in posterior.items()}
    consultation, reach = _log_reach(p, data)
    return np.exp(consultation) * (1.0 + np.exp(p["other_services"])) + np.exp(data["log_medicine"][-1] + reach)


def bottom_up(posterior: Dataset) -> dict[str, np.ndarray]:
    """Each definition from below, CNY million by year of history. Dims: (sample, time).

    The other services have no evidence of their own from below: they are the same multiple of consultation.
    """
    consultation, pharmacy = (np.exp(np.asarray(posterior[name])) for name in ("bottom_up", "pharmacy_bottom_up"))
    services = consultation * (1.0 + np.exp(np.asarray(posterior["other_services"])))[:, None]
    return {
        "consultation": consultation,
        "services": services,
        "healthcare": services + pharmacy,
        "pharmacy": pharmacy,
    }


def prior_sample(data: Mapping[str, np.ndarray], size: int, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Draws from the prior: names and dims (sample, ...) as in the posterior, before any figure is read.

    The coherence potentials, which tie the two directions to each other, are left out: they are what the evidence
    of one direction says about the other.
    """
    prior = growth_prior("any")
    drawn = {
        "consultation_distance": rng.lognormal(*prior.log_distance, size),
        "pharmacy_logit_ceiling": rng.normal(*MEDICINE_CEILING, size),
        "other_services": rng.normal(*OTHER_SERVICES, size),
        "bias_spread": rng.lognormal(*BIAS_SPREAD, size),
        "estimate_noise": rng.lognormal(*ESTIMATE_NOISE, size),
        "encounters": rng.normal(*ENCOUNTERS, size),
        "price": rng.normal(*PRICE, size),
        "online_share": rng.normal(*ONLINE_SHARE, size),
    }
    drawn["origin_bias"] = drawn["bias_spread"][:, None] * rng.standard_normal((size, ORIGINS))
    consultation, reach = _log_reach(drawn, data)
    log_ceilings = {
        "consultation": np.repeat(consultation[:, None], GRID, axis=1),
        "pharmacy": data["log_medicine"] + reach[:, None],
    }
    for name, log_ceiling in log_ceilings.items():
        start = float(data[f"{name}_guess"][0])
        drawn |= prior_paths(name, size=size, start=start, log_ceiling=log_ceiling, step=STEP, prior=prior, rng=rng)
    consultation, pharmacy = drawn["consultation_log_level"], drawn["pharmacy_log_level"]
    services = consultation + np.log1p(np.exp(drawn["other_services"]))[:, None]
    sizes = [consultation, services, np.logaddexp(services, pharmacy), pharmacy]
    return drawn | {"log_size": np.stack(sizes, axis=2)}
