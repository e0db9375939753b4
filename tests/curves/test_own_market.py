"""A market of the user's own: which figures enter, what is refused, and what a product of forecasts is."""

import numpy as np
import pytest

from telemed_forecast import hub_format
from telemed_forecast.curves import own_market
from telemed_forecast.curves.own_series import Forecast
from telemed_forecast.curves.series import Series
from telemed_forecast.errors import InputError
from telemed_forecast.paths import ROOT

pytestmark = pytest.mark.unit

HEADER = "series_id,date,value,relation,publisher,known_date,grade"
ROWS = [f"clinics,{year},{year - 2000},,ministry,{year + 1}-03-01,A" for year in range(2015, 2022)]


@pytest.fixture
def read(tmp_path):
    def read(*rows, header=HEADER, as_of=""):
        file = tmp_path / "mine.csv"
        file.write_text("\n".join([header, *rows, ""]), encoding="utf-8", newline="")
        return own_market.read(file, as_of)

    return read


def faults(call):
    with pytest.raises(InputError) as caught:
        call()
    return [str(fault) for fault in caught.value.faults]


def test_one_figure_of_a_period_enters_and_the_others_say_why_not(read):
    known = read(
        *ROWS,
        "clinics,2021,30,,a house,2022-06-01,B",
        "clinics,2020,19,,ministry,2022-01-01,A",
        "clinics,2022,99,,a mill,2023-01-01,D",
    )
    [series] = known.series
    assert series.values.tolist() == [15, 16, 17, 18, 19, 19, 21]
    assert [figure.standing for figure in known.figures][5:] == ["another", "used", "another", "used", "unsourced"]


def test_what_was_published_after_the_date_is_not_known(read):
    known = read(*ROWS, as_of="2021-12-31")
    assert known.series[0].index.tolist() == [2015, 2016, 2017, 2018, 2019, 2020]
    assert known.figures[-1].standing == "later"


def test_a_figure_that_leaves_values_open_enters_as_the_middle_of_them(read):
    known = read(*ROWS, "clinics,2022,1600,gt,ministry,2023-03-01,A")
    assert (known.figures[-1].low, known.figures[-1].high) == (1600, 1700)
    assert known.series[0].values[-1] == 1650


def test_every_fault_of_a_row_is_told_by_row_and_column(read):
    found = faults(lambda: read(*ROWS, "clinics,2022,x,about,,2999-01-01,E"))
    assert all("row 9" in fault for fault in found)
    assert [fault.split("column ")[1].split(":")[0] for fault in found] == [
        "publisher",
        "known_date",
        "relation",
        "grade",
        "value",
    ]


def test_a_file_of_plain_series_is_told_which_columns_a_market_needs(read):
    found = faults(lambda: read("a,2020,1", header="series_id,date,value"))
    assert any("column publisher: expected this column" in fault for fault in found)


def test_too_few_figures_by_a_date_are_refused(read):
    [fault] = faults(lambda: read(*ROWS, as_of="2018-12-31"))
    assert "at least 5 values of a series, not 3 rows" in fault


def forecast(name, level, index=(2020, 2021)):
    """Log-normal with a tenth around a level."""
    from scipy.stats import norm

    series = Series(name, "annual", np.array(index), np.full(len(index), level))
    quantiles = level * np.exp(0.1 * norm.ppf(hub_format.QUANTILES))
    return Forecast(series, np.array([quantiles, quantiles]), np.array([level, level]))


def test_a_product_multiplies_levels_and_adds_variances_of_logarithms():
    made = own_market.product([forecast("a", 10.0), forecast("b", 5.0)], name="a * b", unit="EUR", scale=0.1)
    assert made.series.values.tolist() == [5.0, 5.0]
    low, median, high = (np.interp(level, hub_format.QUANTILES, made.quantiles[0]) for level in (0.1, 0.5, 0.9))
    assert median == pytest.approx(5.0, rel=0.01)
    # The draws stop at the outermost quantiles, which takes a little of the width.
    assert np.log(high / low) == pytest.approx(2 * 1.2816 * 0.1 * np.sqrt(2), rel=0.03)
    assert (np.diff(made.quantiles) >= 0).all()


def test_factors_that_end_on_different_days_have_no_product():
    [fault] = faults(lambda: own_market.product([forecast("a", 1.0), forecast("b", 1.0, (2019, 2020))], name="a * b"))
    assert "a 2021-12-31, b 2020-12-31" in fault


def test_a_mistyped_factor_is_named_with_the_nearest_series():
    [fault] = faults(lambda: own_market.sized([forecast("users", 1.0)], "usres"))
    assert "did you mean 'users'?" in fault


def test_all_that_is_wrong_with_a_request_is_told_at_once():
    assert len(faults(lambda: own_market.require(0, "a *", -1.0, also=["the folder"]))) == 4


def test_the_example_of_the_docs_is_a_market():
    known = own_market.read(ROOT / "docs" / "examples" / "own_market.csv")
    assert {one.series_id: len(one.values) for one in known.series} == {"users": 8, "spending": 7}
