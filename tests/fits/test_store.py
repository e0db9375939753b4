"""The store of fits: never twice the same, never one for another, never a broken one."""

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest
import toy
import xarray as xr

from telemed_forecast.fits import store as fit_store
from telemed_forecast.fits.gates import ESS_MIN, Gate
from telemed_forecast.fits.sampling import ModelSpec
from telemed_forecast.models import adoption

GATE = Gate("toy", True, 1.0, 900.0, 900.0, 0, 0.9, 2, 100)


@pytest.fixture
def store(tmp_path, monkeypatch):
    """Ask the store for a fit; sampling is replaced by a count of how often it was needed."""
    fits = []

    def instead(spec, data, profile, seed):
        fits.append((spec.name, seed))
        draws = np.random.default_rng(seed).normal(data["y"].sum(), 1.0, size=50)
        return xr.Dataset({"x": ("sample", draws)}, attrs={"gate": json.dumps(GATE.to_dict()), "density": "-12.5"})

    monkeypatch.setattr(fit_store, "_fit", instead)

    def ask(spec=toy.TOY, data=None, profile=toy.TINY, seed=1):
        return fit_store.fitted(spec, data or toy.numbers(1), profile=profile, seed=seed, folder=tmp_path)

    ask.fits, ask.folder = fits, tmp_path
    return ask


def files(store):
    return sorted(store.folder.glob("*.nc"))


@pytest.mark.unit
def test_the_same_question_is_fitted_once_and_answered_alike(store):
    one, other = store(), store()
    assert len(store.fits) == 1
    assert one.key == other.key and one.gate == other.gate == GATE
    np.testing.assert_array_equal(one.posterior["x"], other.posterior["x"])


@pytest.mark.unit
@pytest.mark.parametrize(
    "change",
    [
        {"seed": 2},
        {"profile": replace(toy.TINY, draws=101)},
        {"profile": replace(toy.TINY, target_accept=0.91)},
        {"spec": ModelSpec("another_toy", toy.build)},
        {"data": toy.numbers(2)},
        {"data": toy.numbers(1) | {"y": np.nextafter(toy.numbers(1)["y"], np.inf)}},
        {"data": toy.numbers(1) | {"y": toy.numbers(1)["y"].astype(np.float32)}},
        {"data": toy.numbers(1) | {"y": toy.numbers(1)["y"].reshape(-1, 2)}},
        {"data": toy.numbers(1) | {"more": np.zeros(1)}},
    ],
    ids=["seed", "draws", "acceptance", "model", "data", "last digit", "type", "shape", "another array"],
)
def test_any_change_of_a_fits_inputs_gives_a_new_fit(store, change):
    assert store().key != store(**change).key
    assert len(store.fits) == 2 and len(files(store)) == 2


@pytest.mark.unit
def test_the_order_of_the_arrays_is_no_change(store):
    data = toy.numbers(1)
    assert store(data=data).key == store(data=dict(reversed(data.items()))).key


@pytest.mark.unit
@pytest.mark.parametrize(
    ("file", "stale"),
    [
        ("models/adoption.py", True),
        ("models/growth.py", True),
        ("fits/gates.py", True),
        ("models/channel_share.py", False),
        ("curves/learn_growth.py", False),
    ],
)
def test_a_fit_is_stale_when_code_that_it_is_made_of_changes_and_only_then(store, tmp_path, monkeypatch, file, stale):
    users = ModelSpec("users", adoption.build)
    before = store(users).key
    package = tmp_path / "elsewhere"
    shutil.copytree(fit_store.PACKAGE, package)
    monkeypatch.setattr(fit_store, "PACKAGE", package)
    assert store(users).key == before, "the place of the project matters"
    with (package / file).open("a") as source:
        source.write("# changed\n")
    assert (store(users).key != before) is stale


@pytest.mark.unit
@pytest.mark.parametrize("size", [0, 100, -1, -200])
def test_a_broken_file_is_fitted_anew(store, size):
    whole = store().posterior["x"].to_numpy()
    (path,) = files(store)
    path.write_bytes(path.read_bytes()[:size])
    np.testing.assert_array_equal(store().posterior["x"], whole)
    assert len(store.fits) == 2
    store()
    assert len(store.fits) == 2, "the mended file serves the next question"


@pytest.mark.unit
@pytest.mark.parametrize("what", ["draws", "verdict", "density"])
def test_a_byte_that_changed_within_a_stored_fit_is_noticed_and_the_fit_made_anew(store, what):
    whole = store()
    (path,) = files(store)
    content = path.read_bytes()
    words = {"draws": whole.posterior["x"].to_numpy()[7].tobytes(), "verdict": b"900.0", "density": b"-12.5"}
    assert words[what] in content
    path.write_bytes(content.replace(words[what], bytes([words[what][0] ^ 1]) + words[what][1:], 1))
    again = store()
    assert len(store.fits) == 2
    assert again.gate == GATE
    np.testing.assert_array_equal(again.posterior["x"], whole.posterior["x"])


