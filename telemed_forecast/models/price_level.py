r"""Consumer prices and the exchange rate: what the ledger knows of past years, draws for the years it does not.

*Inflation* is an AR(1) around a mean, :math:`\pi_t = \mu + \phi (\pi_{t-1} - \mu) + \sigma \epsilon_t`, with all three
learned from the ledger's own yearly rows. A dozen rows say little about :math:`\mu` and :math:`\phi`, and the draws
carry that: after three years near zero the next one is likely low, while the mean of the decade is not.

*The exchange rate* is a random walk without drift on the log scale, whose step is learned the same way: no model of the
rate beats it over a few years (Meese & Rogoff 1983, Empirical exchange rate models of the seventies, JIE 14).

Both are independent of each other and of the market's growth. In truth high inflation goes with high nominal growth: a
real forecast from independent draws is somewhat too wide, never too narrow, for that reason.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from telemed_forecast.evidence.observations import Observations

INFLATION_MEAN = (2.0, 1.5)
"""[% a year] Mean and sd of the long-run mean: rows of 2014 to 2016 (nbs-cpi-2014, -2015, -2016) print 1.4 to 2.0; wide
enough for deflation as for the 5% of earlier decades."""

INFLATION_PERSISTENCE = (2.0, 2.0)
"""Beta of the correlation from year to year: neither none nor a unit root."""

INFLATION_SHOCK = (-0.2, 0.5)
"""[% a year] Mean and sd of the log of the yearly shock's sd: 0.8, 90% between 0.36 and 1.9."""

RATE_SHOCK = (4.0, 0.04)
"""Degrees of freedom and size (log scale) of the scaled inverse chi-squared prior of the rate's yearly step, worth four
years of a managed currency that moves by 4% a year: what the first rows (fred-fx-2014 to -2017) already show."""

CANDIDATES = 40_000
"""Prior draws that are weighted by the likelihood: one dozen rows leave several thousand that count."""


def by_year(rows: Observations) -> tuple[np.ndarray, np.ndarray]:
    """Calendar years and log values, the best grade of each year and the mean of equals. Dims: (year,)."""
    year = rows.end.astype("datetime64[Y]").astype(int) + 1970
    middle = np.log(0.5 * (rows.low + rows.high))
    years = np.unique(year)
    best = [(year == y) & (rows.grade == min(rows.grade[year == y])) for y in years]
    return years, np.array([middle[chosen].mean() for chosen in best])


def inflation(known: np.ndarray, years: int, size: int, rng: np.random.Generator) -> np.ndarray:
    """Draws of inflation in the years after the last known.

    Parameters
    ----------
    known
        Inflation of consecutive years (% a year). Dims: (year,).
    years
        Number of years ahead.
    size
        Number of draws.
    rng
        Source of the draws.

    Returns
    -------
    % a year. Dims: (size, years).
    """
    mean = rng.normal(*INFLATION_MEAN, CANDIDATES)
    phi = rng.beta(*INFLATION_PERSISTENCE, CANDIDATES)
    shock = rng.lognormal(*INFLATION_SHOCK, CANDIDATES)
    off = known - mean[:, None]
    first = -0.5 * (off[:, 0] / shock) ** 2 * (1.0 - phi**2) + 0.5 * np.log1p(-(phi**2))
    steps = (off[:, 1:] - phi[:, None] * off[:, :-1]) / shock[:, None]
    log_weight = first - 0.5 * (steps**2).sum(axis=1) - len(known) * np.log(shock)
    weight = np.exp(log_weight - log_weight.max())
    chosen = rng.choice(CANDIDATES, size=size, p=weight / weight.sum())
    mean, phi, shock = mean[chosen], phi[chosen], shock[chosen]
    path, off_now = np.empty((size, years)), known[-1] - mean
    for k in range(years):
        off_now = phi * off_now + shock * rng.standard_normal(size)
        path[:, k] = mean + off_now
    return path


def price_level(changes: Observations, years: np.ndarray, base: int, size: int, rng: np.random.Generator) -> np.ndarray:
    """Prices of each year relative to those of the base year.

    Parameters
    ----------
    changes
        Yearly changes of consumer prices as ratios to the year before.
    years
        Consecutive calendar years that hold `base`. Dims: (time,).
    base
        Year whose prices are 1.
    size, rng
        Number and source of the draws.

    Returns
    -------
    Draws; the same in all of them where every change between a year and the base is known. Dims: (size, time). Years
    before the first known change have the prices of its base.
    """
    known, log_change = by_year(changes)
    # A gap would hide a year: only what is known without one counts as known.
    run = len(known) if (np.diff(known) == 1).all() else int(np.argmax(np.diff(known) != 1)) + 1
    known, log_change = known[:run], log_change[:run]
    ahead = int(max(years[-1] - known[-1], 0))
    drawn = np.log1p(inflation(100.0 * np.expm1(log_change), ahead, size, rng) / 100.0)
    all_years = np.concatenate([known, known[-1] + 1 + np.arange(ahead)])
    changes_drawn = np.concatenate([np.repeat(log_change[None], size, axis=0), drawn], axis=1)
    steps = np.zeros((size, len(years)))
    inside = np.isin(all_years, years[1:])
    steps[:, all_years[inside] - years[0]] = changes_drawn[:, inside]
    level = np.cumsum(steps, axis=1)
    return np.exp(level - level[:, [base - int(years[0])]])


def exchange_rate(rates: Observations, years: np.ndarray, size: int, rng: np.random.Generator) -> np.ndarray:
    """Yuan per dollar in each year: known averages, a random walk after the last, the first one before it.

    Parameters
    ----------
    rates
        Yearly average rates.
    years
        Consecutive calendar years. Dims: (time,).
    size, rng
        Number and source of the draws.

    Returns
    -------
    Draws. Dims: (size, time).
    """
    known, log_rate = by_year(rates)
    steps = np.diff(log_rate) / np.sqrt(np.diff(known))
    freedom, scale = RATE_SHOCK
    variance = (freedom * scale**2 + (steps**2).sum()) / rng.chisquare(freedom + len(steps), size)
    ahead = np.maximum(years - known[-1], 0)
    walk = np.cumsum(rng.standard_normal((size, len(years))) * (ahead > 0), axis=1) * np.sqrt(variance)[:, None]
    return np.exp(np.interp(years, known, log_rate) + walk)
