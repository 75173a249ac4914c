"""Sitemaps: lists of addresses in XML or plain text, news sitemaps, indexes of them, packed or not.        [pure]"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterable, Iterator, Sequence
from io import BytesIO
from typing import Any
from urllib.parse import unquote, urlsplit

from lxml import etree

from archive.models import Link
from archive.times import instant
from crawler.charset import decode
from crawler.listings import LINKS_MAX, LONG_TAG, Listing, Scope, may_be_article, once, plain, read_date
from crawler.listings.feeds import links_from_feed
from crawler.urls import resolved

UNPACKED_MAX = 25_000_000  # bytes
REFERENCES_MAX = 500_000  # to characters and entities; each takes twenty times its length in memory
ENTRIES_MAX = 50_000  # of one sitemap, as the protocol has it
_FEEDS = ("rss", "feed", "RDF")
_OTHER = re.compile(r"(^|[/_-])(categor(y|ies)|tags?|authors?|users|taxonomies)([\d._-]|$)", re.I)  # lists no articles


def links_from_sitemap(
    body: bytes, content_type: str, url: str, mark: str | None = None, scope: Scope = Scope()  # noqa: B008
) -> Listing:  # fmt: skip
    """Articles of a sitemap, the newest first. Of an index, `more` are its children: at first contact (`mark` None)
    all, then those modified since, and the newest of each series, since a lastmod may be missing or never move.

    A feed in place of a sitemap is read as one. `mark`: the newest lastmod of the index at the visit before.
    """
    try:
        body = _unpacked(body)
        if not body.lstrip().startswith(b"<"):
            return _text(body, url, scope)
        kind, entries = _xml(body)
    except (ValueError, zlib.error, etree.LxmlError) as error:
        return Listing(problem=f"is no sitemap that can be read: {error}"[:300])
    if kind in _FEEDS:
        return links_from_feed(body, content_type, url)
    if kind == "sitemapindex":
        return _children(entries, url, mark)
    if kind != "urlset":
        return Listing(problem=f"is no sitemap: it is made of {kind[:100]!r}")
    return Listing(once(_articles(_newest(entries), url, scope)))


def _unpacked(body: bytes) -> bytes:
    """The content of a file packed with gzip, and anything else as it is. Raises ValueError for what is too large."""
    if not body.startswith(b"\x1f\x8b"):
        return body
    content = zlib.decompressobj(31).decompress(body, UNPACKED_MAX + 1)
    if len(content) > UNPACKED_MAX:
        raise ValueError(f"unpacked it has more than {UNPACKED_MAX // 1_000_000} MB")
    return content


def _xml(body: bytes) -> tuple[str, list[dict[str, str]]]:
    """The name of the outermost element, and of each entry its loc, lastmod, title and publication_date."""
    if LONG_TAG.search(body) or body.count(b"&") > REFERENCES_MAX:
        raise ValueError(f"it has a tag of more than 64 KB, or more than {REFERENCES_MAX} references")
    body = decode(body).lstrip("\ufeff \t\r\n").encode("utf-8", "replace")
    options = {"resolve_entities": False, "no_network": True, "load_dtd": False, "huge_tree": False, "recover": True}
    kind, entries = "", list[dict[str, str]]()
    for event, element in etree.iterparse(BytesIO(body), events=("start", "end"), encoding="utf-8", **options):
        name = _name(element)
        if not kind:
            kind = name
            if kind not in ("urlset", "sitemapindex"):
                break
        if event == "end" and name in ("url", "sitemap"):
            entries.append(_entry(element))
            element.clear()
            while element.getprevious() is not None:
                del element.getparent()[0]
            if len(entries) >= ENTRIES_MAX:
                break
    return kind, entries


def _name(element: Any) -> str:
    return element.tag.rpartition("}")[2] if isinstance(element.tag, str) else ""


def _entry(element: Any) -> dict[str, str]:
    own = {_name(child): child.text or "" for child in element}  # of an image, loc and title stand deeper
    news = (part for child in element if _name(child) == "news" for part in child)
    return {name: own.get(name, "").strip() for name in ("loc", "lastmod")} | {_name(n): n.text or "" for n in news}


def _articles(entries: Iterable[dict[str, str]], url: str, scope: Scope) -> Iterator[Link]:
    for entry in entries:
        if (link := resolved(entry["loc"], url)) is None:
            continue
        title, admitted = plain(entry.get("title")), scope.admits(link)
        if bool(title) or may_be_article(link) if admitted is None else admitted:
            published, modified = read_date(entry.get("publication_date")), read_date(entry.get("lastmod"))
            yield Link(link, title, published, modified_at=modified)


def _text(body: bytes, url: str, scope: Scope) -> Listing:
    lines = decode(body).splitlines()[:ENTRIES_MAX]
    entries = [
        {"loc": line.strip(), "lastmod": ""} for line in lines if line.strip().startswith(("http://", "https://"))
    ]
    if not entries:
        return Listing(problem="is no sitemap: it is neither XML nor a list of addresses")
    return Listing(once(_articles(_newest(entries), url, scope)))


def _newest(entries: Sequence[dict[str, str]]) -> Sequence[dict[str, str]]:
    """The newest entries first where dates tell; where none does, of a long list both ends, one of which grows."""
    dated = [_when(read_date(entry.get("publication_date") or entry["lastmod"])) for entry in entries]
    if any(dated):
        return [entries[at] for at in sorted(range(len(entries)), key=dated.__getitem__, reverse=True)]
    return entries if len(entries) <= LINKS_MAX else [*entries[: LINKS_MAX // 2], *entries[-LINKS_MAX // 2 :]]


def _children(entries: Iterable[dict[str, str]], url: str, mark: str | None) -> Listing:
    known: dict[str, tuple[float, list[int]]] = {}  # when a child was modified, and the numbers in its name
    newest = ""
    for entry in entries:
        if (child := resolved(entry["loc"], url)) is None:
            continue
        name = unquote(urlsplit(child).path.rpartition("/")[2] + urlsplit(child).query)
        if not _OTHER.search(name):
            modified = read_date(entry["lastmod"]) or ""
            known[child] = _when(modified), [int(number[:18]) for number in re.findall(r"\d+", name)]
            newest = max(newest, modified, key=_when)
    ordered = sorted(known, key=lambda child: known[child], reverse=True)
    if mark is not None:
        series = {re.sub(r"\d+", "", child): child for child in sorted(known, key=lambda child: known[child][1])}
        since, last = _when(mark), set(series.values())
        ordered = [child for child in ordered if known[child][0] >= since > 0 or child in last]
    return Listing(more=tuple(ordered), mark=newest)


def _when(date: str | None) -> float:
    """A date as seconds, to compare by; 0 where there is none."""
    return instant(date).timestamp() if date else 0.0
