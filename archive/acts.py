"""What happened, by the words that say it: the acts and events of acts.toml in a text.                  [pure]"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from archive.arabic.normalise import normalise, normalise_map, source_span
from archive.matching import scan
from archive.rules import RuleSet, compile_rules

LEXICON = Path(__file__).with_name("acts.toml")

_PAST = ("", "ت", "وا", "ا", "تا", "ن")
_PRESENT = ("", "ون", "وا", "ان", "ا", "ن")
_BEGIN = ("ي", "ت", "سي", "ست")
_CLOSES = 9  # words from لقي to مصرعهم


class Act(NamedTuple):
    """An act told in a text. `role` says how: noun, does, undergoes, one, two, many, doubtful (see acts.toml), or
    event; half-open code points of the text as written."""

    name: str
    role: str
    start: int
    end: int


def read_acts(text: str) -> list[Act]:
    """Acts and events of a text, in its order; a form that is `doubtful` among them. Takes any text and never raises.

    >>> [(act.name, act.role) for act in read_acts("مقتل مدني وإصابة آخرين بانفجار، ولقي طفلان حتفهما")]
    [('killed', 'noun'), ('wounded', 'noun'), ('exploded', 'event'), ('killed', 'undergoes')]
    """
    rules, offsets = _rules(), normalise_map(text)[1]
    found = []
    for hit in scan(rules, "", text).hits:
        if rules.terms[hit.term].group == "act":
            name, role = rules.terms[hit.term].id.split()
            found.append(Act(name, role, *source_span(text, offsets, hit.start, hit.end)))
    return found


def act_terms(data: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The acts as terms of a rule set, named "ACT ROLE"; see `archive.rules`."""
    terms: dict[str, dict[str, Any]] = {}
    for kind in ("event", "act"):
        for name, act in data[kind].items():
            roles = {
                "does": {"forms": _conjugated(act.get("does", ()))},
                "noun": {"forms": act.get("nouns", ()), "pronouns": True},
                "undergoes": {"forms": [*_conjugated(act.get("undergoes", ())), *act.get("forms", ())]},
                **{role: {"forms": act.get(role, ())} for role in ("one", "two", "many", "doubtful")},
            }
            if "split" in act:
                terms[f"{name} closing"] = {"forms": act["closing"], "group": "closing"}
                roles["undergoes"] |= {"short": act["split"], "company": [f"{name} closing"], "within": _CLOSES}
            for role, term in roles.items():
                if term["forms"]:
                    said = terms.setdefault(f"{name} {'event' if kind == 'event' else role}", {"group": "act"})
                    said |= term | {"forms": [*said.get("forms", ()), *term["forms"]]}
    return terms


def _conjugated(verbs: Iterable[str]) -> list[str]:
    """Every person and number that news has of a verb, given as "he did" or "he does"."""
    forms = list[str]()
    for verb in map(normalise, verbs):
        if verb.startswith("ي"):
            forms += [begin + verb[1:] + end for begin in _BEGIN for end in _PRESENT]
        else:
            forms += [verb + end for end in _PAST]
    return forms


@cache
def lexicon() -> dict[str, Any]:
    """acts.toml as it is."""
    return tomllib.loads(LEXICON.read_text("utf-8"))


@cache
def _rules() -> RuleSet:
    every = {"acts": {"mention": ["act"], "threshold": 1}}
    return compile_rules({"term": act_terms(lexicon()), "topic": every}, str(LEXICON))
