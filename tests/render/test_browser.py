"""A page opened from a folder, as a reader opens it: on a phone, on a desk, in the dark, on paper."""

import base64
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import made_up_page
import pytest

from telemed_forecast.render.html import PageLinks, page
from telemed_forecast.render.site import index

CHROMIUM = "/usr/bin/chromium"
REQUIRED = os.environ.get("TELEMED_REQUIRE_BROWSER") == "1"
PRESENT = Path(CHROMIUM).exists() and shutil.which("chromedriver") is not None

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not PRESENT and not REQUIRED, reason="no Chromium and driver on this machine"),
]

FLAGS = (
    "--headless=new --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
).split()
PHONE, DESK = (360, 740), (1280, 900)

# Pairs of visible texts whose boxes meet by more than a pixel; elements inside one another do not count.
OVERLAPS = """
const seen = [...document.querySelectorAll(arguments[0])].map(e => [e, e.getBoundingClientRect()])
    .filter(([e, r]) => r.width > 0 && r.height > 0 && e.textContent.trim());
const found = [];
for (let i = 0; i < seen.length; i++) for (let j = i + 1; j < seen.length; j++) {
    const [a, p] = seen[i], [b, q] = seen[j];
    if (a.contains(b) || b.contains(a)) continue;
    const x = Math.min(p.right, q.right) - Math.max(p.left, q.left);
    const y = Math.min(p.bottom, q.bottom) - Math.max(p.top, q.top);
    if (x > 1 && y > arguments[1]) found.push(a.textContent + ' | ' + b.textContent);
}
return found;
"""
SMALLEST = """
const heights = [...document.querySelectorAll('svg text')].map(e => e.getBoundingClientRect().height);
return Math.min(...heights.filter(h => h > 0));
"""
CUT = """
const width = document.documentElement.clientWidth;
return [...document.querySelectorAll('svg text')].map(e => [e.textContent, e.getBoundingClientRect()])
    .filter(([t, r]) => r.width > 0 && (r.left < 0 || r.right > width)).map(([t]) => t);
"""
# Texts whose colour stands out from what is behind it by less than 4.5 : 1 (WCAG 2.2, 1.4.3).
POOR = """
const light = c => {
    const v = c.match(/[\\d.]+/g).slice(0, 3).map(x => x / 255);
    const w = v.map(x => x <= .03928 ? x / 12.92 : ((x + .055) / 1.055) ** 2.4);
    return .2126 * w[0] + .7152 * w[1] + .0722 * w[2];
};
const behind = e => {
    for (; e; e = e.parentElement) {
        const c = getComputedStyle(e).backgroundColor;
        if (!c.endsWith(', 0)')) return c;
    }
    return 'rgb(255, 255, 255)';
};
const poor = [];
const texts = 'p, a, h1, h2, h3, dt, dd, th, td, li, summary, code, .tag, .noun, .unit, .range, svg text';
for (const e of document.querySelectorAll(texts)) {
    if (!e.getClientRects().length) continue;
    const style = getComputedStyle(e), own = e.tagName === 'text' ? style.fill : style.color;
    const [a, b] = [light(own), light(behind(e))];
    const ratio = (Math.max(a, b) + .05) / (Math.min(a, b) + .05);
    if (ratio < 4.5) poor.push(e.textContent.slice(0, 30) + ' ' + ratio.toFixed(2));
}
return poor;
"""


class Browser:
    """A headless Chromium and the few things these tests ask of it."""

    def __init__(self, profile: Path) -> None:
        from selenium import webdriver
        from selenium.webdriver.chrome.service import Service

        options = webdriver.ChromeOptions()
        options.binary_location = CHROMIUM
        for flag in (*FLAGS, f"--user-data-dir={profile}"):
            options.add_argument(flag)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
        self.driver = webdriver.Chrome(options=options, service=Service(shutil.which("chromedriver")))

    def open(self, path: Path, size: tuple[int, int], scheme: str = "light") -> None:
        width, height = size
        metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
        media = {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", media)
        self.driver.get(path.as_uri())

    def ask(self, script: str, *arguments: object) -> object:
        return self.driver.execute_script(script, *arguments)


@pytest.fixture(scope="module")
def browser(tmp_path_factory) -> Iterator[Browser]:
    opened = Browser(tmp_path_factory.mktemp("profile"))
    yield opened
    opened.driver.quit()


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("reports")
    for lang in ("en", "zh"):
        links = PageLinks(index="index.html", other=f"{'zh' if lang == 'en' else 'en'}.html", data="data")
        html = page(made_up_page.page(ok=lang == "en"), lang, links)
        (path / f"{lang}.html").write_text(html, encoding="utf-8")
    (path / "index.html").write_text(index([]), encoding="utf-8")
    return path


@pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])
@pytest.mark.parametrize("lang", ["en", "zh"])
def test_a_page_fits_its_screen(browser, folder, lang, size):
    browser.open(folder / f"{lang}.html", size)
    browser.ask("document.querySelectorAll('details').forEach(e => e.open = true)")
    assert browser.ask("return document.documentElement.scrollWidth") <= size[0]
    assert browser.ask(CUT) == []
    assert browser.ask(OVERLAPS, ".card p, .card .noun, h1, h2, .meta dt, .meta dd", 1) == []


@pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])
@pytest.mark.parametrize("lang", ["en", "zh"])
def test_labels_of_charts_stay_clear_of_one_another(browser, folder, lang, size):
    browser.open(folder / f"{lang}.html", size)
    assert browser.ask(OVERLAPS, "svg text", 4) == []
    smallest = browser.ask(SMALLEST)
    assert smallest >= 10


def test_nothing_is_logged_and_nothing_is_asked_of_a_network(browser, folder):
    browser.driver.get_log("performance")
    browser.open(folder / "en.html", DESK)
    assert browser.driver.get_log("browser") == []
    events = "".join(entry["message"] for entry in browser.driver.get_log("performance"))
    assert '"url":"http' not in events


def test_details_open_and_show_their_table(browser, folder):
    browser.open(folder / "en.html", PHONE)
    summary = browser.driver.find_element("css selector", "figure details summary")
    browser.ask("arguments[0].scrollIntoView()", summary)
    summary.click()
    assert browser.driver.find_element("css selector", "figure details table").is_displayed()


def test_contents_lead_to_their_sections(browser, folder):
    browser.open(folder / "en.html", DESK)
    browser.driver.find_element("css selector", "nav.side a[href='#sources']").click()
    assert browser.driver.current_url.endswith("#sources")
    assert 0 <= browser.ask("return document.getElementById('sources').getBoundingClientRect().top") < 900


def test_text_has_contrast_in_light_and_dark(browser, folder):
    for scheme in ("light", "dark"):
        browser.open(folder / "en.html", DESK, scheme)
        assert browser.ask(POOR) == []


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_a_page_prints(browser, folder, lang):
    browser.open(folder / f"{lang}.html", DESK)
    options = {"preferCSSPageSize": True, "printBackground": True}
    pdf = base64.b64decode(browser.driver.execute_cdp_cmd("Page.printToPDF", options)["data"])
    assert pdf.startswith(b"%PDF") and len(pdf) > 20_000
    assert 3 <= pdf.count(b"/Type /Page\n") + pdf.count(b"/Type /Page ") + pdf.count(b"/Type /Page/") <= 8
