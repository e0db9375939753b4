"""The explorer in a real browser: its numbers are Python's for the same draws, and follow what a reader moves."""

import csv
import io
import json
import re
import time
from unittest import mock

import numpy as np
import pytest
from made_reports import explored
from test_browser import CUT, DESK, PHONE, POOR, PRESENT, REQUIRED, Browser

from telemed_forecast import scenarios
from telemed_forecast.evaluation.scenario_effects import shared_out
from telemed_forecast.exhibits.explorer import unpacked
from telemed_forecast.models import adoption, internet_hospitals, later_waves, market_size
from telemed_forecast.render import explorer
from telemed_forecast.render.page import Page

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.skipif(not PRESENT and not REQUIRED, reason="no Chromium and driver on this machine"),
]


class Given:
    """Stands for the generator of a projection: hands out the shocks that the page carries, column by column."""

    def __init__(self, *shocks):
        self.waiting = [column for block in shocks for column in block.T]

    def standard_t(self, nu, size):
        return self.waiting.pop(0) if self.waiting else np.zeros(size)


@pytest.fixture(scope="module")
def kept():
    return explored()


@pytest.fixture(scope="module")
def columns(kept):
    return unpacked(kept.frame)


def posterior(p, *processes):
    """A posterior of the page's columns, under the models' names."""
    found = {}
    for name in processes:
        for key in ("rate", "innovation", "sigma"):
            found[f"{name}_{key}"] = np.exp(p[f"{name}_log_{key}"][:, 0])
        for key in ("theta", "rho"):
            found[f"{name}_{key}"] = p[f"{name}_{key}"][:, 0]
        found[f"{name}_log_level"], found[f"{name}_deviation"] = p[f"{name}_level"], p[f"{name}_deviation"]
    return found


def users_in(p, scenario, horizon):
    """Users at the ends of the half-years ahead, by the model's own projection."""
    found = posterior(p, "internet", "usage") | {
        "internet_logit_ceiling": np.full(len(p["logit_ceiling"]), 30.0),
        "usage_logit_ceiling": p["logit_ceiling"][:, 0],
        "surge_logit_kept": p["logit_kept"][:, 0],
        "surge_half_life": np.exp(p["log_half_life"][:, 0]),
        "surge_gained": p["gained"],
        "survey_noise": np.zeros(len(p["logit_ceiling"])),
    }
    steps = p["internet_ceiling"].shape[1]
    data = {"grid": p["grid"][0, :1], "wave": p["wave"][0]}
    with (
        mock.patch.object(later_waves, "arrivals", lambda **_: p["later_at"]),
        mock.patch.object(later_waves, "gained", lambda *_, **__: p["later_gained"]),
    ):
        made = adoption.project(
            found,
            data,
            log_population_ahead=_broadcastable(p["internet_ceiling"]),
            rng=Given(p["internet_shock"], p["usage_shock"]),
            kept_odds=scenario["retention"],
            ceiling_odds=scenario["insurance"],
            usage_pace=scenario["trust"],
        )
    ends = p["grid"][0, 1:]
    return {round(end) - 1: made["users"][:, 1 + k] for k, end in enumerate(ends) if k < steps and end == round(end)}


class _broadcastable(np.ndarray):
    """Ceilings of each draw where the projection takes those of everybody: they have a row a draw already."""

    def __new__(cls, values):
        return np.asarray(values).view(cls)

    def __len__(self):
        return self.shape[-1]

    def __getitem__(self, key):
        if key == (None, slice(None)):
            return np.asarray(self)
        return np.asarray(self)[:, key]


