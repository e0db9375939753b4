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
import os
import re
import sys
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated, Any, NamedTuple
from urllib.parse import urlencode

import numpy as np
from pydantic import BaseModel, Field, TypeAdapter, ValidationError

from telemed_forecast.curves import units
from telemed_forecast.curves.fetch import FetchError, Patience, get_json
from telemed_forecast.curves.progress import bar
from telemed_forecast.curves.series import Series
from telemed_forecast.files import write
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
    """Read indicators of all countries, from the cache where it has them: by indicator, then by name of the series.

    The address is by default TELEMED_WORLD_BANK or else the World Bank itself. With `refresh` everything is asked for
    again, whatever the cache has; what it has is replaced only by a complete answer. `progress` shows a bar on a
    terminal (stderr).
    """
    source = _Source.at(address, folder, refresh, patience)
    found: list[Series] = []
    with bar(len(indicators) + 1, sys.stderr, shown=progress) as tell:

        def told(what: str, before: int) -> Callable[[float], None]:
            return lambda part: tell(f"World Bank: {what}", before + part)

        countries = source.answer("country", _countries, told("countries", 0))
        for before, indicator in enumerate(indicators, start=1):
            curves = partial(_curves, indicator, countries)
            found += source.answer(indicator.path, curves, told(indicator.family, before))
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
    return [
        {"indicator": indicator.code, "family": indicator.family} | {name: answer[name] for name in _TOLD}
        for indicator in indicators
        if (answer := source.kept(indicator.path)) is not None
    ]


# -- curves from records


class _Named(BaseModel):
    id: str
    value: str


class _Place(BaseModel):
    """What the list of countries has: three letters, two letters, and a region that tells aggregates."""

    id: str
    iso2Code: str
    region: _Named


class _Record(BaseModel, strict=True):
    """A country and year; no value where nothing was measured."""

    country: _Named
    countryiso3code: str
    date: Annotated[str, Field(pattern=r"^\d{4}$")]
    value: Annotated[float, Field(ge=0, allow_inf_nan=False)] | None


class _About(BaseModel):
    """What a page says of itself; some numbers come as text."""

    page: int
    pages: int
    total: int
    lastupdated: str | None = None


def _shaped[T](where: str, shape: type[T], answer: Any) -> T:
    """An answer in the shape that it must have."""
    try:
        return TypeAdapter(shape).validate_python(answer)
    except ValidationError as error:
        first = error.errors()[0]
        place, seen = ".".join(map(str, first["loc"])), json.dumps(first["input"], default=str)[:120]
        raise _changed(where, f"{place}: {first['msg']}, not {seen}") from error


def _changed(where: str, what: str) -> FetchError:
    told = f"The World Bank's answer is not in the shape that this version reads: {where}: {what}."
    return FetchError(f"{told} {WITHOUT}")


def _countries(records: list[Any]) -> set[str]:
    """Codes (of three letters and of two) of what the World Bank calls a country."""
    where = "the list of countries"
    places = _shaped(where, list[_Place], records)
    own = [place for place in places if place.region.id.strip() != AGGREGATE]
    if not own or len(own) == len(places):
        what = f"aggregates (region {AGGREGATE})" if own else "countries"
        raise _changed(where, f"it has no {what}")
    return {code for place in own for code in (place.id, place.iso2Code)} - {""}


def _curves(indicator: Indicator, countries: set[str], records: list[Any]) -> list[Series]:
    """One curve a country that has enough values, from its first one above zero on."""
    where, bound = f"indicator {indicator.code}", units.bound(indicator.unit)
    points: dict[tuple[str, str], dict[int, float]] = {}
    for record in _shaped(where, list[_Record], records):
        code, name, year = record.countryiso3code or record.country.id, record.country.value.strip(), int(record.date)
        if code not in countries or record.value is None:
            continue
        if bound is not None and record.value > bound:
            raise _changed(where, f"the value {record.value:g} of {year} is no number from 0 to {bound:g}")
        own = points.setdefault((code, name), {})
        if own.setdefault(year, record.value) != record.value:
            raise _changed(where, f"{name} has two values for {year}: {own[year]:g} and {record.value:g}")
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


# -- answers, kept


_TOLD = ("url", "last_updated", "read_on")
"""What is kept beside an answer's records."""


