"""The words by which figures are read: acts.toml and figures.toml as lists and as one rule set.               [pure]"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

from archive.arabic.normalise import normalise
from archive.arabic.tokens import endings, with_pronouns
from archive.rules import RuleSet, compile_rules

_ACTS, _DATA, _DATES = (
    tomllib.loads((Path(__file__).parent / name).read_text("utf-8"))
    for name in ("acts.toml", "figures.toml", "arabic/dates.toml")
)
ACTS, COUNTED = _ACTS["act"], frozenset(_DATA["counted"])
LINKS = {name: frozenset(map(normalise, act.get("links", ()))) for name, act in ACTS.items()}
WORDS = {name: frozenset(map(normalise, words)) for name, words in _DATA["words"].items()}
UNITS = WORDS["units"].union(*(map(normalise, names) for names in _DATES["months"]), "%/:")
PEOPLE = ("one", "two", "many")  # roles of words for those who are counted, or whom an act befell
DONE = ("does", "undergoes", "noun", "doubtful", "linked")  # roles of an act that is told
_PAST = ("", "ت", "وا", "ا", "تا", "ن")
_PRESENT = ("", "ون", "وا", "ان", "ا", "ن")
_BEGIN = ("ي", "ت", "سي", "ست")
_CLOSES = 9  # words from لقي to مصرعهم


@cache
def rules() -> RuleSet:
    """Acts, nouns of people and the words around them as one rule set; each term is named by name and role."""
    terms: dict[str, dict[str, Any]] = _act_terms()
    for name, noun in _DATA["counted"].items():
        sound = [normalise(stem) for stem in noun.get("sound", ())]
        one = {stem + end for stem in sound for end in ("", "ا", "ه")}
        two = {f"{stem}ان" for stem in sound}
        many = set().union(*map(endings, sound), *map(with_pronouns, map(normalise, noun.get("many", ())))) - one - two
        for role, forms in zip(PEOPLE, (one, two, many), strict=True):
            if every := [*noun.get(role, ()), *sorted(forms)]:
                terms[f"{name} {role}"] = {"group": "counted", "forms": every}
    for group in ("before", "after", "said", "aside"):
        terms |= {f"{name} {group}": {"group": group, "forms": forms} for name, forms in _DATA[group].items()}
    return compile_rules({"term": terms, "topic": {"figures": {"mention": ["act"], "threshold": 1}}}, "figures.toml")


@cache
def attributed() -> re.Pattern[str]:
    """A source with the word that makes it one: "according to" before, or a verb of saying before or behind."""
    told = {kind: sorted(map(normalise, names), key=len, reverse=True) for kind, names in _DATA["sources"].items()}
    verbs, markers = "|".join(told["verbs"]), "|".join([*told["markers"], *told["verbs"]])
    names = "|".join(name.replace("ال", "(?:ا|ل)ل", 1) if name.startswith("ال") else name for name in told["names"])
    source = rf"(?:{names})(?:\s+ال[^\W\d_]+يه?)?(?!\w)"
    behind = rf"\s*:|\s+(?:{verbs})(?!\w)"
    return re.compile(rf"(?<!\w)[وف]?(?:{markers})\s+(?P<a>{source})|(?<!\w)(?P<b>{source})(?={behind})")


def _act_terms() -> dict[str, dict[str, Any]]:
    """The acts as terms of a rule set, named "ACT ROLE"."""
    terms: dict[str, dict[str, Any]] = {}
    for name, act in ACTS.items():
        roles = {
            "does": {"forms": _conjugated(act.get("does", ()))},
            "noun": {"forms": act.get("nouns", ()), "pronouns": True},
            "undergoes": {"forms": [*_conjugated(act.get("undergoes", ())), *act.get("forms", ())]},
            **{role: {"forms": act.get(role, ())} for role in ("one", "two", "many", "doubtful", "linked")},
        }
        if "split" in act:
            terms[f"{name} closing"] = {"forms": act["closing"], "group": "closing"}
            roles["undergoes"] |= {"short": act["split"], "company": [f"{name} closing"], "within": _CLOSES}
        for role, term in roles.items():
            if term["forms"]:
                terms[f"{name} {role}"] = {"group": "act", "mask": act.get("not", ())} | term
    return terms


def _conjugated(verbs: Iterable[str]) -> list[str]:
    """Every person and number that news has of a verb, given as "he did" or "he does"."""
    forms = list[str]()
    for verb in map(normalise, verbs):
        present = [begin + verb[1:] + end for begin in _BEGIN for end in _PRESENT]
        forms += present if verb.startswith("ي") else [verb + end for end in _PAST]
    return forms
