"""What a page's markup says of its article: JSON-LD, meta tags, time tags, headline, byline.

Reads an lxml tree and gives values; every value is as the page says it, or None.
"""

from __future__ import annotations

import html
import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

from lxml.html import HtmlElement

from archive.arabic.dates import Date, read_date, read_line
from archive.furniture import family_of, fold, is_prose
from crawler.charset import printable
from crawler.clean import DATA, is_nobody, is_place, read_byline, read_dateline, signed

_ARTICLE = re.compile(r"(?:\w*Article|BlogPosting|LiveBlogPosting|Report)$")
_SEPARATOR = re.compile(r"\s+[-–—|•»:]+\s+|\s*(?:\||::|»)\s*")
_WRAPPED = re.compile(r"^\s*(?:<!--|//\s*<!\[CDATA\[)|(?:-->|//\s*\]\]>)\s*;?\s*$")
_NESTED = {"@graph", "mainEntity", "itemListElement", "item"}
_DATED = re.compile(  # where a byline ends and a date begins
    r"\s+(?:في|بتاريخ)\s|\s*[|•·]\s*|\s*[,،-]?\s*\d|\s+ال(?:[أا]حد|[إا]ثنين|ثلاثاء|[أا]ربعاء|خميس|جمعة|سبت)(?!\w)"
)
_TIME_ALONE = re.compile(r"\D{0,9}\d{1,2}:\d{2}\D{0,9}")
_UTC = re.compile(r"(?:Z|\+00:?00)$")
Near = list[tuple[HtmlElement, str, int]]  # elements beside the headline, their text, how far to trust a date there
_BLOCKS = ("p", "div", "section", "article", "td", "li", "blockquote")
Meta = dict[str, list[str]]  # what meta tags say, by name
_META: dict[str, list[str]] = DATA["meta"]
FURNITURE = {rule: re.compile(pattern, re.I) for rule, pattern in DATA["markup"].items()}
_WRITER, _ASIDE, _CLOCK, _DATES = (
    re.compile(DATA["place"][name], re.I) for name in ("writer", "aside", "clock", "dates")
)


@dataclass(slots=True)
class Metadata:
    """What the markup says; `body` is JSON-LD's articleBody."""

    title: str = ""
    headline: HtmlElement | None = None  # where the title is printed
    author: str | None = None
    published: Date | None = None
    source: str | None = None
    modified: Date | None = None
    section: str | None = None
    language: str | None = None
    body: str = ""
    claimed: bool = False  # the markup calls the page an article
    stated: bool = False  # and dates it
    site: set[str] = field(default_factory=set)  # folded names of the site itself


def text_of(element: HtmlElement) -> str:
    """All text of an element on one line."""
    return " ".join(element.text_content().split())


def _parts_of(element: HtmlElement) -> str:
    """The same with a space between its parts: a date and its time, a label and its name."""
    return " ".join(" ".join(element.itertext()).split())


def read_metadata(tree: HtmlElement, now: datetime, zone: str | None, outlet: str | None) -> Metadata:
    """Read everything the markup says. `now`, `zone` as for `read_date`."""
    meta: Meta = defaultdict(list)
    for tag in tree.iter("meta"):
        name = (tag.get("property") or tag.get("name") or tag.get("itemprop") or "").strip().lower()
        content = html.unescape((tag.get("content") or "").strip())
        if name and content:
            meta[name].append(content)
    items = list(_items(tree))
    articles = [item for item in items if any(_ARTICLE.fullmatch(kind) for kind in _kinds(item))]
    titles = fold(" ".join([*meta["og:title"], *(text_of(tag) for tag in tree.iter("title", "h1"))]))
    matching = [item for item in articles if fold(_text(item.get("headline")))[:60] in titles]
    item = (matching or articles)[0] if len(articles) == 1 or matching else {}
    out = Metadata()
    names = [outlet or "", *meta["og:site_name"], *meta["application-name"], *_names(item.get("publisher"))]
    out.site = {fold(name) for name in names} - {""}
    _read_title(out, tree, [_text(item.get("headline")), *meta["og:title"], *meta["twitter:title"]])
    near = _near(tree, out.headline)
    _read_dates(out, tree, near, item, meta, now, zone)
    out.claimed = bool(item) or "article" in meta["og:type"]
    out.stated = out.claimed and out.source in ("json-ld", "meta")
    written = [*_bylines(tree, near), *_names(item.get("author")), *meta["author"], *meta["article:author"]]
    out.author = next(filter(None, (_person(name, out.site) for name in written)), None)
    out.section = next((s for s in [_text(item.get("articleSection")), *meta["article:section"]] if s), None)
    out.language = (_text(item.get("inLanguage")) or tree.get("lang") or tree.get("xml:lang") or "").lower()[:2] or None
    out.body = html.unescape(re.sub(r"<(?:br|/p|/div)[^>]*>", "\n", _text(item.get("articleBody"), keep_lines=True)))
    out.body = re.sub(r"<[^>]+>", "", out.body)
    return out


