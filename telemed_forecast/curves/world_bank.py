"""The World Bank's indicators as a reference class: how four technologies spread in every country.

The public Indicators API (version 2) answers ``/country/all/indicator/<code>`` page by page. Each page is a list of
two: what the page is (`page`, `pages`, `total`, `lastupdated`) and its records, one a country and year. Mistakes are
answered with status 200 and a list of one, ``[{"message": [...]}]``. Besides countries the records name *aggregates*
(regions, income groups, the world): sums of countries, which are no curves of their own. Only ``/country`` tells which
they are: their region is ``NA``.

Which series are taken:

- countries, never aggregates, and nothing that the list of countries does not name;
- from the first year with a value above zero: a zero before it says only that nothing was there yet;
- with at least `MIN_POSITIVE` values above zero; years without a value stay gaps, nothing is filled in.

What was read is kept in ``.cache/world_bank``, one file an indicator, written whole or not at all.

References
----------
World Bank Data Help Desk, API Basic Call Structures (article 898581).
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import math
import os
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlencode

import numpy as np

from telemed_forecast.curves import units
from telemed_forecast.curves.fetch import FetchError, Patience, get_json
from telemed_forecast.curves.series import Series
from telemed_forecast.files import replaced
from telemed_forecast.paths import CACHE

ADDRESS = "https://api.worldbank.org/v2"
"""Where the interface answers; the environment variable TELEMED_WORLD_BANK names another place."""

PAGE = 5000
"""Records a page. All in one page would be 20,000: the server sometimes gives up on answers of that size."""

MIN_POSITIVE = 8
"""A country's series with fewer values above zero is left out."""

AGGREGATE = "NA"
"""Region of what is no country, in the list of countries."""

WITHOUT = "A reference class saved earlier works without the network: learn-priors CURVES.csv."


class Indicator(NamedTuple):
    """One of the World Bank's indicators (its code), and what it is called in a reference class."""

    code: str
    family: str
    technology: str
    measure: str
    unit: str

    @property
    def path(self) -> str:
        """Where the interface has it."""
        return f"country/all/indicator/{self.code}"


_STOCK = ("stock_per_100", "per_100_people")
INDICATORS = (
    Indicator(
        "IT.NET.USER.ZS", "internet_users", "individuals using the internet", "penetration", "percent_of_population"
    ),
    Indicator("IT.CEL.SETS.P2", "mobile_subscriptions", "mobile cellular subscriptions", *_STOCK),
    Indicator("IT.NET.BBND.P2", "fixed_broadband", "fixed broadband subscriptions", *_STOCK),
    Indicator("IT.MLT.MAIN.P2", "fixed_telephone", "fixed telephone subscriptions", *_STOCK),
)
"""What `learn-priors --world-bank` reads."""


def read(
    indicators: Sequence[Indicator] = INDICATORS,
    *,
    address: str | None = None,
    folder: Path | None = None,
    refresh: bool = False,
    progress: bool = True,
    patience: Patience | None = None,
) -> list[Series]:
    """Read indicators of all countries, from the cache where it has them.

    Parameters
    ----------
    indicators
        Which ones.
    address
        Where the interface answers; by default TELEMED_WORLD_BANK or else the World Bank itself.
    folder
        The cache; ``.cache/world_bank`` by default.
    refresh
        Ask for everything again, whatever the cache has; what it has is replaced only by a complete answer.
    progress
        Show a bar on a terminal (stderr).
    patience
        Timeouts and repeats.

    Returns
    -------
    list of Series
        By indicator, then by name (``internet_users__kenya``).

    Raises
    ------
    FetchError
        Offline, an error of the server, an answer in another shape, or nothing that could be taken.
    """
    source = _Source.at(address, folder)
    with _bar(len(indicators) + 1, progress) as step:
        ask = partial(_answer, source, refresh=refresh, patience=patience or Patience(), step=step)
        countries = ask("country", "countries", _countries)
        found: list[Series] = []
        for indicator in indicators:
            found += ask(indicator.path, indicator.family, partial(_curves, indicator, countries))
    if not found:
        raise FetchError(f"{source.address}: no country has {MIN_POSITIVE} values above zero. {WITHOUT}")
    return found


def provenance(
    indicators: Sequence[Indicator] = INDICATORS, *, address: str | None = None, folder: Path | None = None
) -> list[dict[str, str]]:
    """Return what is known of the copies in the cache: what `read` returns without a refresh was made from them.

    Each has indicator, family, url, last_updated (the day the World Bank names) and read_on (the day it was asked); an
    indicator that is not in the cache is missing.
    """
    source = _Source.at(address, folder)
    kept = [(indicator, source.kept(indicator.path)) for indicator in indicators]
    return [
        {"indicator": indicator.code, "family": indicator.family, **{name: answer[name] for name in _KEPT}}
        for indicator, answer in kept
        if answer is not None
    ]


# -- curves from records


