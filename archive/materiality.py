"""Does an edit matter? What it added, took out or replaced, and the words that make it so.                [pure]

Material is a watched term, a number, a date, a place, an actor's name or label, words of a quotation, or a negation.
Each edit is read with some words around it, before and after, and what either reading has that the other has not
counts, unless it only stands elsewhere now. So does what befell people by no word of the whole other text, and an act
that was to come and came. Vocabulary: materiality.toml.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import chain
from typing import Literal

from archive import acts
from archive.arabic.normalise import normalise, normalise_map, source_span
from archive.arabic.numbers import read_numbers
from archive.diffs import Piece
from archive.folding import fold
from archive.matching import scan
from archive.rules import RuleSet
from archive.vocabulary import OBJECT, PART, TOKEN, VOCABULARY, WEAK, Fact, facts_of, in_name, is_

Kind = Literal["typo", "wording", "material"]
Pairs = set[tuple[str, str]]

_AROUND, _APART = 5, 2  # words read beside an edit; so few unchanged words between two make them one
_LONG = 400  # words of one edit that are read
_MISSPELT = 12  # words beside one another that may all be put right
_NEAR, _MOVED = 20, 3  # edits that are set against one another; words that say that one came from the other
_TELLS = VOCABULARY["acts"] | {name: [name] for name in acts.COUNTED if name != "people"}
_PASSAGE = 200  # characters
_QUOTES = re.compile(r"«[^«»\n]{1,900}»|“[^“”\n]{1,900}”|\"[^\"\n]{1,900}\"|‘[^‘’\n]{1,900}’")
_SENTENCE_END = re.compile(r"[.!?؟…\n]")
_FORM = re.compile(r"(.)\1|(?<=\w{3})(?:ا|ون|ين)$")  # داوود for داود, مديرا for مدير: no other name
_COMING, _PRESENT = re.compile(r"[وف]?س[يت]"), re.compile(r"[وف]?(?:س?ي\w+|س?ت\w\w+(?<!ت))")  # سيسلم; يسلم, تسلم
_DUAL = re.compile(r"\w{2,}[اي]ن(?!\w)")


@dataclass(frozen=True, slots=True)
class Edit:
    """One place where a field changed. Offsets are half-open code points into the field before and after."""

    field: str
    op: Literal["inserted", "removed", "replaced", "moved"]
    kind: Kind
    reasons: tuple[str, ...]  # term, number, date, place, actor, quotation, negation, act; none unless material
    passage: str | None  # the words that make it material
    before: str
    after: str
    from_start: int
    from_end: int
    start: int
    end: int


def edits(field: str, before: str, after: str, pieces: Sequence[Piece], rules: RuleSet | None = None) -> list[Edit]:
    """What became of a field, each edit judged; `rules` name the watched terms."""
    names = {pair for piece in pieces if piece.op == "replaced" for pair in _renamed(piece, before, after)}
    found = [_judge(field, before, after, pieces, group, rules, names) for group in _groups(before, pieces)]
    telling = [one for one in found if one[1]]
    for n, (edit, facts) in enumerate(telling):
        for other, theirs in telling[n + 1 : n + 1 + _NEAR]:
            between = after[edit.end : other.start], before[edit.from_end : other.from_start]
            if not all(map(_SENTENCE_END.search, between)) or _shared(edit, other) >= _MOVED:
                _cancel(facts, theirs)
    return [_told(edit, facts) for edit, facts in found]


def _shared(one: Edit, other: Edit) -> int:
    """How many words of one edit stand in the other one on the other side."""
    sides = [[{*map(_bare, text.split())} for text in (edit.before, edit.after)] for edit in (one, other)]
    return max(sum(len(word) > 2 for word in a & b) for a, b in zip(sides[0], sides[1][::-1], strict=True))


def _cancel(one: list[Fact], other: list[Fact]) -> None:
    """Take out of both what only stands elsewhere now, a number beside the same word, and a name told in another form
    with it. What was replaced on either side has changed places."""
    kinds = {a.kind for facts in (one, other) for a in facts for b in facts if a.kind == b.kind and a.lost != b.lost}
    moved = set()
    for fact in [fact for fact in one if fact.kind not in ("negation", *kinds)]:
        for twin in other:
            beside = fact.kind != "number" or isinstance(fact.value, str) or twin.beside & fact.beside
            here = not {"<من", "<ل"} <= twin.beside ^ fact.beside  # no more from a place, but to it
            if beside and here and twin[:2] == fact[:2] and twin.lost != fact.lost:
                one.remove(fact)
                other.remove(twin)
                moved.add(fact.value)
                break
    for facts in (one, other):
        facts[:] = [fact for fact in facts if fact.kind != "term" or not fact.beside & moved]


def _told(edit: Edit, facts: Sequence[Fact]) -> Edit:
    """An edit with what makes it material."""
    if not facts:
        return edit
    passage = " | ".join(dict.fromkeys(" ".join(fact.surface.split()).strip(".,،؛:!") for fact in facts))
    passage = passage[:_PASSAGE].rsplit(" ", len(passage) > _PASSAGE)[0]
    reasons = tuple(dict.fromkeys(fact.kind for fact in facts))
    return replace(edit, kind="material", reasons=reasons, passage=passage or None)


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
    yield from filter(None, [group])


def _judge(
    field: str, before: str, after: str, pieces: Sequence[Piece], group: list[int], rules: RuleSet | None, names: Pairs
) -> tuple[Edit, list[Fact]]:
    """What a group of pieces is as one edit, and the facts that one of its readings has and the other has not. `names`:
    words of names anywhere, with what they became."""
    changed = [pieces[number] for number in group]
    first, last = changed[0], changed[-1]
    op = first.op if len(changed) == 1 and first.op != "equal" else "replaced"
    bounds = (first.from_start, last.from_end, first.start, last.end)
    was, now = before[bounds[0] : bounds[1]], after[bounds[2] : bounds[3]]
    edit = Edit(field, op, "wording", (), None, was, now, *bounds)
    if op == "moved":
        return edit, []
    swapped = [(pair, sides) for sides in [(p.was(before), p.now(after)) for p in changed] for pair in _swapped(*sides)]
    respelt, whole = _respelt(changed, before, after, {*chain(*(pair for pair, _ in swapped if pair in names))})
    if whole and ("؟" in was) == ("؟" in now):
        return replace(edit, kind="typo"), []
    beside = [
        pieces[n] if 0 <= n < len(pieces) and pieces[n].op == "equal" else piece
        for n, piece in ((group[0] - 1, first), (group[-1] + 1, last))
    ]
    old = _window(before, *bounds[:2], beside[0].from_start, beside[1].from_end)
    new = _window(after, *bounds[2:], beside[0].start, beside[1].end)
    old = " ".join(respelt.get(word, word) for word in old.split(" "))
    lost, won = facts_of(old, rules), facts_of(new, rules)
    facts = [fact._replace(lost=True) for fact in _missing(lost, won)] + _missing(won, lost)
    facts = [fact for fact in facts if fact[:2] != ("number", 2) or not _DUAL.search(new if fact.lost else old)]
    found = [fact for fact in facts if not is_(fact.value, WEAK, -1) or any(_replaces(fact, other) for other in facts)]
    found += filter(None, (_counted(piece.was(before), piece.now(after)) for piece in changed))
    gone, come = ({_bare(word).removeprefix("و") for word in text.split()} for text in (was, now))
    if come <= gone or gone <= come:  # words were only taken out, or only put in
        mine, others = (_befell(old), _befell(after)) if come <= gone else (_befell(new), _befell(before))
        # people alone are told of in passing; what stayed was told anew with others
        harm = mine.keys() - acts.COUNTED - (others.keys() if op == "replaced" else set())
        found += [Fact("act", name, mine[name], lost=come <= gone) for name in mine if harm and name not in others]
    told = any(fact.kind == "actor" for fact in found)
    for pair, sides in swapped:
        why = "act" if _came(*pair, after[last.end : last.end + 40]) else "actor" if pair in names and not told else ""
        found += [Fact(why, pair[n], sides[n], lost=not n) for n in (0, 1) if why]
    if quoted := _quoted(changed, before, after, respelt):
        found.append(Fact("quotation", fold(quoted[0]), quoted[0], lost=quoted[1]))
    return edit, found


def _window(text: str, low: int, high: int, since: int, until: int) -> str:
    """A stretch of a text with the unchanged words beside it."""
    left = text[max(since, low - 40 * _AROUND) : low].split()
    right = text[high : min(until, high + 40 * _AROUND)].split()
    return " ".join([*left[-_AROUND:], text[low : min(high, low + _LONG)], *right[:_AROUND]])


def _respelt(changed: Iterable[Piece], before: str, after: str, names: set[str]) -> tuple[dict[str, str], bool]:
    """Words that were only put right, and are no `names`, with what they became; whether that is all that changed."""
    found, whole = dict[str, str](), True
    for piece in changed:
        old, new = piece.was(before).split(), piece.now(after).split()
        if max(len(old), len(new)) > _MISSPELT:
            whole = False
            continue
        pairs = list(zip(old, new, strict=False))
        alike = [(a, b) for a, b in pairs if _alike(_bare(a), _bare(b)) and not {_bare(a), _bare(b)} & names]
        if len(old) == len(new):
            found |= dict(alike)
        text, start, end = (before, piece.from_start, piece.from_end) if old else (after, piece.start, piece.end)
        words = [_bare(word) for word in old or new]
        beside = text[max(0, start - 200) : start].split()[-len(words) :], text[end : end + 200].split()[: len(words)]
        twice = not (old and new) and any(words == [_bare(word) for word in side] for side in beside)
        whole &= twice or len(alike) == len(old) == len(new)
    return found, whole


def _renamed(piece: Piece, before: str, after: str) -> Iterator[tuple[str, str]]:
    """Words of a person's name, each with the other word that stands there now."""
    spans = (before, piece.from_start, piece.from_end), (after, piece.start, piece.end)
    sides = [[PART.findall(normalise(p)) for p in (t[max(0, a - 80) : a], t[a:b], t[b : b + 40])] for t, a, b in spans]
    for n, (a, b) in enumerate(_swapped(piece.was(before), piece.now(after))):
        if (a + b).isalpha() and not any(map(OBJECT.fullmatch, (a, b))) and _FORM.sub(r"\1", a) != _FORM.sub(r"\1", b):
            named = [in_name([*left, *words, *right], len(left) + n, _alike(a, b, 7)) for left, words, right in sides]
            if all(named) or (any(named) and _alike(a, b)):
                yield a, b