def _items(tree: HtmlElement) -> Iterator[dict[str, Any]]:
    """Every object in the page's JSON-LD, @graph and lists opened."""
    for script in tree.xpath("//script[contains(@type, 'ld+json')]"):
        text = _WRAPPED.sub("", script.text or "").strip().rstrip(";")
        try:
            waiting = [json.loads(re.sub(r",\s*([}\]])", r"\1", text), strict=False)]
        except (ValueError, RecursionError):
            continue
        while waiting:
            value = waiting.pop(0)
            if isinstance(value, list):
                waiting.extend(value)
            elif isinstance(value, dict):
                yield value
                waiting.extend(value[key] for key in _NESTED & value.keys())


def _kinds(item: dict[str, Any]) -> list[str]:
    kinds = item.get("@type")
    return [kind for kind in (kinds if isinstance(kinds, list) else [kinds]) if isinstance(kind, str)]


def _text(value: Any, *, keep_lines: bool = False) -> str:
    if isinstance(value, list):
        value = value[0] if value else ""
    text = printable(html.unescape(value)) if isinstance(value, str) else ""
    return text.strip() if keep_lines else " ".join(text.split())


def _names(value: Any) -> Iterator[str]:
    """Names of people or organisations, however JSON-LD wraps them."""
    for entry in value if isinstance(value, list) else [value]:
        yield from filter(None, [_text(entry.get("name") if isinstance(entry, dict) else entry)])


def _person(name: str, site: set[str]) -> str | None:
    """A writer's name without the place it is written from, or None if it is an account, an agency or the site."""
    parts = re.split(r"\s+[-–|/]\s+|\s*[/:ـ]\s+", read_byline(name) or " ".join(name.split()))
    name = next((part for part in reversed(parts) if not is_place(part)), "")
    return None if not name or "://" in name or len(name) > 60 or is_nobody(name) or fold(name) in site else name


def _read_title(out: Metadata, tree: HtmlElement, said: list[str]) -> None:
    """The headline as printed: the heading whose words the page's own data repeat, else the data without site name."""
    page_title = next((text_of(tag) for tag in tree.iter("title")), "")
    said = [title for title in (*said, page_title) if title]
    parts = [part for title in said for part in _SEPARATOR.split(title) if part]
    inside = [f" {fold(title)} " for title in said]
    headings = [(tag, text_of(tag)) for tag in tree.iter("h1", "h2", "h3")]
    headings = [(tag, text) for tag, text in headings if 8 <= len(text) <= 300 and fold(text) not in out.site]
    repeated = [pair for pair in headings if any(f" {fold(pair[1])} " in title for title in inside)]
    if repeated:
        longest = max(len(fold(text)) for _, text in repeated)
        out.headline, out.title = next(pair for pair in repeated if len(fold(pair[1])) == longest)
    first = [pair for pair in headings if pair[0].tag == "h1" and not in_aside(pair[0])]
    if first and (len(out.title) < 20 or len(out.title) * 2 < max(map(len, parts))):
        out.headline, out.title = first[0]
    plain = [pair for pair in headings if not in_aside(pair[0]) and not pair[0].xpath(".//a|ancestor::a")]
    if not out.title and plain and not {fold(part) for part in parts} - out.site:  # nothing but the site is named
        out.headline, out.title = min(plain, key=lambda pair: (str(pair[0].tag), len(pair[1]) < 15))
    if not out.title:  # no heading at all: the place where the page prints its own title
        tags = (tag for tag in tree.iter("td", "div", "p", "span", "font", "b", "strong") if len(tag) <= 2)
        texts = [(tag, fold(text)) for tag in tags if 15 <= len(text := text_of(tag)) <= 300]
        texts = [pair for pair in texts if pair[1] not in out.site and any(f" {pair[1]} " in title for title in inside)]
        out.headline = max(texts, key=lambda pair: len(pair[1]), default=(None, ""))[0]
        out.title = text_of(out.headline) if out.headline is not None else ""
    if out.title:
        out.site |= {fold(part) for part in parts if fold(part) not in fold(out.title)} - {""}
    elif said:
        kept = [part for part in _SEPARATOR.split(said[0]) if fold(part) not in out.site]
        out.title = max(kept, key=len, default=said[0]) if len(kept) < len(_SEPARATOR.split(said[0])) else said[0]


