r"""Market size: three nested definitions, each seen from above and from below in one posterior.

Yearly flows in CNY million, nominal:

=====================  =====================================================================================
consultation  C        advice and follow-up visits paid for online
services      S        C plus the other telemedicine services (between institutions, monitoring): :math:`S = C (1 + m)`
healthcare    B        S plus medicines and health goods sold online: :math:`B = S + P`
=====================  =====================================================================================

*Top-down.* :math:`C` and :math:`P` are growth processes; every published estimate observes one of the sums through
the bias of its origin, :math:`\log v = \log x + \beta + \beta_{\text{origin}} + \text{noise}`, with biases of
origins pooled towards :math:`\beta`, what all houses have in common: they read each other and count alike, so that no
number of them shows their common error. The same origin repeated by others is one voice.

*Bottom-up.* :math:`C_t` is also users x encounters per user x price: users from the adoption model (mean and sd of
each year), encounters and price from what platforms, the regulator and censuses report. :math:`P_t` is also all
medicine sales of the country (official) x the part of them that is published as sold online. The two meet in

.. math::

   \log C_t = \log U_t + \log e_t + \log p_t + \delta_t, \qquad \log P_t = \log M_t + \log q_t + \delta'_t,

where the coherence gaps :math:`\delta` have a wide prior, in the mean of the years of which figures of both sides tell,
and are reported: the two directions need not agree, and a reader must see by how much they do not. For the other
services there is no second direction: S and B inherit theirs.

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
from telemed_forecast.models import constants, growth, odds
from telemed_forecast.models.growth import Growth
from telemed_forecast.models.likelihood import noise
from telemed_forecast.models.model import Model, Posterior, Values, draws
from telemed_forecast.models.priors import Prior
from telemed_forecast.models.timeline import on_grid

if TYPE_CHECKING:
    from xarray import Dataset

    from telemed_forecast.evidence.observations import Observations

DEFINITIONS = decisions.DEFINITIONS
"""What a published estimate measures; pharmacy is the part of `healthcare` that is goods."""

STEP = 1.0
"""[years] Published sizes are yearly."""

GRID = 13
"""Years of history."""

OTHER_SERVICES = constants.pair("market_size", "other_services")
"""Mean and sd of log m, the other telemedicine services over consultation: about as much again, 90% between a quarter
and four times as much."""

ORIGINS = 40
"""Slots for origins of estimates; fixed so that one compiled model serves every date. An empty slot has its prior."""

BIAS_SPREAD = constants.pair("market_size", "bias_spread")
"""Mean and sd of the log of the spread of origin biases (log scale): 0.37, 90% between 0.16 and 0.84. That they differ
is certain, so zero is left out."""

COMMON_BIAS = constants.pair("market_size", "common_bias")
"""Mean and sd of the bias (log) that all origins of estimates share. Three houses put 2023 at 360, 375 and 385, closer
together than their biases elsewhere allow independent voices to be (`BIAS_SPREAD`)."""

ESTIMATE_NOISE = constants.pair("market_size", "estimate_noise")
"""Mean and sd of the log of the noise on an estimate beside its origin's bias (log scale): 15%."""

ENCOUNTERS = constants.pair("market_size", "encounters")
"""Mean and sd of log(encounters per user and year) in the last year: 1.5, 90% between 0.6 and 4."""

ENCOUNTERS_TREND = constants.pair("market_size", "encounters_trend")
"""Mean and sd of its change a year."""

PRICE = constants.pair("market_size", "price")
"""Mean and sd of log(CNY per encounter), free ones included: 25, 90% between 11 and 56. A platform's mean list price
was 32 (2017) and 40 (2020), a hospital's fee 25 (2020), a web census' median 6 (2020)."""

PRICE_TREND = constants.pair("market_size", "price_trend")
"""Mean and sd of its change a year."""

COHERENCE = constants.number("market_size", "coherence")
"""sd of the coherence gap (log): the two directions may differ by a factor of two without surprise."""


MEDICINE_CEILING = constants.pair("market_size", "medicine_ceiling")
"""Mean and sd of the logit of the part of all medicine sales at which online sales of drugs and health goods end: 30%,
80% between 17 and 48. In 2023 pharmacies' retail sales (640 of 2,930 bn yuan, mofcom-retail-2023 and
mofcom-circulation-2023) and online sales (about 300) were together 32% of them: all that retail sells may move online;
much more needs hospitals to let go of their prescriptions, much less says that it stops where it stands."""

ONLINE_SHARE = constants.pair("market_size", "online_share")
"""Mean and sd of the logit of the part of all medicine sales sold online in the last year: 8%, 80% between 3 and 19."""

