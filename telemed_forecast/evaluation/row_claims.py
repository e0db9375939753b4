"""Which published figures stand behind each row of a model's likelihood.

A model's arrays forget the claims that they were made of. They are found again by moving one figure at a time by a
millionth and looking which rows of the likelihood move with it: whatever a model does to its figures on the way, the
answer is that of the model's own code.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from telemed_forecast.errors import TelemedError
from telemed_forecast.evidence.observations import Observations
from telemed_forecast.fits.sampling import Arrays, ModelSpec
from telemed_forecast.fits.store import Fit
from telemed_forecast.forecast import channel_share, internet_hospitals, market_size, user_adoption
from telemed_forecast.forecast.context import Context
from telemed_forecast.forecast.paths import Forecast, Path
from telemed_forecast.models import adoption, market_evidence
from telemed_forecast.models import channel_share as channel_model
from telemed_forecast.models import internet_hospitals as hospitals_model
from telemed_forecast.models.channel_share import Encounters, Revenues

NUDGE = 1.0 + 1e-6
"""Factor by which a figure is moved."""

Source = Observations | Sequence[Encounters] | Sequence[Revenues]


@dataclass(frozen=True)
class Likelihood:
    """One fit behind a report, and how its rows come from published figures.

    Attributes
    ----------
    spec, fit
        The model and its fit.
    sources
        The figures that make up its rows.
    arrays
        Sources -> the arrays of the model.
    target
        Block and number of a row -> the path that the row is weighed by; None when it speaks of nothing shown.
    """

    spec: ModelSpec
    fit: Fit
    sources: tuple[Source, ...]
    arrays: Callable[..., Arrays]
    target: Callable[[str, int], Path | None]

    def claims(self, blocks: Sequence[str]) -> dict[str, list[list[str]]]:
        """Claim ids behind every row, by block.

        Parameters
        ----------
        blocks
            Names of the blocks: their ends are ``<block>_low`` and ``<block>_high`` in the arrays.

        Raises
        ------
        TelemedError
            The sources do not give the rows of the fit.
        """
        before = self.arrays(*self.sources)
        for block in blocks:
            if (
                len(before[f"{block}_low"]) != len(self.fit.data[f"{block}_low"])
                or _moved(before, self.fit.data, block).any()
            ):
                raise TelemedError(f"{self.spec.name}: the rows of {block} are not those of the fit")
        found: dict[str, list[list[str]]] = {block: [[] for _ in before[f"{block}_low"]] for block in blocks}
        for k, source in enumerate(self.sources):
            for j in range(len(source)):
                nudged, claims = _nudged(source, j)
                after = self.arrays(*self.sources[:k], nudged, *self.sources[k + 1 :])
                for block in blocks:
                    for row in np.flatnonzero(_moved(before, after, block)):
                        found[block][row] += [claim for claim in claims if claim not in found[block][row]]
        return found


def _moved(before: Arrays, after: Arrays, block: str) -> np.ndarray:
    """Which rows of a block have other ends. Dims: (row,)."""
    moved: np.ndarray = np.any([before[f"{block}_{end}"] != after[f"{block}_{end}"] for end in ("low", "high")], axis=0)
    return moved


def _nudged(source: Any, j: int) -> tuple[Any, tuple[str, ...]]:
    """A source with its j-th figure moved, and the claims of that figure."""
    if isinstance(source, Observations):
        factor = np.where(np.arange(len(source)) == j, NUDGE, 1.0)
        return replace(source, low=source.low * factor, high=source.high * factor), (str(source.claim_id[j]),)
    one = source[j]
    # What bounds a year's share is a ratio: one side of it is moved.
    side = "hospitals" if isinstance(one, Encounters) else "visits"
    low, high = getattr(one, side)
    moved = replace(one, **{side: (low * NUDGE, high * NUDGE)})
    return [*source[:j], moved, *source[j + 1 :]], one.claims


def likelihoods(context: Context, name: str, result: Any) -> list[Likelihood]:
    """The fits behind a report whose rows of evidence can be weighed.

    Parameters
    ----------
    context
        Settings and evidence.
    name
        The report's name.
    result
        Its model's result.
    """
    return READERS[name](context, result)


def _users(context: Context, result: Forecast) -> list[Likelihood]:
    names = ("users", "internet", "panel", "surveys", "unaware")

    def arrays(*sources: Observations) -> Arrays:
        return adoption.arrays(**dict(zip(names, sources, strict=True)), population=result.evidence["population"])

    sources = tuple(result.evidence[name] for name in names)
    return [Likelihood(user_adoption.SPEC, result.fit, sources, arrays, lambda *_: result.path)]


def _hospitals(context: Context, result: Forecast) -> list[Likelihood]:
    return [_of_hospitals(context, result, result.path)]


def _of_hospitals(context: Context, result: Forecast, path: Path) -> Likelihood:
    """The fit of internet hospitals, weighed by what it says of a path."""
    pool = [context.observed("hospitals", level) for level in internet_hospitals.LEVELS]

    def arrays(counts: Observations, shares: Observations) -> Arrays:
        return hospitals_model.arrays(counts, pool, shares, result.extras["events"])[0]

    # In the ledger's order, as the forecast reads them.
    counts = context.observed("internet_hospitals", *internet_hospitals.COUNTERS, hospitals_model.HOSPITAL_RUN)
    sources = (counts, result.evidence["shares"])
    return Likelihood(internet_hospitals.SPEC, result.fit, sources, arrays, lambda *_: path)


def _channels(context: Context, result: Forecast) -> list[Likelihood]:
    """The share by count comes from the hospitals' fit; each other measure from rows of its own."""
    data = result.fit.data
    factor, last_year = (data["factor_mean"], data["factor_root"] @ data["factor_root"].T), int(data["years"][-1])

    def arrays(new: Observations, preference: Observations, encounters: Any, revenues: Any) -> Arrays:
        return channel_model.arrays(factor, new, preference, encounters, revenues, last_year)

    def target(_: str, row: int) -> Path | None:
        measure = int(data["share_measure"][row])
        names = channel_model.MEASURES
        return result[f"hospital_share_{names[measure]}"] if measure < len(names) else None

    evidence, bounds = result.evidence, result.extras
    sources = (evidence["new"], evidence["preference"], bounds["encounters"], bounds["revenues"])
    own = Likelihood(channel_share.SPEC, result.fit, sources, arrays, target)
    return [_of_hospitals(context, result.built_on["internet_hospitals"], result.path), own]


def _market(context: Context, result: Forecast) -> list[Likelihood]:
    rows = market_size.evidence(context)
    users = user_adoption.yearly_log_users(result.built_on["user_adoption"].fit)

    def arrays(
        sizes: Observations,
        volumes: Observations,
        encounters: Sequence[Encounters],
        shares: Observations,
        sellers: Observations,
    ) -> Arrays:
        return market_evidence.arrays(sizes, volumes, encounters, users, rows.goods, shares, sellers)[0]

    sources = (rows.sizes, rows.volumes, rows.encounters, rows.shares, rows.sellers)
    return [Likelihood(market_size.SPEC, result.fit, sources, arrays, lambda *_: result.path)]


READERS: Mapping[str, Callable[[Context, Any], list[Likelihood]]] = {
    "market_size": _market,
    "internet_hospitals": _hospitals,
    "channel_share": _channels,
    "user_adoption": _users,
}
"""By report."""
