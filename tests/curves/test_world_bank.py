"""The World Bank's indicators, read from a server on this machine that answers in the interface's shape.

All numbers and most countries are made up for these tests. The server can be told to be slow, busy or broken.
"""

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import pytest

from telemed_forecast.curves import fetch, reference_class, world_bank
from telemed_forecast.curves.reference_class import fingerprint
from telemed_forecast.errors import TelemedError

pytestmark = pytest.mark.unit

INTERNET, MOBILE = world_bank.INDICATORS[:2]
QUICK = fetch.Patience(attempts=3, timeout=5, pause=0)
YEARS = range(2001, 2011)

WORLD = {"id": "WLD", "iso2Code": "1W", "name": "World", "region": {"id": "NA", "value": "Aggregates"}}


def country(iso3, iso2, name):
    return {"id": iso3, "iso2Code": iso2, "name": name, "region": {"id": "XYZ", "value": "Somewhere"}}


ARCADIA, UTOPIA = country("ARC", "AR", "Arcadia"), country("UTO", "NA", "Utopía, Rep.")


def record(place, year, value, **changes):
    return {
        "indicator": {"id": INTERNET.code, "value": "a name in words"},
        "country": {"id": place["iso2Code"], "value": place["name"]},
        "countryiso3code": place["id"],
        "date": str(year),
        "value": value,
        "unit": "",
        "obs_status": "",
        "decimal": 0,
    } | changes


def rising(place, years=YEARS, factor=1.0):
    """Newest first, as the interface answers."""
    return [record(place, year, factor * (year - 2000)) for year in reversed(years)]


