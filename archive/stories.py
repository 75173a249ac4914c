"""Stories: articles that tell the same happening, linked as they are kept, across outlets.

A new article is compared with the few that share its runs of words (at any time) or its rare words (within days), found
by two indexes, and with those in their stories; never with the whole archive. A story is what is alike on average, so
that no chain of likenesses leads from one happening to another; a copy is with what it copies. Each member but the
first is told by what it is like among those before it. Which article came first is decided by when it was seen, so an
import may put an older one in front; among what was seen together, as of a backlog, by the time that each prints.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache, lru_cache, partial
from itertools import chain, combinations
from math import inf
from typing import Any, Literal, NamedTuple

from archive.similarity import WINDOW, Relation, bands, gather, read_telling, relation, terms
from archive.sqlite import Connection, statement
from archive.times import instant
from archive.titles import heading
from archive.transaction import Transaction

NEAREST = 8  # articles compared, of each index
SHARED = 0.25  # of words two tellings have at least: a word that n others have counts for 1 / (1 + n)
FREQUENT = 60  # articles of a few days that have a word; then it says little, and finds nothing
NEWEST = 50  # articles of one band looked at: a form filled in daily for years is found by its last ones
MEMBERS, AROUND = 6, 24  # of a story, of all, that are compared
VERSIONS = 6  # of an article that a copy may be of

_ORDER = statement("stories.order")
_read = lru_cache(maxsize=512)(read_telling)
_RANK = {None: 0, "same_event": 1, "rewrite": 2, "copy": 3}


@dataclass(frozen=True, slots=True)
class StoryArticle:
    """A member of a story. `lacks_correction`: it has the words of a version that the article it is based on has
    replaced since."""

    article_id: int
    outlet_id: str | None
    url: str
    status: str
    title: str
    first_seen_at: str
    published_at: str | None
    kind: Literal["original", "copy", "rewrite", "same_event"]
    similarity: float | None
    based_on_article_id: int | None
    based_on_version_id: int | None
    credited_outlet_id: str | None
    lacks_correction: bool


@dataclass(frozen=True, slots=True)
class Story:
    """Articles that tell the same happening: the original, then the others by the time they print, else were seen."""

    id: int
    articles: tuple[StoryArticle, ...]


class _Member(NamedTuple):
    """What is compared of an article: its newest version, where it comes in a story, and when it was seen."""

    told: str
    seen: str
    id: int
    outlet_id: str | None
    title: str
    text: str
    published_at: str | None
    credited: str | None
    version_id: int
    versions: int

    @property
    def times(self) -> tuple[float | None, float]:
        """When it was published, as far as it is known, and seen, in days since 1970."""
        return _time(self.published_at), _time(self.seen) or 0.0

    @property
    def days(self) -> set[int]:
        """The days of that."""
        return {int(time) for time in self.times if time is not None}


class _Link(NamedTuple):
    """What a later article is like, and which version of the earlier one it is like."""

    relation: Relation
    credits: bool
    earlier: _Member
    version_id: int | None

    @property
    def order(self) -> tuple[Any, ...]:
        """The link that says most of where the words come from has the least: the earliest of about equals."""
        like = self.relation
        return -_RANK[like.kind], not self.credits, -round(10 * like.similarity), self.earlier


def link(db: Connection, article_id: int) -> None:
    """Find the story of an article whose newest version was just stored; to be called in the writer's transaction.

    All that is like it, and what is in their stories, is parted into stories anew, whatever they were before: the order
    in which articles are kept makes next to no difference.
    """
    (me,) = _members(db, [article_id])
    near, frequent = _near(db, me)
    db.execute("DELETE FROM story_backlog WHERE article_id = ?", (article_id,))
    compare = cache(lambda one, other: _compare(db, min(one, other), max(one, other), frequent))
    around, before, partly = _around(db, me, near, compare)

    def odds(one: _Member, other: _Member) -> float:
        """What is copied is certain to tell the same; so is what is in one story of which others are not looked at."""
        like, story = compare(one, other).relation, before.get(one.id)
        held = story in partly and story == before.get(other.id)
        return inf if held or like.kind in ("copy", "rewrite") else like.odds

    stories = gather(around, odds)
    after = _part(db, stories, before)
    moved = {member for member in around if member == me or before.get(member.id) != after.get(member.id)}
    for later, found in _links(compare, stories, moved).items():
        _note(db, later, found, outright=later in moved)
    for story in sorted({*before.values(), *after.values()}):
        _lead(db, story)


def work_off(tx: Transaction, most: int = 5) -> int:
    """Link at most so many articles kept before there were stories; returns how many."""
    waiting = _ids(tx.db, "SELECT article_id FROM story_backlog ORDER BY article_id LIMIT ?", most)
    for article_id in waiting:
        link(tx.db, article_id)
    return len(waiting)


def copies_of(db: Connection, article_id: int) -> list[int]:
    """Articles that tell in the same words what this one does: copies and rewrites of it, what it is a copy or rewrite
    of, and theirs. Telling one of them tells them all; another telling of the same event is never among them."""
    return _ids(db, statement("stories.copies"), article_id)


def read_story(rows: Iterable[Mapping[str, Any]]) -> Story | None:
    """A story of what STORY finds; None when the article stands alone."""
    members = [dict(row) for row in rows]
    for member in members:
        member["title"] = heading(member["title"], member.pop("text"))
        member["lacks_correction"] = bool(member["lacks_correction"])
    ids = {member.pop("story_id") for member in members}
    return Story(ids.pop(), tuple(StoryArticle(**member) for member in members)) if ids else None


def fold(article_ids: Sequence[int], roots: Mapping[int, int]) -> list[tuple[int, int]]:
    """A list with copies and rewrites folded: each article that stays, at the place of the first with its words, and
    how many went. The article whose words they are stays, where the list has it.

    >>> fold([3, 5, 1, 7], {3: 1, 1: 1, 5: 5, 7: 1})
    [(1, 2), (5, 0)]
    """
    groups: dict[int, list[int]] = {}
    for article_id in article_ids:
        groups.setdefault(roots.get(article_id, article_id), []).append(article_id)
    return [(root if root in group else group[0], len(group) - 1) for root, group in groups.items()]


def _members(db: Connection, article_ids: Iterable[int]) -> list[_Member]:
    """Those of some articles that have a version."""
    rows = db.execute(statement("stories.members").format(ORDER=_ORDER), (json.dumps(sorted(article_ids)),)).fetchall()
    return [_Member(*row) for row in rows]


def _near(db: Connection, me: _Member) -> tuple[set[int], frozenset[str]]:
    """Articles worth comparing, and words that too many have to say anything; the article itself is made findable.

    What its older versions are found by stays: a copy may be of one of them.
    """
    telling = _read(me.title, me.text)
    of_runs, of_words = bands(telling), terms(telling)
    alike: Counter[int] = Counter()
    for band in of_runs:
        alike.update(_ids(db, statement("stories.near_copies"), band, NEWEST))
    del alike[me.id]
    days = json.dumps(sorted({day + step for day in me.days for step in range(-WINDOW, WINDOW + 1)}))
    counted = dict(db.execute(statement("stories.counted"), (json.dumps(list(of_words)), days, FREQUENT)).fetchall())
    rare = json.dumps({term: 1 / (1 + count) for term, count in counted.items() if count < FREQUENT})
    found = {me.id, *_ids(db, statement("stories.sharing"), rare, days, me.id, SHARED, NEAREST)}
    found.update(id_ for id_, _ in alike.most_common(NEAREST))
    add = db.conn.executemany
    add("INSERT OR IGNORE INTO story_bands VALUES (?, ?)", [(band, me.id) for band in of_runs])
    rows = [(day, term, me.id) for day in me.days for term in of_words]
    add("INSERT OR IGNORE INTO story_terms VALUES (?, ?, ?)", rows)
    return found - {me.id}, frozenset(word for term, word in of_words.items() if counted[term] >= FREQUENT)


def _around(
    db: Connection, me: _Member, near: set[int], compare: Callable[[_Member, _Member], _Link]
) -> tuple[list[_Member], dict[int, int], set[int]]:
    """An article, what is like it, and what is in their stories, the first to tell first; the story each of them is
    in; and the stories of which only some are here: as many as are compared, those near, and the oldest."""
    looked_at = {me.id, *near}
    told = dict(db.execute(statement("stories.fellows"), (json.dumps(sorted(looked_at)),)).fetchall())
    groups: dict[int, list[int]] = {}
    for id_ in sorted({*looked_at, *told}, key=lambda id_: (id_ not in looked_at, id_)):
        groups.setdefault(told.get(id_, -id_), []).append(id_)
    found = {member.id: member for member in _members(db, chain(*(ids[:MEMBERS] for ids in groups.values())))}
    around = {me}
    for ids in groups.values():
        members = {found[id_] for id_ in ids if id_ in found}
        room = len(around) + len(members) <= AROUND
        if me in members or (room and any(compare(me, member).relation.kind for member in members)):
            around |= members
    partly = {story for story, ids in groups.items() if len(ids) > MEMBERS}
    return sorted(around), {member.id: told[member.id] for member in around if member.id in told}, partly


def _part(db: Connection, stories: list[list[_Member]], before: dict[int, int]) -> dict[int, int]:
    """Store which articles are one story, and return it by their ids. A story goes on as the oldest of those that its
    articles were in, unless another has more of them; who stands alone is in none."""
    after: dict[int, int] = {}
    for members in sorted(stories, key=len, reverse=True):
        if len(members) > 1:
            were = Counter(before[member.id] for member in members if member.id in before)
            free = sorted(set(were).difference(after.values()), key=lambda story: (-were[story], story))
            story = free[0] if free else int(db.execute(statement("stories.new"), (members[0].id,)).lastrowid or 0)
            after |= dict.fromkeys((member.id for member in members), story)
    alone = [(id_,) for id_ in before.keys() - after.keys()]
    db.conn.executemany("DELETE FROM story_articles WHERE article_id = ?", alone)
    db.conn.executemany(statement("stories.place"), [(story, id_) for id_, story in after.items()])
    for story in sorted(set(before.values()).difference(after.values())):
        heirs = Counter(after[id_] for id_, was in before.items() if was == story and id_ in after)
        if heirs and not _ids(db, "SELECT 1 FROM story_articles WHERE story_id = ? LIMIT 1", story):
            db.execute(statement("stories.merged"), (heirs.most_common(1)[0][0], story))
    return after


def _links(
    compare: Callable[[_Member, _Member], _Link], stories: list[list[_Member]], moved: set[_Member]
) -> dict[_Member, _Link]:
    """By the later of two of one story, one of which is new in it: what says most of where its words come from."""
    links: dict[_Member, _Link] = {}
    for members in stories:
        for earlier, later in combinations(members, 2):
            if not moved.isdisjoint((earlier, later)) and (found := compare(earlier, later)).relation.kind:
                links[later] = min(found, links.get(later, found), key=lambda one: one.order)
    return links


def _compare(db: Connection, earlier: _Member, later: _Member, frequent: frozenset[str]) -> _Link:
    """What the later one is like, by the version of the earlier that it is most like, the newest of several."""
    tellings = [(earlier.version_id, earlier.title, earlier.text)]
    if earlier.versions > 1:
        tellings = db.execute(statement("stories.told"), (earlier.id, VERSIONS)).fetchall()
    one_outlet = later.outlet_id is not None and later.outlet_id == earlier.outlet_id
    like_later = partial(
        relation, _read(later.title, later.text), apart=_apart(earlier, later), one_outlet=one_outlet, frequent=frequent
    )
    likes = [(like_later(_read(title, text)), version_id) for version_id, title, text in tellings]
    like, version_id = max(likes, key=lambda found: (_RANK[found[0].kind], found[0].odds, found[0].similarity))
    credits = later.credited is not None and later.credited == earlier.outlet_id
    return _Link(like, credits, earlier, version_id if like.kind in ("copy", "rewrite") else None)


def _note(db: Connection, later: _Member, found: _Link, *, outright: bool) -> None:
    """Store what a member is like, unless what is stored says more, of another article."""
    kind, similarity, version_id, base = db.execute(statement("stories.stored"), (later.id,)).fetchone()
    if not outright and similarity is not None and base != found.earlier.id:
        earlier = _members(db, [base])[0] if base else later
        stored = _Link(Relation(kind, similarity, 0.0), later.credited == earlier.outlet_id, earlier, version_id)
        if found.order >= stored.order:
            return
    db.execute(statement("stories.turned"), (found.earlier.id, later.id))
    like = (found.relation.kind, found.relation.similarity, found.version_id, later.id)
    db.execute(statement("stories.noted"), like)


def _lead(db: Connection, story: int) -> None:
    """What came first is the original, and nothing else is."""
    for first in _ids(db, statement("stories.first").format(ORDER=_ORDER), story):
        db.execute("UPDATE stories SET first_article_id = ?, merged_into = NULL WHERE id = ?", (first, story))
        db.execute(statement("stories.lead"), (first, story))


def _ids(db: Connection, sql: str, *values: Any) -> list[int]:
    return [row[0] for row in db.execute(sql, values).fetchall()]


def _time(stamp: str | None) -> float | None:
    """A stamp or a printed date in days since 1970; a printed hour without a zone is taken for UTC."""
    with suppress(ValueError):
        return instant(stamp or "").timestamp() / 86400
    return None


def _apart(one: _Member, other: _Member) -> float:
    """Days between two articles: as published where both say it, as seen where neither does. Where one does, the other
    may be as old although it was seen late: that is then a day less sure."""
    (mine, my_sight), (yours, your_sight) = one.times, other.times
    seen = _between(my_sight, your_sight)
    if mine is not None:
        return _between(mine, yours) if yours is not None else min(_between(mine, your_sight), seen + 1)
    return seen if yours is None else min(_between(yours, my_sight), seen + 1)


def _between(one: float, other: float) -> float:
    """Days between two times; a date without an hour is apart from others by whole days."""
    return abs(one - other) if one % 1 and other % 1 else float(abs(int(one) - int(other)))