def in_aside(tag: HtmlElement) -> bool:
    """Whether an element stands in a block that belongs to other articles or to the site."""
    for up in (tag, *tag.iterancestors()):
        if up.tag == "article":
            return False
        if up.tag in ("aside", "nav") or (up.tag in ("div", "section", "ul", "footer") and _ASIDE.search(names_of(up))):
            return True
    return tag.tag == "footer" or next(tag.iterancestors("footer"), None) is not None


def names_of(tag: HtmlElement) -> str:
    """Class and id of an element."""
    return f"{tag.get('class') or ''} {tag.get('id') or ''}"


def _near(tree: HtmlElement, headline: HtmlElement | None) -> Near:
    """Short pieces of text where date and byline are printed: around the headline, among the text, at its end.

    Each with how far a bare date in it is the article's: 2 as it stands, 1 unless it is the day of reading, which a
    page's own clock tells, 0 only where a word of publishing is beside it.
    """
    if headline is None:
        return []
    every = [tag for tag in tree.iter() if isinstance(tag.tag, str)]
    at = every.index(headline)
    told = [number for number in range(at + 1, len(every)) if _tells(every[number])]
    held = Counter(up for number in told for up in every[number].iterancestors())
    above = set(headline.iterancestors())
    wide = (up for up in headline.iterancestors() if 2 * held[up] >= len(told) and text_of(up) != text_of(headline))
    block = next(wide, tree)
    told = [number for number in told if block in every[number].iterancestors()]
    told = told or [at if is_prose(headline.tail or "") else at + 12]
    body = every[told[-1]].getparent() if told[-1] < len(every) else block
    deck = len(told) > 1 and (len(told) > 2 or body is not every[told[0]].getparent())
    own, heads = next(headline.iterancestors("article", "header"), None), {*headline.iterancestors("header")}
    pieces: Near = []
    end = max(at + 90, told[-1])
    for number in (*range(at + 1, at + 90), *range(end, end + 30), *range(max(0, at - 12), at)):
        if number >= min(told[-1] + 30, len(every)):
            continue
        tag, over, head = every[number], number < at, at < number < told[deck]
        if len(tag) > 8 or not 3 <= len(text := _parts_of(tag)) <= 110:
            continue
        parent, ups = tag.getparent(), set(tag.iterancestors())
        if tag.tag in ("script", "style", "option", "title") or in_aside(tag) or block not in ups:
            continue
        links = () if head or parent in (block, body) else parent.iter("a")
        if any(len(text_of(link)) >= 20 for link in links):  # a card of another story
            continue
        if any(_CLOCK.search(names_of(up)) for up in {tag, *ups} - above):
            continue
        # Over the headline a site's clock may stand, too: a class tells them apart.
        named = any(map(_DATES.search, map(names_of, {tag, *ups} - above)))
        ours = over and own in ups and (own in heads or named)
        below = at < number < told[len(told) > 1] and named  # under a lead that stands beside the text
        sure = head or ours or (number > told[-1] and len(told) > 1 and parent is body is not block)
        pieces.append((tag, text, 2 if sure else int(over or below or (number > told[-1] and parent in (block, body)))))
    clocks = [(tag, f"{day} {b}", sure) for (tag, day, sure), (_, b, _) in pairwise(pieces) if _TIME_ALONE.fullmatch(b)]
    return [*clocks, *pieces]


def _tells(tag: HtmlElement) -> bool:
    """Whether an element is a paragraph of some article's text."""
    if tag.tag not in _BLOCKS or next(tag.iterdescendants(*_BLOCKS), None) is not None or not is_prose(text_of(tag)):
        return False
    return not (in_aside(tag) or FURNITURE["caption"].search(names_of(tag)) or tag.xpath("ancestor::a"))