@pytest.mark.unit
def test_the_file_of_another_fit_is_not_served(store):
    store(seed=2)
    (other,) = files(store)
    store(seed=1)
    (mine,) = set(files(store)) - {other}
    mine.write_bytes(other.read_bytes())
    again = store(seed=1)
    assert len(store.fits) == 3
    np.testing.assert_array_equal(again.posterior["x"], store(seed=1).posterior["x"])


@pytest.mark.unit
def test_a_fit_that_fails_leaves_nothing_behind(store, monkeypatch):
    def fails(*_):
        raise RuntimeError("no chain moved")

    with monkeypatch.context() as patch:
        patch.setattr(fit_store, "_fit", fails)
        with pytest.raises(RuntimeError, match="no chain moved"):
            store()
    assert not files(store) and not list(store.folder.glob("*.part"))
    assert store().gate == GATE


@pytest.mark.unit
def test_a_half_written_file_of_a_killed_process_is_not_served(store):
    store()
    (path,) = files(store)
    path.rename(path.with_suffix(".4711.part"))
    store()
    assert len(store.fits) == 2


@pytest.mark.unit
def test_the_store_holds_numbers_and_text_and_nothing_that_runs(store):
    store()
    (path,) = files(store)
    assert path.read_bytes()[:8] == b"\x89HDF\r\n\x1a\n"
    assert not [p for p in store.folder.iterdir() if p.suffix not in (".nc", ".lock")]


def test_two_processes_that_ask_at_once_fit_once_and_get_the_same(asked_at_once):
    assert asked_at_once.built == 1
    assert asked_at_once.printed[0] == asked_at_once.printed[1] != ""


@pytest.mark.draws
def test_a_real_fit_is_stored_with_its_verdict_and_read_back_the_same(tmp_path, sampler_seed):
    data, few = toy.numbers(6), replace(toy.TINY, draws=50)
    fresh = fit_store.fitted(toy.TOY, data, profile=few, seed=sampler_seed, folder=tmp_path)
    stored = fit_store.fitted(toy.TOY, data, profile=few, seed=sampler_seed, folder=tmp_path)
    xr.testing.assert_identical(fresh.posterior, stored.posterior)
    assert fresh.gate == stored.gate and (fresh.gate.chains, fresh.gate.draws) == (2, 50)
    # An effective size is at most n log10(n), here 200: no seed has enough.
    assert not fresh.gate.ok and fresh.gate.ess_bulk_min < ESS_MIN, "100 draws are too few to publish"
    assert fresh.posterior["path"].dims[0] == "sample" and fresh.posterior.sizes["sample"] == 100
    other = fit_store.fitted(toy.TOY, data, profile=few, seed=sampler_seed + 1, folder=tmp_path)
    assert not fresh.posterior.identical(other.posterior), "the fit of another seed is read"


@pytest.mark.draws
def test_a_fit_that_misses_its_gates_is_made_again_with_twice_the_effort_until_it_meets_them(tmp_path):
    once = fit_store.fitted(toy.TOY, toy.numbers(1), profile=toy.TINY, seed=1, folder=tmp_path)
    more = replace(toy.TINY, attempts=6)
    often = fit_store.fitted(toy.TOY, toy.numbers(1), profile=more, seed=1, folder=tmp_path)
    assert not once.gate.ok and once.gate.draws == toy.TINY.draws
    assert often.gate.ok and often.gate.draws in [toy.TINY.draws * 2**number for number in range(1, 6)]


@pytest.mark.draws
def test_where_few_draws_are_enough_a_fit_is_made_again_only_until_its_chains_agree(tmp_path):
    more = replace(toy.TINY, attempts=6, few=True)
    found = fit_store.fitted(toy.TOY, toy.numbers(1), profile=more, seed=1, folder=tmp_path).gate
    assert found.agrees and found.draws <= toy.TINY.draws * 2**5


@pytest.mark.parametrize(("fault", "agrees"), [({}, True), ({"rhat_max": 1.02}, False), ({"divergences": 1}, False)])
def test_chains_agree_without_a_divergence_however_few_draws_they_hold(fault, agrees):
    told = {"rhat_max": 1.001, "ess_bulk_min": 20.0, "ess_tail_min": 20.0, "divergences": 0, "bfmi_min": 0.1} | fault
    assert Gate(name="toy", ok=False, chains=2, draws=100, **told).agrees is agrees
