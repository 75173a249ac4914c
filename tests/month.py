"""The script of a simulated month, and what the archive must tell of it."""

from __future__ import annotations

import math
import random
from collections import defaultdict
from dataclasses import dataclass, field
from itertools import pairwise

from tests.newspapers import BANNER, DAY, GONE, HOUR, Paper, Story
from tests.simulation import Shown, Simulation, t_of

LADDER = (HOUR, 3 * HOUR, 12 * HOUR, DAY, 3 * DAY, 7 * DAY, 30 * DAY, 90 * DAY)
EVERY, SLOWEST = 4 * HOUR, 12 * HOUR
CONFIRM = HOUR
HOURS = {"500": (2, 30), "refuse": (1, 12), "hang": (0.5, 2), "maintenance": (1, 12), "challenge": (20, 60),
         "challenge 200": (20, 60), "rest off": (24, 24.1)}  # fmt: skip
LAST_RESORT = 3 * HOUR  # until a host that failed for long is tried again, and its turn has come


def newspapers(seed: int, days: int, gap: float = 17 * HOUR) -> list[Paper]:
    """Five papers and what befalls them and their stories, which are `gap` apart; the same for the same seed."""
    papers = [
        Paper("rss", ("feed",), lying=True),
        Paper("press", ("rest", "sitemap"), dated=False),
        Paper("atom", ("atom", "section")),
        Paper("map", ("sitemap", "section")),
        Paper("front", ("section",)),
    ]
    for place, paper in enumerate(papers, 1):
        chance = random.Random(f"{seed} {paper.name}")
        _publish(paper, chance, 10_000 * place, days, gap)
        _break(paper, chance, days)
        _rebuild(paper, chance, days)
        for story in paper.stories:
            _befall(paper, story, chance, days)
        if paper.name == "press" and days > 25:
            batch = [s for s in paper.stories if s.at < 19 * DAY and untouched(s)][-6:]
            for story in batch:  # an editor clears away a whole run of them
                story.gone.append((20 * DAY + 60 * chance.random(), math.inf, chance.choice(GONE[:4])))
    return papers


def untouched(story: Story) -> bool:
    return story.topic and len(story.tellings) == 1 and not story.gone and not story.moves


def _publish(paper: Paper, chance: random.Random, number: int, days: int, gap: float) -> None:
    t = -4 * DAY
    while (t := t + chance.expovariate(1 / gap)) < days * DAY:
        for _ in range(1 if chance.random() < 0.85 else 4):
            paper.stories.append(Story.written(chance, number, int(t) + 0.5, chance.random() < 0.8))
            number, t = number + 1, t + 120


def _break(paper: Paper, chance: random.Random, days: int) -> None:
    kinds = [kind for kind in HOURS if kind != "rest off" or "rest" in paper.ways]
    chance.shuffle(kinds)
    slots = range(1, min(days, 28) - 2, 3) if days > 4 else range(days)
    for day, kind in zip(slots, kinds, strict=False):
        since = (day + chance.random()) * DAY
        hours = chance.uniform(*HOURS[kind]) if days > 4 else 2.0
        paper.faults.append((since, since + min(hours * HOUR, 2.4 * DAY), kind))


def _rebuild(paper: Paper, chance: random.Random, days: int) -> None:
    """After the other faults, so that each is seen alone."""
    if days < 29:
        return
    at = (22 + chance.random()) * DAY
    if paper.name == "rss":
        paper.redesigns, paper.templates = [at], [at]
    elif paper.name == "press":
        paper.banner, paper.templates = 13 * DAY, [9 * DAY, at]
    elif paper.name == "atom":
        paper.faults.append((at, at + 40 * HOUR, "all home"))
    elif paper.name == "map":
        kept = {s.number for s in paper.shown(at, 15)}
        for story in paper.stories:
            if story.at < at and story.number not in kept:
                story.lost = at
            elif story.at < at:
                story.moves.append((at, "lost"))
        paper.templates = [at]
    else:
        paper.faults.append((at, at + 30 * HOUR, "all 404"))
        paper.templates = [10 * DAY]


def _befall(paper: Paper, story: Story, chance: random.Random, days: int) -> None:
    """Not after the site forgot it, nor while nothing of it could be seen."""
    fate, end = chance.random(), min(story.lost, days * DAY)

    def some_time(least: float, most: float) -> float:
        return int(story.at + math.exp(chance.uniform(math.log(least), math.log(most)))) + 0.5

    if fate < 0.35:
        tells = not {"rest", "atom"}.isdisjoint(paper.ways)
        for at in sorted(some_time(900, 15 * DAY) for _ in range(chance.choice((1, 1, 2, 3)))):
            if 0 < at < end and at > story.tellings[-1].at:
                listed = "rest" in paper.ways or story in paper.shown(at, paper.items)
                story.edit(chance, at, told=tells and chance.random() < 0.5 and listed)
    elif fate < 0.47 and 0 < (at := some_time(3 * HOUR, 12 * DAY)) < end:
        back = at + chance.uniform(2, 6) * DAY if chance.random() < 0.3 else math.inf
        story.gone.append((at, back, chance.choice(GONE)))
    elif fate < 0.50 and 0 < (at := some_time(3 * HOUR, 6 * DAY)) < end:
        story.gone.append((at, at + 2 * DAY, "password"))
    elif fate < 0.58 and 0 < (at := some_time(2 * HOUR, 2 * DAY)) < end and not story.moves:
        how = chance.choice(("301", "refresh", "lost"))
        if how != "lost" or story in paper.shown(at, 6):
            story.moves.append((at, how))


