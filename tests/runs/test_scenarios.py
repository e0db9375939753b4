"""Scenarios: levers with units, ranges and evidence; inheritance; weights that sum to 1."""

import re
from datetime import date

import pytest

from telemed_forecast import paths, scenarios
from telemed_forecast.errors import InputError
from telemed_forecast.evidence import citations
from telemed_forecast.render.texts import catalogue
from telemed_forecast.runs import plan

pytestmark = pytest.mark.unit


def write(folder, name, text):
    file = folder / f"{name}.toml"
    file.write_text(text, encoding="utf-8")
    return str(file)


def faults_of(call, *arguments):
    with pytest.raises(InputError) as caught:
        call(*arguments)
    return [str(fault) for fault in caught.value.faults]


def test_bear_base_and_bull_come_with_the_project():
    assert {"bear", "base", "bull"} <= set(scenarios.shipped())


def test_the_shipped_weights_sum_to_one():
    assert sum(scenarios.weights().values()) == pytest.approx(1)


def test_base_is_neutral():
    base = scenarios.load("base")
    assert {name: base[name] for name in scenarios.LEVERS} == {n: s.neutral for n, s in scenarios.LEVERS.items()}


@pytest.mark.parametrize("lever", scenarios.LEVERS)
def test_bear_lies_below_base_and_bull_above_on_every_lever(lever):
    bear, base, bull = (scenarios.load(name)[lever] for name in ("bear", "base", "bull"))
    assert bear < base < bull


@pytest.mark.parametrize("name", ["bear", "bull"])
def test_every_lever_off_neutral_has_evidence_and_a_reason(name):
    for lever in scenarios.load(name).levers.values():
        assert lever.evidence
        assert lever.reason


def test_evidence_that_is_not_in_the_ledger_is_refused_with_the_nearest_id(tmp_path):
    text = '[levers.price]\nvalue = 0.01\nunit = "per year"\nevidence = ["dj2020-dxy-prise"]\n'
    [fault] = faults_of(scenarios.load, write(tmp_path, "mine", text))
    for part in ("mine.toml", "levers.price", "'dj2020-dxy-prise'", 'did you mean "dj2020-dxy-price"?'):
        assert part in fault


def test_a_neutral_lever_cannot_cite_what_is_not_there_either(tmp_path):
    text = '[levers.price]\nvalue = 0.0\nunit = "per year"\nevidence = [7]\n'
    assert faults_of(scenarios.load, write(tmp_path, "mine", text))


def test_policy_events_are_evidence_too():
    assert "2022-08-03-provisions-on-online-drug-sales" in scenarios.load("bull").levers["prescription_drugs"].evidence


def test_a_lever_tells_which_of_its_evidence_came_later():
    lever = scenarios.load("bull").levers["prescription_drugs"]
    later = lever.known_later(date(2022, 12, 31))
    assert "menet-drugs-2024" in later
    assert "2022-08-03-provisions-on-online-drug-sales" not in later


def test_no_id_names_both_a_claim_and_an_event():
    assert not set(citations.claims()) & set(citations.events())


def test_what_a_file_does_not_state_is_inherited(tmp_path):
    write(tmp_path, "mild", 'inherits = "bear"\nweight = 0.1\n')
    file = write(
        tmp_path,
        "milder",
        'inherits = "mild"\n[levers.retention]\nvalue = 0.9\nunit = "odds ratio"\nevidence = ["fz-2023-retention"]\n',
    )
    loaded = scenarios.load(file)
    assert (loaded["retention"], loaded["price"]) == (0.9, scenarios.load("bear")["price"])
    assert [f.name for f in loaded.files] == ["milder.toml", "mild.toml", "bear.toml", "base.toml"]


def test_a_file_inherits_from_the_one_beside_it_whatever_the_folder_of_the_command(tmp_path, monkeypatch):
    (tmp_path / "parent").mkdir()
    write(tmp_path / "parent", "sibling", 'inherits = "bull"\n[levers.price]\nvalue = 0.0\nunit = "per year"\n')
    write(tmp_path, "sibling", 'inherits = "bear"\n')
    child = write(tmp_path / "parent", "child", 'inherits = "sibling"\n')
    monkeypatch.chdir(tmp_path)
    for named in ("parent/child.toml", child):
        assert scenarios.load(named)["price"] == 0.0
        assert scenarios.load(named)["trust"] == scenarios.load("bull")["trust"]


def test_a_weight_is_not_inherited(tmp_path):
    assert scenarios.load(write(tmp_path, "mine", 'inherits = "bear"\n')).weight is None


def test_a_scenario_that_inherits_from_itself_is_refused(tmp_path):
    write(tmp_path, "a", 'inherits = "b"\n')
    [fault] = faults_of(scenarios.load, write(tmp_path, "b", 'inherits = "a"\n'))
    assert "inherits from itself" in fault


def test_every_fault_of_a_file_is_named(tmp_path):
    text = """
    wieght = 0.5
    weight = 2
    inherits = "bse"
    [levers.retention]
    value = 99
    unit = "odds ratio"
    evidence = ["fz-2023-retention"]
    [levers.prise]
    value = 1
    [levers.licensing]
    value = "fast"
    unit = "percent"
    [levers.insurance]
    value = 1.2
    unit = "odds ratio"
    """
    faults = faults_of(scenarios.load, write(tmp_path, "mine", text))
    for part in (
        'unknown key wieght; did you mean "weight"?',
        "weight = 2 is out of range: allowed 0..1 [probability]",
        'inherits = "bse"',
        "levers.retention: value = 99 is out of range: allowed 0.1..10 [odds ratio]",
        'unknown lever prise; did you mean "price"?',
        "levers.licensing: value = 'fast' has the wrong type",
        'unit = "percent": expected "ratio"',
        "levers.insurance: a value other than 1 needs evidence",
    ):
        assert any(part in fault for fault in faults), part


