"""Nothing published later moves a byte of an earlier forecast: rows of every kind are planted in a copy of the ledger.

Everything between the ledger and the files that `backtest --out` writes is the real thing, for every model, its rivals
and the ensemble; only the sampler is not. In its place stand draws from the model's own prior whose seed is the hash of
all arrays that would be fitted, so that any byte that leaked into them would change every forecast. That the sampler's
draws hang on nothing but those arrays and the seed is held by the tests of sampling; `test_leaks_fitted` does both.
"""

import csv
import hashlib
import io

import numpy as np
import pandas as pd
import prior_fits
import pytest

from telemed_forecast.evaluation import rolling_origins
from telemed_forecast.evidence import ledger
from telemed_forecast.forecast import context as context_module
from telemed_forecast.forecast.markets import MARKETS
from telemed_forecast.models import licensing_policy
from telemed_forecast.runs import backtest

SAID, KNOWN = pd.Timestamp("2020-12-31"), pd.Timestamp("2023-06-30")
"""What is planted speaks of days until SAID and is published on KNOWN."""

YEARS = range(2019, 2023)
"""Only origins before KNOWN are asked: the others may change."""


def planted(claims, known):
    """The ledger with rows for each of its series, published on a day, before and after all others.

    A series' newest row at half its size, the same two years on, and a copy of its oldest row at twice its size. Among
    the series are the headlines of all models, population, prices, exchange rates, surveys and companies' accounts.
    """
    usable = claims[(claims["kind"] != "forecast") & (claims["grade"] != "D") & (claims["restates"] == "")]
    usable = usable[(usable["period_end"] <= SAID) & (usable["use"] == "model")].sort_values("period_end")
    newest, oldest = (getattr(usable.groupby(["metric", "segment"]), end)(1) for end in ("tail", "head"))
    two_years = pd.DateOffset(years=2)
    later = {day: newest[day] + two_years for day in ("period_start", "period_end")}
    kinds = {"newest": (newest, 0.5), "later": (newest.assign(**later), 0.5)}
    kinds["restated"] = (oldest.assign(restates=oldest["claim_id"]), 2.0)
    rows = []
    for name, (copies, factor) in kinds.items():
        sizes = {column: factor * copies[column] for column in ("value", "low", "high")}
        ids = [f"planted-{name}-{k}" for k in range(len(copies))]
        printed = sizes["value"].map(repr)
        rows.append(copies.assign(**sizes, printed=printed, claim_id=ids, known_date=known))
    more = pd.concat(rows)
    # Twice, for where two rows speak of one year, the first of them or the last may be the one that counts.
    return pd.concat([more, claims, more.assign(claim_id=more["claim_id"] + "-again")], ignore_index=True)


def more_policy(known):
    """The policy events and one more: it opens, and is dated the day on which it became known."""
    events = ledger.policy_events()
    newest = events[events["event_id"].isin(licensing_policy.DIRECTIONS)].tail(1)
    dates = {column: known for column in events.columns if pd.api.types.is_datetime64_any_dtype(events[column])}
    return pd.concat([events, newest.assign(event_id="planted", **dates)], ignore_index=True)


def hashed(spec, data, *, profile, seed, **_):
    """Draws that any changed byte of the arrays would change."""
    digest = hashlib.sha256(f"{spec.name} {seed}".encode())
    for name in sorted(data):
        array = np.ascontiguousarray(data[name])
        digest.update(f"{name} {array.dtype} {array.shape}".encode() + array.tobytes())
    return prior_fits.from_prior(spec, data, profile=profile, seed=int.from_bytes(digest.digest()[:8]))


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """The files of a backtest of all models with another ledger and other policy: (rows, events) -> folder."""

    def write(rows, events, years=YEARS):
        folder = tmp_path_factory.mktemp("backtest")
        with pytest.MonkeyPatch.context() as patch, np.errstate(all="ignore"):
            patch.setattr(rolling_origins, "YEARS", years)
            patch.setattr(context_module, "_ledger", lambda *_: rows)
            patch.setattr(ledger, "policy_events", lambda: events)
            patch.setattr(licensing_policy, "DIRECTIONS", {**licensing_policy.DIRECTIONS, "planted": 1.0})
            for market in MARKETS.values():
                patch.setattr(market.module, "fitted", hashed)
            backtest.make(backtest.Request(profile="quick", out=folder), stream=io.StringIO())
        return folder

    return write


@pytest.fixture(scope="module")
def before(written):
    return written(ledger.load(), ledger.policy_events())


def forecasts(folder):
    """The lines of the file of forecasts by market and origin, as written, but for those of planted figures."""
    found = {}
    with (folder / backtest.FORECASTS).open(encoding="utf-8", newline="") as file:
        lines = file.readlines()
    for line, row in zip(lines[1:], csv.DictReader(lines), strict=True):
        if not row["claim_id"].startswith("planted"):
            found.setdefault((row["target"], row["reference_date"]), []).append(line)
    return found


def test_what_is_published_later_changes_no_byte_of_the_forecasts_made_before(written, before):
    after = written(planted(ledger.load(), KNOWN), more_policy(KNOWN))
    assert ",planted-" in (after / backtest.FORECASTS).read_text(), "no planted figure was met as an outcome"
    assert forecasts(after) == forecasts(before)


def test_the_forecasts_that_are_compared_are_of_every_market_and_everybody(before):
    assert {market for market, _ in forecasts(before)} == set(MARKETS)
    assert len(forecasts(before)) >= 4 + 4 + 2 + 4
    members = {line.split(",")[7] for lines in forecasts(before).values() for line in lines}
    assert {"ours", "prophet", "ets", "theta", "drift", "naive", "ensemble"} <= members


def test_the_same_rows_published_in_time_change_every_models_forecasts(written, before):
    # Without this the test above would pass on rows that nobody reads.
    after = forecasts(written(planted(ledger.load(), SAID), more_policy(SAID), [2020]))
    for market in MARKETS:
        assert after[market, "2020-12-31"] != forecasts(before)[market, "2020-12-31"], market
