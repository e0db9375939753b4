"""The constants of the models: each has its day, and a forecast made for an earlier day reads none that came later."""

import ast
import hashlib
from dataclasses import replace
from datetime import date
from functools import cache

import numpy as np
import pytest
from real_arrays import arrays

from telemed_forecast.evaluation.calibrated import MODELS
from telemed_forecast.evidence import ledger
from telemed_forecast.models import (
    adoption,
    constants,
    internet_hospitals,
    licensing_policy,
    market_evidence,
    market_size,
)
from telemed_forecast.models.priors import GrowthPrior, SurgePrior, growth_prior, surge_prior
from telemed_forecast.paths import ROOT

pytestmark = pytest.mark.unit

FIRST = date(2019, 12, 31)
"""The first day whose forecasts are scored."""

MODULES = {"user_adoption": adoption, "internet_hospitals": internet_hospitals, "market_size": market_size}
"""Models that have constants of their own, by market."""

STATED = {module.__name__.rsplit(".", 1)[-1]: market for market, module in MODULES.items()}

LATER = sorted(constants.later_than(FIRST))
EVERY = [(model, name) for model, own in constants.entries().items() for name in own]


TODAY = "2026-11-29"


@cache
def known(market, day="2019-12-31", *, hindsight=False):
    return arrays(day, hindsight=hindsight, markets=[market])[market]


def flat(value):
    numbers = value.numbers() if isinstance(value, GrowthPrior | SurgePrior) else value
    return np.atleast_1d(np.asarray(numbers, dtype=float))


def same(one, other):
    return one.keys() == other.keys() and all(np.array_equal(one[name], other[name]) for name in one)


@pytest.mark.parametrize(("model", "market"), STATED.items())
def test_the_present_day_and_hindsight_read_todays_constants_and_an_earlier_day_does_not(model, market):
    assert same(known(market, TODAY), known(market, TODAY, hindsight=True))
    assert same(constants.arrays(model, date.fromisoformat(TODAY)), constants.arrays(model))
    assert not same(constants.arrays(model, FIRST), constants.arrays(model))


@pytest.mark.parametrize("market", MODULES)
def test_a_graph_reads_every_array_that_it_is_given(market):
    from pytensor.graph.traversal import ancestors

    graph = MODELS[market].model.graph(known(market))
    read = {one.name for one in ancestors([graph.logp(), *graph.deterministics])}
    assert set(known(market)) <= read


@pytest.mark.parametrize(("model", "market"), STATED.items())
def test_every_day_brings_all_of_a_models_constants_and_is_fitted_with_them(model, market):
    for name, entry in constants.entries()[model].items():
        brought = known(market)[constants.ARRAY][constants.place(model, name)]
        np.testing.assert_array_equal(brought, flat(constants._read(entry.on(FIRST), FIRST)))


@pytest.mark.parametrize(("model", "name"), EVERY)
def test_a_constant_is_known_no_earlier_than_its_sources(model, name):
    claims, events = (
        ledger.load().set_index("claim_id")["known_date"],
        ledger.policy_events().set_index("event_id")["end"],
    )
    one = constants.entries()[model][name]
    days = [(claims if source in claims.index else events)[source].date() for source in one.sources]
    assert not days or (one.known is not None and max(days) <= one.known)
    assert (one.known is None) == (one.default is None) == (not one.why)


@pytest.mark.parametrize(("model", "name"), LATER)
def test_a_default_is_wider_than_what_was_learned_later(model, name):
    if model == constants.LEARNED:
        wide, narrow = constants.entries()[model][name].default, growth_prior(name)
        pairs = [(wide[key][1], getattr(narrow, key)[1]) for key in wide if key.startswith("log_")]
        assert all(a > b for a, b in pairs) and wide["rho"] == [1.0, 1.0]
        return
    then, now = (
        flat(constants._read(constants.entries()[model][name].on(FIRST), FIRST)),
        flat(constants._today(model)[name]),
    )
    spreads = (
        [1, 3, 5] if len(now) > 6 else [1, 3] if len(now) == 6 else [-1]
    )  # of rate, innovation and shocks; of waves
    assert all(then[k] >= now[k] for k in spreads) and (then != now).any()


@pytest.mark.parametrize(("model", "market"), STATED.items())
@pytest.mark.parametrize("day", [FIRST, date.max])
def test_every_scale_of_a_prior_is_above_zero_on_every_day(model, market, day):
    # The graphs, which read constants as data, do not ask for it in every step.
    priors = MODELS[market].model.priors(known(market) | constants.arrays(model, day))
    scales = {name: one.parameters[-1] for name, one in priors.items() if one.family != "Flat"}
    assert all(np.all(np.asarray(scale) > 0) for scale in scales.values()), scales