def numbers(columns, facts, scenario):
    """The headline numbers of a scenario at the horizon: draws by quantity."""
    p, horizon = columns["market_size"], facts["horizon"]
    people = users_in(columns["user_adoption"], scenario, horizon)
    base = users_in(columns["user_adoption"], scenarios.load("base"), horizon)
    years = range(facts["last_year"] + 1, horizon + 1)
    size = len(p["other_services"])
    found = posterior(p, "pharmacy", "consultation") | {
        # The ceilings as they stand: all of the sales given, and a distance from the last level.
        "pharmacy_logit_ceiling": np.full(size, 700.0),
        "consultation_distance": p["consultation_ceiling"][:, 0] - p["consultation_level"][:, -1],
        "other_services": p["other_services"][:, 0],
    }
    ceilings = p["pharmacy_ceiling"]
    made = market_size.project(
        found,
        {},
        log_medicine_ahead=np.concatenate([ceilings, ceilings[:, -1:]], axis=1),
        rng=Given(p["pharmacy_shock"], p["consultation_shock"]),
        price_growth=scenario["price"],
        encounters_growth=scenario["first_visits"],
        payers_growth=scenario["payers"],
        drug_pace=scenario["prescription_drugs"],
        users_factor=np.array([np.median(people[y]) / np.median(base[y]) for y in years]),
    )
    return {
        **{name: values[:, -1] for name, values in made.items()},
        "users": people[horizon],
        "hospitals": hospitals_in(columns["internet_hospitals"], scenario)[horizon],
    }


def hospitals_in(p, scenario):
    from telemed_forecast.models.growth import Growth
    from telemed_forecast.models.priors import growth_prior

    prior = growth_prior(internet_hospitals.CLASS)
    levels = [
        Growth(prior, internet_hospitals.STEP, p[f"{name}_ceiling"], p["policy"]).ahead(
            name, posterior(p, name), Given(p[f"{name}_shock"]), pace=scenario["licensing"]
        )
        for name in internet_hospitals.SPONSORS
    ]
    both = np.exp(np.logaddexp(*levels))
    return {round(end) - 1: both[:, 1 + k] for k, end in enumerate(p["grid"][0, 1:]) if end == round(end)}


@pytest.fixture(scope="module")
def page(kept, tmp_path_factory):
    file = tmp_path_factory.mktemp("run") / "explorer.html"
    text = explorer.explorer(Page("executive_summary", [], (), {"explorer": kept}), ("en", "zh"), "2026-11-29-base")
    file.write_text(text, encoding="utf-8")
    return file


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    opened = Browser(tmp_path_factory.mktemp("profile"))
    opened.driver.set_page_load_timeout(120)
    opened.driver.set_script_timeout(120)
    yield opened
    opened.driver.quit()


def opened(browser, page, state="", size=DESK, scheme="light"):
    """The page in a state of its address, loaded anew."""
    browser.driver.get("about:blank")
    target = mock.Mock(as_uri=lambda: page.as_uri() + state)
    browser.open(target, size, scheme)
    settle(browser)


def settle(browser):
    """Wait until what was moved is drawn."""
    browser.driver.execute_async_script(
        "const done = arguments[0]; requestAnimationFrame(() => requestAnimationFrame(() => done()))"
    )


ROWS = """
return [...document.querySelectorAll('#by-scenario tbody tr')].map(row =>
    [row.dataset.scenario, ...[...row.querySelectorAll('td')].map(cell => cell.dataset.value)]);
"""


def shown_numbers(browser):
    """Medians and ends of the table of scenarios: scenario -> size, users, hospitals -> (low, middle, high)."""
    found = {}
    for name, *cells in browser.ask(ROWS):
        pairs = zip(("size", "users", "hospitals"), cells[::2], cells[1::2], strict=True)
        found[name] = {
            q: tuple(float(x) for x in (*ends.split()[:1], middle, *ends.split()[1:])) for q, middle, ends in pairs
        }
    return found


def _between(middle, both):
    low, high = both.split()
    return low, middle, high


def ends(draws):
    return tuple(np.quantile(draws, [0.1, 0.5, 0.9]))


