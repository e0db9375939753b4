"""The page about growth: its examples run, and the constants that it argues are those of the code."""

import re

import pytest

from telemed_forecast.curves import hypotheses, innovations, learn_growth
from telemed_forecast.curves.learn_growth import FAR, LAWS, NEAR, WEIGHTS
from telemed_forecast.paths import ROOT

pytestmark = pytest.mark.unit

PAGE = ROOT / "docs" / "growth.md"


def page():
    return PAGE.read_text(encoding="utf-8")


def rows(heading):
    """Cells of the first table below a heading, without its head."""
    section = page().split(f"## {heading}\n")[1].split("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def numbers(text):
    return [float(number) for number in re.findall(r"-?\d+(?:\.\d+)?", text)]


def of_kinds(name):
    return [getattr(LAWS[kind], name) for kind in ("penetration", "share", "any")]


CONSTANTS = {
    "power of the likelihood": [learn_growth.POWER],
    "theta, shape of the law": sorted(set(of_kinds("theta"))),
    "persistence of a rate's deviation": sorted(set(of_kinds("persistence"))),
    "floor of the shocks' scale": sorted(set(of_kinds("floor"))),
    "elasticity of the scale": sorted(set(of_kinds("elasticity"))),
    "nu, tails of the shocks": sorted(set(of_kinds("nu"))),
    "skew of a technology": [min(learn_growth.SKEWS), max(learn_growth.SKEWS)],
    "skew of a kind": of_kinds("skew"),
    "cap on expected growth": of_kinds("max_growth"),
    "offset, part of the largest value": [innovations.OFFSET],
    "negligible start, part of the last value": [innovations.NEGLIGIBLE],
    "least room for a carried shock": [innovations.MIN_ROOM],
    "deepest fall past a ceiling": [innovations.DEEPEST],
    "weight of near": [WEIGHTS["new"]["near"], WEIGHTS["known"]["near"]],
    "near, far: log of log(ceiling / level)": [*NEAR, *FAR],
    "factor on a new technology's covariance": [learn_growth.UNSURE],
    "weight of the other kind in a new technology's mean": [learn_growth.OTHER_KIND],
    "longest part of a curve that is learned from": [learn_growth.LONGEST],
    "reached: log of log(ceiling / level)": [*hypotheses.REACHED],
    "weight of reached": [hypotheses.REACHED_WEIGHT],
    "part of figures carried forward": [*innovations.CARRIED],
    "finest step of the print, part of the largest value": [innovations.FINEST],
    "step of a series that never moved, part of its level": [innovations.STILL],
    "draws": [hypotheses.DRAWS],
    "steps for periods without a measurement": [hypotheses.WAITING],
    "part of the draws that the mean takes at its edge": [hypotheses.OUTERMOST],
}


def test_the_examples_run():
    examples = re.findall(r"```python\n(.*?)```", page(), flags=re.DOTALL)
    assert len(examples) >= 2
    names = {}
    for example in examples:
        exec(compile(example, str(PAGE), "exec"), names)


def test_every_constant_has_its_value_and_an_argument():
    found = {name: (value, why) for name, value, why in rows("The constants")}
    assert found.keys() == CONSTANTS.keys()
    for name, (value, why) in found.items():
        assert numbers(value) == CONSTANTS[name], name
        assert why, name


def test_the_weights_of_the_hypotheses_are_those_of_the_code():
    for name, _, *cells in rows("The hypotheses"):
        own = [WEIGHTS[key].get(name) for key in ("known", "new", "without_scale")]
        assert [numbers(cell)[0] if cell else None for cell in cells] == own, name
