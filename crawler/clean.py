"""Takes out, line by line, what Arabic sites leave around an article; reads credit, byline, publication line.   [pure]

Rules look at position, length, repetition and families of phrases (archive.furniture), never at one site's markup.
In doubt a line stays.
"""

from __future__ import annotations

import re
import tomllib
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from itertools import takewhile
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from archive.arabic.dates import Date, read_line
from archive.arabic.normalise import normalise, normalise_map
from archive.furniture import AGENCIES, EDGE, STOP, either, family_of, fold, is_prose, read_more
from archive.furniture import DATA as FURNITURE
from archive.linewords import PLACES

DATA = FURNITURE | tomllib.loads(Path(__file__).with_name("furniture.toml").read_text("utf-8"))
_CREDIT = DATA["credit"]
_WORD = re.compile(r"(?<!\w)[وفبلك]?(?:ال|لل)?(\w{2,})")
_UNLESS = {name: frozenset(_WORD.findall(fold(data.get("unless", "")))) for name, data in DATA["family"].items()}
_BYLINE = re.compile(
    rf"\W*(?:(?P<sure>{either(DATA['byline']['sure'])})|{DATA['byline']['reporter']}|{either(DATA['byline']['labels'])})"
    rf"{STOP}(?P<colon>\s*[:/-])?\s*(?P<name>.+)"
)
_LABEL = re.compile(rf"(?P<before>.*?)(?<!\w)(?:{either(_CREDIT['label'])})\s*[:/]\s*(?P<name>.+)")
_FIRST = re.compile(
    rf"اولا\s+(?:علي|في)\s+(?:(?:{either(_CREDIT['kind'])})\s+)??(?:موقع\s+)?(?P<name>.+?)\s+(?:وتم|بتاريخ)"
)
_FROM = re.compile(rf"\W*(?:{either(_CREDIT['from'])})\s*:?\s*(?P<name>.+)")
_SIGNED = re.compile(rf"\W*(?P<name>.*?)(?P<through>(?:(?:^|[-/|+،,])\s*(?:{either(_CREDIT['through'])})\s*)+)\W*")
_DESK = re.compile(rf"(?:{either(_CREDIT['desks'])}){STOP}")
_PLACED = re.compile(r"\s*[/ـ]\s*|\s+[-–—]\s+")  # between a place and a name
_WROTE = tuple(DATA["byline"]["wrote"])
_BRACKETS = re.compile(r"[-–\s]*[(\[]\s*([^()\[\]\d]{2,30}?)\s*[)\]]\s*\.?")
_INLINE = re.compile(r"(?<=[.!؟»”])\s+(?=المصدر\s*:\s*(?:\S+\s*){1,5}$)")
_DATELINE = re.compile(rf"\w+(?:\s\w+)?\s*[-–]\s*(?:{either([*_CREDIT['agencies'], *_CREDIT['through']])})")
_DATED_BY, _DATED_IN = re.compile(_CREDIT["dateline"]), re.compile(rf"(?:{either(PLACES)})(?:\s+\d+\s+\w+)?")
_HOUSE = re.compile(rf"{either({*_CREDIT['agencies']} - {'الوكالات'})}|{_CREDIT['house']}")
_NAME = re.compile(r"(?<!\w)(?:ال|لل)?(\w+)")
_ANY_HOUSE = frozenset(_NAME.findall(fold(" ".join([*_CREDIT["kind"], "للإعلام", "الإخبارية"]))))
ENDED = re.compile(r".*[^.…][.؟!][\s\"'»”)]*")  # as a sentence does, not broken off
_JOINED = re.compile(r"^(?:[وفبك]?ال|[وف]?لل)")
_CRUMBS = re.compile(rf"(?:{either(DATA['family']['breadcrumb']['labels'])}){STOP}")
_NOBODY, _CITIES, SECTIONS = (
    frozenset(map(fold, names)) for names in (_CREDIT["nobody"], _CREDIT["cities"], DATA["sections"]["names"])
)


