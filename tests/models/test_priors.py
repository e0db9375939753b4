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
