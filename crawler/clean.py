"""Takes out, line by line, what Arabic sites leave around an article; reads credit, byline, publication line.   [pure]

Rules look at position, length, repetition and families of phrases (furniture.toml), never at one site's markup.
In doubt a line stays.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from pathlib import Path
from types import MappingProxyType
from typing import Any

from archive.arabic.dates import Date, read_line
from archive.arabic.normalise import normalise, normalise_map

DATA = tomllib.loads(Path(__file__).with_name("furniture.toml").read_text("utf-8"))


_EDGE = " \t-–—|:؛،,.•*·»«/\"'()[]“”"
_STOP, _COLON = r"(?!\w)", r"\s*(?:[:/|؛]|-\s|$)"


def fold(line: str) -> str:
    """A line as rules see it: normalised, without marks at its ends, one space between words."""
    return " ".join(normalise(line).split()).strip(_EDGE)


def either(phrases: Iterable[str]) -> str:
    """A pattern for any of these phrases in a normalised text, the longest first."""
    longest_first = sorted(map(fold, phrases), key=len, reverse=True)
    return "|".join(re.escape(phrase).replace(r"\ ", r"\s+") for phrase in longest_first)


def _pattern(family: Mapping[str, Any]) -> re.Pattern[str]:
    ways = {
        "only": rf"(?:(?:%s){_STOP}[\W\d]*)+$",
        "starts": rf"(?:%s){_STOP}",
        "labels": rf"(?:%s){_COLON}",
        "holds": rf".*(?<!\w)(?:%s){_STOP}",
    }
    return re.compile("|".join(way % either(family[key]) for key, way in ways.items() if key in family))


_CREDIT = DATA["credit"]
_FAMILIES = [(name, _pattern(data), data.get("max", 120), "edge" in data) for name, data in DATA["family"].items()]
_MORE = _pattern(DATA["more"])
_BYLINE = re.compile(rf"\W*(?:{either(DATA['byline']['labels'])}){_STOP}(?P<colon>\s*[:/-])?\s*(?P<name>.+)")
_LABEL = re.compile(rf"(?P<before>.*?)(?<!\w)(?:{either(_CREDIT['label'])})\s*[:/]\s*(?P<name>.+)")
_FIRST = re.compile(
    rf"اولا\s+(?:علي|في)\s+(?:(?:{either(_CREDIT['kind'])})\s+)??(?:موقع\s+)?(?P<name>.+?)\s+(?:وتم|بتاريخ)"
)
_FROM = re.compile(rf"\W*(?:{either(_CREDIT['from'])})\s*:?\s*(?P<name>.+)")
_SIGNED = re.compile(rf"\W*(?P<name>.*?)(?P<through>(?:(?:^|[-/|+،,])\s*(?:{either(_CREDIT['through'])})\s*)+)\W*")
_AGENCY = re.compile(r"[-–\s]*[(\[]\s*([^()\[\]\d]{2,30}?)\s*[)\]]\s*\.?")
_INLINE = re.compile(r"(?<=[.!؟»”])\s+(?=المصدر\s*:\s*(?:\S+\s*){1,5}$)")
_HASHTAGS = re.compile(r"(?:#\s?[\w_]+[\s،,|-]*)+")
_NOBODY, _CITIES, _SECTIONS = (
    frozenset(map(fold, names)) for names in (_CREDIT["nobody"], _CREDIT["cities"], DATA["sections"]["names"])
)


@dataclass(slots=True)
class Clean:
    """The lines of an article without furniture, and what the furniture said."""

    lines: list[str] = field(default_factory=list)
    author: str | None = None
    credit: str | None = None
    published: Date | None = None
    source: str | None = None  # of `published`: text or notice
    related: list[str] = field(default_factory=list)
    removed: list[tuple[str, str]] = field(default_factory=list)


def is_prose(line: str) -> bool:
    """Told and not named: long, or ended like a sentence."""
    return len(line) >= 130 or (len(line) >= 45 and line.rstrip(" \"'»”)").endswith((".", "!", "؟", "…", "。")))


def family_of(line: str) -> tuple[str, bool] | None:
    """The furniture family of a line, and whether it is one only around the text, not within; None for a line of text.

    >>> family_of("شارك: فيسبوك | واتساب"), family_of("شارك الوفد في أعمال القمة")
    (('share', False), None)
    """
    plain = fold(line)
    if not re.search(r"[^\W\d_]", plain):
        return ("counter", False) if len(plain) < 12 else None
    if _HASHTAGS.fullmatch(line.strip()):
        return "tags", False
    for name, pattern, longest, edge in _FAMILIES:
        if len(plain) <= longest and pattern.match(plain):
            return name, edge
    return None


def read_credit(text: str, outlet: str | None = None) -> str | None:
    """The source a text names as its own, as printed: "المصدر: X", "X - وكالات", "نقلاً عن X", "نشر أولاً على موقع X".
    None where it names none, or only the outlet itself."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    found = [*filter(None, map(_named_source, lines)), *filter(None, (_signature(line) for line in lines[-3:]))]
    return next((name for name in found if _not_own(name, outlet)), None)