ONLINE_SHARE_TREND = constants.pair("market_size", "online_share_trend")
"""Mean and sd of its change a year: printed shares rose from 1.5% (iimedia-2020-ecshare-2012) to 7%
(gs-drug-penetration-2023), 0.15 a year on the logit scale."""

ONLINE_SHARE_SCALE = constants.number("market_size", "online_share_scale")
"""Noise scale (logit) of a printed online share: what counts as medicine and as online differs; two houses print 2.4%
and over 10% for 2019 (fs-jdh-2020-share-drugs-2019, iimedia-2020-ecshare-2019)."""

SELLER_SHARE = constants.pair("market_size", "seller_share")
"""Mean and sd of the logit of JD Health's part of online sales in the last year: 10%, 80% between 4 and 21. The two
largest had 10.0% and 6.5% in 2021 (fs-2021-digital-retail-pharmacy-share-rank1 and -rank2)."""

SECOND_SELLER = constants.pair("market_size", "second_seller")
"""Mean and sd of the log of Alibaba Health's own sales over JD Health's: the same two shares."""

SELLER_VOLATILITY = constants.pair("market_size", "seller_volatility")
"""Mean and sd of the log of the yearly steps of that part (logit): 0.12, 90% between 0.05 and 0.28. A seller that grows
a fifth faster than its market for a year is common; one that doubles its part in a year is not."""

SELLER_SCALE = constants.number("market_size", "seller_scale")
"""Noise scale (log) of a seller's yearly rate from a full or a half year's accounts: half-years differ by that much."""


def priors(d: Values) -> dict[str, Prior]:
    """The parameters in the order of the graph."""
    c = constants.of("market_size", d)
    prior = c["growth"]
    return {
        "consultation_distance": Prior("LogNormal", prior.log_distance),
        "pharmacy_logit_ceiling": Prior("Normal", c["medicine_ceiling"]),
        **growth.priors("consultation", prior, GRID),
        **growth.priors("pharmacy", prior, GRID),
        "other_services": Prior("Normal", c["other_services"]),
        "bias_spread": Prior("LogNormal", c["bias_spread"]),
        "bias_standard": Prior("Normal", (0.0, 1.0), ORIGINS),
        "common_bias": Prior("Normal", c["common_bias"]),
        "estimate_noise": Prior("LogNormal", c["estimate_noise"]),
        "users_standard": Prior("Normal", (0.0, 1.0)),
        "encounters": Prior("Normal", c["encounters"]),
        "encounters_trend": Prior("Normal", c["encounters_trend"]),
        "price": Prior("Normal", c["price"]),
        "price_trend": Prior("Normal", c["price_trend"]),
        "online_share": Prior("Normal", c["online_share"]),
        "online_share_trend": Prior("Normal", c["online_share_trend"]),
        "seller_volatility": Prior("LogNormal", c["seller_volatility"]),
        "seller_steps": Prior("Normal", (0.0, 1.0), GRID - 1),
        "seller_level": Prior("Normal", c["seller_share"]),
        "second_seller": Prior("Normal", c["second_seller"]),
    }


def _growth(p: Values, d: Values, xp: Any) -> dict[str, Growth]:
    """Consultation below a ceiling known by its distance alone, drug sales below a part of all medicine sales."""
    log_ceiling = {"consultation": None, "pharmacy": d["log_medicine"] + _log_reach(p, xp)[..., None]}
    prior = constants.of("market_size", d)["growth"]
    return {name: Growth(prior, STEP, ceiling) for name, ceiling in log_ceiling.items()}


def _paths(p: Values, d: Values) -> dict[str, Any]:
    return {n: d[f"{n}_guess"] + growth.PATH_UNIT * p[f"{n}_path"] for n in ("consultation", "pharmacy")}


def _trend(p: Values, d: Values, name: str) -> Any:
    """A line over the years that is stated for the last of them. Dims: (..., time)."""
    return p[name][..., None] + p[f"{name}_trend"][..., None] * d["age"]


def _latent(p: Values, d: Values, xp: Any) -> dict[str, Any]:
    """Log encounters a year, and log odds of the part of all medicine sales that is sold online. Dims: (..., time)."""
    users = p["users_standard"][..., None] * d["users_sd"] + d["users_mean"]
    return {"volume": users + _trend(p, d, "encounters"), "online": _trend(p, d, "online_share")}


