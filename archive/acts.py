"""What befalls people in the news, by the words that say it: the acts of acts.toml as terms of rules.   [pure]"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

from archive.arabic.normalise import normalise

LEXICON = Path(__file__).with_name("acts.toml")

_PAST = ("", "ت", "وا", "ا", "تا", "ن")
_PRESENT = ("", "ون", "وا", "ان", "ا", "ن")
_BEGIN = ("ي", "ت", "سي", "ست")
_CLOSES = 9  # words from لقي to مصرعهم


def act_terms() -> dict[str, dict[str, Any]]:
    """The acts as terms of a rule set, named "ACT ROLE"; see `archive.rules`."""
    terms: dict[str, dict[str, Any]] = {}
    for name, act in lexicon()["act"].items():
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
        if verb.startswith("ي"):
            forms += [begin + verb[1:] + end for begin in _BEGIN for end in _PRESENT]
        else:
            forms += [verb + end for end in _PAST]
    return forms


@cache
def lexicon() -> dict[str, Any]:
    """acts.toml as it is."""
    return tomllib.loads(LEXICON.read_text("utf-8"))
