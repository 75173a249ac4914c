"""A text as figures are read from it: its words, and what the lexicon knows of each (acts, people, denials). [pure]"""

from __future__ import annotations

import re
from itertools import pairwise
from typing import NamedTuple

from archive.acts import ACTS, DONE, PEOPLE, WORDS, attributed, rules
from archive.arabic.normalise import normalise_map, source_span
from archive.arabic.numbers import read_numbers
from archive.matching import scan

_SPACED = r"(?<![a-z\d-])\d+(?:[^\S\n]+\d+)+(?![.,:/]?\d)"  # 5 704
_TOKEN = re.compile(rf"{_SPACED}|\d+(?:[.,:/]\d+)*|[^\W\d_a-z]+|[a-z]+|[^\w\s]|\n")
DEFINITE = re.compile(r"[وف]?(?:[بك]?ال|لل)\w{3}")
SENTENCE, CLAUSE = frozenset(".!?؟؛\n"), frozenset("،,:()[]-")
SAYS = {"one": 1, "two": 2}  # how many a noun says by itself
FAR = 10  # words: from a total, a negation or a long name to the number
_ASIDE = 9  # words between two commas that stand beside a sentence


class Mark(NamedTuple):
    """A term of the lexicon; numbers of its first word and of the one after its last."""

    name: str
    role: str
    at: int
    until: int


class Marked:
    """One text: its words, and what the lexicon knows of them; the sentence from word `first` to `last` is read."""

    def __init__(self, text: str) -> None:
        self.text, self.first, self.last = text, 0, 0
        self.folded, self.offsets = normalise_map(text)
        self.spans = [match.span() for match in _TOKEN.finditer(self.folded)]
        self.words = [self.folded[low:high] for low, high in self.spans]
        self.numbers = {number.start: number for number in read_numbers(self.words)}
        begins = {low: at for at, (low, _) in enumerate(self.spans)}
        ends = {high: at + 1 for at, (_, high) in enumerate(self.spans)}
        self.starting: dict[int, list[Mark]] = {}
        self.ending: dict[int, list[Mark]] = {}
        for hit in scan(rules(), "", text).hits:
            if hit.start in begins and hit.end in ends:
                name, role = rules().terms[hit.term].id.split()
                at = begins[hit.start]
                if role in SAYS and (name == "nationals" or DEFINITE.match(self.words[at])):
                    role = "many"  # it says no number: الطفلين, عودة سوريا
                mark = Mark(name, role, at, ends[hit.end])
                self.starting.setdefault(mark.at, []).append(mark)
                self.ending.setdefault(mark.until, []).append(mark)
        self.aside = self._aside()

    def _aside(self) -> frozenset[int]:
        """Words that part no act from whom it befell: when it was (اليوم الأحد), what commas set apart (، وفق المرصد،),
        and of what batch those counted are (دفعة تضم)."""
        asides = (mark for marks in self.starting.values() for mark in marks if mark.role == "aside")
        found = {at for mark in asides for at in range(mark.at, mark.until)}
        for low, high in pairwise(at for at, word in enumerate(self.words) if word in SENTENCE | CLAUSE):
            told = (mark.role for at in range(low, high) for mark in self.starting.get(at, ()))
            if high - low <= _ASIDE + 1 and (low + 1 in found or self.words[low + 1] in WORDS["beside"]):
                found.update(range(low, high + 1) if not {*DONE, "said"}.intersection(told) else ())
        return frozenset(found)

    def source(self) -> str | None:
        """The one source that the sentence says it is told by, as written."""
        low, high = self.spans[self.first][0], self.spans[self.last - 1][1]
        found = set[str]()
        for match in attributed().finditer(self.folded, low, high):
            start, end = source_span(self.text, self.offsets, *match.span(match.lastgroup or 0))
            joined = self.folded.startswith("لل", match.start(match.lastgroup or 0))  # للمرصد
            found.add("ا" * joined + self.text[start + joined : end])
        return found.pop() if len(found) == 1 else None

    def word(self, at: int) -> str:
        """A word of the sentence; none beyond it."""
        return self.words[at] if self.first <= at < self.last else ""

    def written(self, at: int, until: int) -> tuple[int, int]:
        """Where words stand in the text as written."""
        return source_span(self.text, self.offsets, self.spans[at][0], self.spans[until - 1][1])

    def ends(self, at: int) -> bool:
        """Whether no noun or adjective stands at a word."""
        return not (word := self.word(at)) or word in CLAUSE or word in WORDS["free"] or word[0] in "وبل"

    def people(self, at: int) -> Mark | None:
        """Who is named at a word: by a noun, or by what befell them."""
        marks = [m for m in self.starting.get(at, ()) if m.role in PEOPLE and self.word(at) and m.until <= self.last]
        return max(marks, key=lambda mark: (mark.until, mark.name not in ACTS), default=None)

    def total(self, at: int) -> Mark | None:
        """Whose number the words before `at` give: عدد القتلى ..."""
        heads = (i for i in range(at - 1, max(self.first, at - FAR), -1) if self.word(i - 1) in WORDS["total"])
        return next(filter(None, map(self.people, heads)), None)

    def owned(self, at: int) -> bool:
        """Whether a word ends in a pronoun."""
        written = self.text[slice(*self.written(at, at + 1))] if self.word(at) else ""
        return written.endswith(("ه", "ها", "هم")) and self.words[at] not in WORDS["own"]

    def object(self, at: int) -> bool:
        """Whether somebody stands in the accusative singular, without a number: مدنيا."""
        noun, word = self.people(at), self.word(at)
        single = noun is not None and noun.role == "one" and word[-1:] == "ا" and not self.word(at - 1)[:1].isdigit()
        return single and not read_numbers([self.word(at - 1) or "|"])
