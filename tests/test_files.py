"""Files are written whole or not at all."""

import pytest

from telemed_forecast import files

pytestmark = pytest.mark.unit


def test_a_file_is_replaced_with_the_folders_it_needs(tmp_path):
    file = tmp_path / "new" / "a.txt"
    for content, written in (("é\n", b"\xc3\xa9\n"), (b"\x00", b"\x00")):
        assert files.write(file, content).read_bytes() == written
    assert list(file.parent.iterdir()) == [file]


def test_a_failure_leaves_the_old_file_and_nothing_else(tmp_path):
    file = files.write(tmp_path / "a.txt", "old")
    with pytest.raises(RuntimeError), files.replaced(file) as part:
        part.write_text("half")
        raise RuntimeError
    assert file.read_text() == "old"
    assert list(tmp_path.iterdir()) == [file]
