"""Where a page tells no text of its own (a script would load it, or a teaser stands in its place): the feed's.  [pure]

Read on the same way as a page. What tells of a missing article, a login or a challenge is never filled in.
"""

from __future__ import annotations

import re
from dataclasses import replace
from html import escape
from urllib.parse import urlsplit

from archive.furniture import fold, is_prose
from archive.models import Article, Link, Page
from archive.versions import FEED, is_stump
from crawler.extract import extract, tree_of
from crawler.kind import ERROR, OTHER

_TAG = re.compile(r"<[^<>]*>")
_WORDS = "//body//text()[normalize-space()][not(ancestor::script or ancestor::style or ancestor::noscript)]"
_BARRED = "//input[@type='password']|//meta[@name='robots' or @name='ROBOTS'][contains(@content, 'noindex')]"
_FRAME = '<meta property="og:type" content="article"><body><article><h1>{}</h1>{}</article>'


def from_feed(page: Page, read: Article) -> Article:
    """`read` with the text its feed carried, where the page is the article's and gave none or a stump of it."""
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