def _swapped(was: str, now: str) -> list[tuple[str, str]]:
    """Words, each with the one that stands there now; none where there are more or fewer."""
    old, new = PART.findall(normalise(was)), PART.findall(normalise(now))
    return list(zip(old, new, strict=True)) if len(old) == len(new) <= _MISSPELT else []


def _bare(word: str) -> str:
    return "".join(TOKEN.findall(normalise(word)))


def _alike(a: str, b: str, least: int = 8) -> bool:
    """Whether one word is the other misspelt: a letter more, less, other or out of place, `least` letters in both, and
    no word of another meaning here."""
    if a == b:
        return True
    if len(a + b) < least or any(char.isdigit() for char in a + b) or a[1:] == b or b[1:] == a:
        return False
    facts = [[fact[:2] for fact in facts_of(word)] for word in (a, b)]
    firm = any(kind in ("number", "negation", "act", "date") for kind, _ in chain(*facts))
    if (all(facts) or firm) and facts[0] != facts[1]:
        return False
    head = next((i for i, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))
    x, y = a[head:], b[head:]
    return x[1:] == y or x == y[1:] or x[1:] == y[1:] or (x[:2] == y[1::-1] and x[2:] == y[2:])


def _counted(old: str, new: str) -> Fact | None:
    """One of what were two or more, or the other way round."""
    for text, many, one in ((old, _bare(old), _bare(new)), (new, _bare(new), _bare(old))):
        stem = re.sub("(?:تان|تين|ان|ين|ون)$", "", many)
        if stem != many and len(stem) > 1 and one in (stem, stem + "ه"):
            return Fact("number", many, text)
    return None