@pytest.mark.parametrize("definition", ["healthcare", "services", "consultation", "pharmacy"])
def test_the_shipped_scenarios_are_python_s_for_the_same_draws(browser, page, kept, columns, definition):
    opened(browser, page, f"#definition={definition}")
    shown, python = shown_numbers(browser), {}
    for name in scenarios.COMPARED:
        python[name] = numbers(columns, kept.facts, scenarios.load(name))
        for quantity, own in (("size", definition), ("users", "users"), ("hospitals", "hospitals")):
            np.testing.assert_allclose(shown[name][quantity], ends(python[name][own]), rtol=1e-9)
    apart = np.stack([python[name][definition] for name in scenarios.COMPARED])
    chosen = shared_out(list(scenarios.weights().values()), apart.shape[1])
    mixed = apart[chosen, np.arange(apart.shape[1])]
    np.testing.assert_allclose(shown["mixture"]["size"], ends(mixed), rtol=1e-9)


def test_draws_written_in_sixteen_bits_give_the_report_s_numbers(browser, page, kept):
    opened(browser, page)
    shown = shown_numbers(browser)
    for row in kept.layers["report"].itertuples():
        if row.quantity != "services":
            quantity = "size" if row.quantity == "market" else row.quantity
            place = {0.1: 0, 0.5: 1, 0.9: 2}[row.level]
            assert shown[row.scenario][quantity][place] == pytest.approx(row.value, rel=1e-3)


def move(browser, lever, stops):
    """Move a lever by keys, as a reader without a mouse does."""
    from selenium.webdriver.common.keys import Keys

    slider = browser.driver.find_element("id", f"lever-{lever}")
    slider.send_keys((Keys.ARROW_RIGHT if stops > 0 else Keys.ARROW_LEFT) * abs(stops))
    settle(browser)
    settle(browser)


def drawn(browser):
    return browser.ask("return ['#fan .band80', '#bridge svg'].map(q => document.querySelector(q).outerHTML)")


def test_a_slider_moves_fan_interval_and_bridge_and_says_where_evidence_ends(browser, page, columns, kept):
    opened(browser, page)
    before, interval = drawn(browser), browser.ask("return document.getElementById('size-range').textContent")
    move(browser, "trust", 3)
    assert all(a != b for a, b in zip(before, drawn(browser), strict=True))
    assert browser.ask("return document.getElementById('size-range').textContent") != interval
    assert browser.ask("return document.getElementById('beyond-trust').textContent") == ""
    value = float(re.search(r"trust=([\d.]+)", browser.driver.current_url)[1])
    moved = scenarios.load("base")
    levers = dict(moved.levers) | {"trust": scenarios.Lever(name="trust", unit="ratio", value=value)}
    python = numbers(columns, kept.facts, scenarios.replace(moved, levers=levers))
    np.testing.assert_allclose(shown_numbers(browser)["own"]["size"], ends(python["healthcare"]), rtol=1e-9)
    move(browser, "trust", 15)
    assert browser.ask("return document.getElementById('beyond-trust').textContent") == "Beyond anything observed."
    spoken = browser.ask("return document.getElementById('lever-trust').getAttribute('aria-valuetext')")
    assert "Beyond anything observed." in spoken


def test_the_state_survives_a_reload_and_a_language(browser, page):
    opened(browser, page, "#scenario=own&price=0.05&definition=services&currency=USD&prices=real")
    there = shown_numbers(browser)["own"]
    browser.driver.refresh()
    settle(browser)
    assert shown_numbers(browser)["own"] == there
    browser.driver.find_element("css selector", "[data-lang=zh]").click()
    settle(browser)
    settle(browser)
    assert browser.ask("return document.documentElement.lang") == "zh-Hans"
    assert shown_numbers(browser)["own"] == there
    assert {"lang=zh", "price=0.05", "prices=real"} <= {*browser.driver.current_url.partition("#")[2].split("&")}


