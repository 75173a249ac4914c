"""What an answered page really is, whatever its status says: the article, or what stands in its place.        [pure]

A soft 404 is *gone*; a challenge, a login, a consent or a password form is *blocked*; a notice of maintenance is an
*outage*. Words tell it, and only of pages that tell no story: many real ones speak of deleted pages. What is known of
an article decides in doubt: while a page still says what was kept, it is live.

Where a kept article's address shows words wholly unlike it, with no redirect and no other sign, that is an edit if the
page surely reads like an article or is a short note that calls itself one: this is what readers find there now.
Otherwise it is a page that was misread, neither an edit nor a withdrawal.
"""

from __future__ import annotations

import html
import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal
from urllib.parse import unquote, urlsplit

from archive.furniture import either, fold, is_prose
from archive.identity import SAME
from archive.models import Article, Page
from archive.versions import FEED, is_stump, likeness
from crawler.addresses import is_listing, twin
from crawler.charset import charset_of, decode
from crawler.clean import DATA, ENDED
from crawler.telegram import POST
from crawler.urls import resolved

Status = Literal["live", "moved", "gone", "blocked", "outage", "not_article", "unreadable"]
UNLIKE = 0.1  # likeness below which two tellings have nothing in common
LONG = 800  # letters of text (or four sentences) from which a page that reads like an article is one
SOURCE = 1 << 17  # bytes of a page that are looked at: what stands in an article's place is small
_ONWARD_S = 10  # a page that sends on later than this is one that refreshes itself
_DATA: dict[str, dict[str, Any]] = tomllib.loads(Path(__file__).with_name("effective.toml").read_text("utf-8"))
_PARTS = re.compile(DATA["page"]["parts"])
_CODE = re.compile(r"<(?=(?:script|style)\b)|</(?:script|style)\s{0,9}>", re.I)
_TAG = re.compile(r"<[^<>]{0,5000}>")
_HEADS = re.compile(r"<(?:title|h1)\b[^<>]{0,500}>(.{0,300}?)</(?:title|h1)", re.I | re.S)
_NOSCRIPT = re.compile(r"<(?=noscript\b)|</noscript\s{0,9}>", re.I)
_ASKS = re.compile(r"\bif\b|&&|\|\||navigator|\bscreen\b|\bfunction \w")
_REFRESH = re.compile(r"<meta\b(?=[^<>]{0,300}http-equiv\s{0,3}=\s{0,3}[\"']?refresh)[^<>]{0,2500}>", re.I)
_AFTER = re.compile(
    r"content\s{0,3}=\s{0,3}[\"']?\s{0,3}(\d{1,5})\s{0,3}[;,]\s{0,3}url\s{0,3}=\s{0,3}[\"']?([^\"'>]+)", re.I
)
_SCRIPT = re.compile(
    r"\blocation(?:\.href)?\s{0,3}=\s{0,3}[\"']([^\"'<>]{1,2000})[\"']"
    r"|\blocation\.(?:replace|assign)\(\s{0,3}[\"']([^\"'<>]{1,2000})[\"']"
)


def _saying(phrase: str) -> str:
    """A pattern of a phrase over folded text; {word} becomes any of that family."""
    found = ""
    for word in phrase.split():
        name, maybe = re.fullmatch(r"\{(\w+)\}(\??)", word), ""
        if name:
            said, maybe = f"(?:{either(_DATA['words'][name[1]])})", name[2]
        else:
            said = re.escape(fold(word))
        found += rf"(?:{said}(?:\W+|$)){maybe}"
    return found


def _any(kind: str, way: str) -> str:
    return "|".join(map(_saying, _DATA[kind].get(way, ())))


_SORRY = rf"\W*(?:(?:{either(_DATA['words']['sorry'])})(?:\W+|$))*"
_KINDS: tuple[Literal["blocked", "outage", "gone"], ...] = ("blocked", "outage", "gone")
_SAYS: dict[str, re.Pattern[str]] = {kind: re.compile(rf"{_SORRY}(?:{_any(kind, 'says')})") for kind in _KINDS}
_ONLY = {kind: re.compile(rf"{_SORRY}(?:{_any(kind, 'only')})") for kind in _KINDS}
_PATHS = {kind: re.compile(_DATA[kind]["path"], re.I) for kind in _KINDS}
_HOLDS = re.compile(rf"(?<!\w)(?:{_any('blocked', 'holds')})")
_MARKS, _FAINT = (re.compile(_DATA["blocked"][way]) for way in ("marks", "faint"))


@dataclass(frozen=True, slots=True)
class Effective:
    """What a page is, and why in words; `other`: what was read there is an article, yet not the one asked for."""

    status: Status
    why: str = ""
    other: bool = False