def _printed(line: str, match: re.Match[str], offsets: Sequence[int]) -> str:
    """What a match in the normalised line covers in the line itself."""
    return line[offsets[match.start("name")] : offsets[match.end("name")]].strip(_EDGE)


def _named_source(line: str) -> str | None:
    """The source in a line that says it is one."""
    plain, offsets = normalise_map(line)
    if first := _FIRST.search(plain):
        return _printed(line, first, offsets)
    if len(plain) > 110:
        return None
    if match := _LABEL.fullmatch(plain):
        before = fold(match["before"])
        if len(match["name"].split()) <= 6 and before in ("", fold(match["name"])):
            return _printed(line, match, offsets)
    if (match := _FROM.fullmatch(plain)) and len(match["name"].split()) <= 5 and not is_prose(line):
        return _printed(line, match, offsets)
    return None


def _signature(line: str) -> str | None:
    """The source a closing line is signed with: "المسلة - متابعة - وكالات", "(بترا)"."""
    plain, offsets = normalise_map(line)
    if len(plain) > 60 or is_prose(line):
        return None
    if (match := _SIGNED.fullmatch(plain)) and len(match["name"].split()) <= 4:
        name = fold(match["name"])
        return (
            line[offsets[match.start("through")] :].strip(_EDGE)
            if not name or name in _CITIES
            else _printed(line, match, offsets)
        )
    agency = _AGENCY.fullmatch(line)
    return agency[1] if agency and len(agency[1].split()) <= 3 else None


def read_byline(line: str, *, sure: bool = False) -> str | None:
    """The writer in "كتب: X", "بقلم X"; without a colon only where the place of the line makes it `sure`."""
    plain, offsets = normalise_map(line)
    match = _BYLINE.fullmatch(plain) if len(plain) <= 60 and not is_prose(line) else None
    if not match or not (match["colon"] or sure) or len(match["name"].split()) > 5 or re.search(r"\d", match["name"]):
        return None
    return None if is_nobody(match["name"]) else _printed(line, match, offsets) or None


def is_nobody(name: str) -> bool:
    """Whether a byline is an account of the machine (admin) and no writer."""
    return fold(name) in _NOBODY


