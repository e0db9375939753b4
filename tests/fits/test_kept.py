"""What took long to make is made once, as long as nothing that it is made of changes."""

import numpy as np
import pytest

from telemed_forecast import paths
from telemed_forecast.fits.kept import kept

pytestmark = pytest.mark.unit


@pytest.fixture
def ask(tmp_path, monkeypatch):
    """Ask for arrays and count how often they had to be made."""
    monkeypatch.setattr(paths, "CACHE", tmp_path)
    made = []

    def make():
        made.append(1)
        return {"a": np.arange(3.0), "b": np.zeros((0, 4))}

    def asked(*made_of):
        found = kept("thing", made_of, make)
        np.testing.assert_array_equal(found["a"], np.arange(3.0))
        assert found["b"].shape == (0, 4)
        return len(made)

    return asked


def test_the_same_question_is_answered_from_the_store(ask):
    assert [ask("x", np.ones(2)), ask("x", np.ones(2))] == [1, 1]


def test_parts_that_read_the_same_in_a_row_are_told_apart(ask):
    assert [ask(1, 23), ask(12, 3)] == [1, 2]


@pytest.mark.parametrize("other", [("y", np.ones(2)), ("x", np.ones(3)), ("x", np.zeros(2)), ("x", np.ones(2, int))])
def test_another_question_is_not(ask, other):
    assert [ask("x", np.ones(2)), ask(*other)] == [1, 2]


@pytest.mark.parametrize(
    "damage", [lambda data: data[: len(data) // 2], lambda data: b"", lambda data: b"PK" + data[9:]]
)
def test_a_damaged_file_is_made_anew(ask, tmp_path, damage):
    ask("x")
    [file] = (tmp_path / "fits").iterdir()
    file.write_bytes(damage(file.read_bytes()))
    assert [ask("x"), ask("x")] == [2, 2]
    assert [file.name for file in (tmp_path / "fits").iterdir()] == [file.name]


def test_one_flipped_byte_of_a_draw_is_noticed(ask, tmp_path):
    ask("x")
    [file] = (tmp_path / "fits").iterdir()
    data = bytearray(file.read_bytes())
    data[data.index(np.float64(2.0).tobytes())] ^= 1
    file.write_bytes(bytes(data))
    assert ask("x") == 2
