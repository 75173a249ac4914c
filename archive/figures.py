"""Figures of people: how many, of whom, and what befell them, as a text states it.                      [pure]

Read are numbers in digits and words, ranges, bounds, duals ("قتيلان"), and one that its noun says ("مقتل مدني"). Not
read is what counts nobody (dates, ages, money, distances, shares, scores), what is named by a number, what is denied or
did not happen, and "the three" that were told before. Precision goes first: in doubt there is no figure, or no act.
What is announced for later is told as what happened is. Words are data: acts.toml and figures.toml.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

from archive.acts import act_terms, lexicon
from archive.arabic.normalise import normalise, normalise_map, source_span
from archive.arabic.numbers import Number, read_numbers
from archive.arabic.tokens import endings, stripped, with_pronouns
from archive.matching import scan
from archive.rules import RuleSet, compile_rules

_TOKEN = re.compile(r"\d+(?:[.,:/]\d+)*|[^\W\d_a-z]+|[a-z]+|[^\w\s]|\n")
_DEFINITE, _DUAL = re.compile(r"[وف]?(?:[بك]?ال|لل)\w{3}"), re.compile(r"\w{2,}(?:ان|ين)")
_DATA = tomllib.loads(Path(__file__).with_name("figures.toml").read_text("utf-8"))
_ACTS = lexicon()["act"]
_MONTHS = tomllib.loads((Path(__file__).parent / "arabic/dates.toml").read_text("utf-8"))["months"]
ACTS, COUNTED = frozenset(_ACTS), frozenset(_DATA["counted"])
_W = {name: frozenset(map(normalise, words)) for name, words in _DATA["words"].items()}
_UNITS = _W["units"].union(*(map(normalise, names) for names in _MONTHS), "%/:")
_SENTENCE, _CLAUSE = frozenset(".!?؟؛\n"), frozenset("،,:()[]-")
_PEOPLE = ("one", "two", "many")  # roles of words for those who are counted, or whom an act befell
_SAYS = {"one": 1, "two": 2}  # how many a noun says by itself
_DONE = ("does", "undergoes", "noun", "doubtful")  # roles of an act that is told
_REACH, _FAR, _NEAR = 7, 10, 5  # words: from an act to whom it befell; from a total or a negation; to what follows
_SAID = 100  # words a denial reaches over
_MOST = 400  # figures of one text


@dataclass(frozen=True, slots=True)
class Figure:
    """How many at least and at most (None: not known), whom, and what befell them; half-open code points of the text.

    `approx`: the text gives no exact number (about 20, over 100, dozens). `counted` is a name from figures.toml, or the
    noun as written; `act` a name from acts.toml or None; `said_by` the source the sentence names, as written.
    """

    low: int | None
    high: int | None
    approx: bool
    counted: str
    act: str | None
    start: int
    end: int
    said_by: str | None = None


class _Mark(NamedTuple):
    """A term of the lexicon; numbers of its first word and of the one after its last."""

    name: str
    role: str
    at: int
    until: int


class _Amount(NamedTuple):
    """How many, with what bounds it: from which word to which. `noun`: a dual or singular says it."""

    low: int | None
    high: int | None
    approx: bool
    at: int
    until: int
    noun: _Mark | None = None


class _Tie(NamedTuple):
    """What befell those counted: the act and its role ("and": it is that of the figure before), whether it stands
    directly before, and whom a total counts (the number of the dead rose to)."""

    act: str | None = None
    role: str = ""
    near: bool = False
    counted: str | None = None


def read_figures(text: str) -> list[Figure]:
    """The figures of people that a text states, in its order. Takes any text and never raises.

    >>> [(f.low, f.high, f.counted, f.act) for f in read_figures("مقتل 12 مدنياً وإصابة طفلين")]
    [(12, 12, 'civilians', 'killed'), (2, 2, 'children', 'wounded')]
    """
    return list(islice(_Reader(text).figures(), _MOST))


class _Reader:
    """One text: its words, and what the lexicon knows of them; the sentence from word `first` to `last` is read."""

    def __init__(self, text: str) -> None:
        self.text, self.first, self.last = text, 0, 0
        self.folded, self.offsets = normalise_map(text)
        self.spans = [match.span() for match in _TOKEN.finditer(self.folded)]
        self.words = [self.folded[low:high] for low, high in self.spans]
        self.numbers = {number.start: number for number in read_numbers(self.words)}
        begins = {low: at for at, (low, _) in enumerate(self.spans)}
        ends = {high: at + 1 for at, (_, high) in enumerate(self.spans)}
        self.starting: dict[int, list[_Mark]] = {}
        self.ending: dict[int, list[_Mark]] = {}
        for hit in scan(_rules(), "", text).hits:
            if hit.start in begins and hit.end in ends:
                name, role = _rules().terms[hit.term].id.split()
                at = begins[hit.start]
                if role in _SAYS and (name == "nationals" or _DEFINITE.match(self.words[at])):
                    role = "many"  # it says no number: الطفلين, عودة سوريا
                mark = _Mark(name, role, at, ends[hit.end])
                self.starting.setdefault(mark.at, []).append(mark)
                self.ending.setdefault(mark.until, []).append(mark)

    def figures(self) -> Iterator[Figure]:
        """All figures, sentence by sentence; each may take up the act of the one before it."""
        for last in [*(at for at, word in enumerate(self.words) if word in _SENTENCE), len(self.words)]:
            self.last, before, act = last, _Amount(None, None, False, self.first, self.first), None
            if any(at in self.starting for at in range(self.first, last)):
                source = self.source()
                for amount in self.amounts():
                    if amount.at >= before.until and (found := self.figure(amount, before, act)):
                        before, counted, act = found
                        span = self.written(before.at, before.until)
                        yield Figure(before.low, before.high, before.approx, counted, act, *span, source)
            self.first = last + 1

    # ---- how many --------------------------------------------------------------------------------------------------

    def amounts(self) -> Iterator[_Amount]:
        """Every number, dual and singular noun of the sentence that may count somebody."""
        done = self.first
        for at in range(self.first, self.last):
            noun = self.people(at) if at in self.starting else None
            if at in self.numbers and at >= done and (amount := self.amount(at)):
                yield amount
                done = amount.until
            elif noun and at >= done and noun.role in _SAYS and not _DUAL.fullmatch(self.word(at - 1)):
                many = _SAYS[noun.role]  # but for مصدران عسكريان
                yield _Amount(many, many, False, at, noun.until, noun)

    def amount(self, at: int) -> _Amount | None:
        """The number that begins at a word, as far as a range goes, with what bounds it."""
        words, (value, begin, end) = self.words, self.numbers[at]
        between, upto = self.word(at - 1) == "بين", None
        if between:
            begin -= 1 + (self.word(at - 2) == "ما")
            upto = self.numbers.get(end + (self.word(end) in ("و", "الي")))
            if not upto:  # بين خمسة وعشرة is no fifteen
                joint = next((i for i in range(at + 1, end) if words[i][0] == "و"), end)
                parts = ([w.removeprefix("و") or "و" for w in part] for part in (words[at:joint], words[joint:end]))
                halves = [read_numbers(part) for part in parts]
                if not all(halves):
                    return None
                value, upto = halves[0][0].value, Number(halves[1][0].value, joint, end)
        elif self.word(end) in ("الي", "-", "او"):
            upto = self.numbers.get(end + 1)
            begin -= bool(upto) and self.word(at - 1) == "من"
            if upto and begin < at and self.total(begin):  # it rose from one to the other
                (value, at, _), begin = upto, upto.start
        low, high = (n if isinstance(n, int) else None for n in (value, upto.value if upto else value))
        if low is None and (upto or not isinstance(value, str)):
            return None
        if low == 0 or (upto and upto.start != at and (high is None or (low or 0) >= high)):
            return None
        if low is not None and words[at].startswith("ال") and read_numbers([words[at][2:]]):
            return None  # those who were told of before: القتلى الخمسة
        if re.search(r"[^\W\d]-$", self.folded[max(0, self.spans[at][0] - 2) : self.spans[at][0]]):
            return None  # إف-16
        amount = _Amount(low, high, low is None, begin, upto.end if upto else end)
        for mark in self.ending.get(begin, ()):
            amount = _bounded(amount, mark.name, mark.at, amount.until) if mark.role == "before" else amount
        return amount

    # ---- of whom, and what befell them -----------------------------------------------------------------------------

    def figure(self, amount: _Amount, before: _Amount, told: str | None) -> tuple[_Amount, str, str | None] | None:
        """Whom an amount counts and the act, given the figure before it and its act; None if nobody."""
        after, until, noun = self.word(amount.until), amount.until, amount.noun
        if not noun:
            if {after, self.word(until + (after == "في"))} & _UNITS or self.word(amount.at - 1) in _W["numbered"]:
                return None
            noun = self.noun(amount)
            if noun:
                until = noun.until
            elif self.words[amount.at] in _W["two"]:  # معتقلين اثنين
                pair = (mark for mark in self.ending.get(amount.at, ()) if mark.role == "many")
                noun = next((mark for mark in pair if self.words[mark.at].endswith("ين")), None)
                amount = amount._replace(at=noun.at) if noun else amount
        else:
            until += after in _W["two"]
        tie = self.tie(amount.at, bool(noun), before, told)
        if noun:
            counted, act = ("people", noun.name) if noun.name in _ACTS else (noun.name, tie.act)
            sure = not amount.noun or self.single(amount, noun, tie, before)
        else:
            (counted, until), act = self.unnamed(amount, tie), tie.act
            sure = bool(counted)
        if not sure or self.denied(amount.at, before.until if tie.role == "and" else self.first):
            return None
        if act and any(self.object(at) for at in range(until, until + 3)):
            act = None  # those counted did it: قتل ثلاثة مسلحين مدنيا
        act = act or self.following(until)
        unless = frozenset(map(normalise, _ACTS[act].get("unless", ()))) if act else frozenset()
        if unless and any(form in unless for w in self.words[self.first : self.last] for form in (w, *stripped(w))):
            act = None
        amount = amount._replace(until=until)
        for mark in self.starting.get(until, ()):
            amount = _bounded(amount, mark.name, amount.at, mark.until) if mark.role == "after" else amount
        return amount, counted, act

    def noun(self, amount: _Amount) -> _Mark | None:
        """The noun behind a number, if it counts that: not المرتبة 105 وسوريا, nor اثنين من إيطاليا."""
        part = self.word(amount.until) == "من"
        noun = self.people(amount.until + part)
        if not noun or (part and noun.name == "nationals" and self.words[noun.at].endswith("ا")):
            return None
        word, exact = self.words[noun.at], amount.low or amount.high
        joined = (word[0] == "و" and word not in _rules().index) or (exact and _DEFINITE.match(word))
        return noun if part or not joined else None

    def tie(self, at: int, named: bool, before: _Amount, told: str | None) -> _Tie:
        """What befell those who are counted from word `at` on, by what stands before."""
        if before.until > self.first:
            between = self.words[before.until : min(at, before.until + _FAR)]
            if self.word(at - 1).removeprefix("و") in _W["among"]:
                return _Tie(told, "and")
            joint = between[:-1] if between[-1:] == ["و"] else between
            joined = len(between) <= _REACH and (joint is not between or self.words[at][0] == "و")
            acts = (mark for i in range(before.until, at) for mark in self.starting.get(i, ()) if mark.role in _DONE)
            if joined and not any(acts) and not _CLAUSE.intersection(joint[:-1]):
                return _Tie(told, "and", not joint)
        if self.word(at - 1) in _W["reaches"] and (whose := self.total(at)):
            return _Tie(whose.name, "", False, "people") if whose.name in _ACTS else _Tie(counted=whose.name)
        if self.words[at][0] in "بلو" and self.words[at] not in _rules().index:
            return _Tie()  # to whom, by whom, and beside whom: بتسليمه لشخصين
        through = False
        for end in range(at, max(before.until, at - _REACH), -1):
            if act := next((mark for mark in self.ending.get(end, ()) if mark.role in _DONE), None):
                return self.reach(act, at, named, through)
            word = self.word(end - 1)
            joins = word in _W["through"] or (end == at and word in _W["links"])
            through |= word in _W["through"]
            prefixed = end == at and word[0] in "بل" and len(word) > 2  # برصاص ثلاثة
            if word in _CLAUSE or (word in _W["stops"] and not joins) or prefixed or self.owned(end - 1):
                break
        return _Tie()

    def reach(self, act: _Mark, at: int, named: bool, through: bool) -> _Tie:
        """Whether an act befell those counted from word `at` on; `through`: a preposition stands between."""
        link = self.word(at - 1)
        own = link in map(normalise, _ACTS[act.name].get("links", ()))  # أفرجت قسد عن خمسين
        far, verb = at - act.until > own, act.role != "noun"
        if (far and link in _W["links"] and not own) or (act.role == "doubtful" and not named):
            return _Tie()
        if not verb and (_DEFINITE.match(self.words[act.at]) or (far and act.name not in _W["transitive"])):
            return _Tie()  # مراكز الاعتقال
        if through and not (verb and self.word(act.until) in _W["through"]):
            return _Tie()  # who did it stands behind the verb, then
        return _Tie(act.name, act.role, not far)

    def unnamed(self, amount: _Amount, tie: _Tie) -> tuple[str, int]:
        """Whom a number counts that no known noun follows ("": nobody), and where that ends."""
        after, until = self.word(amount.until), amount.until
        bare = tie.near and "bare" in _ACTS.get(tie.act, ()) and not 1900 <= (amount.low or 0) < 2100
        if self.ends(until):
            return tie.counted or "people" * bare, until
        noun = bare and len(after) > 2 and after.isalpha() and after not in _W["stops"] and after[:2] != "ال"
        return self.text[slice(*self.written(until, until + 1))] if noun else "", until + 1

    def ends(self, at: int) -> bool:
        """Whether no noun or adjective stands at a word."""
        word = self.word(at)
        return not word or word in _CLAUSE or word in _W["free"] or word[0] in "وبل"

    def single(self, amount: _Amount, noun: _Mark, tie: _Tie, before: _Amount) -> bool:
        """Whether a noun in the singular says that it was one, one in the dual that it befell two."""
        at, other = noun.until, self.people(noun.until)
        subject = tie.role == "does" and tie.near and not self.word(noun.at).endswith(("ا", "ين"))
        adjective = self.ends(at + 1) and not self.owned(at) and (not other or other.name == "nationals")
        if subject and not self.ends(at) and not adjective:
            return False  # قتل رجل زوجته
        if amount.low == 2:
            return True
        if noun.name in _ACTS:  # قتيل
            return self.word(noun.at - 1) in _W["fell"] or noun.at == self.first or (tie.role == "and" and tie.near)
        if tie.role == "and":
            few = before.noun is not None or (before.low or 11) < 11  # مئة طفل وامرأة are a hundred in all
            return tie.act is not None and ((tie.near and few) or self.word(noun.at - 1) in _W["among"])
        if any(self.object(at) for at in range(noun.until, noun.until + _NEAR)):
            return False  # قتل جندي طفلا
        if tie.role == "does":
            return self.object(noun.at) or (tie.near and "bare" in _ACTS[tie.act])
        return tie.near and tie.role in ("noun", "undergoes")

    def following(self, until: int) -> str | None:
        """The act of a verb in the plural behind those who are counted: 150 معتقلا نقلوا."""
        for at in range(until, until + _NEAR):
            word = self.word(at)
            if not word or word in _CLAUSE or word[0] == "و":
                return None
            for mark in self.starting.get(at, ()):
                if mark.name == "casualties" or mark.role in _DONE:
                    return mark.name if mark.name == "casualties" or word.endswith(("ون", "وا")) else None
        return None

    def denied(self, at: int, first: int) -> bool:
        """Whether what stands at a word is said not to be, by the words from `first` on."""
        near = True
        for i in range(at - 1, max(first, at - _SAID) - 1, -1):
            said = {mark.name for mark in self.starting.get(i, ()) if mark.role == "said"}
            near &= at - i <= _FAR and self.words[i] not in _CLAUSE
            if "denied" in said or (near and "not" in said):
                return True
            near &= self.words[i][0] != "و" or not any(mark.role in _DONE for mark in self.starting.get(i, ()))
        return False

    def source(self) -> str | None:
        """The one source that the sentence says it is told by, as written."""
        low, high = self.spans[self.first][0], self.spans[self.last - 1][1]
        found = set[str]()
        for match in _attributed().finditer(self.folded, low, high):
            start, end = source_span(self.text, self.offsets, *match.span(match.lastgroup or 0))
            joined = self.folded.startswith("لل", match.start(match.lastgroup or 0))  # للمرصد
            found.add("ا" * joined + self.text[start + joined : end])
        return found.pop() if len(found) == 1 else None

    # ---- words -----------------------------------------------------------------------------------------------------

    def word(self, at: int) -> str:
        """A word of the sentence; none beyond it."""
        return self.words[at] if self.first <= at < self.last else ""

    def written(self, at: int, until: int) -> tuple[int, int]:
        """Where words stand in the text as written."""
        return source_span(self.text, self.offsets, self.spans[at][0], self.spans[until - 1][1])

    def people(self, at: int) -> _Mark | None:
        """Who is named at a word: by a noun, or by what befell them."""
        marks = [m for m in self.starting.get(at, ()) if m.role in _PEOPLE and self.word(at) and m.until <= self.last]
        return max(marks, key=lambda mark: (mark.until, mark.name not in _ACTS), default=None)

    def total(self, at: int) -> _Mark | None:
        """Whose number the words before `at` give: عدد القتلى ..."""
        heads = (i for i in range(at - 1, max(self.first, at - _FAR), -1) if self.word(i - 1) in _W["total"])
        return next(filter(None, map(self.people, heads)), None)

    def owned(self, at: int) -> bool:
        """Whether a word ends in a pronoun."""
        written = self.text[slice(*self.written(at, at + 1))] if self.word(at) else ""
        return written.endswith(("ه", "ها", "هم")) and self.words[at] not in _W["own"]

    def object(self, at: int) -> bool:
        """Whether somebody stands in the accusative singular, without a number: مدنيا."""
        noun, word = self.people(at), self.word(at)
        single = noun is not None and noun.role == "one" and word[-1:] == "ا"
        return single and not read_numbers([self.word(at - 1) or "|"])


def _bounded(amount: _Amount, bound: str, at: int, until: int) -> _Amount:
    """An amount with "about", "least" or "most" before or behind it."""
    low, high = (None if bound == "most" else amount.low), (None if bound == "least" else amount.high)
    return amount._replace(low=low, high=high, approx=True, at=at, until=until)


@cache
def _rules() -> RuleSet:
    """Acts, nouns of people and the words around them as one rule set; each term is named by name and role."""
    terms: dict[str, dict[str, Any]] = act_terms()
    for name, noun in _DATA["counted"].items():
        sound = [normalise(stem) for stem in noun.get("sound", ())]
        one = {stem + end for stem in sound for end in ("", "ا", "ه")}
        two = {f"{stem}ان" for stem in sound}
        many = set().union(*map(endings, sound), *map(with_pronouns, map(normalise, noun.get("many", ())))) - one - two
        for role, forms in zip(_PEOPLE, (one, two, many), strict=True):
            if every := [*noun.get(role, ()), *sorted(forms)]:
                terms[f"{name} {role}"] = {"group": "counted", "forms": every}
    for group, said in {"before": _DATA["bound"], "after": _DATA["after"], "said": _DATA["negation"]}.items():
        terms |= {f"{name} {group}": {"group": group, "forms": forms} for name, forms in said.items()}
    return compile_rules({"term": terms, "topic": {"figures": {"mention": ["act"], "threshold": 1}}}, "figures.toml")


@cache
def _attributed() -> re.Pattern[str]:
    """A source with the word that makes it one: "according to" before, or a verb of saying before or behind."""
    told = {kind: sorted(map(normalise, names), key=len, reverse=True) for kind, names in _DATA["sources"].items()}
    verbs, markers = "|".join(told["verbs"]), "|".join([*told["markers"], *told["verbs"]])
    names = "|".join(name.replace("ال", "(?:ا|ل)ل", 1) if name.startswith("ال") else name for name in told["names"])
    source = rf"(?:{names})(?:\s+ال[^\W\d_]+يه?)?(?!\w)"
    behind = rf"\s*:|\s+(?:{verbs})(?!\w)"
    return re.compile(rf"(?<!\w)[وف]?(?:{markers})\s+(?P<a>{source})|(?<!\w)(?P<b>{source})(?={behind})")
