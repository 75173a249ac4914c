"""Under which addresses a page is one and the same article, by its own word and by how sites write them.     [pure]"""

from __future__ import annotations

import re
from contextlib import suppress
from typing import Literal
from urllib.parse import parse_qsl, unquote, urlsplit

from lxml.html import HtmlElement

from archive.models import Page
from crawler.clean import DATA
from crawler.urls import canonical, same_site

Twin = Literal["amp", "mobile", "id"]
LISTING = re.compile(DATA["page"]["listing"])
_AMP, _MOBILE = re.compile(r"/amp/?$|^/amp/|\.amp(?:\.html?)?$"), re.compile(r"(?:m|mobile|wap|touch)\.")
_DAY = re.compile(r"(?:19|20)\d\d(?:[01]\d[0-3]\d)?")
_LINKS = 200  # tags of a page that are looked at


def twin(url: str) -> Twin | None:
    """What kind of second address this is by its look; None for an ordinary one.

    >>> twin("https://a.example/news/5/amp/"), twin("https://m.a.example/5"), twin("https://a.example/?p=5")
    ('amp', 'mobile', 'id')
    """
    parts = urlsplit(url)
    query, host = dict(parse_qsl(parts.query, keep_blank_values=True)), parts.hostname or ""
    if _AMP.search(parts.path) or host.startswith("amp.") or query.get("outputType", query.get("output")) == "amp":
        return "amp"
    if query.get("amp", "0") != "0":
        return "amp"
    if _MOBILE.match(host):
        return "mobile"
    return "id" if parts.path == "/" and query.keys() <= {"p", "post_type"} and query.get("p", "").isdigit() else None


def is_listing(url: str) -> bool:
    """Whether an address by its look is a home page or a section, no article's."""
    parts = urlsplit(url)
    return twin(url) != "id" and bool(LISTING.search(unquote(parts.path))) and not re.search(r"\d", parts.query)


def akin(a: str, b: str) -> bool:
    """Whether two addresses by their looks are one article's: the same last part, or the same long number.

    >>> akin("https://a.example/2026/01/نقل-معتقلين", "https://a.example/نقل-معتقلين?from=home")
    True
    >>> akin("https://a.example/news?id=71", "https://a.example/news")
    False
    """
    one, other = (urlsplit(url) for url in (a, b))
    asked = [set(re.findall(r"\d+", parts.query)) for parts in (one, other)]
    if asked[0] != asked[1]:
        return False
    slugs = [re.sub(r"\.\w{2,5}$", "", unquote(parts.path).rstrip("/").rpartition("/")[2]) for parts in (one, other)]
    ids = [{n for n in re.findall(r"\d{4,}", unquote(p.path)) if not _DAY.fullmatch(n)} for p in (one, other)]
    return (slugs[0] == slugs[1] and len(slugs[0]) > 3) or bool(ids[0] & ids[1])


def read_addresses(tree: HtmlElement, page: Page) -> tuple[tuple[str, str], ...]:
    """(kind, address) of what the page names as its own on this site, and of the twin it was asked for as.

    `canonical` is believed, since it looks like this page's; `named` is a canonical address that does not, and may be
    a mistake of the site that stands on every page. Home pages and sections are never named; nor is anything where
    the page contradicts itself.
    """
    found: dict[str, set[str]] = {"canonical": set(), "og": set(), "amp": set(), "id": set(), "mobile": set()}
    for tag in [*tree.iter("link")][:_LINKS]:
        rel, media = (tag.get("rel") or "").lower().split(), (tag.get("media") or "").lower()
        kinds = {"canonical": "canonical", "amphtml": "amp", "shortlink": "id"}
        kind = next((kinds[word] for word in rel if word in kinds), None)
        if "alternate" in rel and ("handheld" in media or "max-width" in media):
            kind = "mobile"
        if kind:
            found[kind].add(tag.get("href") or "")
    for tag in [*tree.iter("meta")][:_LINKS]:
        if (tag.get("property") or tag.get("name") or "").lower() == "og:url":
            found["og"].add(tag.get("content") or "")
    found["canonical"] = found["canonical"] or found.pop("og")
    own: list[tuple[str, str]] = [(k, url) for url in dict.fromkeys((page.url, page.final_url)) if (k := twin(url))]
    for kind, said in found.items():
        with suppress(ValueError):
            (url,) = {canonical(text, page.final_url) for text in said if text.strip()}
            if kind == "og" or is_listing(url) or not same_site(url, page.final_url):
                continue
            sure = url == page.final_url or twin(page.final_url) or akin(url, page.final_url)
            own.append(("named" if kind == "canonical" and not sure else kind, url))
    return tuple(dict.fromkeys(own))
