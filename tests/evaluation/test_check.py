"""A check cell is green for other draws, and says what it found and what is on record when something else changed."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from telemed_forecast.errors import TelemedError
from telemed_forecast.evaluation import check
from telemed_forecast.fits.gates import Gate
from telemed_forecast.fits.store import Fit

pytestmark = pytest.mark.unit

CHAINS, DRAWS = 2, 500
GATE = Gate("toy", True, 1.0, 1000.0, 1000.0, 0, 1.0, CHAINS, DRAWS)

VIEW = pd.DataFrame(
    {
        "claim_id": ["a", "b", "c"],
        "value": [1.0, 2.0, 3.0],
        "low": [0.9, 1.9, 2.9],
        "note": ["", "copied twice", ""],
        "source_title": ["A", "B", "C"],
    }
)


def found(*, seed=0, shift=0.0, density=-123.456, view=VIEW, claims=None, horizon=2030, exact=None, evidence=""):
    """What a made-up notebook found."""
    settings = SimpleNamespace(
        evidence=evidence, notebook="toy", horizon=horizon, as_of="", scenario="base", currency="CNY", prices="nominal"
    )
    draws = 100.0 + 10.0 * (np.random.default_rng(seed).standard_normal(CHAINS * DRAWS) + shift)
    fit = Fit("key", None, GATE, {}, density)
    known = SimpleNamespace(settings=settings, view=view)
    return check.found(known, claims=claims, fits={"users": fit}, drawn={"users in 2030": draws}, exact=exact)


@pytest.fixture
def record(tmp_path):
    found(seed=1).write(tmp_path)
    return tmp_path


def green(one, record):
    return one.lines(record) == found(seed=1).lines(record)


def test_other_draws_of_the_same_posterior_say_the_same(record):
    lines = found(seed=1).lines(record)
    assert lines[0].startswith("figures: 3 (") and lines[1] == "model of users: as on record"
    assert lines[2].startswith("users in 2030: within Monte Carlo error of ")
    assert all(green(found(seed=seed), record) for seed in range(2, 22))


def test_a_drawn_number_that_moved_by_its_sd_is_told_with_the_one_on_record(record):
    [*same, line] = found(seed=2, shift=1.0).lines(record)
    assert same == found(seed=1).lines(record)[:2]
    assert line.startswith("users in 2030: 110") or line.startswith("users in 2030: 109")
    assert ", not within Monte Carlo error of " in line


@pytest.mark.parametrize(("moved", "same"), [(1e-12, True), (1e-6, False)])
def test_a_density_is_the_same_to_the_last_digits_of_a_float_and_no_further(moved, same, record):
    one = found(seed=1, density=-123.456 * (1.0 + moved))
    assert green(one, record) == same
    if not same:
        assert "log density -123.456" in one.lines(record)[1] and "on record -123.456" in one.lines(record)[1]


def test_a_density_that_is_no_number_is_red(record):
    assert not green(found(seed=1, density=float("nan")), record)


def test_a_figure_that_changes_by_a_tenth_is_red_and_a_note_is_not(record):
    assert green(found(seed=1, view=VIEW.assign(note="another")), record)
    changed = found(seed=1, view=VIEW.assign(low=[0.9, 1.9, 2.61]))
    assert ", on record 3 (" in changed.lines(record)[0]


def test_only_the_figures_behind_the_numbers_count(tmp_path):
    found(claims=["a", "b"]).write(tmp_path)
    other = VIEW.assign(value=[1.0, 2.0, 3.3])
    assert found(claims=["a", "b"], view=other).lines(tmp_path) == found(claims=["a", "b"]).lines(tmp_path)
    assert found(claims=["a"]).lines(tmp_path) != found(claims=["a", "b"]).lines(tmp_path)


def test_the_record_of_other_settings_is_not_compared(record):
    assert found(horizon=2035).lines(record) == ["The record is of other settings: nothing is compared."]


def test_what_is_only_found_and_what_is_only_on_record_is_told(record):
    one = replace(found(seed=1, exact={"rows": 1202}), numbers={})
    assert "rows: 1,202, on record None" in one.lines(record)
    assert "users in 2030: on record, not found" in one.lines(record)


def test_without_a_record_the_cell_says_how_one_is_made(tmp_path):
    with pytest.raises(TelemedError, match="refresh-check-cells"):
        found().lines(tmp_path)


def test_a_number_that_builds_on_two_fits_carries_the_errors_of_both(tmp_path):
    one = found()
    draws = 100.0 + 10.0 * np.random.default_rng(0).standard_normal(CHAINS * DRAWS)
    known = SimpleNamespace(settings=SimpleNamespace(notebook="toy", evidence="", **one.settings), view=VIEW)
    fit = Fit("key", None, GATE, {}, -1.0)
    two = check.found(known, fits={"users": fit, "market": fit}, drawn={"users in 2030": draws})
    errors = [own.numbers["users in 2030"][1].error for own in (one, two)]
    assert errors[1] == pytest.approx(np.sqrt(2.0) * errors[0])


def test_a_run_with_own_evidence_is_not_held_against_the_record(record):
    assert found(evidence="mine.csv").lines(record) == ["The record is of other settings: nothing is compared."]