def _quoted(changed: Iterable[Piece], before: str, after: str, respelt: Mapping[str, str]) -> tuple[str, bool] | None:
    """The first quotation whose words changed, spelling and figures apart, and whether it was taken out."""
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
                return text[slice(*spans[last])], text is before
    return None


@lru_cache(4)
def _befell(text: str) -> dict[str, str]:
    """What befalls people in a text, and whom, by words that say it."""
    found, (_, offsets) = dict[str, str](), normalise_map(text)
    for hit in scan(acts.rules(), "", text).hits:
        name, _, role = acts.rules().terms[hit.term].id.partition(" ")
        if name in acts.COUNTED or role not in ("doubtful", "closing"):
            found |= dict.fromkeys(_TELLS.get(name, ()), text[slice(*source_span(text, offsets, hit.start, hit.end))])
    return found


def _came(a: str, b: str, following: str) -> bool:
    """Whether what was to come has come, or the other way round: ستسلم, سلمت; سيتم نقل, تم نقل."""
    later, done = (a, b) if _COMING.match(a) else (b, a)
    if not _COMING.match(later) or _PRESENT.fullmatch(done):
        return False
    if {later.lstrip("وف"), done.lstrip("وف")} <= acts.WORDS["done"]:
        later = done = following.strip().partition(" ")[0]
    told = [{acts.rules().terms[hit.term].id for hit in scan(acts.rules(), "", word).hits} for word in (later, done)]
    return any(name.endswith(("does", "undergoes", "noun", "linked")) for name in told[0] & told[1])


