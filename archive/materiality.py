"""Does an edit matter? What it added, took out or replaced, and the words that make it so.                [pure]

Material is a watched term, a number, a date, a place, an actor's name or label, words of a quotation, or a negation.
Each edit is read with some words around it, before and after, and what either reading has that the other has not
counts: "ثلاثة عشر" that became "13" is the same number. Vocabulary: materiality.toml.
"""

from __future__ import annotations

import re
import tomllib
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import chain
from pathlib import Path
from typing import Any, Literal, NamedTuple

from archive.arabic.normalise import normalise, normalise_map, source_span
from archive.arabic.numbers import read_numbers
from archive.arabic.tokens import stripped
from archive.diffs import Piece
from archive.matching import scan
from archive.rules import RuleSet

Kind = Literal["typo", "wording", "material"]

_AROUND, _APART = 5, 2  # words read beside an edit; so few unchanged words between two make them one
_LONG = 400  # words of one edit that are read
_MISSPELT = 12  # words beside one another that may all be put right
_NEAR = 5  # edits of one sentence that are set against one another
_PASSAGE = 200  # characters
_TOKEN = re.compile(r"\d+(?:[.,:/]\d+)*|[^\W\d_a-z]+|[a-z]+")
_QUOTES = re.compile(r"«[^«»\n]{1,900}»|“[^“”\n]{1,900}”|\"[^\"\n]{1,900}\"|‘[^‘’\n]{1,900}’")
_SENTENCE_END = re.compile(r"[.!?؟…\n]")
_CLOCK = re.compile(r"\d{1,2}:\d\d|\d{1,4}/\d{1,2}/\d{1,4}")
_ENDINGS = ("", "ا", "ة", "ون", "ين", "ان", "ات", "تان", "تين")
_DATA = tomllib.loads(Path(__file__).with_name("materiality.toml").read_text("utf-8"))
_PART = re.compile(rf"{_TOKEN.pattern}|[.!?؟؛:،\n]")
_NAMELESS = {word + ending for word in map(normalise, _DATA["titles"]["verbs"]) for ending in ("", "ت", "ه", "ا")}
_NEVER, _GIVEN, _BEGINS = (
    frozenset(map(normalise, names))
    for names in (_DATA["titles"]["never"], _DATA["titles"]["given"], _DATA["places"]["begins"])
)
_WEAK = "?"  # of a name that may be none
_ORDINALS = {normalise(name): normalise(number) for number, names in _DATA["numbers"].items() for name in names}


@dataclass(frozen=True, slots=True)
class Edit:
    """One place where a field changed. Offsets are half-open code points into the field before and after."""

    field: str
    op: Literal["inserted", "removed", "replaced", "moved"]
    kind: Kind
    reasons: tuple[str, ...]  # term, number, date, place, actor, quotation, negation; none unless material
    passage: str | None  # the words that make it material
    before: str
    after: str
    from_start: int
    from_end: int
    start: int
    end: int


class _Fact(NamedTuple):
    """Something an edit may not touch without mattering: what it is worth, and the word beside it."""

    kind: str
    value: Any
    surface: str
    beside: str
    lost: bool = False  # only the first text has it


def edits(field: str, before: str, after: str, pieces: Sequence[Piece], rules: RuleSet | None = None) -> list[Edit]:
    """What became of a field, each edit judged; `rules` name the watched terms."""
    found = [_judge(field, before, after, pieces, group, rules) for group in _groups(before, pieces)]
    for n, (edit, facts) in enumerate(found):
        for other, theirs in found[n + 1 : n + 1 + _NEAR]:
            if _SENTENCE_END.search(after[edit.start : other.start]):
                break
            _cancel(facts, theirs)
    return [_told(edit, facts) for edit, facts in found]


def _cancel(one: list[_Fact], other: list[_Fact]) -> None:
    """Take out of both what only stands elsewhere in its sentence now, beside the same word; a date beside any. What
    was replaced on either side has changed places."""
    replaced = {
        a.kind for facts in (one, other) for a in facts if any(b.kind == a.kind and b.lost != a.lost for b in facts)
    }
    for fact in [fact for fact in one if fact.kind not in ("negation", "quotation", *replaced)]:
        for twin in other:
            beside = fact.kind == "date" or twin.beside.removeprefix("و") == fact.beside.removeprefix("و")
            if beside and twin[:2] == fact[:2] and twin.lost != fact.lost:
                one.remove(fact)
                other.remove(twin)
                break


def _told(edit: Edit, facts: Sequence[_Fact]) -> Edit:
    """An edit with what makes it material."""
    if not facts:
        return edit
    passage = " | ".join(dict.fromkeys(" ".join(fact.surface.split()) for fact in facts))
    reasons = tuple(dict.fromkeys(fact.kind for fact in facts))
    return replace(edit, kind="material", reasons=reasons, passage=passage[:_PASSAGE] or None)