def _countries(records: Iterable[Any]) -> set[str]:
    """Codes (of three letters and of two) of what the World Bank calls a country."""
    where = "the list of countries"
    places = [_fields(where, record, ("id",), ("iso2Code",), ("region", "id")) for record in records]
    countries = {code for *codes, region in places if region.strip() != AGGREGATE for code in codes}
    if not countries or all(region.strip() != AGGREGATE for *_, region in places):
        what = "countries" if not countries else f"aggregates (region {AGGREGATE})"
        raise _changed(where, f"it has no {what}")
    return countries - {""}


def _curves(indicator: Indicator, countries: set[str], records: Iterable[Any]) -> list[Series]:
    """One curve a country that has enough values, from its first one above zero on."""
    where, bound = f"indicator {indicator.code}", units.bound(indicator.unit)
    points: dict[tuple[str, str], dict[int, float]] = {}
    for record in records:
        code, name, iso3 = _fields(where, record, ("country", "id"), ("country", "value"), ("countryiso3code",))
        if (iso3 or code) not in countries:
            continue
        year, value = _point(where, record, bound)
        if value is None:
            continue
        own = points.setdefault((iso3 or code, name.strip()), {})
        if own.setdefault(year, value) != value:
            raise _changed(where, f"{name} has two values for {year}: {own[year]:g} and {value:g}")
    names = _series_ids(indicator.family, points)
    found = []
    for key, own in points.items():
        positive = [year for year, value in own.items() if value > 0]
        if len(positive) < MIN_POSITIVE:
            continue
        years = sorted(year for year in own if year >= min(positive))
        found.append(
            Series(
                series_id=names[key],
                frequency="annual",
                index=np.array(years, dtype=np.int64),
                values=np.array([own[year] for year in years]),
                unit=indicator.unit,
                measure=indicator.measure,
                reference_class=indicator.family,
                bound=bound,
                technology=indicator.technology,
                geo=key[1],
            )
        )
    return sorted(found, key=lambda one: one.series_id)


def _series_ids(family: str, countries: Iterable[tuple[str, str]]) -> dict[tuple[str, str], str]:
    """A name for the series of each country (code, name); codes where two names would read the same."""
    names = {key: _plain(key[1]) or key[0].lower() for key in countries}
    taken = list(names.values())
    return {
        key: f"{family}__{name if taken.count(name) == 1 else f'{name}_{key[0].lower()}'}"
        for key, name in names.items()
    }


def _plain(name: str) -> str:
    """A country's name in small letters without accents: Côte d'Ivoire is cote_d_ivoire."""
    letters = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "_", letters.lower()).strip("_")


def _point(where: str, record: Any, bound: float | None) -> tuple[int, float | None]:
    """Year and value of a record; None for a year that was not measured."""
    (date,) = _fields(where, record, ("date",))
    value = record.get("value")
    if not re.fullmatch(r"\d{4}", date):
        raise _changed(where, f"the date {date!r} is no year")
    if value is None:
        return int(date), None
    number = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    if not number or value < 0 or (bound is not None and value > bound):
        most = "" if bound is None else f" from 0 to {bound:g}"
        raise _changed(where, f"the value {value!r} of {date} is no number{most}")
    return int(date), float(value)


def _fields(where: str, record: Any, *paths: tuple[str, ...]) -> list[str]:
    """Texts in a record, each by the names on the way to it."""
    found = []
    for path in paths:
        value = record
        for name in path:
            value = value.get(name) if isinstance(value, dict) else None
        if not isinstance(value, str):
            raise _changed(where, f"a record has no text in {'.'.join(path)}: {json.dumps(record)[:120]}")
        found.append(value)
    return found


def _changed(where: str, what: str) -> FetchError:
    told = f"The World Bank's answer is not in the shape that this version reads: {where}: {what}."
    return FetchError(f"{told} {WITHOUT}")


# -- answers, kept

_KEPT = ("url", "last_updated", "read_on")
"""What is kept beside an answer's records."""


@dataclass(frozen=True)
class _Source:
    """Where answers come from, and where they are kept."""

    address: str
    folder: Path

    @classmethod
    def at(cls, address: str | None, folder: Path | None) -> _Source:
        place = address or os.environ.get("TELEMED_WORLD_BANK") or ADDRESS
        return cls(place.rstrip("/"), folder or CACHE / "world_bank")

    def _file(self, path: str) -> Path:
        key = hashlib.sha256(f"{self.address}/{path}".encode()).hexdigest()[:12]
        return self.folder / f"{path.rsplit('/', 1)[-1]}-{key}.json"

    def kept(self, path: str) -> dict[str, Any] | None:
        """A kept answer; None when there is none or it is damaged, which is as good as none."""
        try:
            answer = json.loads(self._file(path).read_text(encoding="utf-8"))
            whole = answer["sha256"] == _checksum(answer["records"]) and isinstance(answer["records"], list)
            return answer if whole and all(isinstance(answer[name], str) for name in _KEPT) else None
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def keep(self, path: str, answer: dict[str, Any]) -> None:
        """Write an answer to the cache."""
        text = json.dumps(answer | {"sha256": _checksum(answer["records"])})
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with replaced(self._file(path)) as part:
                part.write_text(text, encoding="utf-8")
        except OSError as error:
            told = f"what was read cannot be kept ({error.strerror or error})"
            raise FetchError(f"{self.folder}: {told}. TELEMED_CACHE names another folder.") from error


