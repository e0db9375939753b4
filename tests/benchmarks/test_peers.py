"""Peers: their formulas, and what is said where one cannot run."""

from statistics import NormalDist

import numpy as np
import pytest
import sample_tasks

from benchmarks import peers
from benchmarks.peers import LEVELS, learned, least_squares, library, statistical
from telemed_forecast.curves.series import Series
from telemed_forecast.errors import InputError

pytestmark = pytest.mark.unit


def series(values, frequency="annual", bound=None):
    return Series("s", frequency, 2000 + np.arange(len(values)), np.array(values, dtype=float), bound=bound)


def test_the_drift_has_the_intervals_of_its_formula():
    values = [1.0, 3.0, 4.0, 8.0, 9.0]
    found = statistical.drift([series(values)], 3)[0]
    slope = (9.0 - 1.0) / 4
    spread = (sum((d - slope) ** 2 for d in (2, 1, 4, 1)) / 4) ** 0.5
    for h in (1, 2, 3):
        normal = NormalDist(9.0 + slope * h, spread * (h * (1 + h / 4)) ** 0.5)
        assert found[h - 1] == pytest.approx([normal.inv_cdf(float(level)) for level in LEVELS])


def test_the_naive_forecast_stays_where_it_is_and_widens_with_the_root_of_time():
    found = statistical.naive([series([2.0, 4.0, 3.0])], 4)[0]
    assert found[:, 11] == pytest.approx(3.0)
    assert found[3, -1] - 3.0 == pytest.approx(2 * (found[0, -1] - 3.0))


@pytest.mark.parametrize("own, theirs", [("drift", "RandomWalkWithDrift"), ("naive", "Naive")])
def test_random_walks_are_those_of_statsforecast(own, theirs):
    models = pytest.importorskip("statsforecast.models")
    values = np.array([1.0, 3.0, 4.0, 8.0, 9.0, 9.5])
    answer = getattr(models, theirs)().forecast(y=values, h=4, level=[90.0])
    found = getattr(statistical, own)([series(values)], 4)[0]
    assert found[:, [2, 11, 20]] == pytest.approx(np.column_stack([answer[k] for k in ("lo-90.0", "mean", "hi-90.0")]))


@pytest.mark.parametrize("law", ["logistic", "gompertz", "bass"])
def test_least_squares_finds_the_curve_that_made_the_values(law):
    truth = np.array([np.log(40.0), np.log(0.5), np.log(0.02) if law == "bass" else 6.0])
    time = np.arange(16.0)
    path = least_squares.level(truth, time, law)
    found = least_squares.forecast([series(path[:12])], 4, law=law)[0]
    assert found[:, 11] == pytest.approx(path[12:], rel=0.01)


@pytest.mark.parametrize("model", ["DynamicOptimizedTheta", "AutoCES", "MFLES"])
def test_models_of_statsforecast_forecast_themselves_and_not_by_the_way_out(model):
    pytest.importorskip("statsforecast.models")
    values = [1.0, 3.0, 4.0, 8.0, 9.0, 12.0, 13.0, 17.0]
    found = statistical.automatic([series(values)], 3, model=model)[0]
    assert np.isfinite(found).all() and (np.diff(found, axis=-1) >= 0).all()
    assert not np.allclose(found, statistical.drift([series(values)], 3)[0])


def test_damped_holt_goes_on_less_and_less_and_widens():
    found = statistical.damped_holt([series([1.0, 2.1, 2.9, 4.0, 5.1, 5.9, 7.0])], 4)[0]
    steps = np.diff(found[:, 11])
    assert (steps > 0).all() and (np.diff(steps) < 0).all()
    assert found[0, 11] == pytest.approx(8.0, abs=0.2)
    assert (np.diff(found[:, -1] - found[:, 0]) > 0).all()


def test_the_recent_drift_goes_on_as_of_late_with_the_errors_it_made_elsewhere():
    straight = [series(10.0 + np.arange(12.0) + kink * (np.arange(12.0) > 7)) for kink in (-2.0, 0.0, 2.0)]
    found = learned.recent([series([5.0, 5.0, 7.0, 9.0, 11.0])], 3, straight)[0]
    assert found[:, 11] == pytest.approx([13.0, 15.0, 17.0])
    assert (np.diff(found[:, -1] - found[:, 0]) >= 0).all() and found[0, -1] > 13.0 > found[0, 0]


def test_the_library_forecasts_what_has_not_begun_as_nothing(monkeypatch):
    from telemed_forecast.curves import hypotheses, learn_growth

    monkeypatch.setattr(learn_growth, "learn", lambda curves: None)
    prior = hypotheses.shipped()
    monkeypatch.setattr(hypotheses.Prior, "from_content", lambda content: prior)
    found = library.adoption([series([0.0] * 6), series([1.0, 2.0, 3.0, 5.0, 6.0])], 2, ())
    assert (found[0] == 0.0).all() and (found[1, :, 11] > 6.0).all()


def test_analogues_follow_what_happened_elsewhere():
    others = [curve for curve in sample_tasks.curves() if curve.geo != "Utopia"]
    path = sample_tasks.grown("kites", "utopia")
    found = learned.analogues([series(path[:8], bound=100.0)], 3, others)[0]
    drifted = statistical.drift([series(path[:8])], 3)[0]
    assert np.abs(found[:, 11] - path[8:11]).sum() < np.abs(drifted[:, 11] - path[8:11]).sum()
    assert (np.diff(found, axis=-1) >= 0).all() and found.min() >= 0 and found.max() <= 100


def test_analogues_from_months_teach_quarters():
    months = Series("s", "monthly", 24240 + np.arange(9), np.arange(9.0))
    quarters = learned.at_spacing(months, "quarterly")
    assert quarters.index.tolist() == [8080, 8081, 8082] and quarters.values.tolist() == [1.0, 4.0, 7.0]
    assert learned.at_spacing(quarters, "monthly").values == pytest.approx(np.arange(1.0, 8.0))


def test_a_peer_whose_package_is_not_installed_is_named_with_what_it_lacks(monkeypatch):
    monkeypatch.setattr(peers, "find_spec", lambda package: None if package == "statsforecast" else object())
    able, missing = peers.choose(["theta", "bass", "drift"], ("drift",))
    assert [peer.name for peer in able] == ["drift", "bass"] and missing == {"theta": ["statsforecast"]}


def test_the_peers_that_ratios_may_be_taken_to_always_run():
    able, _ = peers.choose(["bass"], ("drift", "naive"))
    assert [peer.name for peer in able] == ["drift", "naive", "bass"]


def test_an_unknown_peer_is_refused_with_the_nearest_name():
    with pytest.raises(InputError, match="'drifd' is no peer; did you mean 'drift'"):
        peers.choose(["drifd"], ("drift",))
