"""Parameters: one specification, every fault at once, and conversions that never guess."""

import ast
import datetime as dt
import json
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telemed_forecast import paths
from telemed_forecast.errors import InputError
from telemed_forecast.evidence.citations import vintage_date
from telemed_forecast.runs import parameters
from telemed_forecast.runs.parameters import NOTEBOOKS, Parameter

pytestmark = pytest.mark.unit


def faults_of(call, *arguments):
    with pytest.raises(InputError) as caught:
        call(*arguments)
    return [str(fault) for fault in caught.value.faults]


@pytest.mark.parametrize("notebook", NOTEBOOKS)
def test_a_notebooks_parameters_cell_says_what_the_specification_says(notebook):
    cells = json.loads((paths.NOTEBOOKS / f"{notebook}.ipynb").read_text(encoding="utf-8"))["cells"]
    tagged = ["".join(cell["source"]) for cell in cells if "parameters" in cell["metadata"].get("tags", [])]
    assert tagged == [parameters.cell_source(notebook)]


@pytest.mark.parametrize("notebook", NOTEBOOKS)
def test_papermill_reads_the_same_parameters_as_we_do(notebook):
    assert read_by_papermill(parameters.cell_source(notebook)) == [
        (p.name, p.type.__name__, p.default, f"[{p.unit}] {p.meaning}") for p in parameters.for_notebook(notebook)
    ]


def read_by_papermill(source):
    """Name, type, default and comment of every parameter of a cell."""
    from papermill.translators import PythonTranslator

    found = PythonTranslator.inspect({"source": source})
    return [(p.name, p.inferred_type_name, ast.literal_eval(p.default), p.help) for p in found]


@pytest.mark.parametrize("notebook", NOTEBOOKS)
def test_without_values_the_defaults_are_valid(notebook):
    settings = parameters.validate(notebook, {})
    assert settings.values() == {p.name: p.default for p in parameters.for_notebook(notebook)}


def test_every_fault_is_named_at_once_with_range_unit_and_nearest_name():
    faults = faults_of(
        parameters.validate,
        "user_adoption",
        {"horizon": 1990, "scenarioo": "bull", "seed": "x", "lang": "fr", "as_of": "2018-01-01"},
    )
    text = "\n".join(faults)
    assert len(faults) == 5
    assert "horizon = 1990 is out of range: allowed 2027..2035 [year]" in text
    assert 'scenarioo is not a parameter of user_adoption; did you mean "scenario"?' in text
    assert 'seed = "x" is not of type int' in text
    assert 'lang = "fr" is not allowed' in text
    assert "2019-01-01.." in text


def test_a_parameter_of_another_notebook_is_said_to_be_taken_there():
    [fault] = faults_of(parameters.validate, "user_adoption", {"currency": "USD"})
    assert "taken by market_size" in fault


@pytest.mark.parametrize("value", [True, 2030.0, "2030", None, [2030]])
def test_a_year_is_a_whole_number_and_nothing_else(value):
    [fault] = faults_of(parameters.validate, "market_size", {"horizon": value})
    assert "not of type int" in fault


@pytest.mark.parametrize("date", ["2019-01-01", "2022-12-31", ""])
def test_a_date_within_the_ledger_is_accepted(date):
    settings = parameters.validate("market_size", {"as_of": date})
    assert settings.as_of_date == (dt.date.fromisoformat(date) if date else vintage_date())


@pytest.mark.parametrize("date", ["2018-12-31", "2999-01-01", "2022-13-01", "20221231", "2022-W01-1", "now"])
def test_a_date_outside_the_ledger_or_in_another_format_is_refused(date):
    [fault] = faults_of(parameters.validate, "market_size", {"as_of": date})
    assert date in fault
    assert str(vintage_date()) in fault


def test_the_environment_sets_the_default_profile_and_nothing_more(monkeypatch):
    monkeypatch.setenv(parameters.ENVIRONMENT["profile"], "quick")
    assert parameters.validate("market_size", {}).profile == "quick"
    assert parameters.validate("market_size", {"profile": "full"}).profile == "full"


def test_a_wrong_profile_in_the_environment_is_named_as_such(monkeypatch):
    monkeypatch.setenv(parameters.ENVIRONMENT["profile"], "fast")
    [fault] = faults_of(parameters.validate, "market_size", {})
    assert "fast" in fault
    assert parameters.ENVIRONMENT["profile"] in fault


def test_a_scenario_file_is_found_from_any_folder(tmp_path, monkeypatch):
    (tmp_path / "mine.toml").write_text('inherits = "base"\n')
    monkeypatch.chdir(tmp_path)
    assert parameters.validate("market_size", {"scenario": "mine.toml"}).scenario == str(tmp_path / "mine.toml")


def test_a_faulty_scenario_file_is_a_fault_of_the_parameters(tmp_path):
    (tmp_path / "mine.toml").write_text('inherits = "base"\n[levers.prise]\nvalue = 1\n')
    [fault] = faults_of(parameters.validate, "market_size", {"scenario": str(tmp_path / "mine.toml")})
    assert "mine.toml: unknown lever prise" in fault


# -- texts of the command line ----


def test_texts_go_to_the_notebooks_that_take_them():
    settings = parameters.from_texts(["market_size", "user_adoption"], [("currency", "USD"), ("horizon", "2032")])
    assert settings["market_size"].currency == "USD"
    assert {s.horizon for s in settings.values()} == {2032}


