"""Feeds: RSS, Atom, RDF, JSON Feed.                                                                       [pure]"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import feedparser

from archive.models import Link
from crawler.charset import printable
from crawler.listings import LONG_TAG, Listing, once, pages, plain, read_date, read_json
from crawler.urls import resolved

TAGS_MAX = 500_000  # of one feed; feedparser reads 30,000 in a second
_HALF = re.compile(rb"&#(?:x0*d[89a-f][0-9a-f]{2}|0*5(?:529[6-9]|5[3-9]\d\d|[67]\d{3}));", re.I)  # of a surrogate pair
CONTENT_MAX = 256 * 1024  # bytes of one article's HTML in a feed; a longer one is left to its page
_APPENDED = re.compile(r"[>\s](?:The post|ظهرت|التدوينة|المقالة)\s.*(?:appeared first on|أول[اًُ]*\s+على)\s", re.S)
_CUT = re.compile(  # what stands at the end of an excerpt
    r"(?:…|\.\.\.|(?:continue reading|read (?:more|the (?:rest|full))|(?:متابعة|مواصلة|[اأإ]كمل|تابع) (?:ال)?قراءة|"
    r"[اأإ]?قر(?:أ|اءة) (?:ال)?مزيد).{0,160})[\s\])»”>→.]*$",
    re.I,
)


def links_from_feed(body: bytes, content_type: str, url: str) -> Listing:
    """Read a feed; `content_type` is the header as sent, `url` where it was found. `more` leads to older entries."""
    if body.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{"):
        return _json(body, url)
    if body.count(b"<") > TAGS_MAX:
        return Listing(problem=f"has more than {TAGS_MAX} tags; it is left alone")
    if LONG_TAG.search(body):
        return Listing(problem="has a tag of more than 64 KB; it is left alone")
    headers = {"content-type": content_type, "content-location": url}
    try:
        feed: Any = feedparser.parse(_HALF.sub(b"", body), response_headers=headers, sanitize_html=False)
    except Exception as error:  # a broken feed takes feedparser through many doors
        return Listing(problem=f"is no feed that can be read: {type(error).__name__}: {error}"[:300])
    if not feed.get("version") and not feed.entries:
        return Listing(problem=f"is no feed: {feed.get('bozo_exception') or content_type or 'empty'}"[:300])
    return Listing(once(_entries(feed, url)), more=_older(feed, url) if feed.entries else ())


def _older(feed: Any, url: str) -> tuple[str, ...]:
    """The next page of a feed that names one, or that WordPress made: it pages any feed and says so nowhere."""
    if named := [link["href"] for link in feed.feed.get("links", ()) if link.get("rel") == "next" and link.get("href")]:
        return pages(named, url)
    if "wordpress" not in str(feed.feed.get("generator", "")).lower():
        return ()
    parts = urlsplit(url)
    query = dict(parse_qsl(parts.query, keep_blank_values=True))
    page = int(query["paged"]) if re.fullmatch(r"\d{1,4}", query.get("paged", "")) else 1
    return pages([urlunsplit(parts._replace(query=urlencode({**query, "paged": page + 1})))], url)


def _json(body: bytes, url: str) -> Listing:
    try:
        feed = read_json(body)
        items = [item for item in feed["items"] if isinstance(item, dict)]
        if "jsonfeed" not in str(feed.get("version")):
            raise ValueError("it names no version of JSON Feed")
    except (ValueError, KeyError, TypeError) as error:
        return Listing(problem=f"is no JSON feed: {type(error).__name__}: {error}"[:300])
    older = [feed["next_url"]] if isinstance(feed.get("next_url"), str) and items else []
    return Listing(once(_items(items, url)), more=pages(older, url))


def _items(items: list[dict[str, Any]], url: str) -> Iterator[Link]:
    for item in items:
        said = {key: value for key, value in item.items() if isinstance(value, str)}
        link = resolved(said.get("url") or said.get("external_url") or said.get("id"), url)
        if link is None or link == url:
            continue
        authors = item["authors"] if isinstance(item.get("authors"), list) else [item.get("author")]
        names = [str(author["name"]) for author in authors if isinstance(author, dict) and author.get("name")]
        dates = read_date(said.get("date_published")), read_date(said.get("date_modified"))
        yield Link(
            link,
            plain(said.get("title")),
            dates[0],
            plain("، ".join(names)),
            dates[1],
            _whole(said.get("content_html", "")),
        )


def _entries(feed: Any, url: str) -> Iterator[Link]:
    for entry in feed.entries:
        address = entry.get("link") or (entry.get("id") if str(entry.get("id", "")).startswith("http") else None)
        link = resolved(address, url)
        if link is None or link == url:
            continue
        # In RSS and RDF, dc:date is the date of the item, and feedparser files it under `updated`.
        published, updated = dict.get(entry, "published"), dict.get(entry, "updated")
        if not published and not feed.get("version", "").startswith("atom"):
            published, updated = updated, None
        said = (part.get("value") or "" for part in entry.get("content", ()) if "html" in str(part.get("type")))
        yield Link(
            link, plain(entry.get("title")), read_date(published), plain(entry.get("author")), read_date(updated),
            _whole(max(said, key=len, default="")),
        )  # fmt: skip


def _whole(text: str) -> str | None:
    """The HTML of an article (RSS content:encoded, Atom content, JSON content_html), where it is no excerpt of it."""
    text = printable(text)
    before, _, last = text.rpartition("<p")
    if _APPENDED.search(last[:4000]):  # WordPress: "The post X appeared first on Y."
        text = before
    fits = 0 < len(text.encode()) <= CONTENT_MAX
    return text if fits and not _CUT.search(plain(text[-1000:]) or "") else None
