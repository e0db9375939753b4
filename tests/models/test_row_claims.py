"""Every row of a likelihood is traced to the published figures that it was made of."""

from dataclasses import replace

import numpy as np
import pytest
from prior_fits import forecast

from telemed_forecast.errors import TelemedError
from telemed_forecast.evaluation import row_claims

pytestmark = pytest.mark.unit

# Blocks whose rows hold one figure each as it was printed: the others are made of several, or converted.
PLAIN = {
    "user_adoption": ("users", "internet"),
    "internet_hospitals": ("count",),
    "market_size": ("size",),
}


def traced(name):
    """The fits of a report, each with its arrays and the claims of its rows; and the ledger's observations."""
    context, result = forecast(name)
    found = []
    for model in row_claims.likelihoods(context, name, result):
        blocks = sorted({key.removesuffix("_low") for key in model.fit.data if key.endswith("_low")})
        found.append((model, model.claims(blocks)))
    return context, result, found


@pytest.fixture(scope="module", params=sorted(row_claims.READERS))
def report(request):
    return request.param, *traced(request.param)


def test_every_row_has_its_claims_and_the_report_cites_them(report):
    _, _, result, found = report
    for model, claims in found:
        for block, rows in claims.items():
            assert len(rows) == len(model.fit.data[f"{block}_low"])
            assert all(rows), f"a row of {block} has no claim"
            assert {claim for row in rows for claim in row} <= set(result.claims)


def test_figures_in_another_order_than_the_fits_are_refused(report):
    _, _, _, found = report
    model, claims = found[0]
    first = max(model.sources, key=len)
    turned = tuple(s.where(np.arange(len(s))[::-1]) if s is first else s for s in model.sources)
    with pytest.raises(TelemedError, match="not those of the fit"):
        replace(model, sources=turned).claims(list(claims))


def test_a_row_that_holds_one_figure_as_printed_has_its_ends(report):
    name, context, _, found = report
    metrics = {"users": "online_medical_users", "internet": "internet_users", "count": "internet_hospitals"}
    for model, claims in found:
        for block in PLAIN.get(name, ()):
            rows = context.observed(metrics.get(block, "market_size"))
            low = dict(zip(rows.claim_id.tolist(), rows.low, strict=True))
            for k, [claim] in enumerate(claims[block]):
                if claim in low:  # an app panel's figure is of another metric
                    assert model.fit.data[f"{block}_low"][k] == pytest.approx(np.log(low[claim]), rel=1e-9)


def test_a_bound_on_a_years_share_hangs_on_all_figures_behind_it():
    _, result, found = traced("channel_share")
    own = found[1][1]["share"]
    paired = [row for row in own if len(row) > 1]
    assert [sorted(row) for row in paired if set(row) <= set(result.extras["encounters"][0].claims)]
    assert len(paired) == len(result.extras["encounters"]) + len(result.extras["revenues"])
