"""A page speaks of one quantity: card, table, chart and file agree; a count of the day is shown as it was counted."""

import sys
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from telemed_forecast.exhibits import internet_hospitals, user_adoption
from telemed_forecast.exhibits.numbers import ASSUMED, counted, learned
from telemed_forecast.forecast import hub

sys.path.insert(0, str(Path(__file__).parents[1] / "models"))

pytestmark = pytest.mark.unit

REPORTS = {
    "user_adoption": (user_adoption, "users"),
    "internet_hospitals": (internet_hospitals, "hospitals"),
}


@pytest.fixture(scope="module", params=REPORTS)
def report(request):
    """Module, stem of its names, context, forecast and exhibits of a report."""
    from prior_fits import forecast

    context, result = forecast(request.param)
    module, stem = REPORTS[request.param]
    return module, stem, context, result, module.exhibits(context, result)


def test_card_table_chart_and_file_show_the_same_level_at_the_horizon(report):
    module, stem, context, result, exhibits = report
    horizon = context.settings.horizon
    card = module.key_figures(context, result)[f"{stem}_{horizon}"].value
    table = exhibits[f"{stem}_by_year"].frame.set_index("year")
    chart = exhibits[f"{stem}_path"].frame.set_index("period")
    file = hub.rows(module.forecasts(result), reference=context.settings.as_of_date, scenario="base", model="ours")
    end, target = date(horizon, 12, 31).isoformat(), result.path.target
    middles = [
        card.value,
        table.loc[horizon, target],
        chart.loc[end, "median"],
        *(
            row["value"]
            for row in file
            if row["target"] == target and row["target_end_date"] == end and str(row["output_type_id"]) == "0.5"
        ),
    ]
    assert target.endswith("_latent")
    assert len(middles) == 4 and middles == pytest.approx([np.median(result.path.year_end(horizon))] * 4)


def test_a_count_of_the_day_is_the_headline_and_the_underlying_level_stands_beside_it():
    from prior_fits import forecast

    context, result = forecast("user_adoption")
    figure = user_adoption.key_figures(context, result)["users_now"]
    count = counted(result.evidence["users"], result.last_period, "persons")
    assert count is not None and figure.value == count and figure.value.low is None
    assert figure.note_values["underlying"].low is not None


def test_where_nobody_counted_on_the_day_the_headline_is_the_underlying_level():
    from prior_fits import forecast

    context, result = forecast("internet_hospitals")
    assert counted(result.evidence["counts"], result.last_period, "hospitals") is None
    assert internet_hospitals.key_figures(context, result)["hospitals_now"].value.low is not None


@pytest.mark.parametrize(("narrower", "assumed"), [(0.95, True), (0.85, False)])
def test_a_number_whose_spread_evidence_narrows_by_less_than_a_tenth_is_assumed(narrower, assumed):
    prior = np.random.default_rng(1).normal(size=1000)
    assert (learned(prior, narrower * prior) < ASSUMED) == assumed
    assert learned(prior, 1.5 * prior) == 0.0