def _checksum(records: Any) -> str:
    return hashlib.sha256(json.dumps(records, sort_keys=True).encode()).hexdigest()


Step = Callable[[str, int, int], None]
"""Tells that a page of a request has come: what is asked for, page, pages."""


def _answer[T](
    source: _Source,
    path: str,
    what: str,
    take: Callable[[list[Any]], T],
    *,
    refresh: bool,
    patience: Patience,
    step: Step,
) -> T:
    """What is taken from the records of a request: kept ones, or all pages of the interface's answer.

    Only an answer that something can be taken from is kept, so that a bad one is not met again on the next day.
    """
    kept = source.kept(path)
    if kept is not None and not refresh:
        try:
            taken = take(kept["records"])
        except FetchError:
            pass  # kept by an earlier version that read it in another way: as good as none
        else:
            step(what, 1, 1)
            return taken
    try:
        records, updated, url = _all_pages(f"{source.address}/{path}", patience, partial(step, what))
        taken = take(records)
    except FetchError as error:
        older = " The copy read earlier is still there: leave the refresh out." if kept and refresh else ""
        hint = "" if WITHOUT in str(error) else f" {WITHOUT}"
        raise FetchError(f"{error}{older}{hint}") from error
    today = dt.datetime.now(dt.UTC).date().isoformat()
    source.keep(path, {"url": url, "last_updated": updated, "read_on": today, "records": records})
    return taken


def _all_pages(place: str, patience: Patience, told: Callable[[int, int], None]) -> tuple[list[Any], str, str]:
    """Records of all pages, the day they were last updated, and the address of the first page."""

    def address(page: int) -> str:
        return f"{place}?" + urlencode({"format": "json", "per_page": PAGE, "page": page})

    records: list[Any] = []
    updated, page, pages, total = "", 1, 1, 0
    while page <= pages:
        url = address(page)
        about, found = _page(url, get_json(url, patience))
        day, number = str(about.get("lastupdated") or ""), _count(url, about, "total")
        if page > 1 and (day, number) != (updated, total):
            raise FetchError(f"{url}: the data were updated while they were read. Try again.")
        pages, total, updated = _count(url, about, "pages"), number, day
        if _count(url, about, "page") != page and found:
            raise _changed(url, f"page {page} was asked for, {about['page']} came")
        records += found
        told(page, max(page, pages))
        page += 1
    if not records:
        raise FetchError(f"{address(1)}: nothing came: the interface knows no such data.")
    if len(records) != total:
        raise _changed(address(1), f"{total} records were announced and {len(records)} came")
    return records, updated, address(1)


def _page(url: str, answer: Any) -> tuple[dict[str, Any], list[Any]]:
    """What a page says of itself, and its records."""
    first = answer[0] if isinstance(answer, list) and answer else None
    if isinstance(first, dict) and "message" in first:
        raise FetchError(f"{url}: the World Bank answers: {_told(first['message'])}.")
    if not isinstance(first, dict) or len(answer) != 2 or not isinstance(answer[1], list | None):
        raise _changed(url, f"no list of a page's description and its records: {json.dumps(answer)[:120]}")
    return first, answer[1] or []


def _told(messages: Any) -> str:
    """An error of the interface in words."""
    if not isinstance(messages, list) or not all(isinstance(message, dict) for message in messages):
        return json.dumps(messages)[:200]
    parts = [f"{m.get('key', 'error')} ({m.get('id', '?')}): {m.get('value', '')}".rstrip(". :") for m in messages]
    return "; ".join(parts)


def _count(url: str, about: dict[str, Any], name: str) -> int:
    """A number of a page's description; some come as text."""
    try:
        return int(about[name])
    except (KeyError, TypeError, ValueError) as error:
        raise _changed(url, f"the page does not tell its {name}") from error


@contextmanager
def _bar(requests: int, shown: bool) -> Iterator[Step]:
    """How far the reading is, on a terminal."""
    from rich.console import Console
    from rich.progress import Progress

    console, done = Console(stderr=True), 0
    with Progress(console=console, transient=True, disable=not (shown and console.is_terminal)) as progress:
        task = progress.add_task("World Bank", total=requests)

        def step(what: str, page: int, pages: int) -> None:
            nonlocal done
            progress.update(task, description=f"World Bank: {what}", completed=done + page / pages)
            done += page == pages

        yield step
