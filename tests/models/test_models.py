"""What every model states once is what its graph and its draws do, and what a world written apart from it does."""

import numpy as np
import pytest
from scipy import stats
from simulators import WORLDS

from telemed_forecast.evaluation.calibrated import MODELS

pytestmark = pytest.mark.unit

DAY = "2026-11-21"
TRUTHS = 400
every = pytest.mark.parametrize("name", MODELS)


@every
def test_draws_from_the_prior_are_those_of_a_world_written_apart(arrays_on, name):
    d, rng = arrays_on(DAY)[name], np.random.default_rng(5)
    ours = MODELS[name].model.prior_sample(d, 4 * TRUTHS, rng)
    theirs = [WORLDS[name].truth(d, rng) for _ in range(TRUTHS)]
    assert set(theirs[0]) <= set(ours)
    tests = {}
    for key in theirs[0]:
        one, other = ours[key].reshape(4 * TRUTHS, -1), np.array([truth[key] for truth in theirs]).reshape(TRUTHS, -1)
        assert one.shape[1] == other.shape[1], key
        # The first and the last of a curve, and of several of a kind.
        tests |= {f"{key} {k}": stats.ks_2samp(one[:, k], other[:, k]).pvalue for k in (0, -1)}
    assert min(tests.values()) > 1e-4 / len(tests), min(tests, key=tests.get)


@every
def test_figures_speak_of_what_they_do_in_a_world_written_apart(arrays_on, name):
    d, rng = arrays_on(DAY)[name], np.random.default_rng(6)
    for _ in range(5):
        truth = WORLDS[name].truth(d, rng)
        p = {key: np.asarray(value)[None] for key, value in truth.items()}
        if name == "market_size":  # it knows its users by what comes of them
            mean, sd = (d[f"users_{part}"][-1] for part in ("mean", "sd"))
            volume = truth["bottom_up"][-1] - truth["price"] + np.log(1e6) - truth["encounters"]
            p["users_standard"] = np.array([(volume - mean) / sd])
        said = WORLDS[name].speak(truth, d)
        assert set(said) == set(MODELS[name].model.observed)
        for block, (mu, scale) in MODELS[name].model.expected(p, d).items():
            np.testing.assert_allclose(mu[0], said[block][0], rtol=1e-9, atol=1e-9, err_msg=block)
            np.testing.assert_allclose(scale[0], said[block][1], rtol=1e-9, err_msg=block)


@every
def test_rows_have_the_likelihood_that_the_graph_gives_them(arrays_on, name):
    import pytensor
    from pytensor.compile.mode import Mode

    d, one = arrays_on(DAY)[name], MODELS[name].model
    graph = one.graph(d)
    evidence = [potential for potential in graph.potentials if potential.name.endswith("_evidence")]
    # At no particular point: neither compiled nor rewritten, so that nothing but the formulas is asked.
    variables = [*graph.free_RVs, *graph.deterministics]
    evaluate = pytensor.function(graph.free_RVs, [*variables, *evidence], mode=Mode(linker="py", optimizer=None))
    start = one.prior_sample(d, 1, np.random.default_rng(7))
    point = {
        v.name: start[v.name][0] if v.name in start else 0.1 * np.cos(np.arange(v.type.shape[0]))
        for v in graph.free_RVs
    }
    found = evaluate(*point.values())
    p = {variable.name: np.asarray(value)[None] for variable, value in zip(variables, found, strict=False)}
    terms = one.log_likelihoods(p, d)
    assert [potential.name for potential in evidence] == [f"{block}_evidence" for block in terms]
    for (block, rows), total in zip(terms.items(), found[len(variables) :], strict=True):
        assert rows.shape == (1, len(d[f"{block}_low"]))
        assert rows.sum() == pytest.approx(float(total), rel=1e-9), block


@every
def test_a_planted_fault_is_seen(arrays_on, name):
    d, rng = arrays_on(DAY)[name], np.random.default_rng(8)
    one = MODELS[name].model
    p = one.prior_sample(d, 2, rng)
    terms = one.log_likelihoods(p, d)
    wrong = {key: values[::-1] for key, values in p.items()}
    for block, rows in one.log_likelihoods(wrong, d).items():
        assert not np.allclose(rows, terms[block]), f"{block} does not hang on the draw"


@pytest.mark.parametrize("name", sorted(set(MODELS)))
def test_every_row_has_its_claims(name):
    from prior_fits import forecast

    _, result = forecast(name)
    data = result.fit.data
    blocks = {key.removesuffix("_low") for key in data if key.endswith("_low")}
    assert set(data.claims) == blocks
    for block, rows in data.claims.items():
        assert len(rows) == len(data[f"{block}_low"])
        assert all(rows), f"a row of {block} has no claim"
        assert {claim for row in rows for claim in row} <= set(result.claims)


@pytest.mark.parametrize(
    ("name", "block", "metric"),
    [
        ("user_adoption", "users", "online_medical_users"),
        ("user_adoption", "internet", "internet_users"),
        ("internet_hospitals", "count", "internet_hospitals"),
        ("market_size", "size", "market_size"),
    ],
)
def test_a_row_that_holds_one_figure_as_printed_has_its_ends(name, block, metric):
    from prior_fits import forecast

    context, result = forecast(name)
    rows = context.observed(metric)
    low = dict(zip(rows.claim_id.tolist(), rows.low, strict=True))
    told = [(k, claim) for k, (claim,) in enumerate(result.fit.data.claims[block]) if claim in low]
    assert len(told) > 5
    for k, claim in told:
        assert result.fit.data[f"{block}_low"][k] == pytest.approx(np.log(low[claim]), rel=1e-9)


def test_a_bound_on_a_years_share_hangs_on_all_figures_behind_it():
    from prior_fits import forecast

    _, result = forecast("channel_share")
    paired = [row for row in result.fit.data.claims["share"] if len(row) > 1]
    assert [row for row in paired if set(row) <= set(result.extras["encounters"][0].claims)]
    assert len(paired) == len(result.extras["encounters"]) + len(result.extras["revenues"])
