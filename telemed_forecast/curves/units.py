"""Units of a series of the user's own: which ones are known, and what bounds them.

A known unit is a word of a small vocabulary, or is built from such words in one of the ways below. Capital letters,
spaces and hyphens make no difference (``million people`` is ``million_people``).

==============================  =============================================  ==========
form                            examples                                       bound
==============================  =============================================  ==========
nothing                         (empty)                                        none
percentage                      percent, %, percent_of_population              100
part of one                     share, fraction, share_of_sales                1
amount                          persons, million_people, CNY_million, TWh      none
amount of a kind                active_users, tonnes_of_steel                  none
amount per number or amount     per_100_people, consultations_per_day,         none
                                services_per_1000_beneficiaries
==============================  =============================================  ==========

Per 100 people is no percentage: there are more mobile subscriptions than people.
"""

from __future__ import annotations

import re
from difflib import get_close_matches
from functools import lru_cache

MEASURES = (
    "penetration",
    "share",
    "share_of_sales",
    "share_of_stock",
    "stock",
    "stock_per_100",
    "stock_per_100000",
    "surge",
)
"""What a series of the user's own may say that it measures. Some of them choose a prior, so that a mistyped one would
change the forecast without a word."""

_PERCENT = re.compile(r"(?:percent|percentage|pct|per_cent|%)(?!_points?$)(?:_\w+)?")
_PART = re.compile(r"(?:share|fraction|proportion)(?:_\w+)?")
_NUMBER = r"(?:\d+|capita|hundred|thousand|million|billion)"
_PER_NUMBER = re.compile(rf"(?:[^\W\d]\w*_)?per_{_NUMBER}(?:_\w+)?")
_PER_PEOPLE = re.compile(
    r"(?:^|_)per_(\d+|capita|hundred|thousand|million)(?:$|_(?:people|persons|population|inhabitants|residents|households|adults)$)"
)
_CHINESE = re.compile(r"[千万亿]*(?:[人户家次元台件个所张辆例单名]|美元|人次|人民币)|[千万亿]+")

_SCALES = frozenset(
    "hundred hundreds thousand thousands k million millions mn billion billions bn trillion trillions tn".split()
)

_PEOPLE = """
    people persons population residents citizens inhabitants adults children women men patients users subscribers
    customers consumers members visitors viewers readers listeners students pupils workers employees farmers drivers
    passengers travellers tourists beneficiaries enrollees enrolments adopters buyers shoppers sellers merchants
    physicians doctors nurses pharmacists therapists dentists specialists providers practitioners clinicians staff
    teachers households families homes respondents cases deaths births participants players followers heads
"""
_THINGS = """
    units items pieces devices machines computers pcs phones smartphones telephones handsets tablets televisions tvs
    radios refrigerators appliances meters sensors cameras robots servers routers lines connections subscriptions
    contracts accounts licences licenses cards wallets policies plans apps applications downloads installations
    installs registrations sites websites domains hosts nodes stations chargers terminals towers turbines panels
    vehicles cars buses trucks vans motorcycles scooters bicycles bikes trains aircraft ships hospitals clinics
    practices departments wards beds pharmacies institutions organisations organizations companies enterprises firms
    businesses startups shops stores outlets restaurants branches offices factories plants farms schools universities
    libraries platforms projects programmes programs products models services cities towns villages
    counties provinces regions states countries districts
    patents papers articles publications books titles songs videos games tickets rooms dwellings houses buildings
    equivalents
"""
_EVENTS = """
    visits consultations appointments encounters attendances admissions discharges referrals procedures operations
    surgeries tests scans screenings doses vaccinations prescriptions claims settlements episodes calls messages
    texts emails questions answers searches views clicks plays pushes streams sessions logins orders purchases sales
    transactions payments transfers deliveries shipments parcels packages meals trips rides journeys flights bookings
    reservations nights stays loans deposits donations incidents accidents events counts number numbers times
"""
_MEASURES = """
    ratio multiple index score points rating
    seconds minutes hours days weeks months quarters years person_hours person_years
    w kw mw gw tw watts kilowatts megawatts gigawatts terawatts
    j kj mj gj tj pj ej wh kwh mwh gwh twh pwh toe ktoe mtoe btu mmbtu joules calories kcal
    g kg mg ug t kt gt grams kilograms tonnes tons mt pounds lb oz ounces
    mm cm m km metres meters kilometres kilometers miles feet inches
    m2 km2 ha hectares acres square_metres square_meters square_kilometres square_kilometers
    m3 l ml hl litres liters gallons barrels bbl cubic_metres cubic_meters teu
    tonne_km passenger_km vehicle_km passenger_kilometres
    bit bits bytes kb mb gb tb pb eb zb bps kbps mbps gbps hz khz mhz ghz
    co2 co2e tco2 tco2e ktco2 mtco2 gtco2 celsius kelvin degrees
    volt volts ampere amperes pascal bar mol
"""
_MONEY = """
    cny rmb yuan usd us$ dollars dollar eur euros euro gbp jpy yen krw won hkd twd sgd inr rupees idr
    myr thb vnd php aud nzd cad chf sek nok dkk pln czk huf ron rub try ils sar aed egp zar ngn kes brl mxn ars clp cop
    pen $ € £ ¥
"""
_NOUNS = frozenset(f"{_PEOPLE} {_THINGS} {_EVENTS}".split())
_WORDS = _NOUNS | frozenset(f"{_MEASURES} {_MONEY}".split())
_IRREGULAR = {"person": "persons", "child": "children", "man": "men", "woman": "women", "foot": "feet"}