@pytest.mark.parametrize("value", ["nan", "inf", "true"])
def test_a_value_must_be_an_ordinary_number(tmp_path, value):
    text = f'[levers.price]\nvalue = {value}\nunit = "per year"\nevidence = ["dj2020-dxy-price"]\n'
    assert faults_of(scenarios.load, write(tmp_path, "mine", text))


def test_an_unknown_scenario_is_refused_with_the_nearest_name():
    [fault] = faults_of(scenarios.load, "bul")
    assert 'did you mean "bull"?' in fault


def test_a_file_that_is_no_toml_is_refused(tmp_path):
    [fault] = faults_of(scenarios.load, write(tmp_path, "mine", "weight = = 1"))
    assert "mine.toml" in fault


def test_weights_that_do_not_sum_to_one_are_refused(tmp_path):
    file = write(tmp_path, "mine", "weight = 0.4\n")
    [fault] = faults_of(scenarios.weights, ["base", file])
    assert "sum to 0.9 instead of 1" in fault


def test_weights_of_own_scenarios_that_are_asked_for_together_sum_to_one(tmp_path):
    low, high = write(tmp_path, "low", "weight = 0.3\n"), write(tmp_path, "high", "weight = 0.2\n")
    [fault] = faults_of(lambda: plan.request(scenario=[low, high]))
    assert "sum to 0.5 instead of 1 (low 0.3, high 0.2)" in fault
    assert len(plan.request(scenario=[low, high, "base"]).settings) == 3


def test_scenarios_without_weights_need_none(tmp_path):
    low, high = write(tmp_path, "low", ""), write(tmp_path, "high", "")
    assert len(plan.request(scenario=[low, high, "bear", "bull"]).settings) == 4


def test_a_set_in_which_only_some_state_a_weight_is_refused(tmp_path):
    low, high = write(tmp_path, "low", "weight = 0.3\n"), write(tmp_path, "high", "")
    [fault] = faults_of(lambda: plan.request(scenario=[low, high]))
    assert "scenario high states no weight" in fault


def test_the_scenario_in_the_readme_can_be_run(tmp_path):
    readme = (paths.ROOT / "README.md").read_text(encoding="utf-8")
    [text] = re.findall(r"```toml\n(.*?)```", readme, flags=re.DOTALL)
    opening = scenarios.load(write(tmp_path, "opening", text))
    assert (opening["price"], opening["first_visits"], opening["trust"]) == (0.0, 0.1, scenarios.load("bull")["trust"])


def test_the_readme_lists_every_lever_with_its_unit_and_range():
    readme = (paths.ROOT / "README.md").read_text(encoding="utf-8")
    listed = set(re.findall(r"^\| (\w+) \| (.+?) \| (\S+) to (\S+) \| (\S+) \|$", readme, flags=re.MULTILINE))
    levers = scenarios.LEVERS.values()
    assert listed == {(s.name, s.unit, f"{s.low:g}", f"{s.high:g}", f"{s.neutral:g}") for s in levers}


@pytest.mark.parametrize("name", ["bear", "bull"])
def test_the_pages_give_the_reasons_of_the_files(name):
    texts = catalogue("en").texts
    for lever in scenarios.load(name).levers.values():
        assert texts[f"lever_reason.{name}.{lever.name}"] == lever.reason


def test_a_file_called_like_a_shipped_scenario_has_a_name_of_its_own(tmp_path):
    own = write(tmp_path, "base", 'inherits = "bull"\n')
    assert (scenarios.load(own).name, scenarios.load("base").name) == ("own-base", "base")
    assert (scenarios.name_of(own), scenarios.name_of("base")) == ("own-base", "base")
    assert scenarios.name_of(paths.SCENARIOS / "base.toml") == "base"


@pytest.mark.parametrize("stem", ["m" * 250, "a <b> & 'c'", "医院" * 40])
def test_any_name_of_a_file_is_fit_for_a_folders_name(tmp_path, stem):
    name = scenarios.name_of(tmp_path / f"{stem}.toml")
    assert re.fullmatch(r"[\w.-]{1,40}", name)


def test_a_byte_order_mark_and_line_ends_of_windows_are_no_fault(tmp_path):
    file = tmp_path / "mine.toml"
    file.write_bytes(b'\xef\xbb\xbfinherits = "bull"\r\n')
    assert scenarios.load(str(file)).files[0] == file


def test_a_file_that_is_not_there_is_named_with_the_path_that_was_tried(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    [fault] = faults_of(scenarios.load, "none.toml")
    assert str(tmp_path / "none.toml") in fault


def test_every_fault_of_a_scenarios_file_is_counted_and_has_a_line_of_its_own(tmp_path):
    file = write(tmp_path, "mine", 'weigth = 1\nmeaning = 3\n[levers.trust]\nvalue = 9\nunit = "ratio"\n')
    with pytest.raises(InputError) as caught:
        plan.request(["market_size"], scenario=[file])
    assert len(caught.value.faults) == 3
    assert str(caught.value).startswith("3 faults in the parameters")
