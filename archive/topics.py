"""Which topics an article is on, how strongly, and why.                                                 [pure]

One pass over the words finds the terms; each topic's signals then add or take points. From the topic's threshold on
the match is `substantive`; with fewer points it is `passing` where a term of the topic's `mention` stands in the
article, and without one from half the threshold on. `Match.score` is between 0 and 1; 0.5 is the threshold. How rules
are written: the top of topics.toml.
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from archive.arabic.normalise import normalise_map, source_span
from archive.matching import Hit, Places, Scan, scan
from archive.models import Judgement, Match, Passage, Strength
from archive.rules import RuleSet, Signal, Topic, load_rules

SHIPPED = Path(__file__).with_name("topics.toml")
MOST_PASSAGES = 60  # of one topic in one article; an essay may name Syria hundreds of times

_UNTITLED_HEAD = 20  # of an untitled post, the first sentence stands for a title, up to so many words
_SENTENCE_END = re.compile(r"[.!?؟؛]+\s|\n")


@cache
def shipped_rules() -> RuleSet:
    """The rules Rasid ships with."""
    return load_rules(SHIPPED.read_text("utf-8"), str(SHIPPED))


def judge(rules: RuleSet, title: str, text: str) -> Judgement:
    """The topics of an article. Takes any text and never raises."""
    found = scan(rules, title, text)
    matches = []
    if found.hits:
        original = Original(rules, title, text)
        for topic in rules.by_topic:
            verdict = _weigh(topic, rules, found)
            if verdict.strength:
                passages = tuple(original.passage(hit) for hit in verdict.evidence[:MOST_PASSAGES])
                matches.append(Match(topic.name, verdict.strength, verdict.score, passages))
    return Judgement(rules.sha256, tuple(matches))


class Original:
    """Turns hits into passages of the text as written; maps a field only when asked for one in it."""

    def __init__(self, rules: RuleSet, title: str, text: str) -> None:
        self.rules, self.fields = rules, {"title": title, "text": text}
        self.offsets: dict[str, array[int]] = {}

    def passage(self, hit: Hit) -> Passage:
        written = self.fields[hit.field]
        if hit.field not in self.offsets:
            self.offsets[hit.field] = normalise_map(written)[1]
        start, end = source_span(written, self.offsets[hit.field], hit.start, hit.end)
        return Passage(hit.field, start, end, self.rules.terms[hit.term].id, written[start:end])

    def sentence(self, passage: Passage) -> str:
        """The sentence around a passage, the passage between 【】."""
        written = self.fields[passage.field]
        start = max((m.end() for m in _SENTENCE_END.finditer(written, 0, passage.start)), default=0)
        after = _SENTENCE_END.search(written, passage.end)
        end = after.start() if after else len(written)
        return f"{written[start : passage.start]}【{passage.surface}】{written[passage.end : end]}".strip()


def read_matches(rows: Iterable[Mapping[str, Any]]) -> list[Match]:
    """The matches of a version, as the query `reading.matches` finds them."""
    found: dict[tuple[str, Strength, float], list[Passage]] = {}
    for row in rows:
        passages = found.setdefault((row["topic"], row["strength"], row["score"]), [])
        if row["field"]:
            passages.append(Passage(*(row[name] for name in Passage.__slots__)))
    return [Match(*match, tuple(passages)) for match, passages in found.items()]


# ---- weighing ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Verdict:
    strength: Strength | None
    points: float
    score: float
    spoke: list[tuple[Signal, list[Hit], float]]
    evidence: list[Hit]  # mentions and what gave points


def _weigh(topic: Topic, rules: RuleSet, found: Scan) -> _Verdict:
    points, vetoed = 0.0, False
    spoke = []
    mentions = [hit for hit in found.hits if hit.term in topic.mention]
    evidence = set(mentions)
    for signal in topic.signals:
        hits = _heard(signal, rules, found)
        if hits:
            rule = signal.rule
            gained = rule.points + rule.each * max(0, min(len(hits), rule.most) - rule.min)
            points += gained
            vetoed |= rule.veto
            spoke.append((signal, hits, gained))
            if gained > 0:
                evidence.update(hits)
    score = round(max(0.0, min(1.0, points / (2 * topic.threshold))), 3)
    strength: Strength | None = None
    if points >= topic.threshold and not vetoed:
        strength = "substantive"
    elif mentions or 2 * points >= topic.threshold:
        strength = "passing"
    if strength != "substantive":
        score = min(score, 0.499)
    return _Verdict(strength, points, score, spoke, sorted(evidence, key=lambda hit: (hit.at, hit.until)))


def _heard(signal: Signal, rules: RuleSet, found: Scan) -> list[Hit]:
    """The hits that make a signal speak; none when it is silent."""
    hits = [hit for hit in found.hits if hit.term in signal.first]
    if not hits:
        return []
    present = {hit.term for hit in found.hits}
    if present & signal.none or not all(present & wanted for wanted in signal.all):
        return []
    for wanted in signal.near:
        others = Places((hit for hit in found.hits if hit.term in wanted), signal.rule.within)
        hits = [hit for hit in hits if others.beside(hit)]
    if signal.rule.zones:
        hits = [hit for hit in hits if _zones(hit, rules, found).intersection(signal.rule.zones)]
    hits = _apart(hits)
    enough = len(hits) >= signal.rule.min and len(hits) * 100 >= signal.rule.share * found.words
    return hits if enough else []


def _zones(hit: Hit, rules: RuleSet, found: Scan) -> set[str]:
    if hit.field == "title":
        return {"title"} if found.text_words else {"title", "lead"}
    zones, place = {"text"}, found.place(hit)
    if place < rules.lead_words:
        zones.add("lead")
    if not found.title_words and place < _UNTITLED_HEAD:
        zones.add("title")
    return zones


def _apart(hits: Iterable[Hit]) -> list[Hit]:
    """Hits without those that overlap an earlier one."""
    out: list[Hit] = []
    for hit in hits:
        if not out or hit.at >= out[-1].until:
            out.append(hit)
    return out


# ---- explaining --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Reason:
    """A signal that spoke: the points it gave, and where. `veto`: it allows a passing match at most."""

    why: str
    points: float
    veto: bool
    passages: tuple[Passage, ...]


@dataclass(frozen=True, slots=True)
class TopicReasons:
    """Why an article is or is not on a topic."""

    topic: str
    strength: Strength | None
    score: float
    points: float
    threshold: float
    mentions: tuple[tuple[Passage, str], ...]  # with the sentence each stands in
    reasons: tuple[Reason, ...]
    silent: tuple[str, ...]  # signals that would have given points
    masked: tuple[tuple[Passage, str], ...]  # words that mean something else here
    alone: tuple[tuple[Passage, str], ...]  # short forms without company

    @property
    def verdict(self) -> str:
        """One sentence."""
        count = f"{self.points:g} of {self.threshold:g} points"
        if self.strength == "substantive":
            return f"{self.topic}: substantive, {count}"
        if self.strength is None:
            sense = " in its own sense" if self.masked or self.alone else ""
            return f"{self.topic}: no, none of its terms stands here{sense}"
        if any(reason.veto for reason in self.reasons) and self.points >= self.threshold:
            return f"{self.topic}: passing, vetoed although {count}"
        return f"{self.topic}: passing, only {count}"


@dataclass(frozen=True, slots=True)
class Explanation:
    """What one rule set says of one article, topic by topic, and why."""

    rule_set_sha256: str
    topics: tuple[TopicReasons, ...]

    def as_text(self) -> str:
        """For a terminal."""
        lines = []
        for topic in self.topics:
            lines.append(topic.verdict)
            lines += [
                f"  {'veto' if reason.veto else format(reason.points, '+g'):>5}  {reason.why}: "
                + "، ".join(dict.fromkeys(passage.surface for passage in reason.passages))
                for reason in topic.reasons
            ]
            for label, places in (("hit", topic.mentions), ("masked", topic.masked), ("alone", topic.alone)):
                lines += [f"  {label:>6} [{p.term}, {p.field} {p.start}-{p.end}]  {where}" for p, where in places]
            if topic.strength != "substantive":
                lines += [f"      not heard: {why}" for why in topic.silent]
            lines.append("")
        return "\n".join(lines)


def explain(rules: RuleSet, title: str, text: str) -> Explanation:
    """The same verdicts as `judge`, with every hit in its sentence and every reason for and against."""
    found = scan(rules, title, text)
    original = Original(rules, title, text)

    def shown(hits: list[Hit], terms: frozenset[int]) -> tuple[tuple[Passage, str], ...]:
        passages = [original.passage(hit) for hit in hits if hit.term in terms]
        return tuple((passage, original.sentence(passage)) for passage in passages[:MOST_PASSAGES])

    topics = []
    for topic in rules.by_topic:
        verdict = _weigh(topic, rules, found)
        spoke = {id(signal) for signal, *_ in verdict.spoke}
        reasons = [
            Reason(s.rule.why, round(gained, 3), s.rule.veto, tuple(map(original.passage, hits[:MOST_PASSAGES])))
            for s, hits, gained in verdict.spoke
        ]
        topics.append(
            TopicReasons(
                topic=topic.name,
                strength=verdict.strength,
                score=verdict.score,
                points=round(verdict.points, 3),
                threshold=topic.threshold,
                mentions=shown(found.hits, topic.mention),
                reasons=tuple(reasons),
                silent=tuple(s.rule.why for s in topic.signals if s.rule.points > 0 and id(s) not in spoke),
                masked=shown(found.masked, topic.mention),
                alone=shown(found.alone, topic.mention),
            )
        )
    return Explanation(rules.sha256, tuple(topics))
