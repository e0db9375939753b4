"""The shipped record of calibration: of the present models, whole, and without a surprise."""

import json

import numpy as np
import pytest

from telemed_forecast.errors import TelemedError
from telemed_forecast.evaluation import calibration, calibration_record
from telemed_forecast.evaluation.calibration import Ranks
from telemed_forecast.paths import PACKAGE

pytestmark = pytest.mark.unit


@pytest.fixture
def written(tmp_path):
    """A folder with a made-up record of every model."""
    rng = np.random.default_rng(0)
    for name in calibration.MODELS:
        ranks = Ranks(("a", "b"), rng.uniform(size=(30, 2)), 3, 4)
        made = calibration_record.made_now(ranks, calibration.spec(name), as_of="2026-11-21", seed=1)
        calibration_record.write({name: made}, tmp_path)
    return tmp_path


def test_the_shipped_record_is_of_the_present_models():
    stale = calibration_record.stale()
    command = "telemed-forecast calibrate " + " ".join(f"--model {name}" for name in stale)
    assert not stale, f"these models changed since they were calibrated: run `{command}`"


def test_every_model_is_calibrated_on_record():
    shipped = calibration_record.read()
    assert list(shipped) == list(calibration.MODELS)
    for name, record in shipped.items():
        assert len(record.ranks.places) >= 200, name
        assert calibration.worst(record.ranks).calibrated, name


def test_what_is_written_is_read_again(written):
    found = calibration_record.read(written)
    assert list(found) == list(calibration.MODELS)
    for record in found.values():
        assert record.ranks.quantities == ("a", "b") and record.ranks.places.shape == (30, 2)
        assert (record.ranks.repeated, record.ranks.divergences) == (3, 4)


def test_a_model_whose_source_or_prior_changed_is_stale(written, monkeypatch):
    assert calibration_record.stale(written) == []
    files = calibration_record.sources.files

    def changed(module):
        extra = [PACKAGE / "py.typed"] if module.endswith(".channel_share") else []
        return [*files(module), *extra]

    monkeypatch.setattr(calibration_record.sources, "files", changed)
    assert calibration_record.stale(written) == ["channel_share"]
    monkeypatch.setattr(calibration_record, "PRIORS", calibration_record.FOLDER)
    assert calibration_record.stale(written) == list(calibration.MODELS)


def test_a_model_that_is_not_on_record_is_stale(tmp_path):
    assert calibration_record.stale(tmp_path) == list(calibration.MODELS)


def test_a_table_that_lost_a_row_is_refused(written):
    table = written / "market_size.csv"
    table.write_text("\n".join(table.read_text().splitlines()[:-1]) + "\n")
    with pytest.raises(TelemedError, match=r"market_size\.csv does not belong to .*calibration\.json"):
        calibration_record.read(written)


@pytest.mark.parametrize("told", [None, "other"])
def test_a_table_of_the_same_shape_that_was_put_on_record_another_time_is_refused(written, told):
    file = written / calibration_record.FILE
    listed = json.loads(file.read_text())
    if told:
        listed["channel_share"]["table"] = listed["market_size"]["table"]
    else:
        del listed["channel_share"]["table"]
    file.write_text(json.dumps(listed))
    with pytest.raises(TelemedError, match=r"channel_share\.csv does not belong"):
        calibration_record.read(written)