@lru_cache(4)
def _quotes(text: str) -> list[tuple[int, int]]:
    return [match.span() for match in _QUOTES.finditer(text)]


def _all_numbers(text: str) -> bool:
    words = TOKEN.findall(normalise(text))
    return sum(number.end - number.start for number in read_numbers(words)) == len(words)


def _missing(mine: Sequence[Fact], others: Sequence[Fact]) -> list[Fact]:
    """Facts of one reading that the other has not, or has in another order beside other words."""
    counts = Counter(fact[:2] for fact in others)
    # a name told in another form is no term less
    named = {fact.value for fact in others if fact.kind in ("actor", "place")}
    out = []
    for fact in mine:
        counts[fact[:2]] -= 1
        if counts[fact[:2]] < 0 and not (fact.kind == "term" and fact.beside & named):
            out.append(fact)
    for kinds in (("number",), ("date",), ("place", "actor")):
        a, b = ([fact for fact in side if fact.kind in kinds] for side in (mine, others))
        if not out and (kinds == ("number",) or [f.value for f in a] != [f.value for f in b]):
            out += [f for f in a if not is_(f.value, WEAK, -1) and _elsewhere(f, a, b)]
    return out


def _elsewhere(fact: Fact, mine: Sequence[Fact], others: Sequence[Fact]) -> bool:
    """Whether a fact stands where another one stood: beside a word of that one's, and beside none of its own."""
    now = frozenset[str]().union(*(twin.beside for twin in others if twin.value == fact.value))
    then = frozenset[str]().union(*(other.beside for other in mine if other.value != fact.value))
    return bool(now & then) and not now & fact.beside


def _replaces(one: Fact, other: Fact) -> bool:
    """Whether what may be no fact stands for another of its kind: a name for a name, a word for its contrary."""
    if one.lost == other.lost or not is_(other.value, WEAK, -1):
        return False
    a, b = one.value[0], other.value[0]
    if isinstance(a, tuple) or isinstance(b, tuple):
        return bool(a == b)
    return one.kind == other.kind and bool(b) and not a.endswith(b) and not b.endswith(a)