@dataclass(slots=True)
class Clean:
    """The lines of an article without furniture, and what the furniture said."""

    lines: list[str] = field(default_factory=list)
    author: str | None = None
    credit: str | None = None
    published: Date | None = None
    source: str | None = None  # of `published`: text, notice or relative
    related: list[str] = field(default_factory=list)
    removed: list[tuple[str, str]] = field(default_factory=list)


class _Row(NamedTuple):
    """A line and what its words alone say of it."""

    text: str
    plain: str
    family: str | None
    edge: bool  # furniture only before or after the text
    source: str | None
    more: str | None  # a "read also": what follows the marker
    prose: bool


def read_credit(text: str, outlet: str | None = None) -> str | None:
    """The source a text names as its own, as printed: "المصدر: X", "X - وكالات", "نقلاً عن X", "نشر أولاً على موقع X",
    or in a dateline "دمشق (X) - ". None where it names none, or only the outlet itself."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    opening = [_dated_by(line, outlet) for line in lines[:1]]
    found = [*map(_named_source, lines), *map(_signature, lines[-3:]), *opening]
    return next((name for name in found if name and not _same(name, outlet)), None)


def _same(name: str, outlet: str | None) -> bool:
    return bool(outlet) and fold(name) == fold(outlet or "")


def _printed(line: str, match: re.Match[str], offsets: Sequence[int], group: str = "name") -> str:
    """What a match in the normalised line covers in the line itself."""
    return line[offsets[match.start(group)] : offsets[match.end(group)]].strip(" -–—|:؛،,.*•")


def _named_source(line: str) -> str | None:
    """The source in a line that says it is one."""
    if len(line) > 110 and "نشر" not in line:
        return None
    plain, offsets = normalise_map(line)
    match = _FIRST.search(plain)
    if not match and len(plain) <= 110:
        match = _LABEL.fullmatch(plain)
        if match and (len(match["name"].split()) > 6 or fold(match["before"]) not in ("", fold(match["name"]))):
            match = None
        if not match and not is_prose(line):
            match = _FROM.fullmatch(plain)
            match = match if match and len(match["name"].split()) <= 5 else None
    return _printed(line, match, offsets) if match else None


def _signature(line: str) -> str | None:
    """The source a closing line is signed with: "المسلة - متابعة - وكالات", "رويترز", "(بترا)"."""
    if len(line) > 60 or is_prose(line):
        return None
    plain, offsets = normalise_map(line)
    if AGENCIES.fullmatch(plain):
        return line.strip(EDGE)
    if (match := _SIGNED.fullmatch(plain)) and len(match["name"].split()) <= 4:
        return _printed(line, match, offsets, "through" if fold(match["name"]) in _CITIES else "name")
    agency = _BRACKETS.fullmatch(line)
    return agency[1] if agency and len(agency[1].split()) <= 3 else None


def _dated_by(line: str, outlet: str | None) -> str | None:
    """The agency in a line's dateline: "الحسكة (وكالة الفرات) - ...", "دمشق - رويترز"; None where it may be the outlet
    itself, and where it is not known which outlet that is."""
    match = _DATED_BY.match(line)
    if not (match and outlet and (is_prose(line) or match.end() == len(line))):
        return None
    parts = {part: fold(part) for part in match.groups() if part}
    name = next((part for part, plain in parts.items() if _HOUSE.fullmatch(plain)), "")
    theirs, own = ({*_NAME.findall(fold(house))} - _ANY_HOUSE for house in (name, outlet))
    placed = any(map(_DATED_IN.fullmatch, parts.values()))
    return name if placed and not (theirs <= own or own <= theirs) else None


def read_byline(line: str, *, sure: bool = False) -> str | None:
    """The writer in "كتب: X", "بقلم X"; without a colon only where the place of the line makes it `sure`."""
    if len(line) > 60 or is_prose(line):
        return None
    plain, offsets = normalise_map(line)
    match = _BYLINE.fullmatch(plain)
    if not match or not (match["colon"] or match["sure"] or sure):
        return None
    name = match["name"]
    nobody = len(name.split()) > 5 or re.search(r"\d", name) or is_nobody(name)
    return None if nobody else _printed(line, match, offsets) or None


def read_dateline(line: str) -> str | None:
    """The writer in "دمشق - X" or "X - دمشق", for a line where bylines stand; None for an agency or a desk there."""
    parts = _PLACED.split(line.strip())
    if len(parts) != 2 or len(line) > 45 or is_place(parts[0]) == is_place(parts[1]):
        return None
    name = parts[is_place(parts[0])].strip()
    return name if 2 <= len(name.split()) <= 3 and not (is_nobody(name) or re.search(r"[\d:.؟!]", name)) else None


def is_nobody(name: str, *, houses: bool = True) -> bool:
    """Whether a byline is an account of the machine (admin), agencies or a desk, and no writer. `houses`: also any name
    that begins like that of a house, which may sign a statement, too."""
    plain = fold(name)
    labelled = _BYLINE.fullmatch(plain)
    plain = labelled["name"] if labelled and (labelled["colon"] or labelled["sure"]) else plain
    return plain in _NOBODY or bool(AGENCIES.fullmatch(plain) or (houses and _DESK.match(plain)))


def signed(line: str) -> str | None:
    """The writer of a line that stands where bylines do."""
    return read_byline(line, sure=line.startswith(_WROTE))


def is_place(name: str) -> bool:
    """Whether a name is that of a city articles are dated from."""
    return fold(name) in _CITIES


def clean(
    lines: Iterable[str],
    title: str,
    *,
    now: datetime,
    zone: str | tzinfo | None = None,
    outlet: str | None = None,
    published: str | None = None,
    known: Mapping[str, str] = MappingProxyType({}),
    links: Set[str] | None = None,
) -> Clean:
    """Take the furniture out of an article's lines.

    `published` is the date the page's own data gave, if any. `known` maps folded lines which the markup marks as
    furniture (captions, tags, the byline) to their rule; `links` are the folded texts of links to other pages, None
    where there is no markup.
    """
    heading, out = fold(title), Clean()
    rows = [_read(row) for line in lines for row in _INLINE.split(" ".join(line.split())) if row]
    rows, out.related = _split(rows, links)
    told = [at for at, row in enumerate(rows) if row.prose and row.plain != heading and row.plain not in known]
    first, last = (told[0], told[-1]) if told else (len(rows), -1)
    closing = set(takewhile(lambda at: not at or not rows[at - 1].prose, reversed(told)))
    plains = sorted(row.plain for row in rows)
    spoken = set(_WORD.findall(" ".join([heading, *(row.plain for row in rows if len(row.text) > 40)])))
    top = next((at for at, row in enumerate(rows[:first]) if row.plain == heading), 0)  # above it is no article
    dates = _publication_lines(rows, first, last, now, zone, published)
    block = linked = teasing = False  # within a "read also"; after a link in it; among its teasers
    for at, row in enumerate(rows):
        head, tail, writer = at < first, at > last, None
        is_link = _is_link([row], links)
        rule: str | None = None
        if row.more is not None:
            rule, block = "more", not row.more
        elif row.plain == heading or (_CRUMBS.match(row.plain) and row.plain.endswith(heading or "\n")):
            rule = "title"
        elif at < top and not row.prose and not row.family:
            rule = "section"
        elif row.plain in known and len(row.text) < 250:
            rule = known[row.plain]
        elif at in dates:
            rule = "date"
            sure = links is None or read_line(row.text, now).labelled  # a page's own clock is such a line, too
            if dates[at] and sure and not out.published:
                out.published, out.source = dates[at], "text"
        elif row.source:
            rule, out.credit = "credit", out.credit or (None if _same(row.source, outlet) else row.source)
            if said := read_line(row.text, now, zone).published:
                out.published, out.source = said, "notice"
        elif row.family and (head or tail or not row.edge) and spoken.isdisjoint(_UNLESS[row.family]):
            rule = row.family
        elif (writer := read_byline(row.text, sure=True)) and (
            known.get(fold(writer)) == "byline" or ((head or tail) and signed(row.text))
        ):
            rule, out.author = "byline", out.author or writer
        elif (head or tail) and all(map(_is_about, parts := re.split(r"\s*[|•·]\s*", row.text))) and len(parts) > 1:
            rule = "byline"
        elif tail and (source := _signature(row.text)):
            rule, out.credit = "credit", out.credit or (None if _same(source, outlet) else source)
        elif (head or tail) and len(row.text) < 60 and is_nobody(row.text, houses=False):
            rule = "byline"
        elif (head or tail) and (writer := read_dateline(row.text)) and not _same(writer, outlet):
            rule, out.author = "byline", out.author or writer
        elif head and (AGENCIES.fullmatch(row.plain) or _DATELINE.fullmatch(row.plain)):
            rule = "caption"
        elif (is_link and (block or len(row.plain) >= 25)) or (block and links is None and not _is_told(row)):
            rule = "link"
        elif block and linked and not _is_told(row) and (teasing or _is_link(rows[at + 1 : at + 2], links)):
            rule, teasing = "teaser", True
        elif (
            (linked or (block and at == last))
            and at in closing
            and len(out.removed) < 200
            and _is_foreign(row.text, [title, *out.lines[:40]], out.removed[-1][1] if linked else None)
        ):
            rule = "teaser"
        elif row.prose and (row.text in out.lines or _is_cut(row.text, row.plain, plains)):
            rule = "repeat"
        elif tail and _is_tag(row) and out.removed and out.removed[-1][0] == "byline":
            rule = "byline"
        elif (head and _is_tag(row)) or (tail and ("tags", row.text) in out.removed):
            rule = "tags"
        elif head and row.plain in SECTIONS:
            rule = "section"
        linked = rule == "link"
        if rule:
            out.removed.append((rule, row.text))
        else:
            block = teasing = False
            out.lines.append(row.text)
    if out.published and out.published.relative:
        out.source = "relative"
    opening = (_dated_by(row.text, outlet) for row in rows[top : first + 1] if row.plain not in known)
    out.credit = out.credit or next(filter(None, opening), None)
    _drop_sections(out)
    return out


def _read(text: str) -> _Row:
    plain = fold(text)
    family, edge = family_of(text) or (None, False)
    edge = edge and (family != "rights" or len(text) >= 60 or ENDED.fullmatch(text) is not None)  # else a photo's
    source = _named_source(text)
    more = read_more(text)
    return _Row(text, plain, family, edge, source, more, is_prose(text) and not (family or source or more is not None))


def _split(rows: list[_Row], links: Set[str] | None) -> tuple[list[_Row], list[str]]:
    """The article, and another appended to it after a bare "read also" that follows a credit or closing line.
    What follows the site's own copyright line is nobody's, unless some of it is told: then the line is a photo's."""
    told, over, whole = False, False, sum(len(row.text) for row in rows)
    for at, row in enumerate(rows):
        if over and row.more == "" and _is_appended(rows[at + 1 :], links):
            return rows[: at + 1], [after.text for after in rows[at + 1 :]]
        late = told and row.family == "rights" and 2 * sum(len(before.text) for before in rows[:at]) > whole
        if late and not any(map(_is_told, rows[at + 1 :])):
            return [*rows[: at + 1], *(after._replace(family="rights", prose=False) for after in rows[at + 1 :])], []
        over = over or (told and (row.edge or bool(row.source)))
        told = told or row.prose
    return rows, []


