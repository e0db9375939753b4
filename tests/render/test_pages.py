"""A page is its template: it places what the notebook shows, and a name that nobody knows is an error."""

import re
from dataclasses import replace

import pytest
from jinja2 import meta
from made_reports import REPORTS, made

from telemed_forecast.exhibits.exhibit import records
from telemed_forecast.exhibits.values import Value
from telemed_forecast.forecast.context import Context
from telemed_forecast.paths import NOTEBOOKS
from telemed_forecast.render import html, pages
from telemed_forecast.render.notebook import Shown
from telemed_forecast.render.page import RECORD
from telemed_forecast.runs.parameters import validate

pytestmark = pytest.mark.unit

LANGUAGES = ("en", "zh")


@pytest.fixture(scope="module", params=REPORTS)
def report(request):
    return request.param


@pytest.fixture(scope="module")
def shown(report):
    return made(report)


def template(name, lang):
    return (pages.PAGES / f"{name}.{lang}.md").read_text(encoding="utf-8")


def asked(name, lang):
    """Numbers, exhibits and citations that a template names, included parts too."""
    text = "\n".join(
        template(one, lang) for one in (name, f"{name}_annex") if (pages.PAGES / f"{one}.{lang}.md").exists()
    )
    text += "".join(template(part, lang) for part in re.findall(r'include "(\w+)\.', text))
    tree = pages._environment(lang).parse(text)
    exhibits = set(re.findall(r"exhibits\.(\w+)", text))
    cited = sorted(re.findall(r"cite\(([^)]+)\)", text))
    return meta.find_undeclared_variables(tree) - {"exhibits", "cite", "market", "checks"}, exhibits, cited


@pytest.fixture
def written(tmp_path, monkeypatch):
    """Writes a page of a few lines from a template."""
    monkeypatch.setattr(pages, "PAGES", tmp_path)
    pages._environment.cache_clear()

    def write(text, numbers=None, **given):
        (tmp_path / "small.en.md").write_text(text, encoding="utf-8")
        (tmp_path / "small.zh.md").write_text(text, encoding="utf-8")
        return pages._text("small", Shown(numbers=numbers or {}, **given), "en")

    yield write
    pages._environment.cache_clear()


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_page_of_a_report_can_be_made(report, shown, lang):
    text = html.page(pages.page(report, shown, lang), lang)
    assert "{{" not in text and "\N{OBJECT REPLACEMENT CHARACTER}" not in text


@pytest.mark.parametrize("day", ["2019-12-31", "2020-02-10", "2021-01-31"])
def test_the_page_of_an_early_day_can_be_made_and_cites_what_was_known(report, day, monkeypatch):
    # Drawing and rivals' lines take long and know no dates; the texts and tables are what an early date may break.
    monkeypatch.setattr("telemed_forecast.render.charts.svg", lambda *_, **__: "<svg></svg>")
    monkeypatch.setattr("telemed_forecast.models.baselines.forecast", lambda *_, **__: None)
    shown = made(report, as_of=day)
    for lang in LANGUAGES:
        assert len(html.page(pages.page(report, shown, lang), lang)) > 30_000
    claims = [row["claim_id"] for row in records(shown.exhibits["sources"].frame) if row["grade"]]
    assert set(claims) <= set(Context(validate(report, {"as_of": day})).view["claim_id"])


@pytest.mark.parametrize("lang", LANGUAGES)
def test_what_an_edited_notebook_prints_stands_on_its_page_as_text_and_marked(lang):
    printed = ["growth <b>of mine</b>:\n", "  x_y * 3.2%\n\n# end \ufffbcite\ufffb"]
    shown = replace(made("user_adoption"), printed=printed)
    body, annex = pages.parts("user_adoption", shown, lang)
    text = html.page(body, lang)
    assert "growth &lt;b&gt;of mine&lt;/b&gt;:\n  x_y * 3.2%\n\n# end \ufffdcite\ufffd" in text
    long = html.page(pages.parts("user_adoption", replace(shown, printed=["x" * 40_000]), lang)[0], lang)
    assert max(map(len, re.findall("x{50,}", long))) == pages.LONGEST_LINE
    assert 'id="printed"' in text and 'id="printed"' not in html.page(annex, lang)
    assert 'id="printed"' not in html.page(pages.page("user_adoption", made("user_adoption"), lang), lang)


