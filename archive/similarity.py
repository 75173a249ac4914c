"""Do two articles tell the same happening, and does one tell it in the other's words?                       [pure]

*Runs* of three words show what was copied. *Facts*, the numbers and weekdays, and what is said otherwise in the same
place tell a form from the one filled in the day before, which is word for word like it. What is told in other words is
told by odds: how much the words of both weigh that they have in common, by how few articles have them (TF-IDF), long
numbers and places in common, places that one has alone, the time between, whether one outlet tells both, whether one's
headline tells of what comes after (a funeral, a reaction) and the other has no word of it. Their weights were fitted to
labelled pairs, and are held to others by tests/evaluate_stories.py.

>>> one = read_telling("وصول قافلة", "وصلت قافلة تضم 184 عائلة من مخيم الهول إلى مركز الأمل في نينوى صباح الأحد.")
>>> other = read_telling("وصول قافلة", "وصلت قافلة تضم 211 عائلة من مخيم الهول إلى مركز الأمل في نينوى صباح الأحد.")
>>> relation(one, one).kind, relation(one, other).kind
('copy', None)
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Sequence, Set
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import cache
from itertools import combinations, pairwise
from math import hypot, inf, log, log1p, sqrt
from typing import Literal, NamedTuple, TypeVar
from zlib import crc32

from archive.arabic import stems
from archive.arabic.normalise import normalise
from archive.places import places

WINDOW = 1  # days between two tellings of one happening in other words; a copy may come at any time
TOLD = 50  # words: where a text says what happened; what comes later is often what went before
CORE = 100  # words: what a text is about
ALIGNED = 500  # words of each text that are laid beside each other
FEWEST = 6  # runs; a shorter text says too little to be like another one
TIMES = 4  # as long: a round-up holds many stories, and is none of them
COPY, REWRITE, ALIGN = 0.6, 0.2, 0.15  # of the runs; see `relation`
RETOLD, REUSED = 0.5, 0.1  # of words and runs: a text of the same happening that has so much of both is a rewrite
SWAPPED, OTHERWISE = 0.08, 0.16  # of what copies, rewrites say, said otherwise in the same place: a form's blanks
BLANK = 6  # words that fill one in a text told anew; twice as many in one that is else the same
SURE = 2  # long numbers in common: another outlet's are then no other happening of the same form
HEADED = 0.5  # alike are two headlines of one form
AGAIN = 0.7  # an outlet repeats itself in so many of its own words, or else it fills in a form
BINS, ROWS = 48, 3  # of the MinHash; two texts of resemblance .6 meet in a band with p = .98, of .1 with p = .02
TERMS = 40  # words by which an article is found

CERTAIN = 4.0  # odds, as logarithms: of a copy; of two happenings, below zero. Nothing else is surer
# The odds of two texts that have nothing in common; what words, numbers and places in common add to them; what takes
# from them: places that one has alone, on either side, on both; another land; each day beyond the first night; one
# outlet; what comes after
NOTHING, WEIGHTS = -5.95, (13.8, 2.1, 2.1, -0.7, -1.3, -0.7, -7.0, -8.0, -2.1)
NIGHT = 0.4  # days
HEADLINE = 1.5  # times that a word of the headline counts

_WIDE = frozenset(("country", "governorate", "region", "river", "sea", "mountain"))

Kind = Literal["copy", "rewrite", "same_event"]
_Item = TypeVar("_Item")


class Relation(NamedTuple):
    """How one telling is like another, and the odds that both tell one happening, as a logarithm, within ±CERTAIN.
    `similarity`, 0 to 1: of a copy or rewrite the share of the shorter text's runs that the longer one has, of others
    the cosine of their words. A `kind` of None: they tell different things."""

    kind: Kind | None
    similarity: float
    odds: float


@dataclass(frozen=True, slots=True)
class Telling:
    """What of a title and a text is compared, by its words as `archive.arabic.stems` reads them."""

    head: tuple[str, ...]
    body: tuple[str, ...]
    runs: frozenset[tuple[str, ...]]
    headed: frozenset[str]  # words of the headline that weigh something
    sites: frozenset[str]  # narrow places where the text says what happened, each by one word
    lead: frozenset[str]  # all words of the headline and of what the text is about
    lands: frozenset[str]  # countries and governorates that the lead names or says somebody is of
    after: frozenset[str]  # what its headline tells of that comes after something else: see common.toml
    aftermath: frozenset[str]  # and what its lead tells of that
    words: dict[str, float]  # what each sense of the lead weighs; of length 1
    core: dict[str, float]  # in the order of the text, with what each word weighs
    numbers: frozenset[str]
    weekdays: frozenset[str]


def read_telling(title: str, text: str) -> Telling:
    """Read an article for comparing. Takes about 1 ms for 400 words."""
    head, body = tuple(stems.words(title)), tuple(stems.words(text))
    words = (*head, *body)
    known, titled = frozenset(words), frozenset(head)
    lead = dict.fromkeys((*head, *body[:CORE]))
    core = {word: weight * 1.5 if word in titled else weight for word in lead if (weight := stems.weight(word))}
    numbers = frozenset(word for word in known if word[0] == "#" and not stems.NO_FACT.fullmatch(word))
    return Telling(
        head,
        body,
        frozenset(zip(words, words[1:], words[2:], strict=False)),
        titled & core.keys(),
        _sites(head) | _sites(body[:TOLD]),
        frozenset(lead),
        frozenset(_lands()[word] for word in lead if word in _lands()),
        _after(titled),
        _after(lead),
        _weighed(head, body[:CORE]),
        core,
        numbers,
        frozenset(word for word in known if word[0] == "@"),
    )


def relation(
    one: Telling, other: Telling, *, apart: float = 0, one_outlet: bool = False, frequent: Collection[str] = ()
) -> Relation:
    """How two articles seen or published `apart` days from each other are alike.

    `frequent` are words that many articles of these days have and that therefore say little. The relation has no
    direction: which of the two came first is not looked at.
    """
    common = one.words.keys() & other.words.keys()
    often = {stems.sense(word) for word in frequent}
    cosine = min(1.0, sum(one.words[w] * other.words[w] * (0.25 if w in often else 1) for w in common))
    different = Relation(None, round(cosine, 3), -CERTAIN)
    shorter, longer = sorted((len(one.runs), len(other.runs)))
    if shorter < FEWEST:
        return different
    wording = len(one.runs & other.runs) / shorter
    agreed, figures = len(one.numbers & other.numbers), sum(len(number) > 2 for number in one.numbers & other.numbers)
    differ = min(len(one.numbers - other.numbers), len(other.numbers - one.numbers))
    other_day = bool(one.weekdays and other.weekdays and not one.weekdays & other.weekdays)
    if wording >= ALIGN:
        if 3 * (differ + other_day) > 2 * agreed or longer > TIMES * shorter:
            return different
        if one_outlet and (wording < AGAIN or differ):
            return different
        blanks = one_outlet or figures < SURE or 3 * differ > figures  # who else tells has the same figures
        if blanks and _one_form(one, other, wording):
            return different
        if wording >= COPY:
            return Relation("copy", round(wording, 3), CERTAIN)
    if apart > WINDOW:
        return different
    if wording >= REWRITE:
        return Relation("rewrite", round(wording, 3), CERTAIN)
    after = bool(one.after - other.aftermath or other.after - one.aftermath)
    here, there = one.sites - other.sites - other.lead, other.sites - one.sites - one.lead
    both = len((one.sites | other.sites) - here - there)
    sites = log1p(both), log1p(max(len(here), len(there))), log1p(min(len(here), len(there)))
    lands = bool(one.lands - other.lands and other.lands - one.lands)
    signs = sqrt(cosine), log1p(figures), *sites, lands, max(0.0, apart - NIGHT), one_outlet, after
    odds = NOTHING + sum(weight * sign for weight, sign in zip(WEIGHTS, signs, strict=True))
    odds = max(-CERTAIN, min(CERTAIN, odds))
    if odds > 0 and wording >= REUSED and cosine >= RETOLD:
        return Relation("rewrite", round(wording, 3), odds)
    return Relation("same_event" if odds > 0 else None, round(cosine, 3), odds)


def gather(items: Sequence[_Item], odds: Callable[[_Item, _Item], float]) -> list[list[_Item]]:
    """Part items into groups by the odds of every two (logarithms; inf: certainly together), as clustering by average
    linkage does: the two groups whose pairs have the best odds on average are joined until none have more than even.
    """
    groups = {at: [item] for at, item in enumerate(items)}
    sums = {(a, b): odds(groups[a][0], groups[b][0]) for a, b in combinations(groups, 2)}
    while sums:
        a, b = max(sums, key=lambda pair: sums[pair] / (len(groups[pair[0]]) * len(groups[pair[1]])))
        if sums.pop((a, b)) <= 0:
            break
        groups[a] += groups.pop(b)
        for other in groups.keys() - {a}:
            sums[min(a, other), max(a, other)] += sums.pop((min(b, other), max(b, other)))
    return list(groups.values())


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


def _after(words: Collection[str]) -> frozenset[str]:
    return frozenset(kind for word in words if (kind := stems.afters().get(word)))


def _weighed(head: Sequence[str], body: Sequence[str]) -> dict[str, float]:
    """What each meaning of a text weighs: by how often it is told, and the commonest of the words that tell it."""
    times, rarity = Counter[str](), dict[str, float]()
    for words, counts in ((head, HEADLINE), (body, 1.0)):
        for word in words:
            meant = stems.sense(word)
            times[meant] += counts  # type: ignore[assignment]
            rarity[meant] = min(rarity.get(meant, inf), stems.rarity(word))
    weighed = {meant: (1 + log(often)) * rarity[meant] for meant, often in times.items()}
    length = hypot(*weighed.values()) or 1
    return {meant: weight / length for meant, weight in weighed.items()}


@cache
def _narrow() -> dict[tuple[str, ...], str]:
    """Names of narrow places, as the one or two words they are, and the word by which each place goes."""
    narrow = [place for place in places().values() if place.kind not in _WIDE]
    named = {tuple(stems.words(name)): stems.words(place.name_ar)[-1] for place in narrow for name in place.names}
    return {words: last for words, last in named.items() if len(words) < 3 and max(map(stems.weight, words)) >= 1}


@cache
def _lands() -> dict[str, str]:
    """Countries but Syria, and governorates, by what their names and those of their people have in common."""
    lands = [place for place in places().values() if place.kind in ("country", "governorate") and place.id != "syria"]
    named = [(normalise(name), place.id) for place in lands for name in place.names if " " not in name]
    return {stems.stem(form): id_ for name, id_ in named for form in (name, name.removesuffix("ستان"))}


def _sites(words: Sequence[str]) -> frozenset[str]:
    """Places narrower than a province: those known, in one spelling, and what else stands after words for places."""
    pairs, heads = list(pairwise(words)), stems.listed("sites")
    found = _narrow().keys() & {*pairs, *zip(words)}
    named = {
        word for kind, word in pairs if kind in stems.listed("sites") and word[0] != "#" and stems.weight(word) >= 1
    }
    return frozenset(map(_narrow().__getitem__, found)) | named.difference(heads, *found)


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
    return sum(1.0 if word[0] == "@" or word in stems.listed("places") else stems.weight(word) for word in words)
