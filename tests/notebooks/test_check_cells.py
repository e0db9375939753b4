"""Check cells stay as they are for other seeds of the sampler, and turn red when a prior, figure or formula changes.

A cell runs here as it stands in its notebook, on results of the quick profile. What a change does to a fit without
moving its draws by more than chance is seen by the density at the reference point; a formula of the forecast, which no
fit reads, by the drawn numbers.
"""

import json
from dataclasses import replace
from types import SimpleNamespace

import pytest

from telemed_forecast.fits import sampling, store
from telemed_forecast.forecast import channel_share, internet_hospitals, market_size, user_adoption
from telemed_forecast.forecast import context as contexts
from telemed_forecast.forecast.context import Context
from telemed_forecast.forecast.markets import MARKETS
from telemed_forecast.models import channel_share as share_model
from telemed_forecast.models import constants, growth
from telemed_forecast.models import model as statement
from telemed_forecast.models.likelihood import interval_logp
from telemed_forecast.paths import NOTEBOOKS
from telemed_forecast.runs.parameters import validate

pytestmark = [pytest.mark.draws, pytest.mark.slow]

CELLS = ("user_adoption", "internet_hospitals", "channel_share", "market_size", "executive_summary")
"""Notebooks whose check cell compares what was drawn for today."""

DEPENDS = {
    "user_adoption": {"user_adoption", "market_size", "executive_summary"},
    "internet_hospitals": {"internet_hospitals", "channel_share", "executive_summary"},
    "channel_share": {"channel_share", "executive_summary"},
    "market_size": {"market_size", "executive_summary"},
}
"""Model -> notebooks whose check cells depend on its fit."""

SEEDS = 20


def check_cell(notebook):
    """Source and stored text of a notebook's check cell."""
    cells = json.loads((NOTEBOOKS / f"{notebook}.ipynb").read_text(encoding="utf-8"))["cells"]
    [cell] = [one for one in cells if "nbval-check-output" in one["metadata"].get("tags", [])]
    return "".join(cell["source"]), "".join(cell["outputs"][0]["text"])


def results(seed=20261121, models=CELLS[:4]):
    """The results of the quick profile."""
    contexts_of = {name: Context(validate(name, {"profile": "quick", "seed": seed})) for name in CELLS}
    return contexts_of, {name: MARKETS[name].module.run(contexts_of[name]) for name in models}


def said(notebook, contexts_of, found, capsys):
    """What a notebook's check cell prints about these results."""
    short = {"user_adoption": "users", "internet_hospitals": "hospitals", "channel_share": "channels"}
    markets = SimpleNamespace(**{short.get(name, "market"): one for name, one in found.items()})
    known = contexts_of[notebook]
    capsys.readouterr()
    exec(check_cell(notebook)[0], {"known": known, "result": found.get(notebook), "markets": markets})
    return capsys.readouterr().out


def red(contexts_of, found, capsys):
    """Notebooks whose check cell says something else than on record, of those whose results there are."""
    shown = CELLS if len(found) == len(MARKETS) else tuple(found)
    return {name for name in shown if said(name, contexts_of, found, capsys) != check_cell(name)[1]}


@pytest.fixture(scope="module")
def today():
    return results()


def test_check_cells_say_what_they_said(today, capsys):
    assert red(*today, capsys) == set()


def test_check_cells_say_it_for_twenty_seeds_of_the_sampler(tmp_path, monkeypatch, capsys, sampler_seed):
    monkeypatch.setattr(store, "CACHE", tmp_path)
    for seed in range(SEEDS):
        # Every fifth seed for all models, every one for the two that mix worst.
        models = CELLS[:4] if seed % 5 == 0 else ("internet_hospitals", "channel_share")
        assert red(*results(1000 * sampler_seed + seed, models), capsys) == set(), seed


def with_fit(found, model, changed):
    """The results with another fit of one model, wherever it stands."""
    users, hospitals = found["user_adoption"], found["internet_hospitals"]
    channels, market = found["channel_share"], found["market_size"]
    if model == "user_adoption":
        users = replace(users, fit=changed)
        market = replace(market, built_on={"user_adoption": users})
    elif model == "internet_hospitals":
        hospitals = replace(hospitals, fit=changed)
        channels = replace(channels, built_on={"internet_hospitals": hospitals})
    elif model == "channel_share":
        channels = replace(channels, fit=changed)
    else:
        market = replace(market, fit=changed)
    return dict(zip(found, (users, hospitals, channels, market), strict=True))


