"""Topic rules: read from TOML, checked, compiled for one pass over a text. The language: top of topics.toml.  [pure]"""

from __future__ import annotations

import hashlib
import re
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import product
from typing import Annotated, Any, Literal, NoReturn, TypeVar

import msgspec

from archive.arabic.normalise import normalise
from archive.arabic.tokens import WORD, endings, with_pronouns
from archive.errors import ConfigError
from archive.mistakes import friendly

Kind = Literal["form", "short", "mask"]
Count = Annotated[int, msgspec.Meta(ge=1)]
Distance = Count | Literal["sentence", "paragraph", "text"]
Name = Annotated[str, msgspec.Meta(min_length=1)]
Names = tuple[Name, ...]

_Table = TypeVar("_Table")


class TermTable(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """[term.NAME] as written."""

    group: Name = ""
    forms: Names = ()
    nouns: Names = ()
    pronouns: bool = False
    proclitics: bool = True
    short: Names = ()
    company: Names = ()
    within: Distance = "sentence"
    mask: Names = ()


class SignalTable(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """[[topic.NAME.signal]] as written."""

    why: Name
    any: Names = ()
    near: Names = ()
    all: Names = ()
    none: Names = ()
    within: Distance = "sentence"
    zones: tuple[Literal["title", "lead", "text"], ...] = msgspec.field(default=(), name="in")
    min: Count = 1
    share: float = 0
    points: float = 0
    each: float = 0
    most: Count = 1
    veto: bool = False


class TopicTable(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """[topic.NAME] as written."""

    about: str = ""
    name_ar: str = ""
    name_en: str = ""
    mention: Names
    threshold: Annotated[float, msgspec.Meta(gt=0)]
    signal: tuple[SignalTable, ...] = ()


class _FileTable(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    lead_words: Count = 50
    lists: dict[str, Names] = {}
    groups: dict[str, Names] = {}
    term: dict[str, Any]
    topic: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Pattern:
    """A form of a term after its second word."""

    rest: tuple[str, ...]
    term: int
    kind: Kind
    capitals: str  # the first word of a form that counts in capitals only (SDF), else ""


@dataclass(frozen=True, slots=True)
class Term:
    """A term; `company` holds the indexes of the terms a short form needs beside it."""

    id: str
    group: str
    proclitics: bool
    company: frozenset[int]
    within: Distance


@dataclass(frozen=True, slots=True)
class Signal:
    """Evidence for or against a topic; the sets hold indexes of terms, `first` those that are counted."""

    rule: SignalTable
    first: frozenset[int]
    near: tuple[frozenset[int], ...]
    all: tuple[frozenset[int], ...]
    none: frozenset[int]


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic and what speaks for and against it."""

    name: str
    mention: frozenset[int]
    threshold: float
    signals: tuple[Signal, ...]
    name_ar: str = ""
    name_en: str = ""

    def title(self, language: Literal["ar", "en"]) -> str:
        """What readers call it; its name in the file where that says nothing else."""
        return (self.name_ar if language == "ar" else self.name_en) or self.name


@dataclass(frozen=True, slots=True)
class RuleSet:
    """Compiled rules. Can be sent to another process; `sha256` of `toml` names them."""

    toml: str
    sha256: str
    lead_words: int
    terms: tuple[Term, ...]
    by_topic: tuple[Topic, ...]
    index: dict[str, dict[str, tuple[Pattern, ...]]]  # first word -> second word, "" for a form of one -> patterns
    pieces: dict[str, int | tuple[str, ...]] = field(default_factory=dict, compare=False, repr=False)  # seen in texts

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
    return compile_rules(data, file, toml_text)


def compile_rules(data: dict[str, Any], file: str, toml_text: str = "") -> RuleSet:
    """Rules from what a TOML file says. Raises ConfigError naming the key and the mend."""
    return _Compiler(file).rule_set(data, toml_text)


class _Compiler:
    """Walks the parsed file once; every complaint goes through `fail`."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.names: dict[str, frozenset[int]] = {}  # term or group -> indexes of terms
        self.lists: dict[str, Names] = {}

    def rule_set(self, data: dict[str, Any], toml_text: str) -> RuleSet:
        top = self.read(data, _FileTable, "")
        self.lists = top.lists
        tables = {name: self.read(table, TermTable, f"term.{name}") for name, table in top.term.items()}
        for number, (name, term) in enumerate(tables.items()):
            for known in {name, term.group or name}:
                self.names[known] = self.names.get(known, frozenset()) | {number}
        for name, members in top.groups.items():
            if name in self.names:
                self.fail(f"groups.{name}", "a group or term has this name already; choose another")
            self.names[name] = self.union(members, f"groups.{name}")
        found: dict[str, dict[str, dict[Pattern, None]]] = {}
        for number, (name, term) in enumerate(tables.items()):
            for first, second, pattern in self.patterns(number, term, f"term.{name}"):
                found.setdefault(first, {}).setdefault(second, {})[pattern] = None
        if not top.topic:
            self.fail("topic", "write at least one [topic.NAME]")
        return RuleSet(
            toml=toml_text,
            sha256=hashlib.sha256(toml_text.encode()).hexdigest(),
            lead_words=top.lead_words,
            terms=tuple(self.term(name, term) for name, term in tables.items()),
            by_topic=tuple(self.topic(name, table) for name, table in top.topic.items()),
            index={first: {second: tuple(some) for second, some in after.items()} for first, after in found.items()},
        )

    def term(self, name: str, table: TermTable) -> Term:
        key = f"term.{name}"
        if bool(table.short) != bool(table.company):
            self.fail(f"{key}.company", "short forms need company, and only they do; name groups or terms")
        company = self.union(table.company, f"{key}.company")
        return Term(name, table.group or name, table.proclitics, company, table.within)

    def patterns(self, number: int, table: TermTable, key: str) -> Iterator[tuple[str, str, Pattern]]:
        if not (table.forms or table.nouns or table.short):
            self.fail(f"{key}.forms", 'write at least one form, as forms = ["قسد"]')
        full = self.spelled_out(table.forms, key)
        if table.pronouns:
            full += [form for base in full if " " not in base for form in sorted(with_pronouns(normalise(base)))]
        full += [form for noun in table.nouns for form in sorted(endings(normalise(noun)))]
        kinds: tuple[tuple[Kind, list[str]], ...] = (
            ("form", full),
            ("short", self.spelled_out(table.short, key)),
            ("mask", self.spelled_out(table.mask, key)),
        )
        for kind, forms in kinds:
            for form in forms:
                first, *rest = WORD.findall(normalise(form)) or [""]
                if not first:
                    self.fail(key, f"{form!r} has no letter in it; take it out")
                capitals = form.split()[0] if form.isascii() and form.isupper() else ""
                yield first, "".join(rest[:1]), Pattern(tuple(rest[1:]), number, kind, capitals)

    def spelled_out(self, forms: Names, key: str) -> list[str]:
        """Every reading of forms with {alternatives|in|braces}; @name among them stands for a list of words."""

        def words(found: re.Match[str]) -> str:
            if found[1] not in self.lists:
                self.fail(key, f"there is no list {found[1]!r}; write it under [lists] or correct the name")
            return "|".join(self.lists[found[1]])

        plain = (re.sub(r"@(\w+)", words, form) for form in forms)
        for form in forms:
            if re.search(r"\{[^}]*\{", form):
                self.fail(key, f"{form!r} has braces within braces; write two forms")
        return ["".join(one) for form in plain for one in product(*(p.split("|") for p in re.split(r"[{}]", form)))]

    def topic(self, name: str, raw: object) -> Topic:
        key = f"topic.{name}"
        table = self.read(raw, TopicTable, key)
        if not table.mention:
            self.fail(f"{key}.mention", "the topic names no term; list groups or terms that make a passing match")
        signals = (self.signal(one, f"{key}.signal {at}") for at, one in enumerate(table.signal, 1))
        mention = self.union(table.mention, f"{key}.mention")
        return Topic(name, mention, table.threshold, tuple(signals), table.name_ar, table.name_en)

    def signal(self, rule: SignalTable, key: str) -> Signal:
        if bool(rule.any) == bool(rule.near) or len(rule.near) == 1:
            self.fail(key, "write either any = [...], or near = [...] with two names or more")
        if rule.veto == bool(rule.points):
            self.fail(key, "write either points = 2 or veto = true")
        first, *near = [self.union([name], f"{key}.near") for name in rule.near] or [self.union(rule.any, f"{key}.any")]
        wanted = tuple(self.union([name], f"{key}.all") for name in rule.all)
        return Signal(rule, first, tuple(near), wanted, self.union(rule.none, f"{key}.none"))

    def union(self, names: Iterable[str], key: str) -> frozenset[int]:
        """The terms behind names of terms and groups."""
        out: frozenset[int] = frozenset()
        for name in names:
            if name not in self.names:
                self.fail(key, f"there is no term or group {name!r}; write [term.{name}] or correct the name")
            out |= self.names[name]
        return out

    def read(self, raw: object, kind: type[_Table], key: str) -> _Table:
        try:
            return msgspec.convert(raw, kind)
        except msgspec.ValidationError as error:
            raise friendly(self.file, kind, str(error), key) from error

    def fail(self, key: str, mend: str) -> NoReturn:
        raise ConfigError(self.file, key, mend)