@dataclass
class Tally:
    """What was checked, and all that was wrong."""

    counts: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    wrong: list[str] = field(default_factory=list)

    def check(self, what: str, right: bool, words: str) -> None:
        self.counts[what] += 1
        if not right:
            self.wrong.append(f"{what}: {words}")


class Truth:
    """Compares an archive with the script, story by story."""

    def __init__(
        self, simulation: Simulation, papers: list[Paper], log: list[Shown], end: float, slowest: float,
        late: float = 900.0,
    ) -> None:  # fmt: skip
        """`late`: seconds after it is due that a look may take place, where nothing else is in its way."""
        self.sim, self.end, self.slowest, self.late, self.tally = simulation, end, slowest, late, Tally()
        self.shown: dict[int, list[Shown]] = defaultdict(list)
        for row in log:
            if row.kind == "page" and row.number >= 0:
                self.shown[row.number].append(row)
        rows = simulation.rows("SELECT url, article_id FROM addresses")
        self.ids = dict(rows)
        self.events: dict[int, list[tuple[float, str]]] = defaultdict(list)
        for article_id, kind, at in simulation.rows("SELECT article_id, kind, at FROM events ORDER BY id"):
            self.events[article_id].append((t_of(at), kind))
        self.versions: dict[int, list[tuple[float, str, str]]] = defaultdict(list)
        for article_id, at, title, text in simulation.rows(
            "SELECT article_id, captured_at, title, text FROM versions ORDER BY captured_at, id"
        ):
            # A banner among an article's own lines may be kept with them.
            self.versions[article_id].append((t_of(at), title, text.removeprefix(f"{BANNER}\n")))
        for paper in papers:
            for story in paper.stories:
                self._story(paper, story)
            self._banner(paper)
            self._lost(paper)

    def _banner(self, paper: Paper) -> None:
        """A sentence that articles gain alike is known for the site's own once eight gained it within a day. What fewer
        gained is a version each, but of words that matter to nobody."""
        sql = """SELECT e.detail FROM events e JOIN articles a ON a.id = e.article_id WHERE a.outlet_id = ? AND
                 e.kind = 'edited' AND NOT EXISTS (SELECT 1 FROM edits d WHERE d.version_id = e.version_id
                 AND (d.after IS NULL OR instr(?, trim(d.after)) = 0))"""
        for (detail,) in self.sim.rows(sql, paper.name, BANNER):
            self.tally.check("banner alone", '"material": false' in detail, f"{paper.name}: {detail}")

    def _lost(self, paper: Paper) -> None:
        """What a redesign lost for good is missing for every reader; but that is not told article by article."""
        told = [
            story.number
            for story in paper.stories
            for id_ in {self.ids.get(paper.url + paper.path(story, self.end))} & self.events.keys()
            for t, kind in self.events[id_]
            if kind == "withdrawn" and t >= story.lost
        ]
        self.tally.check("lost", len(told) <= 4, f"{paper.name}: told of {told}")

    def _story(self, paper: Paper, story: Story) -> None:
        check, name = self.tally.check, f"{paper.name} {story.number}"
        paths = {paper.path(story, self.end), *paper.former(story, self.end)}
        found = {self.ids[paper.url + path] for path in paths if paper.url + path in self.ids}
        ready = self._answering(paper, story, max(story.at, 0.0), self.slowest)
        if ready > min([self.end, story.lost, *(since for since, _, how in story.gone if how != "password")]):
            return  # it was not there long enough to be met
        check("published", len(found) == 1, f"{name} leads to {len(found)} articles")
        if len(found) != 1:
            return
        (id_,) = found
        if story.topic:
            self._tellings(paper, story, id_, name)
            self._withdrawals(paper, story, id_, name)

    def _tellings(self, paper: Paper, story: Story, id_: int, name: str) -> None:
        """Every telling that was shown is a version, once, and nothing else is."""
        seen = [row.telling for row in self.shown[story.number] if row.telling is not None]
        expected = [seen[0], *(b for a, b in pairwise(seen) if a != b)] if seen else []
        told = [("\n".join(story.tellings[n].lines), story.tellings[n].title) for n in expected]
        kept = [(text, title) for _, title, text in self.versions[id_]]
        if paper.banner < math.inf:  # the first articles to bear it may have a version for it: see `_banner`
            kept = [*kept[:1], *(b for a, b in pairwise(kept) if a != b)]
        extra = [f"{title}: {text}" for text, title in kept if (text, title) not in told]
        self.tally.check("versions", kept == told, f"{name} {len(kept)} versions for tellings {expected}: {extra}")
        for number, telling in enumerate(story.tellings[1:], 1):
            until = min([self.end, story.lost, *(t.at for t in story.tellings[number + 1 :])])
            due = self._deadline(paper, story, telling.at, told=telling.told)
            met = [
                at for at, _, text in self.versions[id_] if text == "\n".join(telling.lines) and at >= telling.at - 1
            ]
            met = met or [at for at, title, _ in self.versions[id_] if title == telling.title and at >= telling.at - 1]
            if due < until:
                self.tally.check(
                    "edits", bool(met) and met[0] <= due, f"{name} edit {number} at {telling.at}: {met} {due}"
                )

    def _withdrawals(self, paper: Paper, story: Story, id_: int, name: str) -> None:
        told = [(t, kind) for t, kind in self.events[id_] if kind in ("withdrawn", "restored")]
        for t, kind in told:
            how = story.how_gone(t)
            if t >= story.lost:
                continue  # see `_lost`
            lost = how == "password" and any(at <= t and way == "lost" for at, way in story.moves)
            right = lost or how in GONE if kind == "withdrawn" else how is None  # locked, where no listing leads to
            self.tally.check(kind, right, f"{name} at {t}: is {how}, {paper.fault(t)}")
        for since, until, how in story.gone:
            if how == "password":
                continue
            if since < self._answering(paper, story, story.at, self.slowest) and not any(
                row.telling is not None and row.t < since for row in self.shown[story.number]
            ):
                continue  # it went before a listing at its slowest had to be read
            here = [t for t, kind in told if kind == "withdrawn" and since <= t < min(until, self.end)]
            back = [t for t, kind in told if kind == "restored" and t >= until]
            self.tally.check("told once", len(here) <= 1 and len(back) <= len(here), f"{name} {here} {back}")
            due = self._deadline(paper, story, since, told=False) + CONFIRM + 600
            due = self._answering(paper, story, due, 600)
            if any(0 < since - s.lost < 7 * DAY for s in paper.stories):
                continue  # among what a redesign lost, while that comes to light, it may stay in doubt
            if due < min(until, story.lost, self.end):
                said = (how, "moved away")
                looks = [row.t for row in self.shown[story.number] if since <= row.t and row.said in said]
                self.tally.check("withdrawals", bool(here), f"{name} {how} since {since}, looks {looks}, due {due}")
                if here:
                    # Where the whole site led home before, the first look that tells of the article may settle it.
                    second = next((t for t in looks if t >= looks[0] + CONFIRM - 1), looks[0]) if looks else 0.0
                    if any(s.lost < since for s in paper.stories):  # among what a redesign lost, a third is needed
                        second = next((t for t in looks if t > second), second)
                    self.tally.check("two looks", here[0] <= second + 60, f"{name} {how}: {looks}, told at {here[0]}")
            if here and self._deadline(paper, story, until, told=False) < min(self.end, story.lost):
                self.tally.check("restorations", len(back) == 1, f"{name} at {until}: {back}")

    def _deadline(self, paper: Paper, story: Story, t: float, *, told: bool) -> float:
        """When a change at `t` must be known: at the ladder's next look, or where listings tell of it, two polls on;
        as far as the paper answers meanwhile."""
        seen = [row for row in self.shown[story.number] if row.telling is not None]
        met = [row.t for row in seen if row.t < t]
        if not met:  # of a listing at its slowest it was not to be seen before
            first = self._answering(paper, story, story.at, self.slowest)
            return max(first, self._answering(paper, story, t, 2 * EVERY))
        changed = [b.t for a, b in pairwise(seen) if a.said != b.said or a.t < paper.banner <= b.t]
        base = max([met[0], *(at for at in changed if at < t)])
        rung = next((base + step for step in LADDER if base + step > t), math.inf)
        due = min(rung, t + 2 * self.slowest) if told else rung
        return self._answering(paper, story, due + self.late, 0.0, met[-1]) if due < math.inf else due

    def _answering(self, paper: Paper, story: Story, t: float, spell: float, last: float | None = None) -> float:
        """The first moment from `t` on by which the paper has been answering for `spell` seconds since it last did not,
        and was asked again: the longer an article was not seen, the rarer it is asked for."""
        hidden = [(since, until) for since, until, how in story.gone if how == "password"]
        for since, until in sorted([(since, until) for since, until, _ in paper.faults] + hidden):
            recovery = LAST_RESORT + (max(0.0, until - last) / 8 if last is not None else EVERY)
            if since - spell <= t < until + recovery:
                t = until + recovery
        return t + spell
