"""Words as two tellings are compared by them: stems, skeletons, senses, and what each says of a text.       [pure]

Coarse, and only for comparing: nothing here is shown or searched. The lists are common.toml and shares.toml.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from functools import cache, lru_cache
from itertools import groupby
from math import log
from pathlib import Path
from typing import Any

from archive.arabic.normalise import normalise
from archive.arabic.numbers import read_numbers

UNLISTED = 1 / 256  # of articles have a word that stands in no list
DAYS = 1 / 7  # have a weekday
NO_FACT = re.compile(r"#(?:20[0-3]\d|1|.*[a-z].*|0\.\d+)")  # years, one, "dozens", halves

_TOKEN = re.compile(r"\d+(?:[.,/:]\d+)*|[^\W\d_a-z]+|[a-z]+")
_WEEKDAYS = frozenset(map(normalise, ("الأحد", "الاثنين", "الثلاثاء", "الأربعاء", "الخميس", "الجمعة", "السبت")))
_WEAK = re.compile("[اويىءئؤ]")  # what comes and goes between the forms of a word
_ENDINGS = ("هما", "ها", "هم", "هن", "نا", "ات", "ون", "ين", "ان", "تي", "يه", "ه", "ي", "ا", "و", "ت")


@lru_cache(1 << 16)
def stem(word: str) -> str:
    """A normalised word without what is joined to it. Coarse, and only for comparing: it is never shown.

    >>> stem("والمعتقلين") == stem("معتقلون"), stem("للحسكه") == stem("الحسكه")
    (True, True)
    """
    while True:
        if word[0] == "و" and len(word) > 3:
            word = word[1:]
        elif word[:2] in ("ال", "لل") and len(word) > 4:
            word = word[2:]
        elif word[0] in "بكف" and word[1:3] == "ال" and len(word) > 5:
            word = word[3:]
        elif word[0] in "بلف" and len(word) > 4:
            word = word[1:]
        else:
            break
    for _ in range(2):
        word = next((word[: -len(end)] for end in _ENDINGS if word.endswith(end) and len(word) - len(end) > 2), word)
    return word


@cache
def _data(name: str) -> dict[str, Any]:
    return tomllib.loads(Path(__file__).with_name(f"{name}.toml").read_text("utf-8"))


@cache
def afters() -> dict[str, str]:
    """What comes after a happening, by the words that tell of it."""
    return {stem(normalise(word)): kind for kind, words in _data("common")["after"].items() for word in words.split()}


@cache
def listed(name: str) -> frozenset[str]:
    """The words of a list of common.toml."""
    return frozenset(stem(normalise(word)) for word in _data("common")[name].split())


@cache
def _shares() -> dict[str, float]:
    """Of how many articles each of the words of shares.toml stands in; the rest goes by what common.toml lists."""
    common = dict.fromkeys(listed("news") | listed("places"), 1 / 64) | dict.fromkeys(listed("function"), 1 / 16)
    counted = _data("shares").items()
    return common | {word: 1 / int(share[2:]) for share, words in counted for word in words.split()}


@lru_cache(1 << 16)
def rarity(word: str) -> float:
    """What it says that a text has a word: the less, the more texts have it."""
    if word[0] == "@":
        return -log(DAYS)
    if word[0] == "#":
        return -log(0.5 if NO_FACT.fullmatch(word) else UNLISTED)
    return -log(_shares().get(word, UNLISTED))


@lru_cache(1 << 16)
def skeleton(word: str) -> str:
    """A stem without its weak letters, by which `انفجار` and `انفجرت` are one word."""
    bare = _WEAK.sub("", word)
    return word if word[0] in "@#" or len(word) < 4 or len(bare) < 3 else bare


@cache
def _meanings() -> dict[str, str]:
    """The first of the words of one meaning, by the skeleton of each."""
    lines = [
        [skeleton(stem(normalise(word))) for word in line.split()] for line in _data("common")["alike"].split("\n")
    ]
    return {word: words[0] for words in lines for word in words}


@lru_cache(1 << 16)
def sense(word: str) -> str:
    """What words of one meaning have in common, as far as that shows, by a stem: its skeleton, or that of another.

    >>> sense(stem("مركبه")) == sense(stem("السياره")), sense(stem("انفجرت")) == sense(stem("انفجار"))
    (True, True)
    """
    return _meanings().get(skeleton(word), skeleton(word))


@cache
def _common() -> dict[str, float]:
    """What common words weigh."""
    return dict.fromkeys(listed("news") | listed("places"), 0.25) | dict.fromkeys(listed("function"), 0.0)


@lru_cache(1 << 16)
def weight(word: str) -> float:
    """What a word weighs where texts are laid word by word: a name 1, a word of all news less, a particle nothing."""
    if word[0] == "#":
        return 0.0 if NO_FACT.fullmatch(word) else 1.5
    return 0.0 if word[0] == "@" or len(word) < 2 else _common().get(word, 1.0)


@lru_cache(1 << 16)
def _counts(word: str) -> bool:
    """Whether a word may be part of a number: most are not, and need no second look."""
    return word[0].isdigit() or bool(read_numbers([word]))


def words(text: str) -> list[str]:
    """The words of a text: a number is `#7000`, a weekday `@الاحد`, any other its stem."""
    out: list[str] = []
    for counted, group in groupby(_TOKEN.findall(normalise(text)), _counts):
        alike = list(group)
        out += _numbers(alike) if counted else map(_plain, alike)
    return out


def _numbers(words: list[str]) -> Iterator[str]:
    at = 0
    for number in [*read_numbers(words), None]:
        start = number.start if number else len(words)
        yield from (f"#{word}" if word[0].isdigit() else _plain(word) for word in words[at:start])
        if number:
            yield f"#{number.value}"
            at = number.end


@lru_cache(1 << 16)
def _plain(word: str) -> str:
    bare = word.removeprefix("و")
    return f"@{bare}" if bare in _WEEKDAYS else stem(word)
