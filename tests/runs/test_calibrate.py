"""The command that calibrates: what is asked is checked first, and verdicts decide how it ends."""

import numpy as np
import pytest

from telemed_forecast import cli
from telemed_forecast.errors import InputError
from telemed_forecast.evaluation import calibration, calibration_record
from telemed_forecast.evaluation.calibration import Ranks
from telemed_forecast.forecast.markets import MARKETS
from telemed_forecast.runs import calibrate

pytestmark = pytest.mark.unit


@pytest.fixture
def ranked(monkeypatch):
    """Simulations whose ranks are given: nothing is compiled or fitted."""
    places = np.random.default_rng(0).uniform(size=(50, 2))
    given = {"places": places}
    monkeypatch.setattr(calibration, "compile_for", lambda problem: None)
    monkeypatch.setattr(calibration, "ranks", lambda *_, **__: Ranks(("rate", "figures"), given["places"]))
    return given


def test_every_model_can_be_calibrated():
    assert tuple(MARKETS) == calibration.MODELS


def test_every_fault_is_named_before_anything_is_compiled(tmp_path):
    file = tmp_path / "file"
    file.write_text("")
    with pytest.raises(InputError) as caught:
        calibrate.make(calibrate.Request(models=["market_sise"], simulations=3, out=file))
    said = " ".join(map(str, caught.value.faults))
    assert 'did you mean "market_size"' in said and "allowed 20 to 10000" in said and "is not a folder" in said


def test_the_command_puts_on_record_and_ends_well_when_chance_explains_the_ranks(ranked, tmp_path, capsys):
    assert cli.main(["calibrate", "--model", "channel_share", "--out", str(tmp_path)]) == 0
    assert "channel_share: 2 of 2 quantities calibrated, 50 simulations" in capsys.readouterr().out
    record = calibration_record.read(tmp_path)["channel_share"]
    assert np.abs(record.ranks.places - ranked["places"]).max() < 1e-4


def test_the_command_ends_with_one_when_a_quantity_is_not_calibrated(ranked, tmp_path, capsys):
    ranked["places"] = ranked["places"] ** 3
    assert cli.main(["calibrate", "--model", "channel_share", "--out", str(tmp_path)]) == 1
    assert "channel_share: figures" in capsys.readouterr().err


def test_a_small_number_of_simulations_does_not_replace_the_shipped_record(ranked, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(calibration_record, "FOLDER", tmp_path / "shipped")
    asked = ["calibrate", "--model", "channel_share", "--simulations"]
    assert cli.main([*asked, "199"]) == 2
    assert "would replace the shipped record" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
    assert cli.main([*asked, "200"]) == 0
    assert cli.main([*asked, "20", "--out", str(tmp_path / "mine")]) == 0


def test_a_model_that_nobody_knows_ends_with_two(capsys):
    assert cli.main(["calibrate", "--model", "hospitals"]) == 2
    assert "hospitals" in capsys.readouterr().err
