"""Figures of people: how many, of whom, and what befell them, as a text states it.                      [pure]

Read are numbers in digits and words, ranges, bounds, duals ("قتيلان"), and one that its noun says ("مقتل مدني"). Not
read is what counts nobody (dates, ages, money, distances, shares, scores), what is named by a number, what is denied or
did not happen, and "the three" that were told before. Precision goes first: in doubt there is no figure, or no act.
Where people are said to be taken later (سينقلون) is told as what happened is; that they will be killed is not.
Words are data: acts.toml and figures.toml.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import islice
from typing import NamedTuple

from archive.acts import ACTS, DONE, LINKS, UNITS, WORDS, rules
from archive.arabic.normalise import normalise
from archive.arabic.numbers import Number, read_numbers
from archive.arabic.tokens import stripped
from archive.marked import CLAUSE, DEFINITE, FAR, SAYS, SENTENCE, Mark, Marked
from archive.places import places

_DATED = UNITS | WORDS["numbered"]
_DUAL = re.compile(r"\w{2,}(?:ان|ين)")
_TWICE = re.compile(r"[وف]?[بكل]?(?:الف|مليون|مليار)ا")  # ألفا مقاتل are two thousand, ألفا alone is one
_FUTURE = re.compile(r"[وف]?س[يت]")  # سيقتل
_REACH, _NEAR = 7, 5  # words: from an act to whom it befell; to what follows
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


class _Amount(NamedTuple):
    """How many, with what bounds it: from which word to which. `noun`: a dual or singular says it."""

    low: int | None
    high: int | None
    approx: bool
    at: int
    until: int
    noun: Mark | None = None


class _Tie(NamedTuple):
    """What befell those counted: the act and its role ("and": it is that of the figure before), whether it stands
    directly before, whom a total counts (the number of the dead rose to) or an act does whose doer stands between."""

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


class _Reader(Marked):
    """Reads a marked text sentence by sentence."""

    def figures(self) -> Iterator[Figure]:
        """All figures, sentence by sentence; each may take up the act of the one before it."""
        for last in [*(at for at, word in enumerate(self.words) if word in SENTENCE), len(self.words)]:
            self.last, before, act = last, _Amount(None, None, False, self.first, self.first), None
            names = {mark.name for at in range(self.first, last) for mark in self.starting.get(at, ())}
            if names and "fiction" not in names:
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
            noun, last = self.people(at) if at in self.starting else None, self.word(at - 1)
            told = last[:1].isdigit() or (_DUAL.fullmatch(last) and self.words[at][0] != "و")  # مصدران عسكريان
            if at in self.numbers and at >= done and (amount := self.amount(at)):
                yield amount
                done = amount.until
            elif noun and at >= done and noun.role in SAYS and not told:
                many = SAYS[noun.role]
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
        if " " in words[at] and end > at + 1:
            return None  # 12 350 ألف
        if low and _TWICE.fullmatch(words[at]) and end == at + 1 and (self.people(end) or not self.ends(end)):
            if upto or not self.people(end) or "\u064b" in self.text[slice(*self.written(at, end))]:
                return None
            low = high = 2 * low
        amount = _Amount(low, high, low is None, begin, upto.end if upto else end)
        for mark in self.ending.get(begin, ()):
            amount = _bounded(amount, mark.name, mark.at, amount.until) if mark.role == "before" else amount
        return amount

    # ---- of whom, and what befell them -----------------------------------------------------------------------------

    def figure(self, amount: _Amount, before: _Amount, told: str | None) -> tuple[_Amount, str, str | None] | None:
        """Whom an amount counts and the act, given the figure before it and its act; None if nobody."""
        after, until, noun = self.word(amount.until), amount.until, amount.noun
        if not noun:
            if {after, self.word(until + (after == "من"))} & UNITS or self.word(amount.at - 1) in WORDS["numbered"]:
                return None
            noun = self.noun(amount)
            if noun:
                until = noun.until
            elif self.words[amount.at] in WORDS["two"]:  # معتقلين اثنين
                pair = (mark for mark in self.ending.get(amount.at, ()) if mark.role == "many")
                noun = next((mark for mark in pair if self.words[mark.at].endswith("ين")), None)
                amount = amount._replace(at=noun.at) if noun else amount
        else:
            until += after in WORDS["two"]
        tie = self.tie(amount.at, bool(noun), before, told)
        if noun:
            told = tie.act if tie.near and tie.role != "and" else None  # وفاة اثنين من المصابين
            died = noun.name == "wounded" and told in ("died", "killed", "executed")
            fate = told if died or (after == "من" and not amount.noun) else noun.name
            counted, act = ("people", fate) if noun.name in ACTS else (noun.name, tie.act)
            sure = not amount.noun or self.single(amount, noun, tie, before)
        else:
            (counted, until), act = self.unnamed(amount, tie), tie.act
            sure = bool(counted)
        if act and any(self.object(at) for at in range(until, until + 3)):
            act = None  # those counted did it: قتل ثلاثة مسلحين مدنيا
        share = self.word(amount.at - 1) == "من" and amount.at - 1 not in self.aside  # تسعون بالمئة من 300 شخص غادروا
        follows = None if act or share else self.following(until)
        if not sure or self.denied(amount.at, before.until if tie.role == "and" else self.first, follows):
            return None
        act = act or follows
        unless = frozenset(map(normalise, ACTS[act].get("unless", ()))) if act else frozenset()
        if unless and any(form in unless for w in self.words[self.first : self.last] for form in (w, *stripped(w))):
            if not noun:
                return None  # إصابة اثنين of a team
            act = None
        amount = amount._replace(until=until)
        for mark in self.starting.get(until, ()):
            if mark.name == "share":
                return None  # تسعة من كل عشرة
            amount = _bounded(amount, mark.name, amount.at, mark.until) if mark.role == "after" else amount
        return amount, counted, act

    def noun(self, amount: _Amount) -> Mark | None:
        """The noun behind a number, if it counts that: not المرتبة 105 وسوريا, nor اثنين من إيطاليا."""
        part = self.word(amount.until) == "من"
        noun = self.people(amount.until + part)
        if not noun or (part and (noun.role == "one" or (noun.name == "nationals" and self.words[noun.at][-1] == "ا"))):
            return None  # أربعة من عائلة
        word, exact = self.words[noun.at], amount.low or amount.high
        joined = (word[0] == "و" and word not in rules().index) or (exact and DEFINITE.match(word))
        return noun if part or not joined else None

    def tie(self, at: int, named: bool, before: _Amount, told: str | None) -> _Tie:
        """What befell those who are counted from word `at` on, by what stands before."""
        if before.until > self.first:
            between = self.words[before.until : min(at, before.until + FAR)]
            if self.word(at - 1).removeprefix("و") in WORDS["among"]:
                theirs = (mark for mark in self.ending.get(at - 1, ()) if mark.role in ("does", "undergoes"))
                return next((_Tie(mark.name, mark.role, True) for mark in theirs), _Tie(told, "and"))  # قتل منهم 12
            joint = between[:-1] if between[-1:] == ["و"] else between
            joined = len(between) <= _REACH and (joint is not between or self.words[at][0] == "و")
            acts = (mark for i in range(before.until, at) for mark in self.starting.get(i, ()) if mark.role in DONE)
            if joined and not any(acts) and not CLAUSE.intersection(joint[:-1]):
                return _Tie(told, "and", not joint)
        if self.word(at - 1) in WORDS["reaches"] and (whose := self.total(at)):
            return _Tie(whose.name, "", False, "people") if whose.name in ACTS else _Tie(counted=whose.name)
        if self.words[at][0] in "بلو" and self.words[at] not in rules().index:
            return _Tie()  # to whom, by whom, and beside whom: بتسليمه لشخصين
        through, link = False, ""
        back = (i for i in range(at - 1, before.until - 1, -1) if i not in self.aside)
        for gap, i in enumerate(islice(back, FAR)):
            word, link = self.word(i), link or self.word(i)
            if act := next((mark for mark in self.ending.get(i + 1, ()) if mark.role in DONE), None):
                return self.reach(act, gap, link, named, through)
            joins = word in WORDS["through"] or (gap == 0 and word in WORDS["links"])
            through |= word in WORDS["through"]
            prefixed = i == at - 1 and word[0] in "بل" and len(word) > 2  # برصاص ثلاثة
            clause = (word[0] == "ي" and len(word) > 3) or word in WORDS["resumes"]  # مخيم يؤوي 500, مكان تجمع فيه 500
            clause = clause and not any(mark.role in DONE for mark in self.ending.get(i, ()))  # but for قتل فيه 7
            if i in self.numbers:  # 34 شاحنة تكفي 20 ألف شخص
                clause |= {self.word(self.numbers[i].end), self.word(i - 1)}.isdisjoint(_DATED)
            if clause or word in CLAUSE or (word in WORDS["stops"] and not joins) or prefixed or self.owned(i):
                break
            noun = None if gap or DEFINITE.match(word) or word.endswith(("ون", "ين")) else self.people(i)
            if noun and noun.role == "many" and noun.name != "nationals":
                break  # عائلات 20 معتقلا
        return _Tie()

    def reach(self, act: Mark, gap: int, link: str, named: bool, through: bool) -> _Tie:
        """Whether an act befell those who are counted `gap` words behind it, directly behind `link`; `through`: a
        preposition stands between."""
        own = gap > 0 and link in LINKS[act.name] and ("linked" in ACTS[act.name]) == (act.role == "linked")
        far, verb = gap > own, act.role != "noun"
        if not own and ((far and link in WORDS["links"]) or act.role == "linked"):
            return _Tie()  # أفرجت قسد عن خمسين, but ينتظر الإفراج 20 معتقلا
        if act.role == "doubtful" and not named:
            return _Tie()
        if not verb and (DEFINITE.match(self.words[act.at]) or (far and act.name not in WORDS["transitive"])):
            return _Tie()  # مراكز الاعتقال
        who = next((self.word(i) for i in range(act.until, act.until + FAR) if i not in self.aside), "")
        name = link in _names() or DEFINITE.match(link)  # في جنازة خمسة عناصر are no five in Raqqa
        doer = verb and act.role != "undergoes" and name and (who in WORDS["doers"] or who.endswith("ون"))
        direct = gap <= _REACH and (not through or (verb and who in WORDS["through"]))
        until = act.until + gap
        alone = far and act.role == "does" and who in WORDS["doers"] and until not in self.aside
        alone &= all(word in WORDS["doers"] or bool(DEFINITE.match(word)) for word in self.words[act.until : until])
        counted = "people" if alone and "bare" in ACTS[act.name] else None  # قتلت قسد 5
        # behind a preposition the verb has who did it before it, or is known to have
        return _Tie(act.name, act.role, not far, counted) if direct or doer or own else _Tie()

    def unnamed(self, amount: _Amount, tie: _Tie) -> tuple[str, int]:
        """Whom a number counts that no known noun follows ("": nobody), and where that ends."""
        after, until = self.word(amount.until), amount.until
        bare = tie.near and "bare" in ACTS.get(tie.act, ()) and not 1900 <= (amount.low or 0) < 2100
        if after == "من" and not tie.act and self.word(until + 1).endswith("ين"):  # ستة من المهاجمين قتلوا
            bare = "bare" in ACTS.get(self.following(until + 2) or "", ())
        if self.ends(until):
            return tie.counted or "people" * bare, until
        known = until in self.starting or after in WORDS["stops"]  # و25 إصابة are no 25 killed
        noun = bare and not known and len(after) > 2 and after.isalpha() and after[:2] != "ال"
        return self.text[slice(*self.written(until, until + 1))] if noun else "", until + 1

    def single(self, amount: _Amount, noun: Mark, tie: _Tie, before: _Amount) -> bool:
        """Whether a noun in the singular says that it was one, one in the dual that it befell two."""
        at, other = noun.until, self.people(noun.until)
        subject = tie.role == "does" and tie.near and not self.word(noun.at).endswith(("ا", "ين"))
        adjective = self.ends(at + 1) and not self.owned(at) and (not other or other.name == "nationals")
        if subject and not self.ends(at) and not adjective:
            return False  # قتل رجل زوجته
        if amount.low == 2:
            return True
        if noun.name in ACTS:  # قتيل
            return self.word(noun.at - 1) in WORDS["fell"] or noun.at == self.first or (tie.role == "and" and tie.near)
        if tie.role == "and":
            few = before.noun is not None or (before.low or 11) < 11  # مئة طفل وامرأة are a hundred in all
            return tie.act is not None and ((tie.near and few) or self.word(noun.at - 1) in WORDS["among"])
        if any(self.object(at) for at in range(noun.until, noun.until + _NEAR)):
            return False  # قتل جندي طفلا
        if tie.role == "does":
            return self.object(noun.at) or (tie.near and "bare" in ACTS[tie.act])
        return tie.near and tie.role in ("noun", "undergoes")

    def following(self, until: int) -> str | None:
        """The act of a verb in the plural behind those who are counted: 150 معتقلا نقلوا."""
        for at in range(until, until + _NEAR):
            word = self.word(at)
            if not word or word in CLAUSE or word[0] == "و":
                return None
            for mark in self.starting.get(at, ()):
                if mark.name == "casualties" or mark.role in DONE:
                    theirs = mark.role == "linked" and self.word(mark.until) in WORDS["theirs"]  # أفرج عنهم
                    theirs |= mark.role == "noun" and self.word(at - 1) in WORDS["done"] and self.owned(at)  # تم نقلهم
                    done = mark.role != "does" or mark.until in self.aside  # ستة قتلوا جنديا did it
                    done |= self.ends(mark.until) and not self.people(mark.until)
                    theirs |= mark.name == "casualties" or (done and word.endswith(("ون", "وا")))
                    return mark.name if theirs else None
        return None

    def denied(self, at: int, first: int, act: str | None) -> bool:
        """Whether what stands at a word is said not to be, or not to have happened, by the words from `first` on; `act`
        is one that follows."""
        near, bound = True, True
        back = (i for i in range(at - 1, first - 1, -1) if i not in self.aside)
        for gap, i in enumerate(islice(back, _SAID)):
            word, marks = self.words[i], self.starting.get(i, ())
            said = {mark.name for mark in marks if mark.role == "said" or mark.name == "accused"}
            near &= gap < FAR and word not in CLAUSE
            unreal = bound and act and said & {"unreal", "accused"}
            if "denied" in said or (near and ("not" in said or unreal)):
                return True
            bound &= not (act and word in WORDS["breaks"])
            if done := next((mark for mark in marks if mark.role in DONE), None):
                joined = word[0] == "و" and word not in rules().index
                near &= not joined or self.word(i - 1).startswith(("ب", "ل"))  # متهم بتعذيب وقتل
                aim = word[0] == "ل" and word not in rules().index and word not in WORDS["results"]
                if near and not act and "bare" in ACTS[done.name] and (aim or _FUTURE.match(word)):
                    return True  # لقتل, سيقتل
                act = act or (done.name if done.role != "linked" else None)
        return False


@cache
def _names() -> frozenset[str]:
    """Last words of the names of places."""
    return frozenset(normalise(name).split()[-1] for place in places().values() for name in place.names)


def _bounded(amount: _Amount, bound: str, at: int, until: int) -> _Amount:
    """An amount with "about", "least" or "most" before or behind it."""
    low, high = (None if bound == "most" else amount.low), (None if bound == "least" else amount.high)
    return amount._replace(low=low, high=high, approx=True, at=at, until=until)