class Server:
    """What the interface answers, by its last part of the path; anything a list does not say is refused with 404."""

    def __init__(self):
        self.records = {"country": [WORLD, ARCADIA, UTOPIA], INTERNET.code: rising(ARCADIA)}
        self.troubles = []
        """Answered before anything else, one a request: functions of the handler."""
        self.asked = []
        self.page = 1000
        """Records a page, however many are asked for."""
        self.about = {}
        """Changes to what a page says of itself."""

    def answer(self, handler):
        self.asked.append(handler.path)
        if self.troubles:
            return self.troubles.pop(0)(handler)
        return self.say_page(handler)

    def say_page(self, handler):
        url = urlsplit(handler.path)
        query = parse_qs(url.query)
        assert query["format"] == ["json"]
        name, page = url.path.rsplit("/", 1)[-1], int(query["page"][0])
        if name not in self.records:
            return say(handler, 404, b"no such page")
        found = self.records[name]
        part = found[(page - 1) * self.page : page * self.page]
        about = {"page": page, "pages": -(-len(found) // self.page), "per_page": "1000", "total": str(len(found))}
        about |= {"lastupdated": "2026-10-01"} | self.about
        return say(handler, 200, json.dumps([about, part or None]).encode())


def say(handler, status, body, *, length=None, **headers):
    handler.send_response(status)
    for name, value in headers.items():
        handler.send_header(name.replace("_", "-"), value)
    handler.send_header("Content-Length", str(len(body) if length is None else length))
    handler.end_headers()
    handler.wfile.write(body)


def saying(status, body=b"", **more):
    return lambda handler: say(handler, status, body, **more)


def silent(handler):
    time.sleep(0.4)


def error_page(number, key, value):
    message = [{"message": [{"id": number, "key": key, "value": value}]}]
    return saying(200, json.dumps(message).encode())


HTML = b"<!DOCTYPE html><html><body>Under maintenance</body></html>"


@pytest.fixture
def server():
    told = Server()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            told.answer(self)

        def log_message(self, *_):
            pass

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    http.daemon_threads = True
    threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    told.address = f"http://127.0.0.1:{http.server_port}/v2"
    yield told
    http.shutdown()
    http.server_close()


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch):
    monkeypatch.setenv("no_proxy", "127.0.0.1")


@pytest.fixture
def read(server, tmp_path):
    def read(*indicators, patience=QUICK, **options):
        options = {"address": server.address, "folder": tmp_path / "kept", "progress": False} | options
        return world_bank.read(indicators or (INTERNET,), patience=patience, **options)

    return read


def refusal(read, **options):
    with pytest.raises(TelemedError) as refused:
        read(**options)
    return str(refused.value)


# -- what is taken


def test_a_country_becomes_a_curve_in_the_columns_of_a_reference_class(read):
    (series,) = read()
    assert (series.technology, series.geo) == ("individuals using the internet", "Arcadia")
    assert (series.series_id, series.measure, series.unit) == (
        "internet_users__arcadia",
        "penetration",
        "percent_of_population",
    )
    assert (series.frequency, series.reference_class, series.bound) == ("annual", "internet_users", 100)
    assert series.index.tolist() == list(YEARS)
    assert series.values.tolist() == list(range(1, 11))


def test_aggregates_are_left_out_whatever_code_they_are_told_by(server, read):
    server.records[INTERNET.code] += [*rising(WORLD), *(r | {"countryiso3code": ""} for r in rising(WORLD))]
    assert [curve.geo for curve in read()] == ["Arcadia"]


def test_a_country_whose_two_letters_are_the_region_of_aggregates_is_a_country(server, read):
    server.records[INTERNET.code] = [record | {"countryiso3code": ""} for record in rising(UTOPIA)]
    assert [curve.series_id for curve in read()] == ["internet_users__utopia_rep"]


def test_what_the_list_of_countries_does_not_name_is_left_out(server, read):
    server.records[INTERNET.code] += rising(country("ATL", "AT", "Atlantis"))
    assert [curve.geo for curve in read()] == ["Arcadia"]


def test_years_that_were_not_measured_are_gaps_and_zeros_before_the_start_are_dropped(server, read):
    before = [record(ARCADIA, 1998, 0), record(ARCADIA, 1999, None), record(ARCADIA, 2000, 0.0)]
    server.records[INTERNET.code] = [*before, *rising(ARCADIA)]
    server.records[INTERNET.code][5]["value"] = None
    server.records[INTERNET.code] += [record(ARCADIA, 2011, 0)]
    (curve,) = read()
    assert curve.index.tolist() == [2001, 2002, 2003, 2004, 2005, 2006, 2007, 2009, 2010, 2011]
    assert curve.values[-1] == 0


@pytest.mark.parametrize(("years", "taken"), [(8, 1), (7, 0)])
def test_a_short_series_is_left_out(server, read, years, taken):
    server.records[INTERNET.code] += [*rising(UTOPIA, range(2001, 2001 + years)), record(UTOPIA, 1990, 0)]
    assert len(read()) == 1 + taken


def test_two_countries_whose_names_read_the_same_keep_apart(server, read):
    twin = country("ARX", "AX", "ARCÁDIA")
    server.records["country"].append(twin)
    server.records[INTERNET.code] += rising(twin, factor=2)
    assert [curve.series_id for curve in read()] == [
        "internet_users__arcadia_arc",
        "internet_users__arcadia_arx",
    ]


def test_all_pages_are_read(server, read):
    server.page = 3
    server.records[INTERNET.code] += rising(UTOPIA)
    assert [len(curve.values) for curve in read()] == [10, 10]
    assert len(server.asked) == 1 + 7


def test_numbers_of_a_page_may_come_as_text(server, read):
    server.about = {"page": "1", "pages": "1"}
    assert len(read()) == 1


def test_subscriptions_may_pass_one_a_head_and_shares_may_not(server, read):
    server.records[MOBILE.code] = rising(ARCADIA, factor=14)
    assert read(MOBILE)[0].values[-1] == 140
    server.records[INTERNET.code] = rising(ARCADIA, factor=14)
    assert "140" in refusal(read)


def test_the_four_indicators_are_named_as_in_a_reference_class():
    assert [(i.code, i.family, i.measure, i.unit) for i in world_bank.INDICATORS] == [
        ("IT.NET.USER.ZS", "internet_users", "penetration", "percent_of_population"),
        ("IT.CEL.SETS.P2", "mobile_subscriptions", "stock_per_100", "per_100_people"),
        ("IT.NET.BBND.P2", "fixed_broadband", "stock_per_100", "per_100_people"),
        ("IT.MLT.MAIN.P2", "fixed_telephone", "stock_per_100", "per_100_people"),
    ]


def test_what_was_read_can_be_saved_and_read_again_as_a_reference_class(server, read, tmp_path):
    server.records[MOBILE.code] = rising(UTOPIA, factor=1 / 3)
    found = read(INTERNET, MOBILE)
    checksum = reference_class.write(tmp_path / "class.csv", found)
    assert fingerprint(reference_class.read(tmp_path / "class.csv")) == fingerprint(found) == checksum


# -- the cache


def test_what_was_read_is_not_asked_for_again_unless_it_is_to_be_refreshed(server, read, tmp_path):
    first = read()
    asked = len(server.asked)
    server.records[INTERNET.code] = rising(ARCADIA, factor=2)
    assert fingerprint(read()) == fingerprint(first)
    assert len(server.asked) == asked
    assert read(refresh=True)[0].values[-1] == 20
    assert read()[0].values[-1] == 20
    assert len(list((tmp_path / "kept").iterdir())) == 2


def test_a_failed_refresh_leaves_the_copy_and_says_so(server, read):
    first = read()
    server.troubles = [saying(503)] * 3
    assert "leave the refresh out" in refusal(read, refresh=True)
    assert fingerprint(read()) == fingerprint(first)


@pytest.mark.parametrize("damage", [lambda text: text[:-9], lambda text: text.replace("7.0", "7.5"), lambda text: "[]"])
def test_a_damaged_copy_is_read_anew(server, read, tmp_path, damage):
    first = read()
    for path in (tmp_path / "kept").glob(f"{INTERNET.code}*"):
        path.write_text(damage(path.read_text()))
    assert fingerprint(read()) == fingerprint(first)
    assert len(server.asked) == 3


def test_nothing_is_kept_of_an_answer_that_broke_off(server, read, tmp_path):
    server.page = 4
    server.troubles = [server.say_page, server.say_page, *[saying(500)] * 3]
    refusal(read)
    assert list((tmp_path / "kept").glob(f"{INTERNET.code}*")) == []


def test_an_answer_that_nothing_can_be_taken_from_is_not_kept(server, read):
    good = server.records[INTERNET.code]
    server.records[INTERNET.code] = [record(ARCADIA, 2001, "1"), *good]
    refusal(read)
    server.records[INTERNET.code] = good
    assert len(read()) == 1


def test_a_cache_that_cannot_be_written_is_told(read, tmp_path):
    (tmp_path / "file").write_text("in the way")
    assert "TELEMED_CACHE" in refusal(read, folder=tmp_path / "file" / "kept")


def test_a_terminal_sees_how_far_the_reading_is_and_a_pipe_does_not(read, monkeypatch, capsys):
    read(progress=True)
    assert capsys.readouterr() == ("", "")
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TTY_COMPATIBLE", "1")
    read(progress=True, refresh=True)
    shown = capsys.readouterr()
    assert shown.out == ""
    assert "World Bank" in shown.err


def test_where_the_copies_come_from_can_be_told(server, read, tmp_path):
    assert world_bank.provenance((INTERNET,), address=server.address, folder=tmp_path / "kept") == []
    read()
    (told,) = world_bank.provenance((INTERNET, MOBILE), address=server.address, folder=tmp_path / "kept")
    assert (told["indicator"], told["family"], told["last_updated"]) == (INTERNET.code, "internet_users", "2026-10-01")
    assert told["url"].startswith(server.address + "/country/all/indicator/IT.NET.USER.ZS?format=json")


def test_the_address_can_be_given_by_the_environment(server, read, monkeypatch):
    monkeypatch.setenv("TELEMED_WORLD_BANK", server.address + "/")
    assert len(read(address=None)) == 1


# -- troubles that pass


@pytest.mark.parametrize(
    "trouble",
    [
        saying(503),
        saying(502, HTML),
        saying(429, Retry_After="0"),
        saying(200, HTML),
        saying(200, b'[{"page": 1, "pages'),
        saying(200, b'[{"page": 1, "pages', length=5000),
        saying(200, b"\xff\xfe"),
        lambda handler: handler.connection.close(),
    ],
    ids=["503", "502", "429", "a page in HTML", "cut short", "broken off", "no text", "hung up"],
)
def test_a_trouble_that_passes_is_waited_out(server, read, trouble):
    server.troubles = [trouble, trouble]
    assert len(read()) == 1
    assert len(server.asked) == 4


def test_a_silent_server_is_asked_again_and_then_given_up(server, read):
    server.troubles = [silent, silent]
    message = refusal(read, patience=fetch.Patience(attempts=2, timeout=0.05, pause=0))
    assert "no answer within 0.05 seconds (asked 2 times)" in message
    assert "learn-priors CURVES.csv" in message


def test_the_pause_grows_and_the_server_may_ask_for_a_longer_one(server, read, monkeypatch):
    pauses = []
    monkeypatch.setattr(fetch.time, "sleep", pauses.append)
    server.troubles = [saying(503), saying(503), saying(503, Retry_After="7"), saying(503, Retry_After="9999")]
    read(patience=fetch.Patience(attempts=5, timeout=5, pause=1))
    assert pauses == [1, 2, 7, fetch.LONGEST_PAUSE]


# -- troubles that do not


def test_a_server_that_stays_busy_is_given_up_with_its_status(server, read):
    server.troubles = [saying(503)] * 3
    assert "503" in refusal(read)
    assert len(server.asked) == 3


def test_a_page_that_stays_html_is_shown_by_its_beginning(server, read):
    server.troubles = [saying(200, HTML)] * 3
    message = refusal(read)
    assert "not JSON" in message
    assert "<!DOCTYPE html>" in message


@pytest.mark.parametrize("status", [400, 403, 404])
def test_a_refusal_is_told_at_once(server, read, status):
    server.troubles = [saying(status)]
    assert str(status) in refusal(read)
    assert len(server.asked) == 1


def test_the_interface_s_own_message_is_passed_on(server, read):
    server.troubles = [error_page("120", "Invalid value", "The provided parameter value is not valid")]
    assert "Invalid value (120): The provided parameter value is not valid." in refusal(read)
    assert len(server.asked) == 1


def test_no_connection_is_told(read):
    assert "no connection" in refusal(read, address="http://127.0.0.1:9/v2")


def test_a_name_that_cannot_be_found_means_offline(read, monkeypatch):
    def unknown(*_, **__):
        raise fetch.socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(fetch.socket, "getaddrinfo", unknown)
    message = refusal(read, address="http://api.nowhere.invalid/v2")
    assert "api.nowhere.invalid cannot be found (Name or service not known). Is this machine online?" in message
    assert "learn-priors CURVES.csv" in message


def test_only_the_web_is_asked(read, tmp_path):
    assert "https://" in refusal(read, address=f"file://{tmp_path}")


@pytest.mark.parametrize(
    "change",
    [
        {"date": "2005Q1"},
        {"date": 2005},
        {"value": "5"},
        {"value": True},
        {"value": -1},
        {"country": "Arcadia"},
        {"countryiso3code": None},
        {"date": "2004"},
    ],
)
def test_a_record_of_another_shape_is_refused(server, read, change):
    server.records[INTERNET.code][5] |= change
    assert "not in the shape that this version reads" in refusal(read)


@pytest.mark.parametrize("answer", [b"{}", b"[]", b"[1, 2]", b'[{"page": 1}, {}]', b'[{"page": 1}, []]', b"null"])
def test_an_answer_of_another_shape_is_refused(server, read, answer):
    server.troubles = [saying(200, answer)]
    assert "not in the shape that this version reads" in refusal(read)


def test_records_that_were_announced_and_did_not_come_are_missed(server, read):
    server.about = {"total": 11}
    assert "11 records were announced" in refusal(read)


def test_data_that_are_updated_while_they_are_read_are_refused(server, read):
    server.page = 5

    def updated(handler):
        server.about = {"lastupdated": "2026-10-02"}
        server.say_page(handler)

    server.troubles = [server.say_page, server.say_page, updated]
    assert "updated while they were read" in refusal(read)


@pytest.mark.parametrize("places", [[WORLD], [ARCADIA, UTOPIA]], ids=["only aggregates", "no aggregates"])
def test_a_list_of_countries_that_cannot_tell_aggregates_is_refused(server, read, places):
    server.records["country"] = places
    assert "the list of countries: it has no" in refusal(read)


def test_an_indicator_without_records_is_told(server, read):
    server.records[INTERNET.code] = []
    assert "nothing came" in refusal(read)


def test_an_indicator_without_a_usable_series_is_told(server, read):
    server.records[INTERNET.code] = rising(ARCADIA, range(2001, 2004))
    assert "no country has 8 values above zero" in refusal(read)
