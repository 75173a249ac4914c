"""Feeds: RSS, Atom, RDF.                                                                                  [pure]"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import feedparser

from archive.models import Link
from crawler.listings import Listing, once, plain, read_date
from crawler.urls import canonical

TAGS_MAX = 500_000  # of one feed; feedparser reads 30,000 in a second
_LONG_TAG = re.compile(rb"<(?!!)[^<>]{65536}")  # feedparser takes hours over one of 100,000 attributes
_HALF = re.compile(rb"&#(?:x0*d[89a-f][0-9a-f]{2}|0*5(?:529[6-9]|5[3-9]\d\d|[67]\d{3}));", re.I)  # of a surrogate pair
CONTENT_MAX = 256 * 1024  # bytes of one article's HTML in a feed; a longer one is left to its page
_APPENDED = re.compile(r"[>\s](?:The post|ظهرت|التدوينة|المقالة)\s.*(?:appeared first on|أول[اًُ]*\s+على)\s", re.S)
_CUT = re.compile(  # what stands at the end of an excerpt
    r"(?:…|\.\.\.|(?:continue reading|read (?:more|the (?:rest|full))|(?:متابعة|مواصلة|[اأإ]كمل|تابع) (?:ال)?قراءة|"
    r"[اأإ]?قر(?:أ|اءة) (?:ال)?مزيد).{0,160})[\s\])»”>→.]*$",
    re.I,
)


def links_from_feed(body: bytes, content_type: str, url: str) -> Listing:
    """Read a feed; `content_type` is the header as sent, `url` where it was found."""
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
    return Listing(once(_entries(feed, url)))


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
        yield Link(link, plain(entry.get("title")), read_date(said), plain(entry.get("author")), content=_whole(entry))


def _whole(entry: Any) -> str | None:
    """The HTML of an entry's article (RSS content:encoded, Atom content), where it is no excerpt of it."""
    said = (part.get("value") or "" for part in entry.get("content", ()) if "html" in str(part.get("type")))
    text: str = max(said, key=len, default="")
    before, _, last = text.rpartition("<p")
    if _APPENDED.search(last[:4000]):  # WordPress: "The post X appeared first on Y."
        text = before
    fits = 0 < len(text.encode("utf-8", "replace")) <= CONTENT_MAX
    return text if fits and not _CUT.search(plain(text[-1000:]) or "") else None
