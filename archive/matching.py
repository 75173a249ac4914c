"""Finds the terms of a rule set in an article: one pass over its words.                                [pure]"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import chain
from typing import Literal

from archive.arabic.normalise import normalise, normalise_map, source_span
from archive.arabic.tokens import ARTICLE, WORD, stripped
from archive.rules import Distance, Pattern, RuleSet

Field = Literal["title", "text"]

_SCAN = re.compile(rf"({WORD.pattern})|(\n+)|[.!?؟؛]+(?=\s)")
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
    """Answers whether one of many hits stands near another."""

    def __init__(self, hits: Iterable[Hit]) -> None:
        self.hits = sorted(hits, key=lambda hit: hit.at)
        self.starts = [hit.at for hit in self.hits]
        self.longest = max((hit.until - hit.at for hit in self.hits), default=0)
        self.units: dict[tuple[str, int], list[Hit]] = {}
        for hit in self.hits:
            self.units.setdefault(("sentence", hit.sentence), []).append(hit)
            self.units.setdefault(("paragraph", hit.paragraph), []).append(hit)

    def beside(self, hit: Hit, within: Distance) -> bool:
        """Whether another hit, not overlapping this one, stands `within` that distance."""
        if within == "text":
            near = self.hits
        elif within == "sentence":
            near = self.units.get(("sentence", hit.sentence), [])
        elif within == "paragraph":
            near = self.units.get(("paragraph", hit.paragraph), [])
        else:
            first = bisect_left(self.starts, hit.at - within - self.longest)
            last = bisect_left(self.starts, hit.until + within)
            near = [other for other in self.hits[first:last] if hit.at - other.until < within]
        return any(other.until <= hit.at or hit.until <= other.at for other in near)


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
    companies = {term: Places(hit for hit in out.hits if hit.term in rules.terms[term].company) for term, *_ in
                 {(hit.term,) for hit in short}}  # fmt: skip
    for hit in short:
        term = rules.terms[hit.term]
        if (term.group, hit.at) in taken:
            continue
        (out.hits if companies[hit.term].beside(hit, term.within) else out.alone).append(hit)
    out.hits.sort(key=lambda hit: hit.at)
    return out


def _find(rules: RuleSet, field: Field, original: str, at: int, unit: int, found: list[tuple[Hit, Pattern]]) -> int:
    """Adds what matches in a field whose first word has number `at` and whose first sentence has number `unit`;
    returns how many words it has."""
    folded = normalise(original)
    forms: list[str] = []
    places: list[tuple[int, int, int, int]] = []  # sentence, paragraph, start, end
    sentence = paragraph = unit
    for token in _SCAN.finditer(folded):
        which = token.lastindex
        if which == 1:
            forms.append(token[0])
            places.append((sentence, paragraph, *token.span()))
        else:
            sentence += 1
            paragraph += which == 2
    index = rules.index
    for number, form in enumerate(forms):
        for base in chain((form,), stripped(form)):
            if base not in index:
                continue
            itself = False
            for pattern, length in _candidates(index[base], forms, number):
                until = number + length
                sentence, paragraph, start, end = places[number]
                if base != form and not rules.terms[pattern.term].proclitics:
                    continue
                if pattern.capitals:
                    written = slice(*source_span(original, normalise_map(original)[1], start, end))
                    if original[written] != pattern.capitals:
                        continue
                itself |= length == 1 and pattern.kind != "mask"
                end = places[until - 1][3]
                hit = Hit(pattern.term, field, at + number, at + until, sentence, paragraph, start, end)
                found.append((hit, pattern))
            if itself:  # from a word that is itself a term nothing is taken off
                break
    return len(forms)


def _candidates(after: dict[str, tuple[Pattern, ...]], forms: list[str], number: int) -> Iterator[tuple[Pattern, int]]:
    """Patterns that match from word `number` on, with how many words they cover. Later words may carry the article."""
    for pattern in after.get("", ()):
        yield pattern, 1
    second = forms[number + 1] if number + 1 < len(forms) else ""
    for word in (second, second.removeprefix(ARTICLE)) if second.startswith(ARTICLE) else (second,):
        for pattern in after.get(word, ()) if word else ():
            until = number + 2 + len(pattern.rest)
            rest = forms[number + 2 : until]
            if rest == list(pattern.rest) or (
                len(rest) == len(pattern.rest)
                and all(have in (want, ARTICLE + want) for have, want in zip(rest, pattern.rest, strict=True))
            ):
                yield pattern, until - number
