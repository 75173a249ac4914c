"""Links out of what an outlet lists: feeds (RSS, Atom, RDF) and section pages.                            [pure]"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from html import unescape
from typing import Any
from urllib.parse import unquote, urlsplit

import feedparser
from lxml import etree, html
from w3lib.encoding import html_to_unicode

from archive.models import Link
from crawler.urls import canonical, same_site

LINKS_MAX = 1000  # of one listing, in its order; a longer one is a dump, not news
TAGS_MAX = 500_000  # of one feed; feedparser reads 30,000 in a second
_LONG_TAG = re.compile(rb"<(?!!)[^<>]{65536}")  # feedparser takes hours over one of 100,000 attributes
_HALF = re.compile(rb"&#(?:x0*d[89a-f][0-9a-f]{2}|0*5(?:529[6-9]|5[3-9]\d\d|[67]\d{3}));", re.I)  # of a surrogate pair
_TAGS = re.compile(r"<[^>]*>")
CONTENT_MAX = 256 * 1024  # bytes of one article's HTML in a feed; a longer one is left to its page
_MARKUP = ("text/html", "application/xhtml+xml")
_APPENDED = re.compile(r"[>\s](?:The post|ظهرت|التدوينة|المقالة)\s.*(?:appeared first on|أول[اًُ]*\s+على)\s", re.S)
_CUT = re.compile(  # what stands at the end of an excerpt
    r"(?:…|\.\.\.|(?:continue reading|read (?:more|the (?:rest|full))|(?:متابعة|مواصلة|[اأإ]كمل|تابع) (?:ال)?قراءة|"
    r"[اأإ]?قر(?:أ|اءة) (?:ال)?مزيد).{0,160})[\s\])»”>→.]*$",
    re.I,
)


@dataclass(frozen=True, slots=True)
class Listing:
    """What a listing says: its links in order, each address once; or the `problem` that made it unreadable."""

    links: tuple[Link, ...] = ()
    problem: str | None = None


def links_from_feed(body: bytes, content_type: str, url: str) -> Listing:
    """Read a feed; `content_type` is the header as sent, `url` where it was found. Never raises."""
    if body.count(b"<") > TAGS_MAX:
        return Listing(problem=f"has more than {TAGS_MAX} tags; it is left alone")
    if _LONG_TAG.search(body):
        return Listing(problem="has a tag of more than 64 KB; it is left alone")
    headers = {"content-type": content_type, "content-location": url}
    try:
        feed: Any = feedparser.parse(_HALF.sub(b"", body), response_headers=headers, sanitize_html=False)
    except Exception as error:  # a broken feed takes feedparser through many doors
        return Listing(problem=f"is no feed that can be read: {type(error).__name__}: {error}"[:300])
    if not feed.get("version") and not feed.entries:
        return Listing(problem=f"is no feed: {feed.get('bozo_exception') or content_type or 'empty'}"[:300])
    return Listing(_once(_entries(feed, url)))


def _entries(feed: Any, url: str) -> Iterator[Link]:
    for entry in feed.entries:
        address = entry.get("link") or (entry.get("id") if str(entry.get("id", "")).startswith("http") else None)
        try:
            link = canonical(address or "", url)
        except ValueError:
            continue
        if not address or link == url:
            continue
        # In RSS and RDF, dc:date is the date of the item, and feedparser files it under `updated`.
        said = entry.get("published") or (
            entry.get("updated") if not feed.get("version", "").startswith("atom") else None
        )
        yield Link(link, _plain(entry.get("title")), _date(said), _plain(entry.get("author")), content=_whole(entry))


def _whole(entry: Any) -> str | None:
    """The HTML of an entry's article (RSS content:encoded, Atom content), where it is no excerpt of it."""
    said = (part.get("value") or "" for part in entry.get("content", ()) if part.get("type") in _MARKUP)
    text: str = max(said, key=len, default="")
    before, _, last = text.rpartition("<p")
    if _APPENDED.search(last[:4000]):  # WordPress: "The post X appeared first on Y."
        text = before
    fits = 0 < len(text.encode("utf-8", "replace")) <= CONTENT_MAX
    return text if fits and not _CUT.search(_plain(text[-1000:]) or "") else None


def _plain(markup: str | None) -> str | None:
    """Text of a title: some feeds escape their markup twice."""
    text = " ".join(unescape(_TAGS.sub(" ", unescape(markup or ""))).split())
    return text[:1000] or None


