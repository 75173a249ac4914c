"""Dates as Arabic sites print them: five sets of months, Hijri, relative, day first, with or without a zone.   [pure]

Nothing is guessed: no year, no date; no printed or configured zone, no zone. Words are data, in dates.toml.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from itertools import zip_longest
from pathlib import Path
from typing import Literal, NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from hijridate import Hijri

from archive.arabic.normalise import normalise

Precision = Literal["day", "hour", "minute", "second"]


@dataclass(frozen=True, slots=True)
class Date:
    """`value` is ISO 8601 as precise as known: `2026-01-21`, `2026-01-21T01:27`, `2026-01-21T01:27+03:00`."""

    value: str
    precision: Precision
    relative: bool = False  # reckoned back from the moment of reading ("منذ 3 ساعات"), so it moves with that


class DateLine(NamedTuple):
    """What a line says of dates. `labelled`: a word of publishing stands before it; `updated`: one of updating, whose
    date is `changed`; `alone`: nothing else is said."""

    published: Date | None
    labelled: bool
    updated: bool
    alone: bool
    changed: Date | None = None


def _either(words: Iterable[str]) -> str:
    longest_first = sorted({normalise(word) for word in words}, key=len, reverse=True)
    return "|".join(re.escape(word).replace(r"\ ", r"\s+") for word in longest_first)


def _plain(word: str) -> str:
    return " ".join(normalise(word).split())


_WORDS = tomllib.loads(Path(__file__).with_name("dates.toml").read_text("utf-8"))
_MONTHS = {_plain(name): number for number, names in enumerate(_WORDS["months"], 1) for name in names}
_HIJRI = {_plain(name): number for number, names in enumerate(_WORDS["hijri"], 1) for name in names}
_UNITS = {
    _plain(name): (unit, count)
    for unit, forms in _WORDS["units"].items()
    for count, names in zip((1, 2, None), forms, strict=True)
    for name in names
}
_NUMBERS = {_plain(word): value for word, value in _WORDS["numbers"].items()}
_DAYS = {_plain(word): value for word, value in _WORDS["days"].items()}
_ZONES = {_plain(word): value for word, value in _WORDS["zones"].items()}
_M, _H, _GAP = _either(_MONTHS), _either(_HIJRI), r"[\s,،./-]*"
_DAY, _YEAR = r"(?<!\d)(?P<day>\d{1,2})(?:st|nd|rd|th)?", r"(?P<year>\d{4})(?!\d)"
_NAMED = rf"(?P<month>{_M})(?:[\s/-]+(?P<again>{_M})(?!\w))?"
_SHAPES = [
    re.compile(rf"{_DAY}{_GAP}(?:(?:من|شهر|of)\s+)*(?<!\w){_NAMED}{_GAP}(?:(?:عام|سنه|لعام)\s+)?{_YEAR}"),
    re.compile(rf"(?<!\w){_NAMED}\s*{_DAY}[\s,،]+{_YEAR}"),
    re.compile(rf"(?<!\d){_YEAR}{_GAP}(?<!\w){_NAMED}{_GAP}{_DAY}(?!\d)"),
    re.compile(r"(?<![\d.,/-])(?P<a>\d{1,4})\s?(?P<sep>[/.-])\s?(?P<b>\d{1,2})\s?(?P=sep)\s?(?P<c>\d{1,4})(?![\d/])"),
    re.compile(rf"{_DAY}{_GAP}(?:(?:من|شهر)\s+)*(?<!\w)(?P<hijri>{_H}){_GAP}(?:(?:عام|سنه)\s+)?{_YEAR}"),
]
_HALF = rf"(?:(?P<am>{_either(_WORDS['morning'])})|(?P<pm>{_either(_WORDS['afternoon'])}))(?!\w)"
_TIME = re.compile(
    r"(?<![\d:.])(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2})(?:[.,]\d+)?)?(?![\d:])"
    rf"(?:\s*{_HALF})?(?:\s*(?:(?P<utc>z(?!\w)|(?:gmt|utc)(?!\s?[+-]))"
    r"|(?P<offset>[+-]\d{2}:?\d{2})(?!\d)|(?:gmt|utc)\s?(?P<hours>[+-]\d{1,2}(?::?\d{2})?)(?!\d)))?"
)
_PLACE = re.compile(
    rf"(?:(?:بتوقيت|توقيت)\s+(?:مدينه\s+)?)(?P<place>{_either(_ZONES)})(?!\w)|(?P<short>gmt|utc|ksa|gst|ast)(?!\w)"
)
_RELATIVE = re.compile(
    rf"(?:(?:منذ|قبل)\s+(?:(?:نحو|حوالي)\s+)?)?(?:(?P<count>\d+|{_either(_NUMBERS)})\s+)?(?P<unit>{_either(_UNITS)})(?!\w)"
    rf"(?:\s+(?:{_either(['واحدة', 'واحد'])}))?(?:\s+ago)?"
)
_SAID = re.compile(rf"(?<!\w)(?P<said>{_either(_DAYS)})(?!\w)")
_LABEL = re.compile(
    rf"(?<!\w)(?:(?P<updated>{_either(_WORDS['updated'])})|(?P<published>{_either(_WORDS['published'])}))(?!\w)"
)
_FILLER = re.compile(rf"(?<!\w)(?:{_either([*_WORDS['filler'], *_WORDS['weekdays']])})(?!\w)")
_RIGHTS = re.compile(r"©|\(c\)|حقوق|copyright|all rights")


def read_date(line: str, now: datetime, zone: str | tzinfo | None = None) -> Date | None:
    """The publication date a line states, or None. `now` (aware) is when the page was read, for "منذ 3 ساعات";
    `zone` is the outlet's, used where the line prints none.

    >>> read_date("٢١ كانون الثاني ٢٠٢٦", datetime(2026, 1, 22, tzinfo=UTC))
    Date(value='2026-01-21', precision='day', relative=False)
    """
    return read_line(line, now, zone).published


def read_line(line: str, now: datetime, zone: str | tzinfo | None = None) -> DateLine:
    """Like `read_date`, and what else the line says. A line that only says when a page was updated gives no date."""
    text = normalise(line)
    if _RIGHTS.search(text):
        return DateLine(None, False, False, False)
    labels = list(_LABEL.finditer(text))
    updated = any(label["updated"] for label in labels)
    now, here = now if now.tzinfo else now.replace(tzinfo=UTC), _zone(zone)
    parts, changes = [text[: labels[0].start()] if labels else text], list[str]()
    # What follows a word of updating, up to the next word of publishing, is no publication date.
    for label, after in zip_longest(labels, labels[1:]):
        (parts if label["published"] else changes).append(text[label.end() : after.start() if after else None])
    found, rest = _read(" | ".join(parts), now, here)
    changed = _read(" | ".join(changes), now, here)[0] if changes else None
    if updated and not any(label["published"] for label in labels) and not found:
        rest = _read(_LABEL.sub(" ", text), now, None)[1]
    alone = not re.search(r"\w", _FILLER.sub(" ", rest))
    return DateLine(found, any(label["published"] for label in labels), updated, alone, changed)


def _read(text: str, now: datetime, zone: tzinfo | None) -> tuple[Date | None, str]:
    """The first date in a folded text, and what is left of the text without dates, times and zones."""
    day, clock, rest = None, _TIME.search(text), text
    for shape in _SHAPES:
        for match in shape.finditer(text):
            day = day or _day(match)
            rest = rest.replace(match.group(), " ")
    rest = _PLACE.sub(" ", _TIME.sub(" ", rest))
    if place := _PLACE.search(text):
        zone = ZoneInfo(_ZONES[_plain(place["place"] or place["short"])])
    if day:
        return _at(day, clock, zone), rest
    bare = _FILLER.sub(" ", rest).strip(" |:،,.-")
    here = now.astimezone(zone) if zone else now
    if said := _SAID.fullmatch(bare):
        spoken = _at((here - timedelta(days=_DAYS[_plain(said["said"])])).date(), clock, zone)
        return replace(spoken, relative=True), ""
    ago = _RELATIVE.fullmatch(rest.strip(" |:،,.-"))
    if not ago or (not re.match(r"منذ|قبل", ago.group()) and not ago.group().endswith("ago")):
        return None, rest
    unit, count = _UNITS[_plain(ago["unit"])]
    number = _NUMBERS.get(ago["count"]) or int(ago["count"]) if ago["count"] else count
    if not number or number > 400:
        return None, ""
    moment = here - timedelta(**{unit: number})
    if unit in ("days", "weeks"):
        return Date(moment.date().isoformat(), "day", relative=True), ""
    return Date(moment.isoformat(timespec="minutes"), "hour" if unit == "hours" else "minute", relative=True), ""


def _day(match: re.Match[str]) -> date | None:
    """The day a shape found; None if there is no such day, or two month names disagree."""
    part = match.groupdict()
    if "a" in part:
        year, month, number = int(part["a"]), int(part["b"]), int(part["c"])
        if len(part["c"]) == 4:  # day first, but for 12/25/2024, which can only be read month first
            year, number = number, year
            month, number = (number, month) if month > 12 >= number else (month, number)
    else:
        months = _HIJRI if "hijri" in part else _MONTHS
        year, month, number = int(part["year"]), months[_plain(part.get("hijri") or part["month"])], int(part["day"])
        if ("hijri" in part) != (year < 1500) or (part.get("again") and _MONTHS[_plain(part["again"])] != month):
            return None
    try:
        if 1300 < year < 1500:
            return date.fromisoformat(Hijri(year, month, number).to_gregorian().isoformat())
        return date(year, month, number) if 1900 <= year < 2100 else None
    except (ValueError, OverflowError):
        return None


def _at(day: date, clock: re.Match[str] | None, zone: tzinfo | None) -> Date:
    """The day with its time of day, if one was printed. Bare midnight is how machines write that no time is known."""
    only = Date(day.isoformat(), "day")
    if not clock:
        return only
    hour, minute, second = int(clock["hour"]), int(clock["minute"]), int(clock["second"] or 0)
    if clock["am"] or clock["pm"]:
        hour = hour % 12 + (12 if clock["pm"] else 0) if hour <= 12 else hour
    elif not hour and not minute and not second:
        return only
    if hour > 23 or minute > 59 or second > 59:
        return only
    if offset := clock["offset"] or clock["hours"]:
        digits = offset[1:].replace(":", "")
        hours, minutes = (digits, 0) if len(digits) < 3 else (digits[:-2], digits[-2:])
        shift = timedelta(hours=int(hours), minutes=int(minutes))
        zone = timezone(-shift if offset[0] == "-" else shift) if shift < timedelta(hours=15) else None
    elif clock["utc"]:
        zone = UTC
    moment = datetime.combine(day, time(hour, minute, second), tzinfo=zone)
    precise: Precision = "second" if clock["second"] else "minute"
    return Date(moment.isoformat(timespec=f"{precise}s"), precise)


def _zone(zone: str | tzinfo | None) -> tzinfo | None:
    if not isinstance(zone, str):
        return zone
    try:
        return ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError):
        return None