@lru_cache(maxsize=4096)
def bound(unit: str) -> float | None:
    """The largest value that the unit allows; None when nothing bounds it.

    Parameters
    ----------
    unit
        A known unit; of an unknown one nothing is known.
    """
    name = _plain(unit)
    if _PERCENT.fullmatch(name):
        return 100.0
    return 1.0 if _PART.fullmatch(name) else None


@lru_cache(maxsize=4096)
def scale(unit: str) -> float | None:
    """What the unit counts as all of something: 100 for a percentage and for per 100 people; None where nothing is.

    A bound cannot be passed; a scale can (there are more mobile subscriptions than people). What is counted per 1,000
    people or more is counted so because few have it or few are needed: the number says nothing of where it ends.

    Parameters
    ----------
    unit
        A known unit.
    """
    name = _plain(unit)
    per_people = _PER_PEOPLE.search(name)
    if per_people is None:
        return bound(unit)
    people = {"capita": 1.0, "hundred": 1e2, "thousand": 1e3, "million": 1e6}.get(per_people[1]) or float(per_people[1])
    return people if people <= 100.0 else None


@lru_cache(maxsize=4096)
def known(unit: str) -> bool:
    """Whether the unit is empty, or a word of the vocabulary, or built from such words."""
    name = _plain(unit)
    if not name or bound(unit) is not None or name in ("percentage_point", "percentage_points"):
        return True
    return bool(_PER_NUMBER.fullmatch(name) or _CHINESE.fullmatch(name)) or all(map(_amount, name.split("_per_")))


def nearest(unit: str) -> str:
    """A hint such as ``; did you mean 'persons'?``, or an empty string when no known unit is near."""
    name = _plain(unit)
    # One word of several may be the mistyped one.
    words = name.split("_")
    mended = [next(iter(get_close_matches(word, sorted(_WORDS), n=1, cutoff=0.75)), word) for word in words]
    if len(words) > 1 and mended != words and known("_".join(mended)):
        return f"; did you mean {'_'.join(mended)!r}?"
    usual = ["percent", "percent_of_population", "percent_of_households", "share", "fraction", "per_100_people"]
    found = get_close_matches(name, [*usual, *sorted(_WORDS)], n=1, cutoff=0.6)
    return f"; did you mean {found[0]!r}?" if found else ""


def _plain(unit: str) -> str:
    return re.sub(r"[\s\-_()]+", "_", unit.lower().replace("/", " per ")).strip("_")


def _amount(name: str) -> bool:
    """Whether a name is a word of the vocabulary, with scales and years around it and, for a noun, its kind before."""
    words = name.split("_of_")[0].split("_")
    while words and (words[0] in _SCALES or words[0].isdigit()):
        words = words[1:]
    while words and (words[-1] in _SCALES or words[-1].isdigit()):
        words = words[:-1]
    if not words:
        return bool(name)  # "million" alone: of what, nobody needs to know
    last = _plural(words[-1])
    if len(words) == 1:
        return last in _WORDS
    kind = all(word.isalpha() or word.isdigit() for word in words[:-1])
    return kind and (last in _NOUNS or (len(last) >= 3 and last in _WORDS))


def _plural(word: str) -> str:
    """The vocabulary's form of a word in the singular (``company`` is ``companies``), else the word."""
    if word in _WORDS:
        return word
    forms = (_IRREGULAR.get(word, ""), f"{word}s", f"{word}es", f"{word.removesuffix('y')}ies")
    return next((form for form in forms if form in _WORDS), word)
