"""The one road from the bytes of a page to a judgement. Runs inside the worker; pure but for trafilatura.

An import of files, a re-judging of captures and a crawl all come through here.
"""

from __future__ import annotations

import re
from dataclasses import replace
from html import escape
from typing import Any
from urllib.parse import urlsplit

from archive.furniture import fold, is_prose
from archive.learned import clear
from archive.models import RENDERED, Article, Judgement, Link, Page
from archive.rules import RuleSet
from archive.times import later
from archive.topics import judge
from archive.versions import FEED, is_stump
from crawler.charset import charset_of, content_type, decode
from crawler.extract import extract, extract_text, tree_of
from crawler.kind import ERROR, OTHER

_TAG = re.compile(r"<[^<>]*>")
_WORDS = "//body//text()[normalize-space()][not(ancestor::script or ancestor::style or ancestor::noscript)]"
_BARRED = "//input[@type='password']|//meta[@name='robots' or @name='ROBOTS'][contains(@content, 'noindex')]"
_FRAME = '<meta property="og:type" content="article"><body><article><h1>{}</h1>{}</article>'


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


def from_feed(page: Page, read: Article) -> Article:
    """`read` with the text its feed carried, where the page is the article's and gave none or a stump of it: a script
    would load it, or a teaser stands in its place. It is read on the same way as a page; what tells of a missing
    article, a login or a challenge is never filled in."""
    link = page.link
    if not (link and link.content and is_stump(read.text, _TAG.sub("", link.content)) and _may_be(page, link, read)):
        return read
    title = link.title or read.title
    body = _FRAME.format(escape(title), link.content).encode("utf-8", "replace")
    told = extract(replace(page, body=body, headers=()))
    whole = any(map(is_prose, told.text.split("\n"))) and is_stump(read.text, told.text)
    if not whole or told.is_article is False:
        return read
    return replace(
        read, title=title, text=told.text, credit=told.credit or read.credit, language=told.language,
        extractor=FEED + told.extractor, is_article=told.is_article, related=told.related,
        removed=(*read.removed, *told.removed),
    )  # fmt: skip


def _may_be(page: Page, link: Link, read: Article) -> bool:
    """Whether a page may be the article's: it bears the title the feed gave, or shows not a word where it was asked."""
    tree = tree_of(page)
    shown, given, printed = [fold(text) for text in tree.xpath(_WORDS)], fold(link.title or ""), fold(read.title)
    if tree.xpath(_BARRED) or any(map(ERROR.match, [printed, *shown])):
        return False
    asked, answered = (urlsplit(url).path.rstrip("/") for url in (page.url, page.final_url))
    blank = not (shown or OTHER.match(printed)) and asked == answered
    return blank or (given != "" and f" {given} " in f" {printed} ")


def _storable(value: Any) -> Any:
    """Half a surrogate pair, which JSON can spell, is no text that could be stored or sent."""
    if isinstance(value, tuple):
        return tuple(map(_storable, value))
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) else value
