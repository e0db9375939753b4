"""Scenarios: levers with units, ranges and evidence; inheritance; weights that sum to 1."""

import csv

import pytest

from telemed_forecast import paths, scenarios
from telemed_forecast.errors import InputError

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


def test_cited_claims_are_in_the_ledger():
    ledger = set()
    for file in paths.EVIDENCE.glob("*.csv"):
        with file.open(encoding="utf-8", newline="") as lines:
            ledger |= {row["claim_id"] for row in csv.DictReader(lines) if row.get("claim_id")}
    cited = {
        claim
        for name in scenarios.shipped()
        for lever in scenarios.load(name).levers.values()
        for claim in lever.evidence
    }
    assert cited <= ledger


def test_what_a_file_does_not_state_is_inherited(tmp_path):
    write(tmp_path, "mild", 'inherits = "bear"\nweight = 0.1\n')
    file = write(
        tmp_path,
        "milder",
        'inherits = "mild"\n[levers.retention]\nvalue = 0.9\nunit = "odds ratio"\nevidence = ["a"]\n',
    )
    loaded = scenarios.load(file)
    assert (loaded["retention"], loaded["price"]) == (0.9, scenarios.load("bear")["price"])
    assert [f.name for f in loaded.files] == ["milder.toml", "mild.toml", "bear.toml", "base.toml"]


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
    evidence = ["a"]
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
    text = f'[levers.price]\nvalue = {value}\nunit = "per year"\nevidence = ["a"]\n'
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
