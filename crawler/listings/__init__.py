"""Links out of whatever an outlet publishes by: one reader for each kind, bytes in and a `Listing` out.    [pure]

A reader never raises, and is bounded for hostile input: in size, in tags, in depth, in links.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from html import unescape
from typing import Any, NamedTuple
from urllib.parse import unquote, urlsplit

from archive.models import Link
from crawler.charset import printable
from crawler.urls import resolved

LINKS_MAX = 1000  # of one page of a listing, in its order; a longer one is a dump, not news
NESTS_MAX = 200_000  # objects and lists of one JSON listing; each takes fifty times its length in memory
LONG_TAG = re.compile(rb"<(?!!)[^<>]{65536}")  # parsers take hours over one of 100,000 attributes
_TAGS = re.compile(r"<[^>]*>")
_FILE = re.compile(r"\.(jpe?g|png|gif|webp|svg|ico|css|js|json|xml|rss|pdf|zip|mp[34]|m3u8|docx?|xlsx?)$", re.I)
_NO_ARTICLE = re.compile(
    r"^/(tags?|topics?|categor(y|ies)|authors?|writers?|search|login|register|subscribe|contact(-?us)?|"
    r"about(-?us)?|privacy(-?policy)?|terms|rss|feeds?|page|wp-(admin|login|content|json)|cdn-cgi|"
    r"وسم|تصنيف|كاتب|اتصل-بنا|من-نحن|سياسة-الخصوصية)(/|$|\.)",
    re.I,
)
HEADLINE_WORDS = 4  # fewer words in a link are a menu's, unless the address itself names an article


@dataclass(frozen=True, slots=True)
class Listing:
    """What one page of a listing says: its links in order, each address once; or the `problem` with reading it."""

    links: tuple[Link, ...] = ()
    problem: str | None = None
    more: tuple[str, ...] = ()  # further pages of the same listing to read in this visit, the most promising first
    mark: str | None = None  # how far it was read, in the site's own terms; given back at the next visit


class Scope(NamedTuple):
    """Which links of a page are articles, as an operator says it: patterns searched for in the decoded path.

    A query belongs to the path here, since on some sites it is all that tells articles apart.
    """

    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()

    def admits(self, url: str) -> bool | None:
        """Whether a link is an article; None where it is not said.

        >>> Scope(exclude=("^/رياضة/",)).admits("https://example.org/%D8%B1%D9%8A%D8%A7%D8%B6%D8%A9/1")
        False
        """
        parts = urlsplit(url)
        path = unquote(f"{parts.path}?{parts.query}" if parts.query else parts.path)
        if any(re.search(pattern, path) for pattern in self.exclude):
            return False
        return any(re.search(pattern, path) for pattern in self.include) if self.include else None


def plain(markup: str | None) -> str | None:
    """Text of a title: some listings escape their markup twice, or cut it in the middle of a character."""
    text = " ".join(printable(unescape(_TAGS.sub(" ", unescape(markup or "")))).split())
    return text[:1000] or None


def read_json(body: bytes) -> Any:
    """The value of a JSON document. Raises ValueError for what is none, or would fill the memory."""
    if body.count(b"{") + body.count(b"[") > NESTS_MAX:
        raise ValueError(f"it has more than {NESTS_MAX} objects and lists")
    try:
        return json.loads(body)
    except RecursionError as error:
        raise ValueError("it is nested too deep") from error


def read_date(text: str | None) -> str | None:
    """A listing's date as precise as it is written, or None.

    >>> read_date("Wed, 21 Jan 2026 10:00:00 +0300"), read_date("2026-01-21"), read_date("2026-01-21T10:00:00Z")
    ('2026-01-21T10:00:00+03:00', '2026-01-21', '2026-01-21T10:00:00+00:00')
    >>> read_date("2026-W04-3"), read_date("أمس")
    ('2026-01-21', None)
    """
    text = (text or "").strip()
    for read in (datetime.fromisoformat, parsedate_to_datetime):
        try:
            found = read(text)
        except (ValueError, TypeError, IndexError, OverflowError):
            continue
        if not 1990 <= found.year <= 2100 or len(text) < 10:
            return None
        return found.isoformat(timespec="seconds") if ":" in text else found.date().isoformat()
    return None


def once(links: Iterable[Link]) -> tuple[Link, ...]:
    """Each address once, in order; what one listing says of it in several places is put together."""
    found: dict[str, Link] = {}
    for link in links:
        old = found.get(link.url)
        if old is None and len(found) >= LINKS_MAX:
            break
        old = old or link
        said = {name: getattr(old, name) or getattr(link, name) for name in Link.__slots__}
        title = max(old.title or "", link.title or "", key=len) or None
        found[link.url] = Link(**said | {"title": title})
    return tuple(found.values())


def pages(named: Iterable[str], url: str) -> tuple[str, ...]:
    """Addresses of further pages that a listing at `url` names, as far as they are any."""
    return tuple(page for address in named if (page := resolved(address, url)))


def may_be_article(url: str) -> bool:
    """Whether nothing in an address says that it is no article's.

    >>> may_be_article("https://example.org/tag/syria"), may_be_article("https://example.org/")
    (False, False)
    """
    parts = urlsplit(url)
    path = unquote(parts.path)
    return not ((path == "/" and not parts.query) or _FILE.search(path) or _NO_ARTICLE.match(path))


def is_article(url: str, title: str) -> bool:
    """Whether an address and the words of its link look like an article's.

    >>> is_article("https://example.org/tag/syria", "كل أخبار سوريا اليوم هنا")
    False
    >>> is_article("https://example.org/?p=81234", "")
    True
    """
    if not may_be_article(url):
        return False
    parts = urlsplit(url)
    path = unquote(parts.path)
    slug = max(path.split("/"), key=len)
    numbered = re.search(r"\d{4,}", path + "?" + parts.query) is not None
    return len(title.split()) >= HEADLINE_WORDS or numbered or slug.count("-") + slug.count("_") >= 3