def test_faults_of_texts_are_collected_over_notebooks_and_named_once():
    faults = faults_of(
        parameters.from_texts,
        ["market_size", "user_adoption", "markt_size"],
        [("horizon", "1990"), ("scenarioo", "bull"), ("seed", "1"), ("seed", "2")],
    )
    assert len(faults) == 4
    assert sum("1990" in fault for fault in faults) == 1
    assert any("there is no notebook markt_size" in f and '"market_size"' in f for f in faults)
    assert any("seed is given more than once" in f for f in faults)


@pytest.mark.parametrize("text", ["10.5", "1e3", "nine", "", "0x7f", "２０３０"])
def test_a_text_that_is_no_whole_number_is_refused(text):
    faults = faults_of(parameters.from_texts, ["market_size"], [("horizon", text)])
    assert "not of type int" in faults[0]


def a_parameter(kind):
    return Parameter(name="x", type=kind, unit="-", meaning="anything")


LIST_ITEMS = st.text(st.characters(exclude_characters=",", exclude_categories=["Z", "C"]), min_size=1)


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        (int, st.integers()),
        (float, st.floats(allow_nan=False, allow_infinity=False)),
        (bool, st.booleans()),
        (str, st.text()),
        (list, st.lists(LIST_ITEMS)),
    ],
)
def test_every_type_survives_being_written_and_read(kind, values):
    @given(values)
    def round_trip(value):
        assert parameters.convert(a_parameter(kind), parameters.to_text(value)) == value

    round_trip()


@pytest.mark.parametrize("text", ["007", "true", "1e-3", "2024-01-01", "NO", "null"])
def test_a_text_stays_a_text(text):
    assert parameters.convert(a_parameter(str), text) == text


@given(st.text(max_size=6))
def test_a_truth_value_is_true_or_false_and_never_a_guess(text):
    converted = parameters.convert(a_parameter(bool), text)
    assert converted == {"true": True, "false": False}.get(text.strip().lower(), text)


# -- inside a notebook ----


def run_cells(*sources):
    """What `globals()` holds in a kernel which has executed these cells and now executes the second one."""
    namespace = {"In": ["", *sources], "Out": {}, "get_ipython": print, "exit": exit, "pd": json, "_i": ""}
    for source in sources:
        try:
            exec(source, namespace)
        except Exception:
            continue
    return namespace


DECLARED = parameters.cell_source("user_adoption")


def test_a_notebook_gets_its_own_values():
    namespace = run_cells(DECLARED.replace("2030", "2031"))
    assert parameters.from_notebook("user_adoption", namespace).horizon == 2031


def test_an_injected_unknown_name_is_found():
    namespace = run_cells(DECLARED, '# Parameters\nhorizon = 2031\nscenarioo = "bull"\n')
    [fault] = faults_of(parameters.from_notebook, "user_adoption", namespace)
    assert '"scenario"' in fault


def test_a_misspelt_name_in_the_parameters_cell_itself_is_found():
    [fault] = faults_of(parameters.from_notebook, "user_adoption", run_cells(DECLARED + "\nhorizn: int = 2031"))
    assert "horizn" in fault


def test_variables_of_other_cells_do_not_matter():
    namespace = run_cells(DECLARED, "settings = 1\nresult = 2", "%matplotlib inline", "horizon_label = 'x'")
    assert parameters.from_notebook("user_adoption", namespace).horizon == 2030


def test_a_corrected_spelling_is_forgiven_when_the_cells_run_again():
    namespace = run_cells(DECLARED + "\nhorizn: int = 2031", "settings = 1", DECLARED)
    assert parameters.from_notebook("user_adoption", namespace).horizon == 2030


def test_a_plain_namespace_without_a_kernel_will_do():
    assert parameters.from_notebook("user_adoption", {"horizon": 2033}).horizon == 2033


@pytest.mark.parametrize(("injected", "profile"), [("seed = 1", "quick"), ('profile = "full"', "full")])
def test_only_an_injected_profile_withstands_the_environment(injected, profile, monkeypatch):
    monkeypatch.setenv(parameters.ENVIRONMENT["profile"], "quick")
    namespace = run_cells(DECLARED, f"# Parameters\n{injected}\n")
    assert parameters.from_notebook("user_adoption", namespace).profile == profile


def test_ipython_shows_the_message_without_a_traceback():
    with pytest.raises(parameters.ParametersRefused) as caught:
        parameters.validate("user_adoption", {"horizon": 1990})
    [shown] = caught.value._render_traceback_()
    assert "1990" in shown
    assert "Traceback" not in shown


def test_importing_the_parameters_pulls_in_nothing_heavy():
    code = "import sys, telemed_forecast.runs.parameters; print(*sys.modules)"
    modules = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not {"pandas", "numpy", "pydantic", "papermill", "typer"} & set(modules)


def test_on_an_earlier_date_the_years_after_it_can_be_forecast():
    assert parameters.validate("user_adoption", {"as_of": "2020-12-31", "horizon": 2025}).horizon == 2025
    assert parameters.validate("user_adoption", {"as_of": "2020-12-31", "horizon": 2021}).horizon == 2021
    with pytest.raises(InputError, match=r"horizon = 2020 is out of range: allowed 2021..2035 \[year\]"):
        parameters.validate("user_adoption", {"as_of": "2020-12-31", "horizon": 2020})
    with pytest.raises(InputError, match=r"horizon = 2026 is out of range: allowed 2027..2035 \[year\]"):
        parameters.validate("user_adoption", {"horizon": 2026})