def _is_appended(rows: Sequence[_Row], links: Set[str] | None) -> bool:
    """Whether another article is what follows: a headline that is no link, and a text in words of that headline."""
    if not any(row.prose for row in rows[1:]) or rows[0].prose or _is_link(rows[:1], links):
        return False
    name, told = _stems(rows[0].text), _stems(" ".join(row.text for row in rows[1:]))
    return 2 * len(name & told) >= len(name)


def _publication_lines(
    rows: Sequence[_Row], first: int, last: int, now: datetime, zone: str | tzinfo | None, published: str | None
) -> dict[int, Date | None]:
    """Lines that are nothing but the date of publication, or of an update (None). A dateline of another day is text.
    Within the text, what is reckoned back from now, and so reads differently at each look, dates another story."""
    short = [(at, row) for at, row in enumerate(rows) if len(row.text) < 110]
    alone = {at: line for at, row in short if (line := read_line(row.text, now, zone)).alone and any(line[:3])}
    inside = [at for at in alone if first + 3 < at <= last]
    moving = {at for at in inside if (line := alone.pop(at)).updated or (line.published and line.published.relative)}
    dated = [line for line in alone.values() if line.published]
    chosen = next((line.published for line in dated if line.labelled), dated[0].published if dated else None)
    day = published or (chosen.value if chosen else "")
    return dict.fromkeys(moving) | {
        at: line.published
        for at, line in alone.items()
        if not line.published or line.labelled or line.published.relative or line.published.value[:10] == day[:10]
    }