PRIORS = {
    "user_adoption": (user_adoption.SPEC, "adoption", "ceiling_usage"),
    "internet_hospitals": (internet_hospitals.SPEC, "internet_hospitals", "ceiling_share"),
    "market_size": (market_size.SPEC, "market_size", "price"),
}
"""A constant of each model that has them in its arrays."""


@pytest.mark.parametrize("model", PRIORS)
def test_a_prior_that_moves_by_a_tenth_of_its_sd_turns_every_cell_red_that_depends_on_it(model, today, capsys):
    (spec, owner, name), fit = PRIORS[model], today[1][model].fit
    moved = fit.data[constants.ARRAY].copy()
    mean, sd = moved[constants.place(owner, name)]
    moved[constants.place(owner, name)] = mean + 0.1 * sd, sd
    density = sampling.density(spec, {**fit.data, constants.ARRAY: moved})
    assert red(today[0], with_fit(today[1], model, replace(fit, density=density)), capsys) == DEPENDS[model]


def test_a_prior_written_into_a_graph_turns_its_cells_red_when_it_moves(today, monkeypatch, capsys):
    fit, (mean, sd) = today[1]["channel_share"].fit, share_model.NEW_OFFSET
    monkeypatch.setattr(share_model, "NEW_OFFSET", (mean + 0.1 * sd, sd))
    density = sampling.density(replace(channel_share.SPEC, name="share_of_another_prior"), fit.data)
    changed = with_fit(today[1], "channel_share", replace(fit, density=density))
    assert red(today[0], changed, capsys) == DEPENDS["channel_share"]


def test_a_likelihood_that_counts_every_figure_twice_turns_its_cells_red(today, monkeypatch, capsys):
    fit = today[1]["channel_share"].fit
    monkeypatch.setattr(statement, "interval_logp", lambda *figures: 2 * interval_logp(*figures))
    density = sampling.density(replace(channel_share.SPEC, name="share_counting_twice"), fit.data)
    changed = with_fit(today[1], "channel_share", replace(fit, density=density))
    assert red(today[0], changed, capsys) == DEPENDS["channel_share"]


FIGURES = {
    "user_adoption": "online_medical_users",
    "internet_hospitals": "internet_hospitals",
    "channel_share": "preferred_sponsor_share",
    "market_size": "market_size",
}


@pytest.mark.parametrize("model", DEPENDS)
def test_a_figure_that_is_a_tenth_larger_turns_every_cell_red_that_depends_on_it(model, today, monkeypatch, capsys):
    claims, read = contexts._ledger(), today[1][model].claims
    row = claims[claims["claim_id"].isin(read) & (claims["metric"] == FIGURES[model]) & (claims["kind"] == "actual")]
    row = row.index[-1]
    changed = claims.copy()
    changed.loc[row, ["value", "low", "high"]] *= 1.1
    changed.loc[row, "printed"] = f"{changed.loc[row, 'value']:.10g}"
    monkeypatch.setattr(contexts, "_ledger", lambda *_: changed)

    def fitted(spec, data, **_):
        """The old draws with the density of the new arrays."""
        return replace(today[1][spec.name].fit, data=data, density=sampling.density(spec, data))

    for market in MARKETS.values():
        monkeypatch.setattr(market.module, "fitted", fitted)
    assert red(*results(), capsys) >= DEPENDS[model]


def test_growth_without_a_ceiling_turns_every_cell_red_that_shows_a_level(monkeypatch, capsys):
    def unlimited(u, *, rate, theta, innovation, xp=growth.np):
        return rate / theta + 0.0 * u

    monkeypatch.setattr(growth, "expected_growth", unlimited)
    # The share of hospitals hardly hangs on it: both sponsors grow.
    assert red(*results(), capsys) == set(CELLS) - {"channel_share"}


def test_shares_of_the_other_side_turn_their_cell_red(monkeypatch, capsys):
    project = share_model.project
    monkeypatch.setattr(
        share_model,
        "project",
        lambda *args, **options: {name: 1.0 - share for name, share in project(*args, **options).items()},
    )
    assert red(*results(), capsys) == {"channel_share"}
