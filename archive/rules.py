"""Topic rules: read from TOML, checked, compiled for one pass over a text.                              [pure]

A rule file has terms (what to look for), groups of terms, and topics (what their presence says):

    lead_words = 50                        how many words of the text count as its lead
    [groups]
    held = ["detainee", "prison"]          a name for several groups or terms
    [term.al_hol]
    group = "facility"                     the longest form of a group counts at each place; without it: its own
    forms = ["{مخيم|بلدة} الهول"]          matched with proclitics, the article, any spelling of hamza, ya, ...
    nouns = ["معتقل"]                      the same with every ending: معتقلون, معتقلي, معتقليهم, ...
    pronouns = true                        forms also with joined pronouns: سجونهم
    proclitics = false                     forms only as written
    short = ["الهول"]                      counted only in `company`, `within` that distance, of a full form
    company = ["syria"]                    groups or terms
    mask = ["أبو الهول"]                   phrases in which the words mean something else
    [topic.isis_detainees]
    mention = ["facility"]                 any of these makes at least a passing match
    threshold = 4                          points for a substantive one
    [[topic.isis_detainees.signal]]
    why = "a detainee beside ISIS"         said in explanations
    near = ["detainee", "isis"]            each within `within` of the first ...
    any = ["facility"]                     ... or: any of these
    all = [...], none = [...]              and all / none of these anywhere in title and text
    within = 8                             words, "sentence", "paragraph" or "text"
    in = ["title", "lead"]                 where to count; without it title and text
    min = 2                                at least so many
    share = 0.5                            at least so many in a hundred words
    points = 2                             for the first `min`; below zero: evidence against
    each = 0.5, most = 6                   for every further one, counting up to six
    veto = true                            instead of points: a passing match at most
"""

from __future__ import annotations

import hashlib
import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from typing import Any, Literal

from archive.arabic.normalise import normalise
from archive.arabic.tokens import WORD, endings, with_pronouns
from archive.errors import ConfigError

Kind = Literal["form", "short", "mask"]
Distance = int | Literal["sentence", "paragraph", "text"]
Zone = Literal["title", "lead", "text"]

_TERM_KEYS = {"group", "forms", "nouns", "pronouns", "proclitics", "short", "company", "within", "mask"}
_SIGNAL_KEYS = {"why", "any", "near", "all", "none", "within", "in", "min", "share", "points", "each", "most", "veto"}
_TOPIC_KEYS = {"about", "mention", "threshold", "signal"}


@dataclass(frozen=True, slots=True)
class Pattern:
    """A form of a term after its first word."""

    rest: tuple[str, ...]
    term: int
    kind: Kind
    capitals: str  # the first word of a form that counts in capitals only (SDF), else ""


@dataclass(frozen=True, slots=True)
class Term:
    """A term; `company` holds the terms of which one must stand `within` that distance of a short form."""

    id: str
    group: str
    proclitics: bool
    company: frozenset[int]
    within: Distance


