"""Do two articles tell the same happening, and does one tell it in the other's words?                       [pure]

*Runs* of three words show what was copied. *Facts*, the numbers and weekdays, and what is said otherwise in the same
place tell a form from the one filled in the day before, which is word for word like it. What is told in other words is
found by *signs* in where each text says what happened, its headline and first words: names and places in common, what
either's headline has that the other one says, numbers anywhere, the time between. Each adds to or takes from the odds;
their weights were fitted to labelled pairs (tests/evaluate_stories.py says how well they do on others).

>>> one = read_telling("وصول قافلة", "وصلت قافلة تضم 184 عائلة من مخيم الهول إلى مركز الأمل في نينوى صباح الأحد.")
>>> other = read_telling("وصول قافلة", "وصلت قافلة تضم 211 عائلة من مخيم الهول إلى مركز الأمل في نينوى صباح الأحد.")
>>> relation(one, one), relation(one, other)
(Relation(kind='copy', similarity=1.0), None)
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Collection, Iterator, Sequence, Set
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import cache, lru_cache
from itertools import groupby, pairwise
from math import log1p
from pathlib import Path
from typing import Literal, NamedTuple
from zlib import crc32

from archive.arabic.normalise import normalise
from archive.arabic.numbers import read_numbers
from archive.places import places

WINDOW = 1  # days between two tellings of one happening in other words; a copy may come at any time
TOLD = 50  # words: where a text says what happened; what comes later is often what went before
CORE, LEAD = 100, 250  # words: what a text is about, and where it may repeat what another one said
ALIGNED = 500  # words of each text that are laid beside each other
FEWEST = 6  # runs; a shorter text says too little to be like another one
TIMES = 4  # as long: a round-up holds many stories, and is none of them
COPY, REWRITE, ALIGN = 0.6, 0.2, 0.15  # of the runs; see `relation`
RETOLD, REUSED = 0.5, 0.1  # of core and runs: a text of the same happening that has so much of both is a rewrite
SWAPPED, OTHERWISE = 0.08, 0.16  # of what copies, rewrites say, said otherwise in the same place: a form's blanks
BLANK = 6  # words that fill one in a text told anew; twice as many in one that is else the same
HEADED = 0.5  # alike are two headlines of one form
AGAIN = 0.7  # an outlet repeats itself in so many of its own words, or else it fills in a form
BINS, ROWS = 48, 3  # of the MinHash; two texts of resemblance .6 meet in a band with p = .98, of .1 with p = .02
TERMS = 40  # words by which an article is found

_TOKEN = re.compile(r"\d+(?:[.,/:]\d+)*|[^\W\d_a-z]+|[a-z]+")
# The odds of two texts that have nothing in common, what the signs add to them, and days, weekdays, one outlet
NOTHING, WEIGHTS = -3.75, (0.47, 2.77, 2.54, -1.26, 2.09, -1.9, -1.65, -4.55, -2.18, -0.89)

_WIDE = frozenset(("country", "governorate", "region", "river", "sea", "mountain"))
_NO_FACT = re.compile(r"#(?:20[0-3]\d|1|.*[a-z].*|0\.\d+)")  # years, one, "dozens", halves
_WEEKDAYS = frozenset(map(normalise, ("الأحد", "الاثنين", "الثلاثاء", "الأربعاء", "الخميس", "الجمعة", "السبت")))
_ENDINGS = ("هما", "ها", "هم", "هن", "نا", "ات", "ون", "ين", "ان", "تي", "يه", "ه", "ي", "ا", "و", "ت")

Kind = Literal["copy", "rewrite", "same_event"]


class Relation(NamedTuple):
    """How one telling is like another. `similarity`, 0 to 1: of a copy or rewrite the share of the shorter text's runs
    that the longer one has, of the same event how much of either's core the other one says."""

    kind: Kind
    similarity: float


@dataclass(frozen=True, slots=True)
class Telling:
    """What of a title and a text is compared. A number is `#7000`, a weekday `@الاحد`, any other word its stem."""

    head: tuple[str, ...]
    body: tuple[str, ...]
    runs: frozenset[tuple[str, ...]]
    headed: frozenset[str]  # words of the headline that weigh something
    lands: frozenset[str]  # countries, provinces and nations in it
    told: frozenset[str]
    sites: frozenset[str]  # narrower places there, each by one word
    figures: frozenset[str]  # numbers there of more than one digit
    lead: frozenset[str]
    core: dict[str, float]  # in the order of the text, with what each word weighs
    numbers: frozenset[str]
    weekdays: frozenset[str]