def _derived(p: Values, d: Values, xp: Any) -> dict[str, Any]:
    consultation, pharmacy = p["consultation_log_level"], p["pharmacy_log_level"]
    services = consultation + xp.log1p(xp.exp(p["other_services"]))[..., None]
    bottom_up = p["volume"] + _trend(p, d, "price") - np.log(1e6)
    drugs_bottom_up = d["log_medicine"] + odds.log_expit(p["online"], xp)
    steps = p["seller_volatility"][..., None] * p["seller_steps"]
    back = xp.cumsum(steps[..., ::-1], axis=steps.ndim - 1)[..., ::-1]
    return {
        "log_size": xp.stack([consultation, services, xp.logaddexp(services, pharmacy), pharmacy], axis=-1),
        "origin_bias": p["bias_spread"][..., None] * p["bias_standard"],
        "bottom_up": bottom_up,
        "pharmacy_bottom_up": drugs_bottom_up,
        "coherence_gap": consultation - bottom_up,
        "pharmacy_coherence_gap": pharmacy - drugs_bottom_up,
        "seller_share": p["seller_level"][..., None] - xp.concatenate([back, xp.zeros_like(steps[..., :1])], axis=-1),
    }


def _sized(p: Values, d: Values, xp: Any) -> tuple[Any, Any]:
    size = p["log_size"][..., d["size_year"], d["size_definition"]]
    bias = p["common_bias"][..., None] + p["origin_bias"][..., d["size_origin"]]
    return size + bias, noise(d["size_scale"], p["estimate_noise"][..., None], xp)


def _sold(p: Values, d: Values, xp: Any) -> tuple[Any, Any]:
    sales = p["pharmacy_log_level"] + odds.log_expit(p["seller_share"], xp)
    mu = on_grid(sales, d["seller_at"], xp) + p["second_seller"][..., None] * d["seller_second"]
    return mu, d["seller_scale"]


MODEL = Model(
    priors=priors,
    growth=_growth,
    paths=_paths,
    latent=_latent,
    derived=_derived,
    # The two directions meet over the years that both are told of: one statement about their distance, however many.
    ties=lambda p, d, xp: {
        n: ((p[f"{n}_gap"] * d[f"{n}_weight"]).sum(axis=-1), constants.of("market_size", d)["coherence"])
        for n in ("coherence", "pharmacy_coherence")
    },
    observed={
        "size": _sized,
        "volume": lambda p, d, xp: (p["volume"][..., d["volume_year"]], d["volume_scale"]),
        "online": lambda p, d, xp: (p["online"][..., d["online_year"]], d["online_scale"]),
        "seller": _sold,
    },
)
"""Sizes (log CNY million), volumes (log encounters), online shares of all medicine sales (log odds), accounts of
sellers (log CNY million a year)."""

prior_sample = MODEL.prior_sample


def build(data: Any) -> Any:
    """The graph for the arrays of :mod:`telemed_forecast.models.market_evidence`."""
    return MODEL.graph(data)


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
    posterior: Posterior,
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
        Lever: users relative to what they would be without any lever. Dims: () or (..., future year).
    """
    p, prior = draws(posterior), constants.of("market_size", data)["growth"]
    years_ahead = log_medicine_ahead.shape[1] - 1

    def forward(name: str, log_ceiling: np.ndarray, pace: float = 1.0) -> np.ndarray:
        return np.exp(Growth(prior, STEP, log_ceiling).ahead(name, p, rng, pace=pace))

    pharmacy = forward("pharmacy", log_medicine_ahead[:, :-1] + _log_reach(p)[:, None], drug_pace)
    ahead = np.maximum(np.arange(GRID + years_ahead) - (GRID - 1), 0)
    users = np.ones((*np.shape(users_factor)[:-1], GRID + years_ahead))
    users[..., GRID:] = users_factor
    flat = np.repeat(_log_consultation_ceiling(p)[:, None], years_ahead, axis=1)
    consultation = forward("consultation", flat) * np.exp((price_growth + encounters_growth) * ahead) * users
    # Payers other than patients (insurers, drug makers) buy the other services.
    services = consultation * (1.0 + np.exp(p["other_services"][:, None] + payers_growth * ahead))
    return {
        "consultation": consultation,
        "services": services,
        "healthcare": services + pharmacy,
        "pharmacy": pharmacy,
    }


def _log_reach(p: Values, xp: Any = np) -> Any:
    """Log of the part of medicine sales that drug sales may reach."""
    return odds.log_expit(p["pharmacy_logit_ceiling"], xp)


def _log_consultation_ceiling(p: Values) -> Any:
    """Log CNY million. Dims: (sample,)."""
    return p["consultation_log_level"][..., -1] + p["consultation_distance"]


def ceiling(posterior: Dataset, data: Mapping[str, np.ndarray]) -> np.ndarray:
    """Ceiling of the healthcare definition in the last year of history (CNY million). Dims: (sample,)."""
    p = draws(posterior)
    services = np.exp(_log_consultation_ceiling(p)) * (1.0 + np.exp(p["other_services"]))
    return services + np.exp(data["log_medicine"][-1] + _log_reach(p))


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
