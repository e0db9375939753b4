"""The arrays of the market's model from the ledger's rows: estimates, volumes, online shares, sellers' accounts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace

import numpy as np

from telemed_forecast.evidence.observations import Observations
from telemed_forecast.models import constants
from telemed_forecast.models.channel_share import PLATFORM_MULTIPLE, Encounters
from telemed_forecast.models.market_size import (
    DEFINITIONS,
    GRID,
    SEGMENTS,
    definitions,
)
from telemed_forecast.models.model import Rows, claims_of
from telemed_forecast.models.odds import logit
from telemed_forecast.models.timeline import decimal_year

VOLUME_SCALE = constants.number("market_size", "volume_scale")
"""Noise scale (log) of a yearly volume of encounters: what counts as one differs between sources."""

SELLERS = ("jd_health", "alibaba_health")
"""Listed sellers whose own sales of drugs and health goods are reported over years; the second is relative to the
first. The others in the ledger sell less than a twentieth of theirs and are shown beside them."""

WHOLE = "revenue"
"""The metric of all that a seller earns, from which its services are taken off."""

RECENT = 5
"""[years] Over which the growth of spending is averaged to carry it on: long enough to pass over one odd year, short
enough to leave the double-digit growth of the years before 2019 behind."""

FULL_YEAR = 365
"""[days] Shorter periods are no yearly size."""


@dataclass(frozen=True)
class Medicine:
    """All medicine sales of the country: wholesale and retail, offline and online, as the ministry counts them.

    Attributes
    ----------
    years
        Calendar years of the grid. Dims: (time,).
    log_sales
        Log CNY million. Dims: (time,).
    growth, growth_sd
        Mean of the yearly growth (log points) of the last years known, and its sd from year to year.
    claims
        Rows behind it.
    """

    years: np.ndarray
    log_sales: np.ndarray
    growth: float
    growth_sd: float
    claims: tuple[str, ...]

    def ahead(self, size: int, years: int, rng: np.random.Generator) -> np.ndarray:
        """Draws of log sales in the last year and the `years` after it. Dims: (size, years + 1).

        A random walk whose drift is itself uncertain: the mean growth of `RECENT` years, and what it may be off.
        """
        drift = self.growth + self.growth_sd / np.sqrt(RECENT) * rng.standard_normal((size, 1))
        steps = drift + self.growth_sd * rng.standard_normal((size, years))
        return self.log_sales[-1] + np.concatenate([np.zeros((size, 1)), np.cumsum(steps, axis=1)], axis=1)


def medicine(circulation: Observations, expenditure: Observations, grid: np.ndarray) -> Medicine:
    """All medicine sales on the grid.

    The count of the ministry (three years) is led through the other years by total health expenditure (nearly every
    year): their ratio is interpolated, and flat outside of the counts.

    Parameters
    ----------
    circulation
        Sales of all drug wholesalers and retailers (CNY million).
    expenditure
        Total health expenditure (CNY million); only official rows (grade A) count.
    grid
        Calendar years. Dims: (time,).
    """
    official = expenditure.where(expenditure.grade == "A")
    years, spent = _by_year(official)
    before = np.flatnonzero(years <= years[-1] - RECENT)
    base = before[-1] if len(before) else 0
    growth = (spent[-1] - spent[base]) / (years[-1] - years[base])
    yearly = np.diff(spent[base:]) / np.diff(years[base:])

    def path(at: np.ndarray) -> np.ndarray:
        return np.interp(at, years, spent) + growth * np.maximum(at - years[-1], 0)

    counted, sales = _by_year(circulation)
    return Medicine(
        years=grid,
        log_sales=path(grid) + np.interp(grid, counted, sales - path(counted)),
        growth=float(growth),
        growth_sd=float(max(np.std(yearly, ddof=1) if len(yearly) > 1 else 0.0, 0.02)),
        claims=(*map(str, circulation.claim_id), *map(str, official.claim_id)),
    )


def of_all_medicine(shares: Observations, base: Observations, goods: Medicine) -> Observations:
    """Online shares of a part of the trade as shares of all medicine sales (percent).

    Parameters
    ----------
    shares
        Online share (percent) of what `base` counts.
    base
        Sales of that part of the trade (CNY million), such as pharmacies' retail sales; a share whose year has no full
        year of them is left out.
    goods
        All medicine sales.

    Returns
    -------
    The rows of `shares` that found a base. Whether the base counts online sales too is rarely said: the interval runs
    from share x base (it does) to share / (1 - share) x base (it does not).
    """
    full = base.where((base.end - base.start).astype(int) + 1 >= FULL_YEAR)
    known, sales = _by_year(full)
    year = calendar_year(shares)
    kept = np.isin(year, known) & np.isin(year, goods.years)
    shares, year = shares.where(kept), year[kept]
    part = np.exp(sales[np.searchsorted(known, year)] - goods.log_sales[year - goods.years[0]])
    low, high = shares.low / 100.0, shares.high / 100.0
    return replace(shares, low=100.0 * part * low, high=100.0 * part * high / (1.0 - high))


def own_sales(drugs: Observations, revenue: Observations, services: Observations) -> tuple[Observations, Observations]:
    """Sellers' own sales of drugs: as printed, and where the accounts of a period name none the revenue less services.

    Parameters
    ----------
    drugs, revenue, services
        Accounts of the sellers (CNY million): own sales, all revenue, and that of services.

    Returns
    -------
    The sales, those by difference under the claim and origin of the revenue; and the services that were taken off.
    """
    periods = [list(zip(rows.segment, rows.start, rows.end, strict=True)) for rows in (drugs, revenue, services)]
    printed, whole, parts = periods
    pairs = [(k, parts.index(one)) for k, one in enumerate(whole) if one in parts and one not in printed]
    taken = services.where(np.array([part for _, part in pairs], dtype=int))
    rest = revenue.where(np.array([k for k, _ in pairs], dtype=int))
    return joined([drugs, replace(rest, low=rest.low - taken.high, high=rest.high - taken.low)]), taken


def joined(parts: Sequence[Observations]) -> Observations:
    """Several sets of observations as one, in their order."""
    names = [field.name for field in fields(Observations)]
    return Observations(**{name: np.concatenate([getattr(part, name) for part in parts]) for name in names})


def _by_year(observations: Observations) -> tuple[np.ndarray, np.ndarray]:
    """Calendar years and mean log value of each. Dims: (year,)."""
    year = calendar_year(observations)
    middle = np.log(0.5 * (observations.low + observations.high))
    years = np.unique(year)
    return years, np.array([middle[year == y].mean() for y in years])


def calendar_year(observations: Observations) -> np.ndarray:
    """Calendar year in which each period ends. Dims: (obs,)."""
    return observations.end.astype("datetime64[Y]").astype(int) + 1970


def entering(sizes: Observations, last_year: int) -> Observations:
    """The published sizes that observe a definition: a read segment, a full year on the grid."""
    year, days = calendar_year(sizes), (sizes.end - sizes.start).astype(int) + 1
    read = np.isin(sizes.segment, list(SEGMENTS)) & (days >= FULL_YEAR)
    return sizes.where(read & (year > last_year - GRID) & (year <= last_year))


def arrays(
    sizes: Observations,
    volumes: Observations,
    encounters: Sequence[Encounters],
    users: tuple[np.ndarray, np.ndarray, np.ndarray],
    goods: Medicine,
    shares: Observations,
    sellers: Observations,
    services: Observations,
    stated: Mapping[str, np.ndarray] | None = None,
) -> tuple[Rows, list[str]]:
    """The arrays of :mod:`telemed_forecast.models.market_size`, and the names of the origins.

    Parameters
    ----------
    sizes
        Published market sizes in CNY million, as :func:`entering` leaves them.
    volumes
        National online consultations a year.
    encounters
        Encounters at hospitals and the largest platform: floor and roof of the yearly volume.
    users
        Years, means and sds of log users (persons) from the adoption model. Dims: (year,).
    goods
        All medicine sales; its years are the grid.
    shares
        Parts of all medicine sales that are sold online (percent).
    sellers
        Own sales of `SELLERS` over a half-year or longer (CNY million).
    services
        What was taken off a revenue for some of them, see :func:`own_sales`.
    stated
        The constants of a day (`constants.arrays`); today's by default.

    Returns
    -------
    ``age`` (years before the last of the grid, <= 0), a guess of each path, ``users_mean``, ``users_sd`` and
    ``log_medicine`` (time,), ``coherence_weight`` and ``pharmacy_coherence_weight`` (time,; the years in which both
    directions are told of, with the sum one); for each block of `MODEL` its ends, years (indices; ``seller_at`` a
    position) and scales, ``size_definition`` and ``size_origin`` (indices), and ``seller_second`` (1 for the second
    seller).
    """
    grid = goods.years
    origins = sorted(set(sizes.origin.tolist()))
    known, mean, sd = users
    stated = stated or constants.arrays("market_size")
    c = constants.of("market_size", stated)
    observed = {
        "size": (size_rows(sizes, grid, origins), claims_of(sizes)),
        "volume": _volumes(volumes, encounters, grid, scale=c["volume_scale"]),
        "online": _online(shares, grid, scale=c["online_share_scale"]),
        "seller": _sellers(sellers, services, grid, scale=c["seller_scale"]),
    }
    data = {
        "age": (grid - grid[-1]).astype(float),
        **_first_guess(sizes, calendar_year(sizes), grid),
        "users_mean": np.interp(grid, known, mean),
        # Before the survey series starts its first value holds with a wide sd.
        "users_sd": np.interp(grid, known, sd) + 0.05 * np.maximum(known[0] - grid, 0.0),
        "log_medicine": goods.log_sales,
        **_meeting({block: rows for block, (rows, _) in observed.items()}),
        **{name: values for rows, _ in observed.values() for name, values in rows.items()},
        **stated,
    }
    return Rows(data, {block: claims for block, (_, claims) in observed.items()}), origins


def _meeting(rows: Mapping[str, Mapping[str, np.ndarray]]) -> dict[str, np.ndarray]:
    """The years of which figures from above and from below tell, with equal weights; the last where there are none."""
    sized, read_as = rows["size"]["size_year"], rows["size"]["size_definition"]
    sides = {
        "coherence": (("consultation", "services"), rows["volume"]["volume_year"]),
        "pharmacy_coherence": (("pharmacy", "healthcare"), rows["online"]["online_year"]),
    }
    found = {}
    for name, (definitions_above, below) in sides.items():
        above = sized[np.isin(read_as, [DEFINITIONS.index(one) for one in definitions_above])]
        years = np.intersect1d(above, below)
        weight = np.bincount(years if len(years) else [GRID - 1], minlength=GRID)
        found[f"{name}_weight"] = weight / weight.sum()
    return found


Block = tuple[dict[str, np.ndarray], list[tuple[str, ...]]]
"""The arrays of one block of figures, and the claims behind each row."""


def size_rows(sizes: Observations, grid: np.ndarray, origins: Sequence[str]) -> dict[str, np.ndarray]:
    """The arrays of published sizes on a grid of years; an origin not among `origins` has the number -1."""
    return {
        "size_low": np.log(sizes.low),
        "size_high": np.log(sizes.high),
        "size_year": (calendar_year(sizes) - grid[0]).astype(int),
        "size_definition": definitions(sizes),
        "size_origin": np.array([origins.index(o) if o in origins else -1 for o in sizes.origin.tolist()], dtype=int),
        "size_scale": sizes.scale(),
    }


def _volumes(volumes: Observations, encounters: Sequence[Encounters], grid: np.ndarray, *, scale: float) -> Block:
    ends = np.log(volumes.low), np.log(volumes.high)
    rows = list(zip(*ends, calendar_year(volumes), volumes.scale(), claims_of(volumes), strict=True))
    rows += [
        (
            np.log(max(e.hospitals[0], e.largest_platform)),
            np.log(e.hospitals[1] + PLATFORM_MULTIPLE * e.largest_platform),
            e.year,
            scale,
            e.claims,
        )
        for e in encounters
    ]
    rows = [row for row in rows if grid[0] <= row[2] <= grid[-1]]
    # Four columns even when nothing was published yet.
    volume = np.array([row[:4] for row in rows], dtype=float).reshape(-1, 4)
    return {
        "volume_low": volume[:, 0],
        "volume_high": volume[:, 1],
        "volume_year": (volume[:, 2] - grid[0]).astype(int),
        "volume_scale": volume[:, 3],
    }, [row[4] for row in rows]


def _online(shares: Observations, grid: np.ndarray, *, scale: float) -> Block:
    year = calendar_year(shares)
    inside = (year >= grid[0]) & (year <= grid[-1])
    shares, year = shares.where(inside), year[inside]
    return {
        "online_low": logit(shares.low / 100.0, edge=1e-4),
        "online_high": logit(shares.high / 100.0, edge=1e-4),
        "online_year": (year - grid[0]).astype(int),
        "online_scale": np.hypot(shares.scale(), scale),
    }, claims_of(shares)


def accounts(sellers: Observations) -> tuple[Observations, np.ndarray]:
    """The sellers' accounts as yearly rates (CNY million a year), and the decimal year of each period's middle.

    A full year's figure is its own rate, as reported: a leap day rescales nothing.
    """
    days = (sellers.end - sellers.start).astype(int) + 1
    chosen = np.isin(sellers.segment, SELLERS) & (days >= 180)
    sellers, days = sellers.where(chosen), days[chosen]
    rate = np.where(days >= FULL_YEAR, 1.0, 365.25 / days)
    yearly = replace(sellers, low=sellers.low * rate, high=sellers.high * rate)
    return yearly, decimal_year(sellers.end) - 0.5 * days / 365.25


def _sellers(sellers: Observations, services: Observations, grid: np.ndarray, *, scale: float) -> Block:
    yearly, middle = accounts(sellers)
    # A year's flow stands at its middle; half a year past the last full one still speaks of it.
    at = middle - 0.5 - grid[0]
    inside = (at >= 0) & (at <= GRID - 0.5)
    yearly, at = yearly.where(inside), np.minimum(at[inside], GRID - 1.0)
    taken = {
        (seller, end): str(claim)
        for seller, end, claim in zip(services.segment, services.end, services.claim_id, strict=True)
    }
    accounts_of = zip(yearly.claim_id, yearly.metric, yearly.segment, yearly.end, strict=True)
    claims = [
        (str(claim), *([taken[seller, end]] if metric == WHOLE else [])) for claim, metric, seller, end in accounts_of
    ]
    return {
        "seller_low": np.log(yearly.low),
        "seller_high": np.log(yearly.high),
        "seller_at": at,
        "seller_second": (yearly.segment == SELLERS[1]).astype(float),
        "seller_scale": np.hypot(yearly.scale(), scale),
    }, claims


def _first_guess(sizes: Observations, year: np.ndarray, grid: np.ndarray) -> dict[str, np.ndarray]:
    """Log CNY million around which the sampler starts, and around whose first value the first level lies, widely.

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