def _read_dates(
    out: Metadata, tree: HtmlElement, near: Near, item: dict[str, Any], meta: Meta, now: datetime, zone: str | None
) -> None:
    """Published and modified: structured data first, made exact or corrected by what is printed at the headline."""
    stated = [("json-ld", _text(item.get("datePublished")))]
    stated += [("meta", value) for name in _META["published"] for value in meta[name]]
    marked = tree.xpath("//*[@itemprop='datePublished']|//abbr[contains(@class, 'published')]")
    ways = ("content", "datetime", "title")
    stated += [("meta", next(filter(None, map(tag.get, ways)), text_of(tag))) for tag in marked]
    latest = (now + timedelta(days=1)).date().isoformat()  # a date to come is an event's, no publication's
    spots = [(tag, text) for tag, text, sure in near if _stands(tag, text, sure, now)]
    times = [spot for spot in spots if spot[0].tag == "time" and not read_line(spot[1], now).updated]
    stated += [("time-tag", tag.get("datetime") or text) for tag, text in times]
    dates = ((read_date(text, now, zone), text, source) for source, text in stated if text)
    found, raw, out.source = next((hit for hit in dates if hit[0] and hit[0].value[:10] <= latest), (None, "", None))
    lines = [(read_line(text, now), text) for _, text in spots]
    lines = [(line, text) for line, text in lines if line.published and line.published.value[:10] <= latest]
    lines = [(line, text) for line, text in lines if line.alone or (line.labelled and _byline_in(text))]
    lines.sort(key=lambda pair: (bool(pair[0].published and pair[0].published.relative), not pair[0].labelled))
    line, words = lines[0] if lines else (None, "")
    printed = line.published if line else None
    if not found or not printed or found.relative or printed.relative:
        better = not found or (found.relative and line is not None)
    elif _UTC.search(raw) and found.value[:16] == printed.value:  # a machine's "Z" beside the same time in print
        found, better = read_date(_UTC.sub("", raw), now, zone), False
    else:  # a template's time tag that was never filled; a day where print tells the minute
        same_day = printed.value[:10] == found.value[:10]
        exact = found.precision == "day" and printed.precision == "minute"
        better = (out.source == "time-tag" and not same_day) or (same_day and exact)
    if better and printed:
        found, out.source = read_date(words, now, zone), "text"
    out.published, out.source = found, "relative" if found and found.relative else out.source
    changed = [_text(item.get("dateModified")), *(value for name in _META["modified"] for value in meta[name])]
    first, told = found.value[:10] if found else "", _updates(near, now, zone)
    later = (date for date in told if first <= date.value[:10] <= latest and not date.relative)
    out.modified = next(filter(None, (*(read_date(text, now, zone) for text in changed), *later)), None)


def _updates(near: Near, now: datetime, zone: str | None) -> Iterator[Date]:
    """Dates of an update, as printed beside the article: "آخر تحديث: ..."."""
    for tag, text, sure in near:
        line = read_line(text, now, zone)
        stamp = tag.find(".//time[@datetime]") if line.updated and not line.published else None
        said = read_date(stamp.get("datetime"), now, zone) if stamp is not None else line.changed
        if said and sure > 1 and (stamp is not None or line.alone or line.labelled):
            yield said


def _stands(tag: HtmlElement, text: str, sure: int, now: datetime) -> bool:
    """Whether a date printed there is the article's, and not of an update told by the label beside it."""
    if not (date := read_date(tag.get("datetime") or text, now)):
        return False
    around = _parts_of(tag.getparent()) if len(tag.getparent()) <= 8 else ""
    beside = read_line(around if len(around) <= 110 else "", now)
    if beside.updated and not beside.published:
        return False
    yesterday = (now - timedelta(days=1)).date().isoformat()  # today in any zone, and in a page kept for hours
    return sure > (date.value[:10] >= yesterday) or read_line(text, now).labelled


def _bylines(tree: HtmlElement, near: Near) -> Iterator[str]:
    """Writers as printed: "كتب: X" beside the headline, then what markup names an author."""
    marked = [tag for tag in tree.xpath("//*[@class or @id]") if _WRITER.search(names_of(tag))]
    marked += tree.xpath("//*[@rel='author' or @itemprop='author']")
    texts = [_parts_of(tag) for tag in marked[:30] if len(tag) <= 8 and not in_aside(tag)]
    yield from filter(None, (_byline_in(text) for _, text, _ in sorted(near, key=lambda spot: len(spot[0]))))
    yield from filter(None, (_byline_in(text, sure=True) for text in texts))
    for text in texts:
        if 2 <= len(text.split()) <= 5 and not re.search(r"\d|[:|]", text) and not family_of(text):
            yield text


def _byline_in(text: str, *, sure: bool = False) -> str | None:
    """The writer named before the date in a line of both."""
    line = _DATED.split(text)[0]
    return read_byline(line, sure=True) if sure else signed(line) or (read_dateline(line) if line != text else None)
