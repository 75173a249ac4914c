"""What Arabic news sites print around a text, told line by line: families of phrases, in furniture.toml.     [pure]

Rules look at the words of a line alone, never at one site's markup. In doubt a line is text.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from archive.arabic.normalise import normalise

DATA = tomllib.loads(Path(__file__).with_name("furniture.toml").read_text("utf-8"))
EDGE = " \t-–—|:؛،,.•*·»«/\"'()[]“”"
"""Marks at the ends of a line that are no word of it."""
STOP = r"(?!\w)"
_COLON = r"\s*(?:[:/|؛>»›]|-\s|$)"


def fold(line: str) -> str:
    """A line as rules see it: normalised, without marks at its ends, one space between words."""
    return " ".join(normalise(line).split()).strip(EDGE)


def either(phrases: Iterable[str]) -> str:
    """A pattern for any of these phrases in a normalised text, the longest first."""
    longest_first = sorted(map(fold, phrases), key=len, reverse=True)
    return "|".join(re.escape(phrase).replace(r"\ ", r"\s+") for phrase in longest_first)


def _pattern(family: Mapping[str, Any]) -> re.Pattern[str]:
    lead = r"[^\w©]*"  # an emoji, a bullet
    ways = {
        "only": (bare := rf"[\W\d]*(?:(?:%s){STOP}[\W\d]*)+$"),
        "counted": rf"(?=.*\d){bare}",
        "timed": rf"(?=.*\d:\d\d){bare}",
        "starts": rf"{lead}(?:%s){STOP}",
        "labels": rf"{lead}(?:%s){_COLON}",
        "brief": rf"(?=.{{0,44}}$){lead}(?:%s){STOP}",
        "holds": rf".*(?<!\w)(?:%s){STOP}",
    }
    told = [way % either(family[key]) for key, way in ways.items() if key in family]
    return re.compile("|".join([*told, *filter(None, [family.get("shape")])]))


_FAMILIES = [(name, _pattern(data), data.get("max", 120), "edge" in data) for name, data in DATA["family"].items()]
_MORE = _pattern(DATA["more"])
_PARTED = re.compile(r"\s*(?:[^\w\s،]|$)")
_HASHTAGS = re.compile(r"(?:#\s?[\w_]+[\s،,|-]*)+")
AGENCIES = re.compile(
    rf"\W*(?:(?:{either([*DATA['credit']['agencies'], *DATA['credit']['through']])}){STOP}(?:\W|و(?=\s))*)+"
)
"""A normalised line of nothing but agencies."""


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
        year = re.fullmatch(r"(?:19|20)\d\d", plain) is not None  # may head a part of the text
        return ("counter", year) if len(plain) < (18 if ":" in plain else 12) else None
    if _HASHTAGS.fullmatch(line.strip()):
        return "tags", False
    for name, pattern, longest, edge in _FAMILIES:
        if len(plain) <= longest and pattern.match(plain):
            return name, edge
    return None


def read_more(line: str) -> str | None:
    """What follows "read also" in a line, "" for a heading over links to other articles; None for any other line."""
    plain = fold(line)
    more = _MORE.match(plain) if len(plain) <= DATA["more"]["max"] else None
    if not more or ((is_prose(line) or line.rstrip().endswith(".")) and not _PARTED.match(plain, more.end())):
        return None  # the latter is a sentence that begins like one
    return fold(plain[more.end() :])
