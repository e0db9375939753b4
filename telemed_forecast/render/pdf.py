"""A report's page as a PDF: tagged (PDF/UA), with contents, bookmarks and a running header, everything folded open.

It is set from the same HTML as the page on a screen, with `templates/paper.css` added. WeasyPrint draws it with Pango,
which comes from the system, and with the system's fonts, which are embedded.
"""

from __future__ import annotations

import hashlib
import logging
import re

from markupsafe import Markup

from telemed_forecast.names import Language
from telemed_forecast.render.charts.style import FONTS
from telemed_forecast.render.html import environment
from telemed_forecast.render.page import Page
from telemed_forecast.render.texts import catalogue
from telemed_forecast.render.views import known

PAPER_FONTS = (
    "'Noto Sans CJK SC', 'Noto Sans SC', 'Source Han Sans SC', 'PingFang SC', 'Microsoft YaHei', "
    "'Liberation Sans', Arial, sans-serif"
)
"""One family for both languages where the system has one, so that Chinese names sit well in English text."""

_DESCRIBED = re.compile(r"</title><desc[^>]*>(.*?)</desc>", re.DOTALL)
"""Title and description of a chart: WeasyPrint takes the title alone as text alternative."""


def pdf_name(name: str, lang: Language) -> str:
    """File name of a page as PDF: English ones have no mark."""
    return f"{name}.pdf" if lang == "en" else f"{name}.{lang}.pdf"


def missing() -> str:
    """Why no PDF can be drawn here, in one line; empty when it can."""
    try:
        import weasyprint  # noqa: F401
    except OSError:  # the shared library is looked for when it is imported
        return (
            "no PDF is made: the system has no Pango library (Debian: libpango-1.0-0 libpangoft2-1.0-0, "
            "macOS: brew install pango); everything else is"
        )
    return ""


def pdf(text: str, shown: Page, lang: Language) -> bytes:
    """The PDF of a page.

    Parameters
    ----------
    text
        The page as HTML.
    shown
        What stands on it: its record says what the running header does.
    lang : {"en", "zh"}
        Language.

    Returns
    -------
    The same bytes for the same page, fonts and versions of WeasyPrint and Pango.
    """
    import weasyprint

    # Its hints on style rules that only screens need are nobody's business.
    logging.getLogger("weasyprint").setLevel(logging.CRITICAL)
    sheet = environment().get_template("paper.css").render(**_running(shown, lang), fonts=Markup(PAPER_FONTS))  # noqa: S704
    paper = text.replace(FONTS, PAPER_FONTS).replace("</head>", f"<style>{sheet}</style>\n</head>", 1)
    paper = _DESCRIBED.sub(r" – \1</title>", paper)
    identifier = hashlib.sha256(paper.encode()).hexdigest()[:32].encode()
    made = weasyprint.HTML(string=paper).write_pdf(pdf_variant="pdf/ua-1", pdf_identifier=identifier)
    return bytes(made)


def _running(shown: Page, lang: Language) -> dict[str, Markup]:
    """What every sheet says, as CSS strings: the report, and the data's cut-off with the version."""
    texts, version = catalogue(lang), shown.made.get("version", {}).get("telemed-forecast")
    facts = [f"{name} {text}" for name, text in known(shown, texts)[:1]]
    facts += [f"telemed-forecast {version}"] if version else []
    told = {"title": texts.text(f"report.{shown.report}.title"), "facts": " · ".join(facts)}
    return {name: _css_string(text) for name, text in told.items()}


def _css_string(text: str) -> Markup:
    """Everything but letters, digits and spaces as code points, so that nothing ends the string or the style."""
    return Markup('"' + re.sub(r"[^\w ]", lambda found: f"\\{ord(found[0]):06x}", text) + '"')  # noqa: S704
