"""What a text says that may not change without mattering: numbers, dates, places, actors, negations.       [pure]

Read from words alone, with the vocabulary of materiality.toml: "ثلاثة عشر" is worth what "13" is.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from archive.arabic.normalise import normalise, normalise_map, source_span
from archive.arabic.numbers import read_numbers
from archive.arabic.tokens import stripped
from archive.matching import scan
from archive.rules import RuleSet

VOCABULARY = tomllib.loads(Path(__file__).with_name("materiality.toml").read_text("utf-8"))
TOKEN = re.compile(r"\d+(?:[.,:/]\d+)*|[^\W\d_a-z]+|[a-z]+")
WEAK = "?"  # the last of a value that counts only where it took the place of another

OBJECT = re.compile(r"\w{3,}(?:ها|هم|ته|اءه|ايه|وا)|\w{4,}ات")  # somebody's, or several: no name after a title
PART = re.compile(rf"{TOKEN.pattern}|[.!?؟؛:،\n]")
_CLOCK = re.compile(r"\d{1,2}:\d\d|\d{1,4}/\d{1,2}/\d{1,4}")
_QUALIFIES = re.compile(r"ال\w+يه?")
_NOMINAL = ("", "ا", "ة", "ون", "ين", "ان", "ات", "تان", "تين")
_VERBAL = ("", "ا", "ت", "وا", "ه", "ون", "ين", "ان", "هم", "ها")
_PEOPLE = ("ي", "و", "ات", "يه", "يها", "يهم", "وه", "وها", "وهم")  # with what is theirs
_FORMS = re.compile(r"^ال(?=\w\w)|(?<=\w\w)(?:ون|ين|ان|ات|ه)$|[اويئ]")  # in what forms of one word differ
_ADDS = re.compile(r"ال|[بلوفك]|س[يت]|.*[اه]$")  # what an adverb, or a word with something joined to it, looks like
_BESIDE = ("past", "coming", "current")  # of a month
_NAMELESS = {normalise(word) + end for word in VOCABULARY["names"]["nameless"] for end in ("", "ت", "ه", "ا")}
GIVEN, _TITLES, _WEAK_TITLES, _NEVER, _BEGINS = (
    frozenset(map(normalise, names))
    for names in (
        VOCABULARY["phrases"]["name"]["given"], VOCABULARY["phrases"]["title"]["sure"],
        VOCABULARY["phrases"]["title"]["weak"], VOCABULARY["names"]["never"], VOCABULARY["names"]["begins"],
    )
)  # fmt: skip
_WORTH = {normalise(name): normalise(number) for number, names in VOCABULARY["numbers"].items() for name in names}


class Fact(NamedTuple):
    """Something an edit may not touch without mattering: what it is worth, and the stems of the words beside it, marked
    by side but for numbers, which a verb may follow as well."""

    kind: str
    value: Any
    surface: str
    beside: frozenset[str] = frozenset()
    lost: bool = False  # only the first of two texts has it


class _Found(NamedTuple):
    """A fact among words: the first, the one after the last."""

    start: int
    end: int
    kind: str
    value: Any


def facts_of(text: str, rules: RuleSet | None = None) -> list[Fact]:
    """The facts of a stretch of text, in its order; terms that `rules` watch come last."""
    folded, offsets = normalise_map(text)
    spans = [match.span() for match in PART.finditer(folded)]
    words = [folded[low:high] for low, high in spans]
    found = list[_Found]()
    free = [next((_WORTH[form] for form in (word, *stripped(word)) if form in _WORTH), word) for word in words]
    at = 0
    while at < len(words):
        if known := _known(words, at):
            found.append(known)
            free[at : known.end] = [""] * (known.end - at)
        at = known.end if known else at + 1
    for number in read_numbers(free):
        year = isinstance(number.value, int) and 1900 <= number.value < 2100 and number.end == number.start + 1
        found.append(_Found(number.start, number.end, "date" if year else "number", number.value))
    found += [_Found(i, i + 1, "date", word) for i, word in enumerate(free) if _CLOCK.fullmatch(word)]

    def span(fact: _Found) -> tuple[int, int]:
        return source_span(text, offsets, spans[fact.start][0], spans[fact.end - 1][1])

    out, last, before = [], -1, ""
    for fact in _dated(sorted(found, key=lambda fact: fact[:2]), words):
        if fact.kind != "idiom":
            joined = fact.start == last and words[last].startswith("و")  # stands where the one before it does
            before = before if joined else words[fact.start - 1].removeprefix("و") if fact.start else ""
            last, after = fact.end, words[fact.end] if fact.end < len(words) else ""
            sides = (("<", before), (">", after))  # "that" parts all sources alike
            if fact.kind == "number":  # 22 راكبا, 22 من الركاب; قتل 7 وأصيب 9
                after = "".join(words[last + 1 : last + 2]) if after == "من" else after
                sides = (("", before), ("", "" if after.startswith("و") else after))
            beside = frozenset(side + (_FORMS.sub("", w) or w) for side, w in sides if w[:1].isalnum() and w != "ان")
            out.append(Fact(fact.kind, fact.value, text[slice(*span(fact))], beside))
    if rules:
        named = [(*span(fact), fact.value) for fact in found if fact.kind in ("actor", "place")]
        watched = frozenset[int]().union(*(topic.mention for topic in rules.by_topic))
        for hit in scan(rules, "", text).hits:
            low, high = source_span(text, offsets, hit.start, hit.end)
            if hit.term in watched:  # beside: whose name it is
                of = frozenset(value for start, end, value in named if start <= low and high <= end)
                out.append(Fact("term", hit.term, text[low:high], of))
    return out


def _known(words: Sequence[str], at: int) -> _Found | None:
    """The longest phrase of the vocabulary that begins at a word, or the initials of somebody who is not named."""
    found = [
        (at + len(phrase), kind, value, form != words[at] and words[at][: -len(form)].endswith(("ال", "لل")))
        for form in (words[at], *stripped(words[at]))
        for phrase, kind, value in _PHRASES.get(form, ())
        if tuple(words[at + 1 : at + len(phrase)]) == phrase[1:]
        and not (value == "clan" and (read_numbers(words[max(0, at - 1) : at]) or (*words, "ت")[at + 1][0] in "تي"))
    ]
    wholes = (_whole(words, *phrase) for phrase in sorted(found, key=lambda phrase: -phrase[0]))
    short = [*map(len, words[at : at + 3])] == [1, 1, 1] and words[at + 1] == "." and words[at].isalpha()
    initials = _Found(at, at + 3, "actor", (words[at], words[at + 2])) if short else None
    return next((_Found(at, *whole) for whole in wholes if whole), initials)


def _whole(words: Sequence[str], end: int, kind: str, value: Any, defined: bool) -> tuple[int, str, Any] | None:
    """A phrase with what belongs to it: the name after a title, what a ministry is of; None if that is missing."""
    following, more = (words[n] if n < len(words) else "" for n in (end, end + 1))
    inner = _known(words, end) if following and kind in ("place_head", "title") else None
    if inner and (inner.kind == "place" or inner.value in VOCABULARY["phrases"]["actor"]):
        # قرب مدينة الباب, الوزير الشيباني; no name: الوزير بغداد, قرب قسد
        return inner[1:] if (kind == "place_head") == (inner.kind == "place") else None
    if kind == "head":
        other = _no_name(following) or following in _TITLES or (defined and not _QUALIFIES.fullmatch(following))
        return None if other else (end + 1, "actor", (value, _root(following)))
    if kind == "place_head":
        upto = end + 1 + (following in _BEGINS and bool(more))
        return None if defined or _no_name(following) else (upto, "place", " ".join(words[end:upto]))
    if kind == "said":
        plain = not any(_no_name(word) or word.startswith("ال") or word in _PHRASES for word in (following, more))
        told = plain and words[end + 2 : end + 3] in (["،"], [":"], ["ان"])
        return (end + 2, "actor", (following, more, WEAK)) if told else None
    if kind not in ("title", "name"):
        return end, kind, value
    first = end if kind == "title" else end - 1
    while kind == "title" and first < len(words) and words[first].startswith("ال") and _is_nation(words[first]):
        first += 1  # النائب الأميركي جو
    name, more = (words[n] if n < len(words) else "" for n in (first, first + 1))
    name = next((form for form in stripped(name) if form in GIVEN), name) if name not in GIVEN else name
    if kind == "title" and any(OBJECT.fullmatch(word) and word not in GIVEN for word in (name, more)):
        return None  # الباحث نتائج دراسته
    if _no_name(name) or (kind == "title" and name[0] in "بيتسل" and name not in GIVEN):  # المراسل بجروح
        return None
    full = not _no_name(more) and ((kind == "title" and more[0] != "ب") or more.startswith("ال"))
    full = (full and more not in _PHRASES) or more in GIVEN
    sure = value != WEAK or name in GIVEN or more in GIVEN
    return first + 1 + bool(full), "actor", (name, more if full else "", *(() if sure else (WEAK,)))


def _no_name(word: str) -> bool:
    """Whether a word is none of a name: it ends a sentence, tells what somebody did, joins or says how something is."""
    forms = (word, *stripped(word))
    return not word or not word[0].isalnum() or word in _NAMELESS or not _NEVER.isdisjoint(forms)


def in_name(words: Sequence[str], at: int, respelt: bool) -> bool:
    """Whether a word that changed belongs to a person's name; `respelt` if hardly a letter of it did."""
    before, (word, following) = words[max(0, at - 3) : at][::-1], (*words, "")[at : at + 2]
    defined, known = word.startswith("ال"), word in GIVEN
    if _no_name(word) or (word[0] in "يت" and not known):
        return False
    # some words go on in a name: عز الدين حميد
    given = next((n for n in before if n not in ("الدين", "الله", "بن", "ابن", "ال")), "").removeprefix("و") in GIVEN
    if not respelt:
        return given and (known or not (_ADDS.match(word) or word in _PHRASES or following.startswith("ال")))
    titled = {*before[:2]} & {"الدين", *_TITLES, *_WEAK_TITLES} and not (defined and before[0] in _WEAK_TITLES)
    return given or bool(titled) or (known and (following in GIVEN or following.startswith("ال")))


