"""The one road from the bytes of a page to a judgement. Runs inside the worker; pure but for trafilatura.

An import of files, a re-judging of captures and a crawl all come through here.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from archive.learned import clear
from archive.models import RENDERED, Article, Judgement, Page
from archive.rules import RuleSet
from archive.times import later
from archive.topics import judge
from crawler.charset import charset_of, content_type, decode
from crawler.extract import extract, extract_text
from crawler.fallback import from_feed


def process(page: Page, rules: RuleSet) -> tuple[Article, Judgement]:
    """Read a page and judge it by its title and text alone. Raises ExtractionError for what cannot be read."""
    if content_type(page) == "text/plain":
        text = decode(page.body, charset_of(page))
        article = extract_text(text, at=page.at, timezone=page.timezone, outlet=page.outlet_name)
    else:
        article = from_feed(page, extract(page))
    if page.link:
        listed = page.link.published_at
        if listed and listed[:10] > later(page.at, 86400)[:10]:  # a date to come is an event's, no publication's
            listed = None
        article = replace(
            article,
            title=article.title or page.link.title or "",
            author=article.author or page.link.author,
            published_at=article.published_at or listed,
            published_source=article.published_source or ("feed" if listed else None),
        )
    if any(name == RENDERED for name, _ in page.headers):
        article = replace(article, extractor=f"{article.extractor}+chromium")
    article = clear(article, page.furniture)
    article = Article(**{name: _storable(getattr(article, name)) for name in Article.__slots__})
    return article, judge(rules, article.title, article.text)


def _storable(value: Any) -> Any:
    """Half a surrogate pair, which JSON can spell, is no text that could be stored or sent."""
    if isinstance(value, tuple):
        return tuple(map(_storable, value))
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) else value
