"""What an analyst reads: typed, read-only access to an archive, without Scrapy."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from archive.arabic.normalise import normalise
from archive.captures import CaptureFiles
from archive.coverage import OutletCoverage, gaps
from archive.edits import compare, stored
from archive.errors import ArchiveError
from archive.looks import TOGETHER
from archive.materiality import Edit
from archive.migrations import pending
from archive.models import ANSWERED, Event, Match, Page
from archive.rules import RuleSet
from archive.search import SEARCHED, ar_query, highlight, in_title, relevance
from archive.sqlite import Connection, SqliteError, SqliteWarning, asked, connect_read, explain, limited, statement
from archive.stories import Story, read_story
from archive.stories import fold as fold_copies
from archive.times import later, utc_now
from archive.titles import heading
from archive.topics import read_matches

BATCH = 500  # rows read at a time of what may be too much for one list
SILENT_AFTER = 2 * 86400  # seconds without anything new, or five times what is usual between two new articles
FOLDED = 5  # times as many hits are read where copies are folded


@dataclass(frozen=True, slots=True)
class VersionRow:
    """One version of an article; `number` counts from 1 in the order of time."""

    number: int
    id: int
    article_id: int
    capture_id: int | None
    captured_at: str
    title: str
    text: str
    author: str | None
    section: str | None
    published_at: str | None
    published_source: str | None
    modified_at: str | None
    credit: str | None
    language: str | None
    extractor: str
    text_sha256: str


@dataclass(frozen=True, slots=True)
class ArticleRow:
    """An article with its newest version. What was never kept has no version: those fields are None."""

    id: int
    outlet_id: str | None
    url: str
    status: Literal["live", "suspect", "gone"]
    gone_at: str | None
    backlog: int
    first_seen_at: str
    last_checked_at: str
    next_check_at: str | None
    version_id: int | None
    title: str | None
    text: str | None
    author: str | None
    published_at: str | None
    published_source: str | None
    credit: str | None
    language: str | None
    goes_on_as: int | None = None  # the article that its address leads to now; that one alone is looked at


@dataclass(frozen=True, slots=True)
class Difference:
    """What became of an article from one version to another; `silent`: its page tells no new time of modification."""

    before: VersionRow
    after: VersionRow
    edits: tuple[Edit, ...]
    silent: bool


@dataclass(frozen=True, slots=True)
class Hit:
    """A search result; `title` as lists show it, `snippet` of the text as stored, the words found [so]."""

    article_id: int
    outlet_id: str | None
    url: str
    status: str
    title: str
    published_at: str | None
    snippet: str
    copies: int = 0  # other hits with the same words, left out


State = Literal["ok", "silent", "blocked", "failing", "redesign?", "never"]


@dataclass(frozen=True, slots=True)
class OutletHealth:
    """How it stands with an outlet: blocked or failing when its last listings, or pages, all were; silent when nothing
    new comes; `redesign?` when most kept articles lately looked at are missing, so that none is told as withdrawn."""

    id: str
    name: str
    last_ok_at: str | None
    last_new_at: str | None
    articles: int
    kept: int
    fetches_24h: int
    errors_24h: int
    last_error: str | None
    next_at: str | None
    state: State


_ARTICLE, _VERSION = statement("reading.article"), statement("reading.version")
_HEALTH = statement("reading.health").format(ANSWERED=ANSWERED, SILENT_AFTER=SILENT_AFTER)


class Archive(AbstractContextManager["Archive"]):
    """An open archive. Close it, or use it in a `with`. Every method raises ArchiveError when reading fails."""

    def __init__(self, path: Path, db: Connection, limit: float | None) -> None:
        """See `open_archive`."""
        self.path, self.db, self._limit = path, db, limit
        self._captures = CaptureFiles(path.parent / "captures", utc_now)

    def query(self, sql: str, params: Sequence[Any] | dict[str, Any] = ()) -> list[dict[str, Any]]:
        """Rows of any SELECT, as dicts. `ar_norm(text)` and `ar_query(text)` can be used in it."""
        try:
            with limited(self.db, self._limit):
                return list(self.db.query(sql, params))
        except (SqliteError, SqliteWarning) as error:
            raise asked(error, self.path) from error

    def article(self, article_id: int) -> ArticleRow:
        """One article with its newest version. Raises ArchiveError when there is none of this id."""
        for row in self._rows(f"{_ARTICLE} WHERE a.id = ?", (article_id,)):
            return ArticleRow(*row)
        raise ArchiveError(f"there is no article {article_id} in {self.path}; `rasid search` shows ids")

    def articles(
        self, *, topic: str | None = None, outlet_id: str | None = None, since: str = "", limit: int = 100
    ) -> list[ArticleRow]:
        """Kept articles first seen at `since` or later, newest first; on a topic, in either strength; of an outlet."""
        given = {"since": since, "outlet_id": outlet_id, "topic": topic, "limit": limit}
        return [ArticleRow(*row) for row in self._rows(_ARTICLE + statement("reading.kept"), given)]

    def each_article(self) -> Iterator[ArticleRow]:
        """Every kept article, oldest first, however many there are: a batch is read at a time, and between two batches
        nothing is held, so it may take all day beside a writer."""
        return (ArticleRow(*row) for row in self._each(f"{_ARTICLE} WHERE a.latest_version_id IS NOT NULL", "a.id", 0))

    def each_version(self) -> Iterator[VersionRow]:
        """Every version in the order it was stored, read as `each_article` reads."""
        return (VersionRow(*row) for row in self._each(f"{_VERSION} WHERE true", "v.id", 1))

    def versions(self, article_id: int) -> list[VersionRow]:
        """All versions of an article, oldest first."""
        return [VersionRow(*row) for row in self._rows(f"{_VERSION} WHERE v.article_id = ? ORDER BY 1", (article_id,))]

    def diff(
        self, article_id: int, a: int | None = None, b: int | None = None, *, rules: RuleSet | None = None
    ) -> Difference:
        """What changed from version number `a` to `b`, by default between the last two. Of neighbours what was stored
        with the later one, of others as today's vocabulary and the watched terms of `rules` tell it. Raises
        ArchiveError where there are no such versions."""
        versions = {version.number: version for version in self.versions(article_id)}
        a, b = a or len(versions) - 1, b or len(versions)
        if len(versions) < 2:
            few = "one version" if self.article(article_id).version_id else "no version"
            raise ArchiveError(f"article {article_id} has {few} in {self.path}, so there is nothing to compare")
        if a not in versions or b not in versions:
            there = f"{len(versions)} versions in {self.path}"
            raise ArchiveError(f"article {article_id} has {there}, not both {a} and {b}")
        before, after = versions[a], versions[b]
        found = stored(self.db, after.id, before.id) if b == a + 1 else []
        silent = after.modified_at in (None, before.modified_at)
        return Difference(before, after, tuple(found or compare(before, after, rules)), silent)

    def redaction(self, article_id: int) -> dict[str, Any] | None:
        """When and why an article was redacted: {article_id, reason, at, done_at}, the last None if that is not
        ended yet; None: it was not redacted."""
        return next(iter(self.query("SELECT * FROM redactions WHERE article_id = ?", (article_id,))), None)

    def drifts(self) -> list[str]:
        """A sentence for each outlet of which many articles gained or lost the same lines, and so no version."""
        return [
            f"{outlet}: {articles} articles changed alike in {lines} line{'s' * (lines > 1)} (last {at}), told "
            f"as no edit: {line[:80]}"
            for outlet, articles, lines, at, line in self._rows(statement("reading.drifts"))
        ]

    def matches(self, version_id: int) -> list[Match]:
        """Topics of a version, strongest first, each with its passages."""
        return read_matches(self.query(statement("reading.matches"), {"version": version_id}))

    def events(self, *, since: str = "", limit: int = 100) -> list[Event]:
        """What was worth telling at `since` or later, newest first."""
        rows = self._rows(statement("reading.events"), (since, limit))
        return [Event(*(*row[:5], bool(row[5]))) for row in rows]

    def capture(self, capture_id: int) -> Page:
        """The page as it was captured."""
        for file, offset, length in self._rows("SELECT file, offset, length FROM captures WHERE id = ?", (capture_id,)):
            return self._captures.read(file, offset, length)
        raise ArchiveError(f"there is no capture {capture_id} in {self.path}")

    def story(self, article_id: int) -> Story | None:
        """The story an article is in, with all its members; None: no other article tells the same."""
        return read_story(self.query(statement("stories.story"), {"id": article_id}))

    def stories(self, *, since: str = "", limit: int = 100) -> list[Story]:
        """Happenings that several articles tell, and that one told first at `since` or later; the latest told first."""
        found = self._rows(statement("reading.stories"), (since, limit))
        return [story for (article_id,) in found if (story := self.story(article_id))]

    def search(
        self, text: str, limit: int = 20, *, since: str | None = None, until: str | None = None, fold: bool = False
    ) -> list[Hit]:
        """Kept articles whose newest version has what a person typed, best first; nothing searchable finds nothing.

        Only what was first seen at `since` or later and before `until`, where given. Of more than `SEARCHED` articles
        the newest are ranked, and the newest of those that say it all in their title. With `fold`, copies and rewrites
        are one hit that says how many of them there are, among the best.
        """
        if not (expression := ar_query(text)):
            return []
        most, window = limit * (FOLDED if fold else 1), {"since": since or "", "until": until or "9999"}
        seen = "SELECT min(id), max(id) FROM articles WHERE first_seen_at >= :since AND first_seen_at < :until"
        first, last = self._rows(seen, window)[0] if since or until else (0, 2**62)
        given = {"query": text, "all": expression, "title": in_title(expression), "first": first, "last": last}
        rows = self._rows(statement("reading.found"), {**window, **given, "limit": most, "most": max(most, SEARCHED)})
        ids = [row[0] for row in rows]
        roots = dict(self._rows(statement("stories.roots"), {"ids": json.dumps(ids)})) if fold else {}
        found = {row[0]: row for row in rows}
        return [
            Hit(*(*row[:4], heading(row[4], row[6]), row[5], highlight(row[6], text), copies))
            for row, copies in ((found[id_], copies) for id_, copies in fold_copies(ids, roots)[:limit])
        ]

    def coverage(self, since: str, until: str = "9999") -> list[OutletCoverage]:
        """Whether each outlet could be read from `since` to before `until`, both stamps; counted by whole hours."""
        rows = self._rows(statement("reading.coverage"), {"since": since, "until": until})
        return [OutletCoverage(*row) for row in rows]

    def gaps(self, since: str, until: str | None = None) -> str | None:
        """A sentence on the outlets that could not be read from `since` to before `until`; None: all could."""
        return gaps(self.coverage(since, until or "9999"), since, until)

    def health(self, now: str) -> list[OutletHealth]:
        """How it stands at `now`, a stamp, with every outlet that was ever switched on or has articles."""
        return [
            OutletHealth(*(*row, self._state(now, row, silent_after)))
            for *row, silent_after in self._rows(_HEALTH, {"day": later(now, -86400)})
        ]

    def counts(self) -> dict[str, int]:
        """How much there is of what."""
        return self.query(statement("reading.counts"))[0]

    def close(self) -> None:
        """Close the connection."""
        self.db.close()

    def __exit__(self, *_: object) -> None:
        self.close()

    def _each(self, select: str, key: str, column: int) -> Iterator[Any]:
        rows = self._rows(sql := f"{select} AND {key} > ? ORDER BY {key} LIMIT {BATCH}", (0,))
        while rows:
            yield from rows
            rows = self._rows(sql, (rows[-1][column],))

    def _rows(self, sql: str, params: Sequence[Any] | dict[str, Any] = ()) -> list[Any]:
        return [tuple(row.values()) for row in self.query(sql, params)]

    def _state(self, now: str, row: Sequence[Any], silent_after: float | None) -> State:
        last = self._rows(statement("reading.looks"), (row[0],))
        for of_pages, enough in ((0, 1), (1, 3)):
            looks = [outcome for is_page, outcome in last if is_page == of_pages]
            if len(looks) >= enough and not any(outcome in ANSWERED for outcome in looks):
                return "blocked" if looks[0] in ("blocked", "refused") else "failing"
        if not last:
            return "never"
        missing, looked_at = self._rows(statement("reading.missing"), (row[0], later(now, -86400)))[0]
        if missing >= TOGETHER and 2 * missing >= looked_at:
            return "redesign?"
        return "silent" if row[3] and row[3] < later(now, -(silent_after or SILENT_AFTER)) else "ok"


def open_archive(path: Path | str, *, limit: float | None = None) -> Archive:
    """Open an archive for reading, also while it is being written. `limit`: seconds any statement may take.

    Raises ArchiveError when there is none at `path`, or none of this release.
    """
    path = Path(path)
    db = connect_read(path)
    try:
        if pending(db, path):
            raise ArchiveError(f"{path} is no archive of this release yet; `rasid crawl` or `run` brings it up to date")
    except (SqliteError, ArchiveError) as error:
        db.close()
        raise error if isinstance(error, ArchiveError) else explain(error, path) from error
    for name, function in (("ar_norm", normalise), ("ar_query", ar_query), ("ar_score", relevance)):
        db.register_function(function, deterministic=True, name=name)
    return Archive(path, db, limit)