@dataclass(frozen=True, slots=True)
class Signal:
    """Evidence for or against a topic. Sets hold indexes of terms."""

    why: str
    first: frozenset[int]
    near: tuple[frozenset[int], ...]
    all: tuple[frozenset[int], ...]
    none: frozenset[int]
    within: Distance
    zones: frozenset[Zone]
    min: int
    share: float
    points: float
    each: float
    most: int
    veto: bool


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic; an article with a term of `mention` matches it, substantively from `threshold` points on."""

    name: str
    mention: frozenset[int]
    threshold: float
    signals: tuple[Signal, ...]


@dataclass(frozen=True, slots=True)
class RuleSet:
    """Compiled rules. Can be sent to another process; `sha256` of `toml` names them."""

    toml: str
    sha256: str
    lead_words: int
    terms: tuple[Term, ...]
    by_topic: tuple[Topic, ...]
    index: dict[str, tuple[Pattern, ...]]  # first word -> patterns, the longest first

    @property
    def topics(self) -> tuple[str, ...]:
        """Names of the topics, as in the file."""
        return tuple(topic.name for topic in self.by_topic)


def load_rules(toml_text: str, file: str) -> RuleSet:
    """Rules from the text of `file`. Raises ConfigError naming the key and the mend."""
    try:
        data = tomllib.loads(toml_text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(file, "", f"is not TOML: {error}") from error
    return _Reader(file, data).rule_set(toml_text)


def _spelled_out(form: str) -> Iterator[str]:
    """Every reading of a form with {alternatives|in|braces}."""
    parts = [part.split("|") for part in re.split(r"[{}]", form)]
    return map("".join, product(*parts))


class _Reader:
    """Walks the parsed file once; every complaint goes through `fail`."""

    def __init__(self, file: str, data: dict[str, Any]) -> None:
        self.file, self.data = file, data
        self.names: dict[str, frozenset[int]] = {}

    def rule_set(self, toml_text: str) -> RuleSet:
        self.only(self.data, {"lead_words", "groups", "term", "topic"}, "")
        tables = self.table("term")
        for number, (name, table) in enumerate(tables.items()):
            self.only(table, _TERM_KEYS, f"term.{name}")
            group = table.setdefault("group", name)
            if not isinstance(group, str) or not group:
                self.fail(f"term.{name}.group", 'write a name, as group = "places", or leave it out')
            for known in {name, group}:
                self.names[known] = self.names.get(known, frozenset()) | {number}
        for name in self.data.get("groups", {}):
            if name in self.names:
                self.fail(f"groups.{name}", "a group or term has this name already; choose another")
            self.names[name] = self.set_of(self.data["groups"], name, "groups")
        terms = tuple(self.term(name, table) for name, table in tables.items())
        index: dict[str, list[Pattern]] = {}
        for number, (name, table) in enumerate(tables.items()):
            for first, pattern in self.patterns(number, name, table):
                found = index.setdefault(first, [])
                if pattern not in found:
                    found.append(pattern)
        topics = tuple(self.topic(name, table) for name, table in self.table("topic").items())
        return RuleSet(
            toml=toml_text,
            sha256=hashlib.sha256(toml_text.encode()).hexdigest(),
            lead_words=int(self.number(self.data, "lead_words", "", 50)),
            terms=terms,
            by_topic=topics,
            index={word: tuple(sorted(some, key=lambda p: -len(p.rest))) for word, some in index.items()},
        )

    def term(self, name: str, table: dict[str, Any]) -> Term:
        key = f"term.{name}"
        if table.get("short") and not table.get("company"):
            self.fail(f"{key}.company", "short forms need company; name groups or terms, or move them to forms")
        return Term(
            id=name,
            group=table["group"],
            proclitics=self.truth(table, "proclitics", key, True),
            company=self.set_of(table, "company", key),
            within=self.distance(table, key, "sentence"),
        )

    def patterns(self, number: int, name: str, table: dict[str, Any]) -> Iterator[tuple[str, Pattern]]:
        key = f"term.{name}"
        forms = [(form, "form") for form in self.strings(table, "forms", key)]
        forms += [(form, "short") for form in self.strings(table, "short", key)]
        forms += [(form, "mask") for form in self.strings(table, "mask", key)]
        nouns = self.strings(table, "nouns", key)
        if not (nouns or table.get("forms") or table.get("short")):
            self.fail(f"{key}.forms", 'write at least one form, as forms = ["قسد"]')
        if self.truth(table, "pronouns", key, False):
            bases = [normalise(form) for form, kind in forms if kind == "form" and " " not in form]
            forms += [(form, "form") for base in bases for form in sorted(with_pronouns(base))]
        forms += [(form, "form") for noun in nouns for form in sorted(endings(normalise(noun)))]
        kinds: dict[str, Kind] = {"form": "form", "short": "short", "mask": "mask"}
        for form, kind in ((one, kind) for form, kind in forms for one in _spelled_out(form)):
            first, *rest = WORD.findall(normalise(form)) or [""]
            if not first:
                self.fail(key, f"{form!r} has no letter in it; take it out")
            capitals = form.split()[0] if form.isascii() and form.isupper() else ""
            yield first, Pattern(tuple(rest), number, kinds[kind], capitals)

    def topic(self, name: str, table: dict[str, Any]) -> Topic:
        key = f"topic.{name}"
        self.only(table, _TOPIC_KEYS, key)
        mention = self.set_of(table, "mention", key)
        if not mention:
            self.fail(f"{key}.mention", "the topic names no term; list groups or terms that make a passing match")
        signals = table.get("signal", [])
        if not isinstance(signals, list) or not all(isinstance(one, dict) for one in signals):
            self.fail(f"{key}.signal", f"write each as a table [[{key}.signal]]")
        threshold = self.number(table, "threshold", key, 1)
        if threshold <= 0:
            self.fail(f"{key}.threshold", "must be above zero")
        return Topic(name, mention, threshold, tuple(self.signal(one, key, at) for at, one in enumerate(signals, 1)))

    def signal(self, table: dict[str, Any], topic: str, at: int) -> Signal:
        key = f"{topic}.signal[{at}]"
        self.only(table, _SIGNAL_KEYS, key)
        if ("any" in table) == ("near" in table):
            self.fail(key, "write either any = [...] or near = [...]")
        names = self.strings(table, "near", key)
        if "near" in table and len(names) < 2:
            self.fail(f"{key}.near", "name at least two groups or terms that stand near each other")
        first, *near = [self.set_named(one, f"{key}.near") for one in names] or [self.set_of(table, "any", key)]
        zones = self.strings(table, "in", key)
        for zone in zones:
            if zone not in ("title", "lead", "text"):
                self.fail(f"{key}.in", f'{zone!r} is no place in an article; write "title", "lead" or "text"')
        veto = self.truth(table, "veto", key, False)
        if veto == ("points" in table):
            self.fail(key, "write either points = 2 or veto = true")
        low = int(self.number(table, "min", key, 1))
        return Signal(
            why=str(table.get("why", " + ".join(names or self.strings(table, "any", key)))),
            first=first,
            near=tuple(near),
            all=tuple(self.set_named(one, f"{key}.all") for one in self.strings(table, "all", key)),
            none=self.set_of(table, "none", key),
            within=self.distance(table, key, "sentence" if near else "text"),
            zones=frozenset(zones),  # type: ignore[arg-type]  # checked above
            min=low,
            share=self.number(table, "share", key, 0),
            points=self.number(table, "points", key, 0),
            each=self.number(table, "each", key, 0),
            most=max(low, int(self.number(table, "most", key, low))),
            veto=veto,
        )

    def fail(self, key: str, mend: str) -> None:
        raise ConfigError(self.file, key, mend)

    def only(self, table: Any, known: set[str], key: str) -> None:
        if not isinstance(table, dict):
            self.fail(key, f"must be a table, as [{key}]")
        for unknown in sorted(set(table) - known):
            self.fail(f"{key}.{unknown}".lstrip("."), f"unknown key; known here: {', '.join(sorted(known))}")

    def table(self, name: str) -> dict[str, Any]:
        table = self.data.get(name)
        if not isinstance(table, dict) or not table:
            self.fail(name, f"write at least one [{name}.NAME]")
        return dict(table or {})

    def strings(self, table: dict[str, Any], name: str, key: str) -> list[str]:
        value = table.get(name, [])
        if not isinstance(value, list) or not all(isinstance(one, str) and one.strip() for one in value):
            self.fail(f"{key}.{name}", 'must be a list of words in quotes, none of them empty, as ["a", "b"]')
        return list(value)

    def number(self, table: dict[str, Any], name: str, key: str, default: float) -> float:
        value = table.get(name, default)
        if isinstance(value, bool) or not isinstance(value, int | float):
            self.fail(f"{key}.{name}".lstrip("."), "must be a number")
        return float(value)

    def truth(self, table: dict[str, Any], name: str, key: str, default: bool) -> bool:
        value = table.get(name, default)
        if not isinstance(value, bool):
            self.fail(f"{key}.{name}", "must be true or false")
        return bool(value)

    def distance(self, table: dict[str, Any], key: str, default: Distance) -> Distance:
        value: Distance = table.get("within", default)
        if value not in ("sentence", "paragraph", "text") and (type(value) is not int or value < 1):
            self.fail(f"{key}.within", 'must be a number of words, "sentence", "paragraph" or "text"')
        return value

    def set_of(self, table: dict[str, Any], name: str, key: str) -> frozenset[int]:
        where = f"{key}.{name}"
        return frozenset().union(*(self.set_named(one, where) for one in self.strings(table, name, key)))

    def set_named(self, name: str, key: str) -> frozenset[int]:
        if name not in self.names:
            self.fail(key, f"there is no term or group {name!r}; write [term.{name}] or correct the name")
        return self.names.get(name, frozenset())
