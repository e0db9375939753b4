"""axe-core finds nothing to mend on a page: both languages, light and dark, on a phone and on a desk."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import made_up_page
import pytest
from test_browser import DESK, PHONE, PRESENT, REQUIRED, Browser

from telemed_forecast.render.html import PageLinks, page
from telemed_forecast.render.site import index

AXE = "axe-core@4.14.1"
"""From npm, for this test alone."""
CACHE = Path(__file__).parents[2] / ".cache" / "axe"
NPM = shutil.which("npm")

MOST_STOPS = 80
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
RUN = """
const done = arguments[arguments.length - 1];
axe.run(document, {runOnly: {type: 'tag', values: arguments[0]}}).then(found => done(
    found.violations.map(one => one.id + ': ' + one.nodes.slice(0, 3).map(node => node.html.slice(0, 90)))));
"""
STOPS = """
return [...document.querySelectorAll('a[href], summary, [tabindex="0"], button, input, select')]
    .filter(e => e.getClientRects().length && e.checkVisibility()).length;
"""

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.skipif(not PRESENT and not REQUIRED, reason="no Chromium and driver on this machine"),
    pytest.mark.skipif(NPM is None and not REQUIRED, reason="no npm on this machine, which axe-core comes from"),
]


@pytest.fixture(scope="module")
def axe() -> str:
    """The script, fetched once and kept in the cache."""
    script = CACHE / "node_modules" / "axe-core" / "axe.min.js"
    if not script.exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        asked = [str(NPM), "install", "--ignore-scripts", "--no-audit", "--no-fund", "--no-save", AXE]
        made = subprocess.run(asked, cwd=CACHE, capture_output=True, text=True, timeout=300)
        if not script.exists():
            if REQUIRED:
                pytest.fail(made.stderr)
            pytest.skip(f"npm cannot fetch {AXE} here")
    return script.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def browser(tmp_path_factory) -> Iterator[Browser]:
    opened = Browser(tmp_path_factory.mktemp("profile"))
    opened.driver.set_script_timeout(120)
    yield opened
    opened.driver.quit()


@pytest.fixture(scope="module")
def pages(tmp_path_factory) -> dict[str, Path]:
    """Pages by name; `TELEMED_PAGES` names a folder of others, such as those of a finished run."""
    if given := os.environ.get("TELEMED_PAGES"):
        return {file.stem: file for file in sorted(Path(given).glob("*.html")) if "explorer" not in file.stem}
    folder, made = tmp_path_factory.mktemp("pages"), {}
    for lang in ("en", "zh"):
        links = PageLinks(index="index.html", other=f"{'zh' if lang == 'en' else 'en'}.html", data="data")
        texts = {
            lang: page(made_up_page.page(made_up_page.file()), lang, links),
            f"{lang}_directional": page(made_up_page.page(ok=False), lang, links),
            f"{lang}_index": index([], lang),
        }
        for name, text in texts.items():
            made[name] = folder / f"{name}.html"
            made[name].write_text(text, encoding="utf-8")
    return made


def faults(browser: Browser, script: str) -> list[str]:
    """What axe finds on the open page, everything folded open."""
    browser.ask("document.querySelectorAll('details').forEach(e => e.open = true)")
    browser.ask(script)
    return browser.driver.execute_async_script(RUN, TAGS)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])
def test_axe_finds_nothing(browser, axe, pages, size, scheme):
    found = {}
    for name, file in pages.items():
        browser.open(file, size, scheme)
        found[name] = faults(browser, axe)
    assert found == {name: [] for name in pages}


def test_axe_finds_a_picture_without_a_name(browser, axe, tmp_path):
    file = tmp_path / "nameless.html"
    file.write_text(
        '<!doctype html><html lang="en"><title>x</title><main><h1>x</h1><svg role="img"></svg></main></html>'
    )
    browser.open(file, DESK)
    assert any(one.startswith("svg-img-alt") for one in faults(browser, axe))


def test_a_page_is_walked_through_with_few_stops(browser, pages):
    for name, file in pages.items():
        if "TELEMED_PAGES" not in os.environ or name.startswith("executive_summary"):
            browser.open(file, DESK)
            assert browser.ask(STOPS) < MOST_STOPS, name


def test_a_citation_unfolds_its_source(browser, pages):
    browser.open(next(iter(pages.values())), DESK)
    assert not browser.ask("return document.querySelector('.endnotes').open")
    browser.ask("location.hash = '#source-2'")
    assert browser.ask("return document.querySelector('.endnotes').open")


def test_a_chart_tells_its_values_where_a_reader_points(browser, pages):
    from selenium.webdriver.common.action_chains import ActionChains
    from selenium.webdriver.support.ui import WebDriverWait

    browser.open(next(iter(pages.values())), DESK)
    place = browser.driver.find_element("css selector", ".wide [data-tip]")
    browser.ask("arguments[0].scrollIntoView({block: 'center'})", place)
    ActionChains(browser.driver).move_to_element(place).perform()
    # The pointer's move comes to the page when the browser finds the time for it.
    said = "return document.querySelector('.tip').textContent"
    WebDriverWait(browser.driver, 10).until(lambda _: browser.ask(said) == place.get_attribute("data-tip"))
    assert browser.driver.find_element("css selector", ".tip").is_displayed()


def test_only_tables_that_scroll_say_so_and_stop_the_tab_key(browser, pages):
    for size in (PHONE, DESK):
        browser.open(next(iter(pages.values())), size)
        browser.ask("document.querySelectorAll('details').forEach(e => e.open = true)")
        browser.ask("window.dispatchEvent(new Event('resize'))")
        told = browser.ask(
            "return [...document.querySelectorAll('.scroll')].filter(e => e.clientWidth).map(e =>"
            " [e.scrollWidth > e.clientWidth + 1, e.classList.contains('scrolls'), e.tabIndex === 0])"
        )
        assert told and all(wide == says == stops for wide, says, stops in told)
