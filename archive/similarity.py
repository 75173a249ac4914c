"""Do two articles tell the same happening, and does one tell it in the other's words?                       [pure]

Three things are compared. *Runs* of three words show what was copied. *Facts*, the numbers and weekdays, tell a
bulletin from the one of the day before, which is word for word like it. *Core*, the words of headline and lead without
those that every news text has, shows the same happening told in other words: of two texts of one hour little of it has
to agree, of two texts a day apart much, for what follows on a happening names the same people and places.

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
from pathlib import Path
from typing import Literal, NamedTuple
from zlib import crc32

from archive.arabic.normalise import normalise
from archive.arabic.numbers import read_numbers

WINDOW = 1  # days between two tellings of one happening in other words; a copy may come at any time
CORE, LEAD = 100, 250  # words: where a text says what happened, and where it may repeat what another one said
ALIGNED = 500  # words of each text that are laid beside each other
FEWEST = 6  # runs; a shorter text says too little to be like another one
TIMES = 4  # as long: a round-up holds many stories, and is none of them
COPY, REWRITE, ALIGN, EVENT = 0.6, 0.2, 0.15, 0.24  # see `relation` and tests/evaluate_stories.py
RETOLD = 0.7  # of the core: a text that is aligned and says so much of it is a rewrite
LATER = 0.3  # more of the core two texts a day apart have to share than two of one hour
KNOWN = 0.12  # of the core that names in common stand in for at most
SWAPPED, OTHERWISE = 0.08, 0.16  # of what copies, rewrites say, said otherwise in the same place: a form's blanks
BLANK = 6  # words that fill one in a text told anew; twice as many in one that is else the same
HEADED = 0.5  # alike are two headlines of one form
AGAIN = 0.7  # an outlet repeats itself in so many of its own words, or else it fills in a form
BINS, ROWS = 48, 3  # of the MinHash; two texts of resemblance .6 meet in a band with p = .98, of .1 with p = .02
TERMS = 40  # words by which an article is found

_TOKEN = re.compile(r"\d+(?:[.,/:]\d+)*|[^\W\d_a-z]+|[a-z]+")
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
    return Telling(
        head,
        body,
        frozenset(zip(words, words[1:], words[2:], strict=False)),
        frozenset(words[:LEAD]),
        core,
        frozenset(word for word in known if word[0] == "#" and not _NO_FACT.fullmatch(word)),
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
    if shorter < FEWEST or longer > TIMES * shorter:
        return None
    wording = len(one.runs & other.runs) / shorter
    agreed = len(one.numbers & other.numbers)
    differ = min(len(one.numbers - other.numbers), len(other.numbers - one.numbers))
    other_day = bool(one.weekdays and other.weekdays and not one.weekdays & other.weekdays)
    here, there = _said(one, other, frequent), _said(other, one, frequent)
    event = 2 * here * there / ((here + there) or 1)
    if wording >= ALIGN:
        if 3 * (differ + other_day) > 2 * agreed and differ + other_day:
            return None
        if (one_outlet and wording < AGAIN) or _one_form(one, other, wording):
            return None
        if wording >= REWRITE or event >= RETOLD:
            return Relation("copy" if wording >= COPY else "rewrite", round(wording, 3))
    if apart > WINDOW:
        return None
    doubt = LATER * apart + 0.08 * (other_day + one_outlet + _elsewhere(one, other)) + 0.04 * max(0, differ - agreed)
    short = EVENT + doubt - event
    found = short <= 0 or (short <= KNOWN and short <= _known(one, other, frequent))
    return Relation("same_event", round(event, 3)) if found else None


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
    return {crc32(word.encode()): word for word in names[:TERMS]}


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
def _common() -> dict[str, float]:
    """What common words weigh."""
    data = tomllib.loads((Path(__file__).parent / "arabic" / "common.toml").read_text("utf-8"))
    news = {stem(normalise(word)): 0.25 for word in (*data["news"].split(), *data["places"].split())}
    return news | {stem(normalise(word)): 0.0 for word in data["function"].split()}


@cache
def _places() -> frozenset[str]:
    data = tomllib.loads((Path(__file__).parent / "arabic" / "common.toml").read_text("utf-8"))
    return frozenset(stem(normalise(word)) for word in data["places"].split())


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


def _known(one: Telling, other: Telling, frequent: Collection[str]) -> float:
    """How much the words both have and few others do add: a few of them, best beside each other, as in a full name."""
    few = {word for word, weight in one.core.items() if weight >= 1 and word in other.core}.difference(frequent)
    beside = set(pairwise((*one.head, *one.body[:CORE]))) & set(pairwise((*other.head, *other.body[:CORE])))
    return KNOWN / 6 * (min(4, len(few)) + min(2, sum(map(few.issuperset, beside))))


def _elsewhere(one: Telling, other: Telling) -> bool:
    """Whether the headline of each names a place that the other one does not know."""
    return bool(_places().intersection(one.head) - other.lead and _places().intersection(other.head) - one.lead)


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
    return sum(1.0 if word[0] == "@" or word in _places() else _weight(word) for word in words)
