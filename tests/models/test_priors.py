"""A prior is stated once: its variable in a graph and its draws are one distribution."""

import numpy as np
import pytest
from scipy import stats

from telemed_forecast.models.priors import Prior

pytestmark = pytest.mark.unit

KNOWN = {
    Prior("Normal", (0.4, 1.2)): stats.norm(0.4, 1.2),
    Prior("LogNormal", (-0.7, 0.4)): stats.lognorm(0.4, scale=np.exp(-0.7)),
    Prior("HalfNormal", (0.1,)): stats.halfnorm(scale=0.1),
    Prior("Beta", (2.0, 8.0)): stats.beta(2.0, 8.0),
}
each = pytest.mark.parametrize(("prior", "known"), KNOWN.items(), ids=[prior.family for prior in KNOWN])


@each
def test_draws_have_the_distribution_that_is_stated(prior, known):
    assert stats.kstest(prior.draw(20_000, np.random.default_rng(1)), known.cdf).pvalue > 1e-4


@each
def test_the_variable_of_a_graph_has_the_distribution_that_is_stated(prior, known):
    import pymc as pm

    at = known.ppf([0.1, 0.5, 0.9])
    with pm.Model():
        density = pm.logp(prior.variable("x"), at)
    # PyMC keeps the normalising constants of its Betas in single precision.
    np.testing.assert_allclose(density.eval(mode="FAST_COMPILE"), known.logpdf(at), atol=1e-6)


def test_draws_have_the_dims_of_the_variable():
    rng = np.random.default_rng(2)
    assert Prior("Normal", (0.0, 1.0)).draw(5, rng).shape == (5,)
    assert Prior("Normal", (0.0, 1.0), 3).draw(5, rng).shape == (5, 3)
    assert Prior("Normal", (0.0, 1.0), (3, 2)).draw(5, rng).shape == (5, 3, 2)
    assert Prior("Normal", (np.array([-9.0, 9.0]), np.ones(2))).draw(5, rng).mean(axis=0)[1] > 0


PRIORS = [
    Prior("Normal", (0.4, 1.2)),
    Prior("LogNormal", (-1.0, 0.5)),
    Prior("HalfNormal", (0.3,)),
    Prior("Beta", (2.0, 5.0)),
    Prior("Beta", (1.5, 3.0), 2),
]


@pytest.mark.parametrize("prior", PRIORS, ids=str)
def test_the_log_density_is_that_of_the_graphs_own_variable(prior):
    import pymc as pm

    values = prior.draw(6, np.random.default_rng(3))
    shape = {} if prior.shape is None else {"shape": prior.shape}
    graph = pm.logp(getattr(pm, prior.family).dist(*prior.parameters, **shape), values).eval()
    ours = prior.log_density(values)
    # On the log scale a log-normal's density lacks the volume of the logarithm, which no parameter changes.
    volume = np.log(values).reshape(6, -1).sum(axis=1) if prior.family == "LogNormal" else 0.0
    np.testing.assert_allclose(ours - volume, graph.reshape(6, -1).sum(axis=1), rtol=1e-6)


@pytest.mark.parametrize("prior", PRIORS, ids=str)
def test_a_moved_prior_lies_a_standard_deviation_further_where_it_is_stated(prior):
    from scipy.special import logit

    rng, stated = np.random.default_rng(5), {"LogNormal": np.log, "Beta": logit}.get(prior.family, lambda x: x)
    middle, up, down = (stated(one.draw(200_000, rng)) for one in (prior, prior.moved(1.0), prior.moved(-1.0)))
    for moved, sign in ((up, 1.0), (down, -1.0)):
        step = sign * (moved.mean() - middle.mean()) / middle.std()
        assert step == pytest.approx(1.0, abs=0.02)


def test_standard_normals_that_others_scale_and_flat_coordinates_are_not_beliefs():
    kept = [Prior("Normal", (0.0, 1.0), 4), Prior("Flat", shape=3), Prior("Normal", (0.0, 1.0)), PRIORS[3]]
    assert [one.stands_for_itself for one in kept] == [False, False, True, True]
