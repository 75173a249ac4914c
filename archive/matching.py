"""Finds the terms of a rule set in an article: one pass over its words.                                [pure]"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Literal

from archive.arabic.normalise import normalise, normalise_map, source_span
from archive.arabic.tokens import ARTICLE, WORD, stripped
from archive.rules import Distance, Pattern, RuleSet

Field = Literal["title", "text"]

_PIECES = re.compile(rf"{WORD.pattern}|[\W_]+")  # covers every letter, so that lengths add up to places
_ENDS_SENTENCE = re.compile(r"[.!?؟؛]\s|\n")
_SPACE, _PLAIN, _SENTENCE, _PARAGRAPH = range(4)
_MOST_PIECES, _LONG_PIECE = 100_000, 40
_ROUNDS = 2  # a short form that found company is company for others, once
_APART = 10_000  # words between title and text, so that nothing in one is near the other


@dataclass(frozen=True, slots=True)
class Hit:
    """A term in a field. `at` and `until` count words, `start` and `end` letters of the normalised field; sentences
    and paragraphs have numbers of their own in each field."""

    term: int
    field: Field
    at: int
    until: int
    sentence: int
    paragraph: int
    start: int
    end: int


@dataclass(slots=True)
class Scan:
    """What one pass over an article found, in the order of the text."""

    hits: list[Hit] = field(default_factory=list)
    masked: list[Hit] = field(default_factory=list)  # inside a phrase in which the words mean something else
    alone: list[Hit] = field(default_factory=list)  # short forms without company
    title_words: int = 0
    text_words: int = 0

    @property
    def words(self) -> int:
        """How many words title and text have."""
        return self.title_words + self.text_words

    def place(self, hit: Hit) -> int:
        """How many words of its field stand before a hit."""
        return hit.at if hit.field == "title" else hit.at - self.title_words - _APART


class Places:
    """Answers whether one of many hits, given in the order of the text, stands `within` a distance of another."""

    def __init__(self, hits: Iterable[Hit], within: Distance) -> None:
        self.within = within
        self.hits = list(hits)
        self.starts = [hit.at for hit in self.hits]
        self.longest = max((hit.until - hit.at for hit in self.hits), default=0)
        self.units: dict[int, list[Hit]] = {}
        if not isinstance(within, int):
            for hit in self.hits:
                self.units.setdefault(self._unit(hit), []).append(hit)

    def beside(self, hit: Hit) -> bool:
        """Whether another hit, not overlapping this one, is near."""
        near = self.units.get(self._unit(hit), [])
        if isinstance(self.within, int):
            first = bisect_left(self.starts, hit.at - self.within - self.longest)
            last = bisect_left(self.starts, hit.until + self.within)
            near = [other for other in self.hits[first:last] if hit.at - other.until < self.within]
        return any(other.until <= hit.at or hit.until <= other.at for other in near)

    def _unit(self, hit: Hit) -> int:
        return {"sentence": hit.sentence, "paragraph": hit.paragraph}.get(str(self.within), 0)


def scan(rules: RuleSet, title: str, text: str) -> Scan:
    """All terms of an article, the longest of each group at each place; masked ones and short forms without company
    apart."""
    out = Scan()
    found: list[tuple[Hit, Pattern]] = []
    out.title_words = _find(rules, "title", title, 0, 0, found)
    out.text_words = _find(rules, "text", text, out.title_words + _APART, len(title) + 1, found)
    if not found:
        return out
    masked = {(hit.term, at) for hit, pattern in found if pattern.kind == "mask" for at in range(hit.at, hit.until)}
    taken: set[tuple[str, int]] = set()  # group and number of words that a longer hit of the group covers
    short: list[Hit] = []
    for hit, pattern in sorted(found, key=lambda pair: (pair[0].at, -pair[0].until)):
        if pattern.kind == "mask":
            continue
        covers = range(hit.at, hit.until)
        group = rules.terms[hit.term].group
        if any((hit.term, at) in masked for at in covers):
            out.masked.append(hit)
        elif pattern.kind == "short":
            short.append(hit)
        elif (group, hit.at) not in taken:
            taken.update((group, at) for at in covers)
            out.hits.append(hit)
    out.alone = [hit for hit in short if (rules.terms[hit.term].group, hit.at) not in taken]
    for _ in range(_ROUNDS):
        companies: dict[int, Places] = {}
        for number in {hit.term for hit in out.alone}:
            term = rules.terms[number]
            companies[number] = Places((hit for hit in out.hits if hit.term in term.company), term.within)
        waiting, out.alone = out.alone, []
        for hit in waiting:
            (out.hits if companies[hit.term].beside(hit) else out.alone).append(hit)
        out.hits.sort(key=lambda hit: hit.at)
    return out


def _find(rules: RuleSet, field: Field, original: str, at: int, unit: int, found: list[tuple[Hit, Pattern]]) -> int:
    """Adds what matches in a field whose first word has number `at` and whose first sentence has number `unit`;
    returns how many words it has."""
    pieces = _PIECES.findall(normalise(original))
    meaning = rules.pieces
    forms: list[str] = []
    where: list[int] = []  # number of the word -> number of the piece
    candidates: list[tuple[int, int, int, tuple[str, ...]]] = []
    sentence = paragraph = unit
    for number, piece in enumerate(pieces):
        seen = meaning.get(piece)
        if seen is None:
            seen = _learn(rules, piece)
        if seen == _SPACE:
            continue
        if isinstance(seen, tuple):
            candidates.append((len(forms), sentence, paragraph, seen))
        elif seen != _PLAIN:
            sentence += 1
            paragraph += seen == _PARAGRAPH
            continue
        forms.append(piece)
        where.append(number)
    if not candidates:
        return len(forms)
    starts = list(accumulate(map(len, pieces), initial=0))
    for word, sentence, paragraph, bases in candidates:
        start = starts[where[word]]
        second = forms[word + 1] if word + 1 < len(forms) else ""
        seconds = (second, second[len(ARTICLE) :]) if second.startswith(ARTICLE) else (second,)
        itself = False
        for base in bases:
            after, only_masks = rules.index[base], itself  # from a word that is itself a term nothing is taken off
            if "" not in after and after.keys().isdisjoint(seconds):
                continue
            for pattern, length in _matches(after, forms, word, seconds):
                last = where[word + length - 1]
                if only_masks and pattern.kind != "mask":
                    continue
                if base != forms[word] and not rules.terms[pattern.term].proclitics:
                    continue
                if pattern.capitals and not _written(original, start, starts[where[word] + 1], pattern.capitals):
                    continue
                itself |= length == 1 and pattern.kind != "mask"
                numbers = (at + word, at + word + length, sentence, paragraph, start, starts[last + 1])
                found.append((Hit(pattern.term, field, *numbers), pattern))
    return len(forms)


def _learn(rules: RuleSet, piece: str) -> int | tuple[str, ...]:
    """What a piece of text is: for a word that may begin a pattern, the first words of such patterns; else one of
    _PLAIN, _SPACE, _SENTENCE, _PARAGRAPH. Remembered with the rules, since words come back."""
    seen: int | tuple[str, ...]
    if WORD.match(piece):
        seen = tuple(base for base in dict.fromkeys((piece, *stripped(piece))) if base in rules.index) or _PLAIN
    elif "\n" in piece:
        seen = _PARAGRAPH
    else:
        seen = _SENTENCE if _ENDS_SENTENCE.search(piece) else _SPACE
    if len(piece) < _LONG_PIECE:
        if len(rules.pieces) > _MOST_PIECES:
            rules.pieces.clear()
        rules.pieces[piece] = seen
    return seen


def _written(original: str, start: int, end: int, capitals: str) -> bool:
    first, last = source_span(original, normalise_map(original)[1], start, end)
    return original[first:last] == capitals


def _matches(
    after: dict[str, tuple[Pattern, ...]], forms: list[str], number: int, seconds: tuple[str, ...]
) -> Iterator[tuple[Pattern, int]]:
    """Patterns that match from word `number` on, with how many words they cover. Later words may carry the article."""
    for pattern in after.get("", ()):
        yield pattern, 1
    for second in filter(None, seconds):
        for pattern in after.get(second, ()):
            rest = forms[number + 2 : number + 2 + len(pattern.rest)]
            words = zip(rest, pattern.rest, strict=False)
            if len(rest) == len(pattern.rest) and all(have in (want, ARTICLE + want) for have, want in words):
                yield pattern, 2 + len(rest)