def _is_link(rows: Sequence[_Row], links: Set[str] | None) -> bool:
    return links is not None and any(row.plain in links and not row.prose for row in rows)


def _is_about(part: str) -> bool:
    """Whether a part of a line is a counter, a byline or the like."""
    return bool(family_of(part) or read_byline(part, sure=True)) or not re.search(r"[^\W\d_]", part)


def _is_tag(row: _Row) -> bool:
    return row.text.startswith("- ") and len(row.text.split()) <= 6 and not row.prose


def _is_told(row: _Row) -> bool:
    """Whether a line tells, however short, or heads a list of what is told."""
    named = row.family or row.source or row.more is not None
    return row.prose or (not named and (row.text.endswith((":", "؛")) or ENDED.fullmatch(row.text) is not None))


def _stems(text: str) -> set[str]:
    """How its longer words begin; one whose first letter may be joined to it, with that letter and without it."""
    words = [_JOINED.sub("", word) for word in re.findall(r"[^\W\d_]{4,}", normalise(text))]
    return {stem[:5] for word in words for stem in (word, re.sub("^[وفبلك]", "", word)) if len(stem) >= 4}


def _is_cut(text: str, plain: str, plains: Sequence[str]) -> bool:
    """Whether a line is the beginning of another, broken off with dots. `plain` is the line folded, `plains` are all
    lines folded and sorted."""
    at = bisect_right(plains, plain)
    return text.endswith(("...", "…")) and len(plain) >= 30 and "".join(plains[at : at + 1]).startswith(plain)


def _is_foreign(text: str, before: Sequence[str], over: str | None) -> bool:
    """Whether a paragraph, and the headline `over` it, have next to nothing in common with the article, yet something
    with each other: a teaser. Where the headline is gone, only a long paragraph is sure."""
    stems, told, name = _stems(text), _stems(" ".join(before)), _stems(over or "")
    chance = min(0.08 + 0.0003 * max(0, len(told) - 100), 0.15)  # a long text shares words with any other
    if over is None:
        return len(stems) >= 25 and len(stems & told) <= 1
    alike = max(1, chance * len(stems))
    return len(stems) >= 8 and len(stems & told) <= alike and not stems.isdisjoint(name) and name.isdisjoint(told)


def _drop_sections(out: Clean) -> None:
    """A run of at least two bare section names at the very end."""
    run = len(list(takewhile(lambda line: fold(line) in SECTIONS, reversed(out.lines))))
    if run >= 2:
        out.removed += [("section", line) for line in out.lines[-run:]]
        del out.lines[-run:]
