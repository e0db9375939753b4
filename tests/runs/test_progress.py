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


def test_a_log_says_how_many_fits_a_model_took():
    stream = io.StringIO()
    with progress.for_stream(["fits of market_size"], stream) as listener:
        listener.started("fits of market_size")
        listener.cell("fits of market_size", Event(kind="cell", cell=1, cells=6, line="today"))
        listener.ended("fits of market_size", 60.0, True)
    assert stream.getvalue().splitlines()[-1] == "fits of market_size: done after 60.0 s (6 fits)"


def lines(stream):
    """What a terminal has been shown, without its codes."""
    return re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", stream.getvalue()).splitlines()


def test_a_terminal_gets_a_bar_of_notebooks_and_the_name_of_what_failed():
    stream = Terminal()
    follow(progress.for_stream(["user_adoption", "market_size", "executive_summary"], stream))
    assert re.search(r"notebooks .* 1/3 .*market_size ended", lines(stream)[-1])
    assert not any("fits" in line for line in lines(stream))


def test_a_terminal_gets_one_bar_for_the_fits_of_all_models():
    stream = Terminal()
    with progress.for_stream(["fits of user_adoption", "fits of market_size", "market_size"], stream) as listener:
        for model, cells in (("user_adoption", 3), ("market_size", 2)):
            listener.started(f"fits of {model}")
            listener.cell(f"fits of {model}", Event(kind="cell", cell=2, cells=cells, line="2021-12-31"))
        listener.ended("fits of user_adoption", 60.0, True)
    last = [line for line in lines(stream) if line.startswith("fits")][-1]
    assert re.search(r"fits .* 4/5 .*market_size 2021-12-31", last)
