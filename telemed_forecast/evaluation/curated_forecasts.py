"""What the ledger's notes say of single published forecasts: those of another scope than ours, and when some were made.

Each entry names the row and gives the reason in a line; all of it is read off the row's own definition and note, or off
rows of the same page.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

OTHER_SCOPE: Mapping[str, str] = {
    "mofcom-iimedia-2021": "sales of the enterprises that report directly to the ministry, mostly between firms",
    "cicc-2020-ih-2020": "the row says narrower than Analysys'; its growth of 38% makes 2019 half of theirs",
    "hsbc-2018-ih-2018": "the row says narrower than Analysys'",
    "technode-2020-online-2020": "source and scope not given; 3 to 7 times all other figures of the year",
    "technode-2020-users": "user volume of a year, source not given, against users active in a month",
    "oliverwyman-2020-users": "users of a market by the end of 2020, against users active in a month",
    "askci-pharma-ecommerce-share-2022": "its base is not stated; AskCI's own size of the year makes it 60% of ours",
    "iimedia-2020-ecshare-2020": "another base: the same page has more than 10% in 2019, ours is about 5%",
}
"""Forecasts filed under a definition of ours whose stated scope is none of ours: claim -> why."""


@dataclass(frozen=True)
class Made:
    """When a forecast was made, where its source's date does not say it.

    Attributes
    ----------
    first_day
        First day on which it may have been read.
    published
        Day by which it was read; None leaves that to the ledger.
    reason
        Where that is known from.
    """

    first_day: date
    published: date | None
    reason: str


_GF = Made(date(2020, 11, 1), None, "made between 2020-11 and the results of 2020, says the row; the page has no date")

MADE: Mapping[str, Made] = {
    "fs-2024-online-consultation-market": Made(
        date(2020, 1, 1),
        date(2020, 11, 12),
        "a reprint of 2022: another row of the page says made about 2020 with base 2019, and the base of 9 bn is "
        "that of the series of chyxx-2020-oc-2020 and chyxx-2020-oc-2022, read on 2020-11-12",
    ),
    "pagd-2020-revenue-gf": _GF,
    "pagd-2021-revenue-gf": _GF,
    "pagd-2022-revenue-gf": _GF,
}
"""Forecasts that were made earlier than their source's date, or whose source has none: claim -> when."""