def said(market, d, p):
    """All that a model reads of its constants with the arrays of a fit and some draws."""
    model = MODELS[market].model
    told = [repr(model.priors(d)), *(repr(process.prior) for process in model.growth(p, d, np).values())]
    told += [repr(np.float64(sd)) for _, sd in model.ties(p, d, np).values()]
    numbers = [*d.values(), *(part for pair in model.expected(p, d).values() for part in pair)]
    digest = hashlib.sha256("\n".join(told).encode())
    for values in numbers:
        digest.update(np.ascontiguousarray(values).tobytes())
    return digest.hexdigest()


def wild(entry):
    """The same constant with a value that nobody would state."""
    if isinstance(entry.value, str) or entry.value is None:
        return entry
    shifted = [x + 0.111 for x in entry.value] if isinstance(entry.value, list) else entry.value + 0.111
    return replace(entry, value=shifted)


@pytest.fixture
def changed(monkeypatch):
    """Change today's value of a constant everywhere it can be read from."""

    def change(model, name):
        stated = {key: dict(own) for key, own in constants.entries().items()}
        stated[model][name] = wild(stated[model][name])
        learned = {key: replace(growth_prior(key), log_rate=(0.222, 0.333)) for key in stated["learned"]}
        if model == constants.LEARNED:
            monkeypatch.setattr(
                constants, "growth_prior", lambda kind: learned[kind] if kind == name else growth_prior(kind)
            )
        elif stated[model][name].value == "surge":
            monkeypatch.setattr(constants, "surge_prior", lambda: replace(surge_prior(), logit_kept=(0.222, 0.333)))
        elif isinstance(stated[model][name].value, str):
            stated[model][name] = replace(stated[model][name], value="any")
        monkeypatch.setattr(constants, "entries", lambda: stated)
        constants._today.cache_clear()
        for module in (*MODULES.values(), market_evidence, licensing_policy):
            if hasattr(module, name.upper()):
                monkeypatch.setattr(module, name.upper(), (9.0, 9.0))

    yield change
    monkeypatch.undo()
    constants._today.cache_clear()


def users_of(model, name):
    """A market that reads a constant; of what curves taught, one whose processes are of that class."""
    if model != constants.LEARNED:
        return STATED[model]
    return {"penetration": "user_adoption", "any": "market_size", "online_service": "internet_hospitals"}[name]


@pytest.mark.parametrize(("model", "name"), LATER)
def test_an_origin_that_reads_a_constant_of_a_later_day_fails(model, name, changed, monkeypatch):
    market, of_day = users_of(model, name), constants.arrays
    # With all figures of today, so that each constant has something to speak of; only the constants are of another day.
    monkeypatch.setattr(constants, "arrays", lambda model, day: of_day(model, FIRST if day < date.max else day))
    p = MODELS[market].model.prior_sample(known(market, TODAY, hindsight=True), 2, np.random.default_rng(1))
    past, present = (said(market, arrays(TODAY, hindsight=way, markets=[market])[market], p) for way in (False, True))
    changed(model, name)
    assert said(market, arrays(TODAY, hindsight=False, markets=[market])[market], p) == past, "the past knows it"
    # Without this the line above would pass on a constant that nobody reads.
    assert said(market, arrays(TODAY, hindsight=True, markets=[market])[market], p) != present


def test_no_formula_reads_a_constant_past_the_arrays_of_its_fit():
    names = {name.upper() for _, name in EVERY} | {"OFFSETS"}
    found = []
    for file in sorted((ROOT / "telemed_forecast" / "models").glob("*.py")):
        tree = ast.parse(file.read_text(encoding="utf-8"))
        bodies = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.Lambda)]
        read = {node.id for body in bodies for node in ast.walk(body) if isinstance(node, ast.Name)}
        found += [f"{file.name}: {name}" for name in sorted(read & names)]
    # The names of the offsets, in their order, and the place of one of them are no value.
    assert set(found) <= {"adoption.py: OFFSETS", "adoption.py: PANEL"}


@pytest.mark.parametrize(("model", "market"), STATED.items())
def test_a_graph_with_the_constants_as_data_is_the_graph_that_has_them_written_in(model, market, monkeypatch):
    import pytensor
    from pytensor.compile.mode import Mode

    one, then, now = MODELS[market].model, known(market), known(market) | constants.arrays(model)

    def density(data):
        graph = one.graph(data)
        point = {
            value.name: 0.3
            * np.cos(1.0 + np.arange(value.type.shape[0] if value.ndim else 1)).reshape(value.type.shape)
            for value in graph.value_vars
        }
        evaluate = pytensor.function(graph.value_vars, graph.logp(sum=False), mode=Mode(linker="py", optimizer=None))
        return float(sum(np.sum(term) for term in evaluate(**point)))

    as_data, designed = density(then), density(now)
    stated = constants.of(model, then)
    monkeypatch.setattr(constants, "of", lambda *_: stated)
    assert as_data == pytest.approx(density(now), rel=1e-12)
    assert as_data != pytest.approx(designed, rel=1e-4)