def _groups(before: str, pieces: Sequence[Piece]) -> Iterator[list[int]]:
    """Numbers of the pieces that make one edit each: those with hardly a word between them belong together."""
    group: list[int] = []
    for number, piece in enumerate(pieces):
        if piece.op == "moved":
            yield from filter(None, (group, [number]))
            group = []
        elif piece.op != "equal":
            apart = group and (number - group[-1] > 2 or len(pieces[number - 1].was(before).split()) > _APART)
            if apart and pieces[number - 1].op == "equal":
                yield group
                group = []
            group.append(number)
    if group:
        yield group


def _judge(
    field: str, before: str, after: str, pieces: Sequence[Piece], group: list[int], rules: RuleSet | None
) -> tuple[Edit, list[_Fact]]:
    """What a group of pieces is as one edit, and the facts that one of its readings has and the other has not."""
    changed = [pieces[number] for number in group]
    first, last = changed[0], changed[-1]
    op = first.op if len(changed) == 1 and first.op != "equal" else "replaced"
    bounds = (first.from_start, last.from_end, first.start, last.end)
    was, now = before[bounds[0] : bounds[1]], after[bounds[2] : bounds[3]]
    edit = Edit(field, op, "wording", (), None, was, now, *bounds)
    if op == "moved":
        return edit, []
    respelt, whole = _respelt(changed, before, after)
    if whole:
        return replace(edit, kind="typo"), []
    old, new = _window(before, pieces, group, old=True), _window(after, pieces, group, old=False)
    old = " ".join(respelt.get(word, word) for word in old.split(" "))
    lost, won = _facts(old, rules), _facts(new, rules)
    facts = [fact._replace(lost=True) for fact in _missing(lost, won)] + _missing(won, lost)
    found = [fact for fact in facts if not _is(fact.value, _WEAK, -1) or any(_replaces(fact, other) for other in facts)]
    if quoted := _quoted(changed, before, after, respelt):
        found.append(_Fact("quotation", quoted, quoted, quoted))
    return edit, found


def _window(text: str, pieces: Sequence[Piece], group: list[int], *, old: bool) -> str:
    """A group in one of the texts, with the unchanged words beside it."""

    def span(number: int) -> tuple[int, int]:
        piece = pieces[number]
        return (piece.from_start, piece.from_end) if old else (piece.start, piece.end)

    low, high = span(group[0])[0], span(group[-1])[1]
    left, right = "", ""
    if group[0] and pieces[group[0] - 1].op == "equal":
        left = " ".join(text[slice(*span(group[0] - 1))][-40 * _AROUND :].split()[-_AROUND:])
    if group[-1] + 1 < len(pieces) and pieces[group[-1] + 1].op == "equal":
        right = " ".join(text[slice(*span(group[-1] + 1))][: 40 * _AROUND].split()[:_AROUND])
    return f"{left} {text[low : min(high, low + _LONG)]} {right}"


def _respelt(changed: Iterable[Piece], before: str, after: str) -> tuple[dict[str, str], bool]:
    """Words that were only put right, with what they became; and whether that is all that changed."""
    found, whole = dict[str, str](), True
    for piece in changed:
        old, new = piece.was(before).split(), piece.now(after).split()
        if max(len(old), len(new)) > _MISSPELT:
            whole = False
            continue
        pairs = list(zip(old, new, strict=False))
        alike = [pair for pair in pairs if _alike(*map(_bare, pair))]
        if len(old) == len(new):
            found |= dict(alike)
        text, start, end = (before, piece.from_start, piece.from_end) if old else (after, piece.start, piece.end)
        words = [_bare(word) for word in old or new]
        beside = text[max(0, start - 200) : start].split()[-len(words) :], text[end : end + 200].split()[: len(words)]
        twice = not (old and new) and any(words == [_bare(word) for word in side] for side in beside)
        whole &= twice or len(alike) == len(old) == len(new)
    return found, whole


def _bare(word: str) -> str:
    return "".join(_TOKEN.findall(normalise(word)))


def _alike(a: str, b: str) -> bool:
    """Whether one word is the other misspelt: a letter more, less, other or out of place, and no word of another
    meaning here."""
    if a == b:
        return True
    if min(len(a), len(b)) < 4 or any(char.isdigit() for char in a + b) or a[1:] == b or b[1:] == a:
        return False
    facts = [[fact[:2] for fact in _facts(word, None)] for word in (a, b)]
    firm = any(kind in ("number", "negation", "date") for kind, _ in chain(*facts))
    if (all(facts) or firm) and facts[0] != facts[1]:
        return False
    head = next((i for i, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))
    x, y = a[head:], b[head:]
    return x[1:] == y or x == y[1:] or x[1:] == y[1:] or (x[:2] == y[1::-1] and x[2:] == y[2:])