def read_telling(title: str, text: str) -> Telling:
    """Read an article for comparing. Takes about 1 ms for 400 words."""
    head, body = tuple(_words(title)), tuple(_words(text))
    words = (*head, *body)
    known, titled = frozenset(words), frozenset(head)
    lead = dict.fromkeys((*head, *body[:CORE]))
    core = {word: weight * 1.5 if word in titled else weight for word in lead if (weight := _weight(word))}
    told = frozenset((*head, *body[:TOLD]))
    numbers = frozenset(word for word in known if word[0] == "#" and not _NO_FACT.fullmatch(word))
    return Telling(
        head,
        body,
        frozenset(zip(words, words[1:], words[2:], strict=False)),
        titled & core.keys(),
        titled & _lands(),
        told,
        _sites(head, body[:TOLD]),
        frozenset(number for number in told & numbers if len(number) > 2),
        frozenset(words[:LEAD]),
        core,
        numbers,
        frozenset(word for word in known if word[0] == "@"),
    )


def relation(
    one: Telling, other: Telling, *, apart: float = 0, one_outlet: bool = False, frequent: Collection[str] = ()
) -> Relation | None:
    """How two articles seen or published `apart` days from each other are alike; None: they tell different things.

    `frequent` are words that many articles of these days have and that therefore say little. The relation has no
    direction: which of the two came first is not looked at.
    """
    shorter, longer = sorted((len(one.runs), len(other.runs)))
    if shorter < FEWEST:
        return None
    wording = len(one.runs & other.runs) / shorter
    agreed = len(one.numbers & other.numbers)
    differ = min(len(one.numbers - other.numbers), len(other.numbers - one.numbers))
    other_day = bool(one.weekdays and other.weekdays and not one.weekdays & other.weekdays)
    unlike = 3 * (differ + other_day) > 2 * agreed
    if wording >= ALIGN:
        if unlike or longer > TIMES * shorter:
            return None
        if (one_outlet and wording < AGAIN) or _one_form(one, other, wording):
            return None
        if wording >= COPY:
            return Relation("copy", round(wording, 3))
    if apart > WINDOW:
        return None
    signs = (*_signs(one, other, frequent), apart, other_day, one_outlet)
    if NOTHING + sum(weight * sign for weight, sign in zip(WEIGHTS, signs, strict=True)) <= 0:
        return None
    here, there = _said(one, other, frequent), _said(other, one, frequent)
    said = round(2 * here * there / ((here + there) or 1), 3)
    retold = wording >= REWRITE or (said >= RETOLD and wording >= REUSED and not unlike)
    return Relation("rewrite", round(wording, 3)) if retold else Relation("same_event", said)


def bands(telling: Telling) -> list[int]:
    """Numbers that near-copies have in common: a MinHash of the runs in one permutation, cut into bands. They are
    stored, and must stay what they are from release to release."""
    if len(telling.runs) < FEWEST:
        return []
    least: dict[int, int] = {}
    for run in telling.runs:
        value, place = divmod(crc32(" ".join(run).encode()), BINS)
        if value < least.get(place, 1 << 32):
            least[place] = value
    full = []
    for place in range(BINS):  # an empty bin takes the value of the next that is not
        step = next(step for step in range(BINS) if (place + step) % BINS in least)
        full.append(least[(place + step) % BINS] * BINS + step)
    return [crc32(f"{at} {full[at : at + ROWS]}".encode()) for at in range(0, BINS, ROWS)]


def terms(telling: Telling) -> dict[int, str]:
    """The words by which an article is found from another telling of the same, by their numbers, which are stored."""
    names = [word for word, weight in telling.core.items() if weight >= 1]
    common = [word for word in telling.core if word in telling.headed]  # rare enough where an archive is small
    return {crc32(word.encode()): word for word in (*names[:TERMS], *common)}


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
def _listed(name: str) -> frozenset[str]:
    """The words of a list of common.toml."""
    data = tomllib.loads((Path(__file__).parent / "arabic" / "common.toml").read_text("utf-8"))
    return frozenset(stem(normalise(word)) for word in data[name].split())


@cache
def _narrow() -> dict[tuple[str, ...], str]:
    """Names of narrow places, as the one or two words they are, and the word by which each place goes."""
    places_ = [place for place in places().values() if place.kind not in _WIDE]
    named = {tuple(_words(name)): _words(place.name_ar)[-1] for place in places_ for name in place.names}
    return {words: last for words, last in named.items() if len(words) < 3 and max(map(_weight, words)) >= 1}


@cache
def _lands() -> frozenset[str]:
    """What names countries and provinces; those who live there have the same stem. Syria is in every text."""
    names = {name for place in places().values() if place.kind in ("country", "governorate") for name in place.names}
    known = {stem(normalise(name)) for name in names if " " not in name} | _listed("places")
    return frozenset(known - {stem(normalise("سوريا"))})