def _date(text: str | None) -> str | None:
    """A feed's date as precise as it is written, or None.

    >>> _date("Wed, 21 Jan 2026 10:00:00 +0300"), _date("2026-01-21"), _date("2026-01-21T10:00:00Z"), _date("أمس")
    ('2026-01-21T10:00:00+03:00', '2026-01-21', '2026-01-21T10:00:00+00:00', None)
    """
    text = (text or "").strip()
    for read in (datetime.fromisoformat, parsedate_to_datetime):
        try:
            found = read(text)
        except (ValueError, TypeError, IndexError, OverflowError):
            continue
        known = 1990 <= found.year <= 2100 and len(text) >= 10
        return (text if len(text) == 10 else found.isoformat(timespec="seconds")) if known else None
    return None


def _once(links: Iterable[Link]) -> tuple[Link, ...]:
    """Each address once, in order; what one listing says of it in several places is put together."""
    found: dict[str, Link] = {}
    for link in links:
        old = found.get(link.url)
        if old is None and len(found) >= LINKS_MAX:
            break
        old = old or link
        title = max(old.title or "", link.title or "", key=len) or None
        found[link.url] = Link(
            link.url, title, old.published_at or link.published_at, old.author or link.author,
            content=old.content or link.content,
        )  # fmt: skip
    return tuple(found.values())


# A form with headlines in it is no search box: some sites (ASP.NET) put one around the whole page.
_FORM = "ancestor::form[not(.//h1 or .//h2 or .//h3)]"
_FURNITURE = f"ancestor::nav or ancestor::footer or ancestor::aside or {_FORM} or ancestor::*[@role='navigation']"
_LINKS = etree.XPath(f"//a[@href][not(starts-with(@href, '#'))][not({_FURNITURE})]")
_FILE = re.compile(r"\.(jpe?g|png|gif|webp|svg|ico|css|js|json|xml|rss|pdf|zip|mp[34]|m3u8|docx?|xlsx?)$", re.I)
_NO_ARTICLE = re.compile(
    r"^/(tags?|topics?|categor(y|ies)|authors?|writers?|search|login|register|subscribe|contact(-?us)?|"
    r"about(-?us)?|privacy(-?policy)?|terms|rss|feeds?|page|wp-(admin|login|content|json)|cdn-cgi|"
    r"وسم|تصنيف|كاتب|اتصل-بنا|من-نحن|سياسة-الخصوصية)(/|$|\.)",
    re.I,
)
_HEADLINE_WORDS = 4  # fewer words in a link are a menu's, unless the address itself names an article


def links_from_section(body: bytes, content_type: str, url: str) -> Listing:
    """Articles that a section page links to: same site, not furniture, and named like an article. Never raises."""
    _, text = html_to_unicode(content_type, body)
    try:
        tree = html.document_fromstring(text)
        base = canonical(tree.xpath("string(//base/@href)") or url, url)
        home = canonical(url)
    except (etree.LxmlError, ValueError) as error:
        return Listing(problem=f"is no page with links: {error}"[:300])
    return Listing(_once(_articles(tree, base, home)))


def _articles(tree: Any, base: str, home: str) -> Iterator[Link]:
    for anchor in _LINKS(tree):
        try:
            link = canonical(anchor.get("href"), base)
        except ValueError:
            continue
        title = _plain(anchor.text_content()) or _plain(anchor.get("title"))
        if link != home and same_site(link, home) and _is_article(link, title or ""):
            yield Link(link, title if title and len(title.split()) >= _HEADLINE_WORDS else None)


def _is_article(url: str, title: str) -> bool:
    """Whether an address and the words of its link look like an article's.

    >>> _is_article("https://example.org/tag/syria", "كل أخبار سوريا اليوم هنا")
    False
    >>> _is_article("https://example.org/?p=81234", "")
    True
    """
    parts = urlsplit(url)
    path = unquote(parts.path)
    if (path == "/" and not parts.query) or _FILE.search(path) or _NO_ARTICLE.match(path):
        return False
    slug = max(path.split("/"), key=len)
    numbered = re.search(r"\d{4,}", path + "?" + parts.query) is not None
    return len(title.split()) >= _HEADLINE_WORDS or numbered or slug.count("-") + slug.count("_") >= 3
