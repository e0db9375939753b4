"""The report on a market of the user's own: in two languages, alone on its page, and inert whatever the file says."""

import csv
import html.parser

import numpy as np
import pytest

from telemed_forecast import cli, hub_format
from telemed_forecast.curves import own_market
from telemed_forecast.curves.own_series import Forecast
from telemed_forecast.render import own_market as report

pytestmark = pytest.mark.unit

HEADER = "series_id,date,value,unit,publisher,known_date,grade,url,note"


@pytest.fixture(autouse=True)
def model(monkeypatch):
    """Twice the last value, with a width: these tests ask what is written, not what is forecast."""

    def forecast(self, horizon, *, seed=0):
        spread = np.exp(hub_format.QUANTILES - 0.5)
        made = [np.tile(2 * one.values[-1] * spread, (horizon, 1)) for one in self.series]
        return [Forecast(one, q, q.mean(axis=1)) for one, q in zip(self.series, made, strict=True)]

    monkeypatch.setattr(own_market.Market, "forecast", forecast)


def file_with(tmp_path, *, name="clinics", publisher="ministry", title="Mine"):
    rows = [
        [name, str(year), str(year - 2000), "clinics", publisher, f"{year + 1}-03-01", "A", "", ""]
        for year in range(2015, 2022)
    ]
    file = tmp_path / "mine.csv"
    with file.open("w", encoding="utf-8", newline="") as text:
        csv.writer(text).writerows([HEADER.split(","), *rows])
    return file


def made(tmp_path, capsys, *options, **texts):
    out = tmp_path / "out"
    asked = ["market", str(file_with(tmp_path, **texts)), "--horizon", "2", "--out", str(out), *options]
    assert cli.main(asked) == 0, capsys.readouterr().err
    assert capsys.readouterr().out == f"{out / 'index.html'}\n"
    return {file.name: file.read_text(encoding="utf-8") for file in out.iterdir()}


class Tags(html.parser.HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.seen = set()
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.seen |= {tag, *(name for name, _ in attrs if name.startswith("on"))}


def test_a_market_is_one_command(tmp_path, capsys):
    files = made(tmp_path, capsys, "--size", "clinics", "--unit", "clinics")
    assert sorted(files) == ["evidence.csv", "forecasts.csv", "index.html", "index.zh.html"]
    assert "more certain" not in files["index.html"] and "ministry" in files["index.html"]
    assert 'lang="zh-Hans"' in files["index.zh.html"] and "已采用" in files["index.zh.html"]
    assert ">42<" in files["index.html"].replace(" ", "").replace("42.0", "42")


def test_pages_fetch_nothing(tmp_path, capsys):
    page = made(tmp_path, capsys)["index.html"]
    assert "src=" not in page and "@import" not in page and "url(http" not in page


HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "]]></style><script>",
    "../../etc/passwd",
    "a\u2028b\x85c",
    "医院 &amp; \U0001f3e5",
    "x" * 5_000,
]


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_texts_of_the_file_are_text_on_the_page(tmp_path, capsys, text):
    files = made(tmp_path, capsys, "--title", text, name=f"n{text}", publisher=text)
    for name in ("index.html", "index.zh.html"):
        seen = Tags(files[name]).seen
        assert not {"script", "img", "iframe", "object"} & seen and not {one for one in seen if one.startswith("on")}
    assert sorted(files) == ["evidence.csv", "forecasts.csv", "index.html", "index.zh.html"]


@pytest.mark.parametrize("text", ["=1+1", "@SUM(A1)", "+cmd|' /C calc'!A0", "-2+3", "＝1+1"])
def test_what_looks_like_a_formula_is_a_text_in_the_table(tmp_path, capsys, text):
    rows = list(csv.DictReader(made(tmp_path, capsys, publisher=text)["evidence.csv"].splitlines()))
    assert {row["publisher"] for row in rows} == {f"'{text}"}


def test_a_series_that_is_named_like_a_formula_is_refused(tmp_path, capsys):
    assert cli.main(["market", str(file_with(tmp_path, name="=1+1")), "--horizon", "2"]) == 2
    assert "no spreadsheet takes for a formula" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("value", "written"),
    [(0.0, "0"), (1234.5, "1,230"), (0.01234, "0.0123"), (12.0, "12.0"), (9.999e8, "1,000,000,000"), (46, "46.0")],
)
def test_numbers_have_three_digits_that_count(value, written):
    assert report.number(value) == written
