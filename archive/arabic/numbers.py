"""Numbers as Arabic prints them, in digits of every script, in words, or in both, and what they are worth.   [pure]

Words are data, in numbers.toml. "واحد" alone is no number: it counts nothing that the noun did not say.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from archive.arabic.normalise import normalise


class Number(NamedTuple):
    """`value` as written, or a word for "dozens", "hundreds"; half-open numbers of the words it is made of."""

    value: float | str
    start: int
    end: int


_DATA = tomllib.loads(Path(__file__).with_name("numbers.toml").read_text("utf-8"))
_ONES, _TENS, _HUNDREDS, _SCALES, _PARTS, _VAGUE = (
    {normalise(word): value for word, value in _DATA[name].items()}
    for name in ("ones", "tens", "hundreds", "scales", "parts", "vague")
)
_HUNDREDS |= {one + hundred: 100 * value for one, value in _ONES.items() if 2 < value < 10
              for hundred in ("ميه", "مايه")}  # fmt: skip
_WORD = re.compile(r"(?P<joined>[وف]?)(?P<before>(?:[بك]|ل(?!ل))?)(?P<article>ال|لل)?(?P<bare>.+)")
_DIGITS = re.compile(r"\d{1,18}(?:\.\d{1,18})?")  # longer ones count nothing
_WORDS = 1 << 14  # remembered, since words come back
_GROUPED = re.compile(r"(?<=\d)[,.](?=\d{3}(?!\d))")
_SPACED = re.compile(r"[1-9]\d{0,2}(?:\s\d{3}){1,2}")  # 5 704; of digits otherwise parted by spaces nothing is known
_DECIMAL = re.compile(r"(?<=^\d),(?=\d{1,2}$)")  # 1,5 مليون


def read_numbers(words: Sequence[str]) -> list[Number]:
    """The numbers in a text, given as its normalised words.

    >>> [n.value for n in read_numbers(["ثلاثه", "عشر", "قتيلا", "1,500", "من", "مليونين", "ونصف", "المليون"])]
    [13, 1500, 2500000]
    """
    found, at = list[Number](), 0
    while at < len(words):
        number = _read(words, at) if _counts(words[at]) else None
        verb = number and number.end == at + 1 and words[at].endswith(("اثني", "اثنا"))  # أثنى; a two needs a ten
        if number and number.value != 1 and not verb:
            found.append(number)
        unread = words[at][:1].isdigit() and not (number and number.value)
        at = number.end if number else at + 1
        at += unread and at < len(words) and _worth(words[at])[1] == "scale"  # of what is not known no million is left
    return found


def _read(words: Sequence[str], start: int) -> Number | None:
    """The number that begins at a word, as far as it goes."""
    if (vague := _vague(words, start)) is not None:
        return vague
    total = group = 0.0
    at, last = start, 10.0**18  # what follows with "and" is smaller than what stands before it
    scaled = 0.0
    while at < len(words):
        if scaled and words[at] == "و" and at + 1 < len(words) and words[at + 1][0].isdigit():  # مليون و200 ألف
            at, total, group = at + 1, total + group, 0.0
        joined, kind, value = _worth(words[at])
        joined |= kind == "digits" and at > start and words[at - 1] == "و"
        if not kind or (at > start and kind == "digits" and not joined):
            break
        if at > start and joined and kind in ("ones", "tens", "hundreds", "digits") and not value < last:
            break
        if kind == "part":
            if not scaled or not joined:
                break
            total += value * scaled
            at += 1 + (at + 1 < len(words) and _worth(words[at + 1])[1] == "scale")
            break
        if kind == "scale" and not joined and at > start and not group:  # مليون ألف
            break
        if kind == "scale":
            if at > start and joined:
                total, group = total + group, 0.0
                if scaled and value >= scaled:
                    break
            scaled = value / (2 if str(value)[0] == "2" else 1)
            total, group, last = total + (group or 1) * value, 0.0, scaled
        elif kind == "hundreds" and not joined and 2 < group < 10 and value == 100:
            group, last = group * 100, 100.0
        elif kind == "tens" and not joined and 0 < group < 10 and value == 10:
            group, last = group + 10, 1.0
        elif kind == "tens" and joined and 0 < group % 100 < 10:
            group, last = group + value, 1.0
        elif at > start and not joined:
            break
        else:
            group, last = group + value, value
        at += 1
        if kind == "ones" and at < len(words) and _worth(words[at])[1] == "tens":
            last = 100.0
    worth = total + group
    return Number(int(worth) if worth == int(worth) else round(worth, 3), start, at) if at > start else None


def _vague(words: Sequence[str], start: int) -> Number | None:
    """عشرات, مئات, عشرات الآلاف, آلاف with no number before it; a part of a scale (نصف مليون), or of something else."""
    first = _uncounted(words[start])
    if first is None:
        return None
    if not isinstance(first, str):
        scale = _worth(words[start + 1]) if start + 1 < len(words) else (False, "", 0.0)
        of_scale = scale[1] in ("scale", "hundreds") and not scale[0]
        return Number(round(first * scale[2]) if of_scale else first, start, start + 1 + of_scale)
    second = _VAGUE.get(words[start + 1]) if start + 1 < len(words) else None
    return Number(f"{first} of {second}" if second else first, start, start + 1 + bool(second))


@lru_cache(_WORDS)
def _counts(word: str) -> bool:
    """Whether a number may begin at a word."""
    return _uncounted(word) is not None or bool(_worth(word)[1])


@lru_cache(_WORDS)
def _uncounted(word: str) -> str | float | None:
    """What a word of no exact number says, or a part."""
    bare = _WORD.fullmatch(word)
    names = [name for name in (word, bare and (bare["article"] or "") + bare["bare"]) if name]
    first: str | None = next((_VAGUE[name] for name in names if name in _VAGUE), None)
    return first or next((_PARTS[name] for name in (word, bare["bare"] if bare else "") if name in _PARTS), None)


@lru_cache(_WORDS)
def _worth(word: str) -> tuple[bool, str, float]:
    """Whether a word is joined by "and", what kind of number word it is ("" for none), and its worth."""
    plain = "".join(word.split()) if _SPACED.fullmatch(word) else _DECIMAL.sub(".", _GROUPED.sub("", word))
    if _DIGITS.fullmatch(plain):
        return False, "digits", float(plain)
    for whole in (True, False):
        match = None if whole else _WORD.fullmatch(word)
        bare, joined = (match["bare"], bool(match["joined"])) if match else (word, False)
        if match and bare in ("اثنين", "احد") and match["article"]:
            break  # Monday, Sunday
        for kind, known in (("ones", _ONES), ("tens", _TENS), ("hundreds", _HUNDREDS), ("scale", _SCALES),
                            ("part", _PARTS)):  # fmt: skip
            if bare in known and (kind != "part" or joined):
                return joined, kind, known[bare]
    return False, "", 0.0