def test_an_address_out_of_range_changes_nothing(browser, page):
    opened(browser, page)
    usual = shown_numbers(browser)
    opened(browser, page, "#scenario=own&price=7&trust=x&weights=0-0-0&definition=none&lang=fr")
    found = shown_numbers(browser)
    assert found.pop("own") == usual["base"] and found == usual


def test_the_export_holds_the_shown_numbers(browser, page, tmp_path):
    opened(browser, page, "#scenario=own&payers=0.06&weights=50-25-25")
    allowed = {"behavior": "allow", "downloadPath": str(tmp_path)}
    browser.driver.execute_cdp_cmd("Browser.setDownloadBehavior", allowed)
    browser.driver.find_element("id", "export").click()
    deadline = time.monotonic() + 30
    while not (files := [*tmp_path.glob("*.csv")]) and time.monotonic() < deadline:
        time.sleep(0.1)
    raw = files[0].read_bytes()
    assert raw.startswith(b"\xef\xbb\xbf")
    rows = [*csv.DictReader(io.StringIO(raw.decode("utf-8-sig")))]
    shown = shown_numbers(browser)
    at = {row["scenario"]: row for row in rows if row["quantity"] == "size_at_horizon"}
    assert set(at) == {"bear", "base", "bull", "mixture", "own"}
    for name, row in at.items():
        np.testing.assert_allclose([float(row[q]) for q in ("q10", "q50", "q90")], shown[name]["size"], rtol=1e-9)
    assert (at["own"]["payers"], at["bear"]["payers"], at["mixture"]["weight_bear"]) == ("0.06", "-0.04", "0.5")
    years = browser.ask("return [...document.querySelectorAll('#by-year tbody tr')].map(r => r.cells[1].dataset.value)")
    told = [row["q50"] for row in rows if row["quantity"] == "size"]
    np.testing.assert_allclose([float(x) for x in told], [float(x) for x in years], rtol=1e-9)
    parts = [float(row["q50"]) for row in rows if row["quantity"] == "bridge"]
    assert sum(parts[:-1]) == pytest.approx(parts[-1], rel=1e-9)


@pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])
@pytest.mark.parametrize("lang", ["en", "zh"])
def test_the_page_fits_its_screen_and_can_be_read(browser, page, lang, size):
    for scheme in ("light", "dark"):
        opened(browser, page, f"#lang={lang}&scenario=bull", size, scheme)
        assert browser.ask("return document.documentElement.scrollWidth") <= size[0]
        assert browser.ask(CUT) == []
        assert browser.ask(POOR) == []
    controls = "return [...document.querySelectorAll('button, select, input')].map(e => e.getBoundingClientRect())"
    assert all(min(box["width"], box["height"]) >= 17 for box in browser.ask(controls))


def test_every_control_and_chart_has_a_name(browser, page):
    opened(browser, page)
    nameless = """
    const named = e => e.getAttribute('aria-label') || e.textContent.trim()
        || [...(e.labels ?? [])].some(l => l.textContent.trim());
    return [...document.querySelectorAll('input, select, button, svg, [role=region]')].filter(e =>
        !named(e) && !document.getElementById(e.getAttribute('aria-labelledby'))).map(e => e.outerHTML.slice(0, 80));
    """
    assert browser.ask(nameless) == []


def test_nothing_is_logged_and_nothing_is_asked_of_a_network(browser, page):
    browser.driver.get_log("browser")
    browser.driver.get_log("performance")
    opened(browser, page)
    assert browser.driver.get_log("browser") == []
    events = "".join(entry["message"] for entry in browser.driver.get_log("performance"))
    assert '"url":"http' not in events


def test_the_page_is_small_enough_to_be_sent(page, kept):
    data = json.loads(re.search(r'id="run">(.*?)</script>', page.read_text(encoding="utf-8"), re.DOTALL)[1])
    rows = [row for row in data["columns"] if row["packed"]]
    assert len(rows) < 300  # of 2,000 draws at most: four bytes in every three of 4,000
    assert page.stat().st_size < 4_000_000