def _is_nation(word: str) -> bool:
    return any(kind == "actor" and value == _root(word) for _, kind, value in _PHRASES.get(word.removeprefix("ال"), ()))


def _root(word: str) -> str:
    """An adjective without article and gender: التركية, تركي."""
    return word.removeprefix("ال").removesuffix("ه").replace("امريك", "اميرك")


def _dated(found: Sequence[_Found], words: Sequence[str]) -> Iterator[_Found]:
    """A number before a month is a day; a month told twice, or in a word of other meaning, and what the weekday beside
    it says already, are left out."""
    none = _Found(-9, -9, "", None)
    for last, fact, following in zip([none, *found], found, [*found[1:], none], strict=False):
        before = last if fact.start - last.end <= 1 else none
        after = following if 0 <= following.start - fact.end <= 1 else none
        if fact.value in ("today", "yesterday", "before_yesterday", "tomorrow", "after_tomorrow"):
            if is_(before.value, "weekday") or is_(after.value, "weekday"):
                continue
        elif is_(fact.value, "month"):
            sure = before.kind == "number" or isinstance(after.value, int) or after.value in _BESIDE
            if is_(before.value, "month") or (fact.value[2] and not sure and words[fact.start - 1] != "شهر"):
                continue
            fact = fact._replace(value=fact.value[:2])
        elif fact.kind == "number" and is_(after.value, "month"):
            fact = fact._replace(kind="date")
        yield fact