@cache
def _common() -> dict[str, float]:
    """What common words weigh."""
    return dict.fromkeys(_listed("news") | _listed("places"), 0.25) | dict.fromkeys(_listed("function"), 0.0)


@lru_cache(1 << 16)
def _weight(word: str) -> float:
    if word[0] == "#":
        return 0.0 if _NO_FACT.fullmatch(word) else 1.5
    return 0.0 if word[0] == "@" or len(word) < 2 else _common().get(word, 1.0)


@lru_cache(1 << 16)
def _counts(word: str) -> bool:
    """Whether a word may be part of a number: most are not, and need no second look."""
    return word[0].isdigit() or bool(read_numbers([word]))


def _words(text: str) -> list[str]:
    out: list[str] = []
    for counted, group in groupby(_TOKEN.findall(normalise(text)), _counts):
        words = list(group)
        out += _numbers(words) if counted else map(_plain, words)
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


def _said(one: Telling, other: Telling, frequent: Collection[str]) -> float:
    """How much of the core of one the other one says, from 0 to 1."""
    weights = {word: min(weight, 0.25) if word in frequent else weight for word, weight in one.core.items()}
    return sum(weight for word, weight in weights.items() if word in other.lead) / (sum(weights.values()) or 1)


def _signs(one: Telling, other: Telling, frequent: Collection[str]) -> Iterator[float]:
    """What two texts have in common where they say what happened, and what of each the other one lacks. Of many names
    each says less, of digits the first says nothing: the threes and fives of two texts agree by chance."""
    rare = {word for word in one.told & other.told if word[0] != "#" and _weight(word) >= 1}
    yield log1p(len(rare.difference(frequent)))
    echoed = (one.told & other.headed).difference(frequent), (other.told & one.headed).difference(frequent)
    yield log1p(sum(map(len, echoed)) / 2)
    yield log1p(len((one.sites & other.sites).difference(frequent)))
    yield log1p(min(len(one.sites - other.sites), len(other.sites - one.sites)))
    yield log1p(sum(len(number) - 2 for number in one.numbers & other.numbers))
    yield log1p(min(len(one.figures - other.numbers), len(other.figures - one.numbers)))
    yield bool(one.lands - other.lead and other.lands - one.lead)


def _sites(head: Sequence[str], body: Sequence[str]) -> frozenset[str]:
    """Places narrower than a province: those known, in one spelling, and what else stands after words for places."""
    pairs = {*pairwise(head), *pairwise(body)}
    found = _narrow().keys() & {*pairs, *zip(head), *zip(body)}
    others = {word for kind, word in pairs if kind in _listed("sites") and word[0] != "#" and _weight(word) >= 1}
    return frozenset(map(_narrow().__getitem__, found)) | others.difference(_listed("sites"), *found)


def _one_form(one: Telling, other: Telling, wording: float) -> bool:
    """Whether two texts that are much alike are a form filled in twice: with other names, places, numbers, weekdays."""
    first, second = sorted((one, other), key=lambda telling: (telling.head, telling.body))  # the order must not matter
    known = frozenset((*first.head, *first.body)), frozenset((*second.head, *second.body))
    a, b = first.body[:ALIGNED], second.body[:ALIGNED]
    bodies = SequenceMatcher(None, a, b, autojunk=False)
    if not _swapped(bodies, a, b, known, ALIGNED):  # one text under two headlines
        return False
    heads = SequenceMatcher(None, first.head, second.head, autojunk=False)
    if heads.ratio() >= HEADED and _swapped(heads, first.head, second.head, known, BLANK) >= 1:
        return True
    otherwise = _swapped(bodies, a, b, known, BLANK if wording < COPY else 2 * BLANK)
    share = otherwise / ((otherwise + _heft(set(a) & set(b))) or 1)
    return share > (OTHERWISE if wording < COPY else SWAPPED)


def _swapped(
    laid: SequenceMatcher[str], a: Sequence[str], b: Sequence[str], known: tuple[Set[str], Set[str]], longest: int
) -> float:
    """What two texts laid beside each other say otherwise in the same place, and nowhere else."""
    return sum(
        min(_heft(set(a[start:end]) - known[1]), _heft(set(b[from_:to]) - known[0]))
        for op, start, end, from_, to in laid.get_opcodes()
        if op == "replace" and max(end - start, to - from_) <= longest
    )


def _heft(words: Collection[str]) -> float:
    return sum(1.0 if word[0] == "@" or word in _listed("places") else _weight(word) for word in words)
