"""Leave one figure out, on a model small enough to know the answer."""

from dataclasses import replace
from datetime import date
from types import SimpleNamespace

import numpy as np
import pytest
import xarray as xr

from telemed_forecast.evaluation import influence
from telemed_forecast.evidence.observations import Observations
from telemed_forecast.fits.gates import Gate
from telemed_forecast.fits.store import Fit
from telemed_forecast.forecast.paths import Likelihood, Path
from telemed_forecast.models.likelihood import interval_logp
from telemed_forecast.models.model import Model, Rows, claims_of
from telemed_forecast.models.priors import Prior

pytestmark = pytest.mark.unit

DRAWS = 8000
GATE = Gate("toy", True, 1.0, 1000.0, 1000.0, 0, 1.0, 2, DRAWS // 2)
GRID = np.linspace(-4.0, 8.0, 40_001)
YEAR = 2030


MODEL = Model(
    priors=lambda _: {"level": Prior("Normal", (0.0, 3.0))},
    observed={"count": lambda p, d, xp: (p["level"][..., None], d["count_scale"])},
)
"""One log level under a wide normal, seen through Student's t as all published figures are."""


def arrays(rows):
    ends = {"count_low": np.log(rows.low), "count_high": np.log(rows.high), "count_scale": np.full(len(rows), 0.3)}
    return Rows(ends, {"count": claims_of(rows)})


def figures(logs):
    """Published figures with these logs."""
    number, day = len(logs), np.full(len(logs), np.datetime64("2024-12-31"))
    text = {name: np.full(number, name) for name in ("metric", "segment", "origin", "grade", "unit")}
    return Observations(
        claim_id=np.array([f"row-{k}" for k in range(number)]),
        low=np.exp(np.asarray(logs)) * 0.999,
        high=np.exp(np.asarray(logs)) * 1.001,
        **{name: day for name in ("start", "end", "base_start", "base_end")},
        **text,
    )


def density(data, left_out=()):
    """The posterior on a grid, exactly, without some rows. Dims: (grid,)."""
    kept = [k for k in range(len(data["count_low"])) if k not in left_out]
    log = -0.5 * (GRID / 3.0) ** 2
    for k in kept:
        log = log + interval_logp(*(data[f"count_{part}"][k] for part in ("low", "high")), GRID, data["count_scale"][k])
    weight = np.exp(log - log.max())
    return weight / weight.sum()


def quantiles(weight, levels):
    return np.interp(levels, np.cumsum(weight), GRID)


def fitted(logs):
    """Exact draws of the posterior, shuffled."""
    data = arrays(figures(logs))
    level = quantiles(density(data), (np.random.default_rng(1).permutation(DRAWS) + 0.5) / DRAWS)
    return Fit("", xr.Dataset({"level": (["sample"], level)}), GATE, data)


def weighed(logs, monkeypatch, claims=()):
    """Influences on the level, told by the code under test."""
    fit = fitted(logs)
    level = fit.posterior["level"].to_numpy()
    path = Path("level", "hospitals", (date(YEAR, 12, 31),), level[:, None], 0, 12)
    one = Likelihood(MODEL, fit, lambda *_: [path])
    monkeypatch.setattr(influence, "MARKETS", {"toy": SimpleNamespace(likelihoods=lambda _: [one])})
    context = SimpleNamespace(settings=SimpleNamespace(horizon=YEAR))
    names = [f"row-{k}" for k in range(len(logs))]
    found = influence.influences(context, "toy", SimpleNamespace(claims=(*names, *claims)))
    return fit.data, {one.claim: one for one in found}, [one.claim for one in found]


LOGS = [0.0, 0.1, 0.2, 0.3, 0.4, 0.9]


def test_a_move_is_that_of_the_posterior_without_the_figure(monkeypatch):
    data, found, _ = weighed(LOGS, monkeypatch)
    low, before, high = quantiles(density(data), (0.1, 0.5, 0.9))
    for k in range(len(LOGS)):
        one = found[f"row-{k}"]
        exact = quantiles(density(data, [k]), 0.5) - before
        assert one.told == "yes"
        assert one.moved == pytest.approx(exact, abs=4 * one.error + 0.003)
        assert one.half_widths == pytest.approx(one.moved / (0.5 * (high - low)), rel=0.05)


def test_the_figure_that_pulls_most_comes_first_and_its_loss_moves_away_from_it(monkeypatch):
    _, found, order = weighed(LOGS, monkeypatch)
    assert order[0] in ("row-0", "row-5")
    assert found["row-5"].moved < 0 < found["row-0"].moved


def test_the_stated_error_is_that_of_repeated_sets_of_draws(monkeypatch):
    data = arrays(figures(LOGS))
    rng, cumulative = np.random.default_rng(3), np.cumsum(density(data))
    moves, errors = [], []
    for _ in range(60):
        level = np.interp(rng.random(2000), cumulative, GRID)
        path = Path("level", "hospitals", (date(YEAR, 12, 31),), level[:, None], 0, 12)
        log_likelihood = interval_logp(data["count_low"][5], data["count_high"][5], level, data["count_scale"][5])
        one = influence._without("row-5", path, log_likelihood, YEAR)
        moves.append(one.moved)
        errors.append(one.error)
    assert np.mean(errors) == pytest.approx(np.std(moves), rel=0.4)


def test_a_figure_that_holds_everything_alone_is_not_told(monkeypatch):
    _, found, _ = weighed([0.5], monkeypatch)
    assert found["row-0"].told == "unreliable"
    assert found["row-0"].khat > influence.reliable(DRAWS)
    assert np.isnan(found["row-0"].moved)


def test_a_figure_without_a_row_is_named_last_and_has_no_number(monkeypatch):
    _, found, order = weighed(LOGS, monkeypatch, claims=("population",))
    assert order[-1] == "population"
    assert found["population"].told == "no_row"
    assert found["population"].path is None


def told(paths, monkeypatch, same=()):
    """Influences where the rows speak of these paths in turn; figures named in `same` are one claim."""
    fit, rows = fitted(LOGS), figures(LOGS)
    rows.claim_id[list(same)] = "both"
    fit = replace(fit, data=arrays(rows))
    one = Likelihood(MODEL, fit, lambda _, row: [path for path in [paths(fit)[row]] if path])
    monkeypatch.setattr(influence, "MARKETS", {"toy": SimpleNamespace(likelihoods=lambda _: [one])})
    context = SimpleNamespace(settings=SimpleNamespace(horizon=YEAR))
    return influence.influences(context, "toy", SimpleNamespace(claims=tuple(dict.fromkeys(rows.claim_id))))


def path_of(fit, target):
    return Path(target, "hospitals", (date(YEAR, 12, 31),), fit.posterior["level"].to_numpy()[:, None], 0, 12)


def test_a_figure_with_rows_on_two_quantities_loses_all_of_them_for_each(monkeypatch):
    def paths(fit):
        return [path_of(fit, "first"), path_of(fit, "second"), *[None] * 4]

    found = [one for one in told(paths, monkeypatch, same=(0, 1)) if one.claim == "both"]
    assert sorted(one.path.target for one in found) == ["first", "second"]
    data = fitted(LOGS).data
    exact = quantiles(density(data, [0, 1]), 0.5) - quantiles(density(data), 0.5)
    for one in found:
        assert one.moved == pytest.approx(exact, abs=4 * one.error + 0.003)


def test_a_figure_whose_only_row_is_on_a_quantity_that_is_not_shown_has_a_row_but_no_number(monkeypatch):
    def paths(fit):
        return [None, *[path_of(fit, "first")] * 5]

    [one] = [one for one in told(paths, monkeypatch) if one.claim == "row-0"]
    assert one.told == "not_shown" and one.path is None and np.isnan(one.moved)


def test_few_draws_trust_weights_less():
    assert influence.reliable(100) == pytest.approx(0.5)
    assert influence.reliable(10_000) == 0.7
