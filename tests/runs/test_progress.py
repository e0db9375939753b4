"""Progress: bars for people at a terminal, plain lines for logs."""

import io
import re

import pytest

from telemed_forecast.runs import progress
from telemed_forecast.runs.worker import Event

pytestmark = pytest.mark.unit


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self):
        return True


def follow(listener):
    """One notebook succeeds and one fails."""
    with listener:
        for name, ok in (("user_adoption", True), ("market_size", False)):
            listener.started(name)
            listener.cell(name, Event(kind="cell", cell=2, cells=4))
            listener.ended(name, 1.25, ok)


def test_a_log_gets_one_line_for_each_start_and_end():
    stream = io.StringIO()
    follow(progress.for_stream(["user_adoption", "market_size"], stream))
    assert stream.getvalue().splitlines() == [
        "user_adoption: started",
        "user_adoption: done after 1.2 s",
        "market_size: started",
        "market_size: ended after 1.2 s",
    ]


def test_a_terminal_gets_a_bar_for_each_notebook_with_its_state():
    stream = Terminal()
    follow(progress.for_stream(["user_adoption", "market_size", "executive_summary"], stream))
    final = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", stream.getvalue()).splitlines()
    assert any("user_adoption" in line and "done" in line for line in final)
    assert any("market_size" in line and "ended" in line for line in final)
    assert any("executive_summary" in line and "waiting" in line for line in final)