@dataclass(frozen=True)
class _Source:
    """Where answers come from, and where they are kept."""

    address: str
    folder: Path
    refresh: bool
    patience: Patience

    @classmethod
    def at(
        cls, address: str | None, folder: Path | None, refresh: bool = False, patience: Patience | None = None
    ) -> _Source:
        place = address or os.environ.get("TELEMED_WORLD_BANK") or ADDRESS
        return cls(place.rstrip("/"), folder or CACHE / "world_bank", refresh, patience or Patience())

    def _file(self, path: str) -> Path:
        key = hashlib.sha256(f"{self.address}/{path}".encode()).hexdigest()[:12]
        return self.folder / f"{path.rsplit('/', 1)[-1]}-{key}.json"

    def kept(self, path: str) -> dict[str, Any] | None:
        """A kept answer; None when there is none or it is damaged, which is as good as none."""
        try:
            answer = json.loads(self._file(path).read_text(encoding="utf-8"))
            whole = answer["sha256"] == _checksum(answer["records"])
            return answer if whole and set(_TOLD) < set(answer) else None
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def keep(self, path: str, answer: dict[str, Any]) -> None:
        """Write an answer to the cache."""
        text = json.dumps(answer | {"sha256": _checksum(answer["records"])})
        try:
            write(self._file(path), text)
        except OSError as error:
            told = f"what was read cannot be kept ({error.strerror or error})"
            raise FetchError(f"{self.folder}: {told}. TELEMED_CACHE names another folder.") from error

    def answer[T](self, path: str, take: Callable[[list[Any]], T], told: Callable[[float], None]) -> T:
        """What is taken from the records of a request: kept ones, or all pages of the interface's answer.

        Only an answer that something can be taken from is kept, so that a bad one is not met again on the next day.
        """
        kept = self.kept(path)
        if kept is not None and not self.refresh:
            with suppress(FetchError):  # kept by an earlier version that read it in another way: as good as none
                return take(kept["records"])
        try:
            records, updated, url = _all_pages(f"{self.address}/{path}", self.patience, told)
            taken = take(records)
        except FetchError as error:
            older = " The copy read earlier is still there: leave the refresh out." if kept and self.refresh else ""
            hint = "" if WITHOUT in str(error) else f" {WITHOUT}"
            raise FetchError(f"{error}{older}{hint}") from error
        today = dt.datetime.now(dt.UTC).date().isoformat()
        self.keep(path, {"url": url, "last_updated": updated, "read_on": today, "records": records})
        return taken


def _checksum(records: Any) -> str:
    return hashlib.sha256(json.dumps(records, sort_keys=True).encode()).hexdigest()


def _all_pages(place: str, patience: Patience, told: Callable[[float], None]) -> tuple[list[Any], str, str]:
    """Records of all pages, the day they were last updated, and the address of the first page."""
    records: list[Any] = []
    first: tuple[str, _About] | None = None
    page = 1
    while first is None or page <= first[1].pages:
        url = f"{place}?" + urlencode({"format": "json", "per_page": PAGE, "page": page})
        about, found = _page(url, get_json(url, patience))
        first = first or (url, about)
        if (about.lastupdated, about.total) != (first[1].lastupdated, first[1].total):
            raise FetchError(f"{url}: the data were updated while they were read. Try again.")
        if about.page != page and found:
            raise _changed(url, f"page {page} was asked for, {about.page} came")
        records += found
        told(page / max(page, first[1].pages))
        page += 1
    url, about = first
    if not records:
        raise FetchError(f"{url}: nothing came: the interface knows no such data.")
    if len(records) != about.total:
        raise _changed(url, f"{about.total} records were announced and {len(records)} came")
    return records, about.lastupdated or "", url


def _page(url: str, answer: Any) -> tuple[_About, list[Any]]:
    """What a page says of itself, and its records; an error of the interface in its own words."""
    if isinstance(answer, list) and answer and isinstance(answer[0], dict) and "message" in answer[0]:
        told = answer[0]["message"]
        if isinstance(told, list) and all(isinstance(one, dict) for one in told):
            each = (f"{m.get('key', 'error')} ({m.get('id', '?')}): {m.get('value', '')}".rstrip(". :") for m in told)
            told = "; ".join(each)
        raise FetchError(f"{url}: the World Bank answers: {str(told)[:200]}.")
    about, records = _shaped(url, tuple[_About, list[Any] | None], answer)
    return about, records or []