def clean(
    lines: Iterable[str],
    title: str,
    *,
    now: datetime,
    zone: str | tzinfo | None = None,
    outlet: str | None = None,
    published: str | None = None,
    known: Mapping[str, str] = MappingProxyType({}),
) -> Clean:
    """Take the furniture out of an article's lines.

    `published` is the date the page's own data gave, if any; `known` maps folded lines which the page's markup marks as
    furniture (captions, tags, the byline) to the name of their rule.
    """
    rows = [row for line in lines for row in _INLINE.split(" ".join(line.split())) if row]
    out, block = Clean(), False
    rows, out.related = _split(rows)
    prose = [at for at, row in enumerate(rows) if is_prose(row) and not (family_of(row) or _named_source(row))]
    prose = [at for at in prose if fold(rows[at]) not in (fold(title), *known) and not _MORE.match(fold(rows[at]))]
    first, last = (prose[0], prose[-1]) if prose else (len(rows), -1)
    dates = _publication_lines(rows, first, last, now, zone, published)
    for at, row in enumerate(rows):
        plain, head, tail, rule = fold(row), at < first, at > last, None
        if more := len(plain) <= 260 and _MORE.match(plain):
            rule, block = "more", not fold(plain[more.end() :])
        elif plain == fold(title):
            rule = "title"
        elif plain in known and len(row) < 250:
            rule = known[plain]
        elif at in dates:
            rule = "date"
            if dates[at] and not out.published:
                out.published, out.source = dates[at], "text"
        elif source := _named_source(row):
            rule, out.credit = "credit", out.credit or _not_own(source, outlet)
            if said := read_line(row, now, zone).published:
                out.published, out.source = said, "notice"
        elif (family := family_of(row)) and (head or tail or not family[1]):
            rule = family[0]
        elif (head or tail) and (writer := read_byline(row)):
            rule, out.author = "byline", out.author or writer
        elif tail and (source := _signature(row)):
            rule, out.credit = "credit", out.credit or _not_own(source, outlet)
        elif block and not is_prose(row):
            rule = "more"
        elif block and _foreign(row, [title, *out.lines]):
            rule = "teaser"
        elif (head and _is_tag(row)) or (tail and ("tags", row) in out.removed):
            rule = "tags"
        elif head and plain in _SECTIONS:
            rule = "section"
        if rule:
            out.removed.append((rule, row))
        else:
            block = False
            out.lines.append(row)
    _drop_sections(out)
    return out


def _split(rows: list[str]) -> tuple[list[str], list[str]]:
    """The article, and what was appended to it: all after a bare "read also" that follows a credit or closing line."""
    told = over = False
    for at, row in enumerate(rows):
        plain = fold(row)
        more = _MORE.match(plain)
        if over and more and not fold(plain[more.end() :]) and any(map(is_prose, rows[at + 1 :])):
            return rows[: at + 1], rows[at + 1 :]
        family = family_of(row)
        over = over or (told and bool((family and family[1]) or _named_source(row)))
        told = told or (is_prose(row) and not family)
    return rows, []


def _not_own(source: str, outlet: str | None) -> str | None:
    return None if outlet and fold(source) == fold(outlet) else source


def _publication_lines(
    rows: Sequence[str], first: int, last: int, now: datetime, zone: str | tzinfo | None, published: str | None
) -> dict[int, Date | None]:
    """Lines that are nothing but the date of publication, or of an update (None). A dateline of another day is text."""
    said = {
        at: read_line(row, now, zone) for at, row in enumerate(rows) if len(row) < 110 and (at <= first or at > last)
    }
    alone = {at: line for at, line in said.items() if line.alone and (line.published or line.updated)}
    dated = [line for line in alone.values() if line.published]
    chosen = next((line.published for line in dated if line.labelled), dated[0].published if dated else None)
    day = published or (chosen.value if chosen else "")
    return {
        at: line.published
        for at, line in alone.items()
        if not line.published or line.labelled or line.published.value[:10] == day[:10]
    }


def _is_tag(row: str) -> bool:
    return row.startswith("- ") and len(row.split()) <= 6 and not is_prose(row)


def _stems(text: str) -> set[str]:
    words = (re.sub(r"^[وفبلك]?(?:ال|لل)?", "", word) for word in re.findall(r"[^\W\d_]{4,}", fold(text)))
    return {word[:5] for word in words if len(word) >= 4}


def _foreign(row: str, before: Sequence[str]) -> bool:
    """Whether a paragraph after a bare "read also" shares nothing with the article: the teaser of another one."""
    stems = _stems(row)
    return len(stems) >= 8 and len(stems & _stems(" ".join(before))) <= len(stems) * 0.03


def _drop_sections(out: Clean) -> None:
    """A run of at least two bare section names at the very end."""
    run = len(out.lines)
    while run and len(out.lines[run - 1].split()) <= 3 and fold(out.lines[run - 1]) in _SECTIONS:
        run -= 1
    if len(out.lines) - run >= 2:
        out.removed += [("section", row) for row in out.lines[run:]]
        del out.lines[run:]