def is_(value: Any, what: str, at: int = 0) -> bool:
    """Whether a value is one of several parts, and `what` is one of them."""
    return isinstance(value, tuple) and value[at] == what


def _phrases() -> dict[str, list[tuple[tuple[str, ...], str, Any]]]:
    """The vocabulary by first words: phrase, kind, value."""
    dates = tomllib.loads((Path(__file__).parent / "arabic/dates.toml").read_text("utf-8"))
    told: list[tuple[str, str, Any]] = [
        (name, kind, {"each": normalise(name), "weak": WEAK}.get(value, value))
        for kind, groups in VOCABULARY["phrases"].items()
        for value, names in groups.items()
        for name in names
    ]
    told += [
        (name, "date", ("month", month, name in VOCABULARY["dates"]["unsure"]))
        for month, names in enumerate(dates["months"], 1)
        for name in names
        if not name.isascii()
    ]
    told += [(day, "date", ("weekday", normalise(day))) for day in dates["weekdays"] if day.startswith("ال")]
    told += [(n + end, "actor", _root(normalise(n))) for n in VOCABULARY["nations"]["names"] for end in _NOMINAL]
    told += [
        (form, "term" if words in VOCABULARY["names"]["watched"] else kind, ((number, kind), side, WEAK))
        for kind, groups in VOCABULARY["contrary"].items()
        for number, sides in enumerate(groups)
        for side, words in enumerate(sides)
        for word in normalise(words).split()
        for form in (
            *(word + end for end in _VERBAL + _PEOPLE * (kind == "actor")),
            *(s + word.removeprefix("ا") for s in "يت" * (kind in ("negation", "act"))),
        )
    ]
    out: dict[str, list[tuple[tuple[str, ...], str, Any]]] = {}
    for phrase, kind, value in told:
        words = tuple(TOKEN.findall(normalise(phrase)))
        out.setdefault(words[0], []).append((words, kind, value))
    return out


_PHRASES = _phrases()