def _quoted(changed: Iterable[Piece], before: str, after: str, respelt: Mapping[str, str]) -> str | None:
    """The first quotation whose words changed, spelling and figures apart."""
    for piece in changed:
        old, new = piece.was(before), piece.now(after)
        if respelt and old and {respelt.get(word) for word in old.split()} <= {*new.split()}:
            continue
        if old and new and all(_all_numbers(text) for text in (old, new)):
            continue  # what they are worth was compared
        for text, start, end in ((after, piece.start, piece.end), (before, piece.from_start, piece.from_end)):
            spans = _quotes(text)
            last = bisect_left(spans, (end, 0)) - 1
            if start < end and last >= 0 and start < spans[last][1]:
                return text[slice(*spans[last])]
    return None


@lru_cache(4)
def _quotes(text: str) -> list[tuple[int, int]]:
    return [match.span() for match in _QUOTES.finditer(text)]


def _all_numbers(text: str) -> bool:
    words = _TOKEN.findall(normalise(text))
    return sum(number.end - number.start for number in read_numbers(words)) == len(words)


def _missing(mine: Sequence[_Fact], others: Sequence[_Fact]) -> list[_Fact]:
    """Facts of one reading that the other has not, or has in another order beside other words."""
    counts = Counter(fact[:2] for fact in others)
    out = []
    for fact in mine:
        counts[fact[:2]] -= 1
        if counts[fact[:2]] < 0:
            out.append(fact)
    for kind in ("number", "place", "actor"):
        a, b = ([fact for fact in side if fact.kind == kind] for side in (mine, others))
        if not out and [f.value for f in a] != [f.value for f in b] and len(a) == len(b):
            theirs = {(f.value, f.beside) for f in b}
            out += [f for f in a if (f.value, f.beside) not in theirs]
    return out


def _facts(text: str, rules: RuleSet | None) -> list[_Fact]:
    """What a stretch of text says that may not change without mattering."""
    folded, offsets = normalise_map(text)
    spans = [match.span() for match in _PART.finditer(folded)]
    words = [folded[low:high] for low, high in spans]
    found: list[tuple[int, int, str, Any]] = []  # first word, the one after the last, kind, value
    free = [next((_ORDINALS[form] for form in (word, *stripped(word)) if form in _ORDINALS), word) for word in words]
    at = 0
    while at < len(words):
        end, kind, value = _known(words, at)
        if kind:
            found.append((at, end, kind, value))
            free[at:end] = [""] * (end - at)
        at = max(end, at + 1)
    for number in read_numbers(free):
        year = isinstance(number.value, int) and 1900 <= number.value < 2100 and number.end == number.start + 1
        found.append((number.start, number.end, "date" if year else "number", number.value))
    found += [(i, i + 1, "date", word) for i, word in enumerate(free) if _CLOCK.fullmatch(word)]
    out = []
    for start, end, kind, value in _dated(sorted(found, key=lambda fact: fact[:2]), words):
        if kind != "idiom":
            low, high = source_span(text, offsets, spans[start][0], spans[end - 1][1])
            beside = end if kind == "number" else start - 1
            out.append(_Fact(kind, value, text[low:high], words[beside] if 0 <= beside < len(words) else ""))
    if rules:
        watched = frozenset[int]().union(*(topic.mention for topic in rules.by_topic))
        for hit in scan(rules, "", text).hits:
            if hit.term in watched:
                low, high = source_span(text, offsets, hit.start, hit.end)
                out.append(_Fact("term", hit.term, text[low:high], ""))
    return out


def _known(words: Sequence[str], at: int) -> tuple[int, str, Any]:
    """The longest phrase of the vocabulary that begins at a word: where it ends, its kind ("" for none), its value."""
    end, kind, value, defined = at, "", None, False
    for form in (words[at], *stripped(words[at])):
        for phrase, k, v in _PHRASES.get(form, ()):
            if at + len(phrase) > end and tuple(words[at + 1 : at + len(phrase)]) == phrase[1:]:
                end, kind, value = at + len(phrase), k, v
                defined = form != words[at] and words[at][: -len(form)].endswith(("ال", "لل"))
    following = words[end] if end < len(words) else ""
    if kind == "head":
        if _no_name(following) or defined != following.startswith("ال"):
            return at, "", None
        return end + 1, "actor", (value, _root(following))
    if kind == "place_head":
        goes_on = following in _BEGINS and end + 1 < len(words)
        if defined or _no_name(following):
            return at, "", None
        return end + 1 + goes_on, "place", tuple(words[end : end + 1 + goes_on])
    if kind in ("title", "name"):
        first = end if kind == "title" else end - 1
        while kind == "title" and first < len(words) and words[first].startswith("ال") and _is_nation(words[first]):
            first += 1  # النائب الأميركي جو
        if first >= len(words) or _no_name(words[first]) or (kind == "title" and words[first][0] in "يتس"):
            return at, "", None
        more = words[first + 1] if first + 1 < len(words) else ""
        full = not _no_name(more) and (kind == "title" or more.startswith("ال") or more in _GIVEN)
        sure = value != _WEAK or words[first] in _GIVEN or more in _GIVEN
        return first + 1 + bool(full), "actor", (words[first], more if full else "", *(() if sure else (_WEAK,)))
    return end, kind, value