def effective(
    page: Page, article: Article | None, known: Article | None = None, names: frozenset[str] = frozenset()
) -> Effective:
    """What stands at the address of `page`. `article`: what was read from it; None if it could not be.

    `known` is the newest version of the article asked for, where one is kept, `names` all its known addresses.
    """
    if article and article.extractor == POST and article.text:  # by its markup that very post; its words are its own
        return Effective("live")
    if any(name.lower() == "cf-mitigated" for name, _ in page.headers):
        return Effective("blocked", "a challenge, by its cf-mitigated header")
    like = likeness(known, article) if known and article else 0.0
    short = known is not None and article is not None and is_stump(article.text, known.text)
    same = like >= SAME
    if (not same or short) and (wall := _wall(page, article, short, known is None)):
        return wall
    if page.final_url != page.url:
        led = f"leads to {page.final_url}"
        if is_listing(page.final_url) and not is_listing(page.url) and not same:
            return Effective("gone", f"{led}, a home page or a section")
        own = {page.final_url, *(url for kind, url in (article.addresses if article else ()) if kind != "named")}
        if known and article and not (same or names & own):
            story = article.is_article is not False and bool(article.text.strip())
            return Effective("gone", f"{led}, another article" if story else f"{led}, no article", other=story)
    if article is None or not article.text.strip():
        return Effective("unreadable", "no text was found in it")
    if article.is_article is False and not same:
        return Effective("not_article", "reads like a home, section, login or error page")
    if known and like < UNLIKE and not (article.is_article or _is_note(article)):
        return Effective("unreadable", "has nothing in common with the article kept of it, and may be none")
    return Effective("moved" if known and page.final_url != page.url else "live")


def onward(page: Page, article: Article | None) -> str | None:
    """The address that a page with next to no text of its own sends its readers to."""
    source = "".join(piece for piece in _NOSCRIPT.split(_source(page)) if piece[:8].lower() != "noscript")
    if (article and len(_told(article)) >= 250) or len(_shown(source)) > 600:
        return None
    for tag in _REFRESH.findall(source):
        if (found := _AFTER.search(tag)) and int(found[1]) <= _ONWARD_S:
            return _resolved(found[2], page)
    for code in _CODE.split(source):  # a line that does nothing else; longer ones ask who is reading
        if code[:6].lower() == "script" and len(code) < 300 and not _ASKS.search(code) and (to := _SCRIPT.search(code)):
            return _resolved(to[1] or to[2], page)
    return None


def named(page: Page, article: Article | None) -> str | None:
    """The address that a page names as canonical: a twin's for telephones, or one only its word speaks for."""
    kinds = ("canonical", "named") if twin(page.final_url) in ("amp", "mobile") else ("named",)
    claims = article.addresses if article and _told(article).strip() else ()
    return next((url for kind, url in claims if kind in kinds and url != page.final_url), None)


def _resolved(said: str, page: Page) -> str | None:
    url = resolved(html.unescape(said), page.final_url)
    return None if url in (page.url, page.final_url) else url


def _wall(page: Page, article: Article | None, short: bool, new: bool) -> Effective | None:
    """What stands in the place of an article, if something does. `short`: most of a known text is not there; `new`:
    none is known."""
    told = _told(article) if article else ""
    lines = [line for line in told.split("\n") if line]
    if article and not short and article.is_article is not False:
        prose = sum(map(is_prose, lines))
        if len(told) >= LONG or prose >= 4 or (prose >= 2 and article.published_source in ("json-ld", "meta")):
            return None
    source = _source(page)
    shown = fold(_shown(source))
    heads = [article.title if article else "", *(_TAG.sub(" ", html.unescape(h)) for h in _HEADS.findall(source))]
    parts = [part for head in map(fold, heads) for part in (head, *_PARTS.split(head)) if 0 < len(part) <= 120]
    begins = [fold(line) for line in lines[:2] if len(told) < LONG // 2]
    story = new and any(is_prose(line) and not _SAYS["gone"].match(fold(line)) for line in lines)
    if _MARKS.search(source.lower()) or (len(shown) < 500 and _FAINT.search(source.lower())):
        return Effective("blocked", "a challenge or a password stands in its place")
    if _HOLDS.search(shown if short else fold(told)):
        return Effective("blocked", "only subscribers are shown it")
    path = unquote(urlsplit(page.final_url).path) if page.final_url != page.url else ""
    for kind in _KINDS:
        if story and kind == "gone":  # a headline in part says nothing yet
            parts = [fold(heads[0])]
        said = next((part for part in (*parts, *begins) if _says(part, kind, story)), None)
        said = said or next(filter(_ONLY[kind].fullmatch, parts + begins * (len(lines) <= 2)), None)
        if said or _PATHS[kind].search(path):
            return Effective(kind, f"says: {said}"[:200] if said else f"leads to {page.final_url}")
    return None


def _says(part: str, kind: str, story: bool) -> bool:
    """Whether a headline or line says so of its page. Where a `story` follows, one that goes on after saying that
    something is gone tells it of others: "the report was deleted: how news disappears"."""
    if (found := _SAYS[kind].match(part)) is None or not story or kind != "gone":
        return found is not None
    return len(part[found.end() :].split()) < (1 if found[0].rstrip().endswith(":") else 5)


def _is_note(article: Article) -> bool:
    """Whether a page that calls itself an article says a sentence or two, too little to tell what kind of page it is:
    what readers find where a longer text stood."""
    lines = article.text.split("\n")
    told = len(lines) <= 2 and any(map(ENDED.fullmatch, lines)) and not any(map(is_prose, lines))
    return article.is_article is None and told


def _told(article: Article) -> str:
    """The text that the page itself gave."""
    return "" if article.extractor.startswith(FEED) else article.text


def _source(page: Page) -> str:
    return decode(page.body[:SOURCE], charset_of(page))


def _shown(source: str) -> str:
    """The words of a page, its scripts and styles left out."""
    pieces = _CODE.split(source)
    shown = " ".join(p for p in pieces if not p[:6].lower().startswith(("script", "style")))
    return " ".join(html.unescape(_TAG.sub(" ", shown)).split())
