"""What a home page tells of its site, and what the answer of a source means.                                [pure]"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from lxml import etree, html

from archive.alerts.excerpts import clean
from archive.models import Outcome, Page
from archive.times import instant
from crawler.charset import ARABIC, charset_of, decode
from crawler.effective import effective
from crawler.listings import Listing
from crawler.urls import canonical, on_site

Source = tuple[str, str]  # a kind of source and its address
Fetch = Callable[[str, str], Awaitable[tuple["Answer", Listing]]]
"""Asks for an address as a crawl of this kind of source would, and reads what it lists."""

DATA = tomllib.loads(Path(__file__).with_name("probe.toml").read_text("utf-8"))
EACH_MAX = 2  # addresses of one kind that a site may name
_FEEDS = re.compile(r"application/(rss|atom|rdf|feed)\+(xml|json)")
_REST = "https://api.w.org/"
_CHANNEL = re.compile(r"https?://(?:www\.)?(?:t|telegram)\.me/(?:s/)?([A-Za-z]\w{3,31})/?(?:[?#].*)?", re.A)
_STATES = {"gone": "dead", "blocked": "blocking", "refused": "forbidden", "outage": "unreachable"}


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of asking for one address, and what robots.txt of its site said."""

    page: Page
    miss: Outcome | None = None  # nothing did, and `page` is empty: why, in a word and in a sentence
    error: str = ""
    crawl_delay: float | None = None
    sitemaps: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Finding:
    """What is to be said of one source of an outlet."""

    outlet: str
    kind: str
    url: str
    state: str  # works, silent, moved, mistaken, dead, blocking, forbidden, unreachable
    items: int | None = None
    newest: str | None = None  # as its listing writes it
    own_site: bool | None = None  # whether it was found on the site of the outlet's home page; no channel is
    leads_to: str | None = None  # where it moved
    crawl_delay: float | None = None
    detail: str = ""

    @property
    def fresh(self) -> bool:
        """Whether it works and its newest item is known to be new."""
        return self.state == "works" and self.newest is not None

    def __str__(self) -> str:
        """As one line, without the outlet."""
        items, newest = f"{self.items or 'no'} items", f"newest {self.newest or 'unknown'}"
        told = [self.state, *([items, newest] if self.items else []), *filter(None, [self.detail])]
        told += ["on another site"] if self.own_site is False else []
        return clean(f"{self.kind} {self.url}: {', '.join(told)}")


@dataclass(frozen=True, slots=True)
class Home:
    """What a home page says of its site; None is unknown."""

    name_ar: str | None = None
    name_en: str | None = None
    language: str | None = None
    country: str | None = None
    timezone: str | None = None  # of the country, where it has one
    system: str | None = None  # its content management
    sources: tuple[Source, ...] = ()  # those that it names


def read_home(page: Page) -> Home:
    """Read the HTML of a home page. Never raises."""
    text = decode(page.body, charset_of(page))
    try:
        tree = html.document_fromstring(text)
    except (etree.LxmlError, ValueError):
        return Home()
    tags = [(tag.get("property") or tag.get("name"), tag.get("content") or "") for tag in tree.xpath("//meta")]
    meta = {name: clean(content).strip() for name, content in reversed(tags)}
    titles = re.split(r"\s+[-–—]+\s+|\s*[|•»]\s*", clean(tree.findtext(".//title") or "").strip())
    said = filter(None, (meta.get("og:site_name"), meta.get("application-name"), *titles))
    names = [name for name in said if name.lower() not in DATA["no_name"]]
    language, _, place = (meta.get("og:locale") or "").replace("-", "_").partition("_")
    country = place if place in DATA["zones"] else None  # ar_AR, which many write, would be Argentina
    return Home(
        next(filter(ARABIC.search, names), None),
        next((name for name in names if not ARABIC.search(name) and re.search("[A-Za-z]", name)), None),
        (tree.get("lang") or language)[:2].lower() or None, country, DATA["zones"].get(country),
        meta.get("generator") or next((name for path, name in DATA["systems"].items() if path in text), None),
        tuple(addresses(_named(tree, page), page.final_url)),
    )  # fmt: skip


def _named(tree: Any, page: Page) -> Iterator[Source]:
    for name, value in page.headers:
        if name.lower() == "link" and (root := re.search(rf'<([^<>]+)>;\s*rel="?{re.escape(_REST)}', value)):
            yield "wordpress", root[1]
    for tag in tree.xpath("//link[@href][@rel]"):
        href, rel = tag.get("href"), tag.get("rel").lower().split()
        if "alternate" in rel and _FEEDS.fullmatch((tag.get("type") or "").lower()) and "comments" not in href:
            yield "feed", href
        elif _REST in rel:
            yield "wordpress", href
    for href in tree.xpath("//a/@href"):
        if (channel := _CHANNEL.fullmatch(href.strip())) and channel[1].lower() not in DATA["no_channel"]:
            yield "telegram", f"https://t.me/s/{channel[1]}"


def addresses(sources: Iterable[Source], base: str) -> list[Source]:
    """Sources with canonical addresses, each once, few of a kind; what is no address is left out.

    >>> addresses([("feed", "/feed/"), ("feed", "feed/#top"), ("feed", "mailto:x")], "https://example.org/")
    [('feed', 'https://example.org/feed/')]
    """
    found: dict[Source, None] = {}
    for kind, url in sources:
        with suppress(ValueError):
            if sum(k == kind for k, _ in found) < EACH_MAX:
                found[kind, canonical(url, base)] = None
    return list(found)


def judge(finding: Finding, answer: Answer, listing: Listing, home: str, now: datetime, days: int) -> Finding:
    """What an `answer`, read as `listing`, says of the source that `finding` names; older than `days` is silent.

    `home` is the outlet's home page.
    """
    page, dates = answer.page, (d for link in listing.links if (d := link.published_at or link.modified_at))
    past = (date for date in dates if instant(date) < now + timedelta(days=1))  # a later one is an event's
    newest = max(past, key=instant, default=None)
    state, detail = _state(answer, listing)
    if state == "works" and newest is None:
        detail = "it tells no dates"
    elif state == "works" and newest and instant(newest) < now - timedelta(days=days):
        state, detail = "silent", f"nothing newer than {days} days"
    return replace(
        finding, state=state, detail=detail, newest=newest, leads_to=page.final_url if state == "moved" else None,
        items=len(listing.links) if page.body and not listing.problem else None,
        own_site=on_site(page.final_url, home) if page.body and finding.kind != "telegram" else None,
        crawl_delay=answer.crawl_delay,
    )  # fmt: skip


def _state(answer: Answer, listing: Listing) -> tuple[str, str]:
    """How it stands with a source, dates apart, in a word and in a sentence."""
    page = answer.page
    if answer.miss:
        return "dead" if "DNS" in answer.error else _STATES.get(answer.miss, "unreachable"), answer.error
    if listing.problem and (stands := effective(page, None)).status in _STATES:
        return _STATES[stands.status], stands.why
    if _place(page.url) != _place(page.final_url):
        return "moved", ", which ".join(filter(None, (f"to {page.final_url}", listing.problem)))
    if listing.problem:
        named = [f"; the page names the feed {url}" for kind, url in read_home(page).sources if kind == "feed"]
        return "mistaken", listing.problem + "".join(named[:1])
    return ("works", "") if listing.links else ("silent", "it lists nothing")


def _place(url: str) -> tuple[str, str, str]:
    """What must differ for an address to be another: not the scheme, `www.` or a last slash."""
    parts = urlsplit(url)
    return parts.netloc.removeprefix("www."), parts.path.rstrip("/"), parts.query