def _no_name(word: str) -> bool:
    """Whether a word is none of a name: it ends a sentence, tells what somebody did, joins or says how something is."""
    forms = (word, *stripped(word))
    return not word or not word[0].isalnum() or word in _NAMELESS or not _NEVER.isdisjoint(forms)


def _is_nation(word: str) -> bool:
    return any(kind == "actor" and value == _root(word) for _, kind, value in _PHRASES.get(word.removeprefix("ال"), ()))


def _root(word: str) -> str:
    """An adjective without article and gender: التركية, تركي."""
    bare = word.removeprefix("ال")
    return bare.removesuffix("ه").replace("امريك", "اميرك")


def _dated(facts: list[tuple[int, int, str, Any]], words: Sequence[str]) -> Iterator[tuple[int, int, str, Any]]:
    """A number before a month is a day; a month told twice, or in a word of other meaning, and what the weekday beside
    it says already, are left out."""
    none = (-9, -9, "", None)
    for (_, upto, kind_before, before), (start, end, kind, value), (begin, _, _, after) in zip(
        [none, *facts], facts, [*facts[1:], none], strict=False
    ):
        joined = (start - upto <= 1 and before is not None, 0 <= begin - end <= 1)
        if value in ("today", "yesterday", "tomorrow"):
            if any(near and _is(other, "weekday") for near, other in zip(joined, (before, after), strict=True)):
                continue
        elif _is(value, "month"):
            numbered = (joined[0] and kind_before == "number") or (joined[1] and isinstance(after, int))
            if (value[2] and not numbered) or (joined[0] and _is(before, "month")):
                continue
        elif kind == "number" and joined[1] and _is(after, "month"):
            kind = "date"
        yield start, end, kind, value


def _is(value: Any, what: str, at: int = 0) -> bool:
    return isinstance(value, tuple) and value[at] == what


def _replaces(one: _Fact, other: _Fact) -> bool:
    """Whether a name that may be none stands for another one."""
    a, b = one.value[0], other.value[0] if _is(other.value, _WEAK, -1) else ""
    return one.lost != other.lost and bool(b) and not a.endswith(b) and not b.endswith(a)


def _phrases() -> dict[str, list[tuple[tuple[str, ...], str, Any]]]:
    """The vocabulary by first words: phrase, kind, value."""
    data = _DATA
    unsure = {normalise(name) for name in data["dates"]["unsure"]}
    told: list[tuple[str, str, Any]] = []
    told += [(phrase, "idiom", "") for phrase in data["idioms"]]
    dates = tomllib.loads((Path(__file__).parent / "arabic/dates.toml").read_text("utf-8"))
    told += [(name, "date", ("month", month, normalise(name) in unsure))
             for month, names in enumerate(dates["months"], 1) for name in names if not name.isascii()]  # fmt: skip
    told += [(day, "date", ("weekday", normalise(day))) for day in dates["weekdays"] if day.startswith("ال")]
    shared = (
        ("date", data["dates"]["days"]), ("actor", data["actors"]), ("actor", data["labels"]), ("head", data["heads"]),
        ("negation", data["negations"]), ("place", data["places"]["same"]),
    )  # fmt: skip
    for kind, groups in shared:
        told += [(name, kind, value) for value, names in groups.items() for name in names]
    told += [
        (nation + end, "actor", _root(normalise(nation))) for nation in data["nations"]["names"] for end in _ENDINGS
    ]
    told += [(name, "place_head", "") for name in data["places"]["heads"]]
    told += [(name, "place", normalise(name)) for name in data["places"]["names"]]
    told += [(name, "title", "") for name in data["titles"]["words"]]
    told += [(name, "title", _WEAK) for name in data["titles"]["weak"]]
    told += [(name, "name", "") for name in data["titles"]["given"]]
    out: dict[str, list[tuple[tuple[str, ...], str, Any]]] = {}
    for phrase, kind, value in told:
        words = tuple(_TOKEN.findall(normalise(phrase)))
        out.setdefault(words[0], []).append((words, kind, value))
    return out


_PHRASES = _phrases()