def test_every_page_is_below_400_kilobytes(report, shown):
    sizes = {
        (one.file, lang): len(html.page(one, lang).encode())
        for lang in LANGUAGES
        for one in pages.parts(report, shown, lang)
    }
    assert max(sizes.values()) < 400_000, sizes


def test_both_languages_place_the_same_exhibits_numbers_and_citations(report):
    assert asked(report, "en") == asked(report, "zh")


def test_every_exhibit_that_a_report_makes_is_on_its_page(report, shown):
    placed = {exhibit.name for exhibit in pages.page(report, shown, "en").exhibits}
    assert placed == shown.exhibits.keys() - {*RECORD}


def test_every_exhibit_that_a_page_may_place_has_its_cell_in_the_notebook(report):
    source = (NOTEBOOKS / f"{report}.ipynb").read_text(encoding="utf-8")
    cells = set(re.findall(r'(?:exhibits|rivals|beliefs)(?:\[|\.get\()\\"(\w+)', source))
    assert asked(report, "en")[1] <= cells
    assert made(report).exhibits.keys() - {*RECORD} <= cells


def test_every_claim_on_the_page_has_its_source_in_the_order_of_citation(report, shown):
    page = pages.page(report, shown, "en")
    assert [row["claim_id"] for row in page.rows("sources")] == list(dict.fromkeys(page.cited()))


def test_an_exhibit_that_the_notebook_does_not_show_is_an_error(report, shown):
    name = next(iter(shown.exhibits))
    without = replace(shown, exhibits={k: one for k, one in shown.exhibits.items() if k != name})
    with pytest.raises(pages.TemplateFault, match=rf"{report}.en.md: .*{name}"):
        pages.page(report, without, "en")


def test_a_number_is_written_with_its_unit_and_escaped(written):
    share = Value(value=40, unit="percent", low=30, high=50)
    assert written("{{ share }} | {{ share | full }}", {"share": share}).startswith("40%")
    assert written("{{ word }}", {"word": "*bold* <b>"}).startswith(r"\*bold\*")


def test_a_value_in_a_heading_stands_as_it_is(written):
    text = written("## {{ name }} {#name}\n", {"name": "A & B, 1.5 to 2"})
    [section] = pages._pieces(text, Shown())
    assert (section.text, section.anchor) == ("A & B, 1.5 to 2", "name")


def test_a_name_that_nobody_knows_is_an_error_with_the_page(written):
    with pytest.raises(pages.TemplateFault, match=r"small.en.md: 'nobody' is undefined"):
        written("{{ nobody }}")
    with pytest.raises(pages.TemplateFault, match=r"small.en.md: 'nobody' is undefined"):
        written("{{ nobody | full }}")


def test_a_number_that_is_not_known_is_an_error(written):
    with pytest.raises(pages.TemplateFault, match="neither a number nor a text: None"):
        written("{{ count }}", {"count": None})
    with pytest.raises(pages.TemplateFault, match=r"small.en.md: .* no form 'full' for None"):
        written("{{ count | full }}", {"count": None})


def test_what_may_be_missing_is_left_out(written):
    assert written("a\n{{ exhibits.no_such | default }}").strip() == "a"


def test_a_page_tells_ones_own_scenario_in_its_words_and_names_no_folder(tmp_path):
    file = tmp_path / "opening.toml"
    text = 'inherits = "bull"\nmeaning = "Quick opening."\n[levers.first_visits]\nvalue = 0.1\nunit = "per year"\n'
    event = "2026-01-31-nhcapproved-beijing-pilot-of-internet"
    file.write_text(f'{text}evidence = ["{event}"]\nreason = "The pilot is extended."\n', encoding="utf-8")
    shown = made("executive_summary", scenario=str(file))
    for lang in LANGUAGES:
        text = html.page(pages.page("executive_summary", shown, lang), lang).replace("\N{NO-BREAK SPACE}", " ")
        assert "Quick opening." in text
        assert str(tmp_path) not in text
