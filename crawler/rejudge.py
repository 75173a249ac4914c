"""Today's rules over what is stored: kept articles by their newest text, passed ones by their raw capture.

Changes nothing unless asked to apply, and tells nobody unless asked to notify. What an editor said stays beside it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from archive.errors import ArchiveError, ExtractionError, UsageError
from archive.frontier import withdraw
from archive.labels import Verdict, label
from archive.learned import furniture
from archive.looks import announce
from archive.models import Article, Judgement, Page, Saved, Snapshot
from archive.reading import Archive, open_archive
from archive.rules import RuleSet
from archive.sqlite import statement
from archive.store import judged, save
from archive.titles import heading
from archive.topics import judge
from archive.transaction import Transaction
from archive.writer import Writer
from crawler.config import Config
from crawler.session import policy
from crawler.visits import Progress, do_or_ask
from crawler.worker import Worker


@dataclass(frozen=True, slots=True)
class Change:
    """An article that today's rules judge otherwise: topics and strengths before and after."""

    article_id: int
    title: str
    was: dict[str, str]
    now: dict[str, str]
    kept_now: bool  # it was passed over, and would be kept

    @property
    def gained(self) -> bool:
        """Whether a topic is newly substantive."""
        return any(s == "substantive" and self.was.get(t) != "substantive" for t, s in self.now.items())


def rejudge(
    archive: Archive,
    rules: RuleSet,
    worker: Worker,
    *,
    since: str = "",
    writer: Writer | None = None,
    notify: bool = False,
    progress: Callable[[str], None] = lambda line: None,
) -> Iterator[Change]:
    """Judge everything captured at `since` (a stamp) or later; yields what differs.

    With a `writer` the new judgements are stored and newly matching pages are kept, each in a transaction of its own;
    `notify` makes what is newly on a topic an event. Open the writer without alert rules to tell nobody.
    """
    kept = archive.query(statement("rejudge.kept"), (since,))
    passed = archive.query(statement("rejudge.passed"), (since,))
    for number, row in enumerate(kept, 1):
        progress(f"{number} of {len(kept)} kept articles judged again")
        judgement = judge(rules, row["title"], row["text"])
        title, was = heading(row["title"], row["text"]), json.loads(row["was"])
        change = Change(row["article_id"], title, was, _strengths(judgement), False)
        if writer:
            tell = change.gained and notify
            writer.submit(partial(_judge_again, row=row, judgement=judgement, tell=tell)).result()
        if change.was != change.now:
            yield change
    for number, row in enumerate(passed, 1):
        progress(f"{number} of {len(passed)} passed articles read again")
        try:
            page = _captured(archive, row)
            article, judgement = worker.read_sync(page)
        except (ArchiveError, ExtractionError):
            continue  # pruned since, or unreadable: there is nothing to judge
        if not judgement.matches or article.is_article is False:
            continue
        if writer:
            keep_passed(writer, row["article_id"], row["outlet_id"], page, article, judgement, quiet=not notify)
        yield Change(row["article_id"], heading(article.title, article.text), {}, _strengths(judgement), True)


def keep_passed(
    writer: Writer, article_id: int, outlet_id: str | None, page: Page, article: Article, judgement: Judgement,
    *, quiet: bool,
) -> Saved:  # fmt: skip
    """Keep an article that was passed over, as it was captured then; `quiet`: as backlog, and nobody is told."""
    shot = Snapshot(page, article, judgement, outlet_id, article_id=article_id, backlog=quiet, keep=True)

    def operation(tx: Transaction) -> Saved:
        return save(replace(tx, policy=replace(tx.policy, alerts=())) if quiet else tx, shot)

    return writer.submit(operation, size=len(page.body)).result()


def _judge_again(tx: Transaction, row: dict[str, Any], judgement: Judgement, tell: bool) -> None:
    judged(tx, row["version_id"], judgement)
    if tell:
        announce(tx, "new", row["article_id"], row["version_id"])


def _strengths(judgement: Judgement) -> dict[str, str]:
    return {match.topic: match.strength for match in judgement.matches}


def rejudge_archive(
    config: Config, since: str, *, apply: bool, notify: bool, progress: Callable[[str], None]
) -> list[Change]:
    """`rasid rejudge` on the archive of a configuration. To apply, nobody else may write to it (ArchiveBusy)."""
    with closing(Worker(config.rules)) as worker, open_archive(config.archive) as archive, ExitStack() as stack:
        how = replace(policy(config), alerts=config.alerts if notify else ())  # who is not to tell has nobody to tell
        writer = stack.enter_context(Writer(config.archive, how)) if apply else None
        found = rejudge(archive, config.rules, worker, since=since, writer=writer, notify=notify, progress=progress)
        return list(found)


def label_article(config: Config, article_id: int, topic: str, verdict: Verdict, progress: Progress) -> None:
    """`rasid topics label`, by the running service if there is one. Raises UsageError for an unknown topic,
    ArchiveError for an article that is not there."""
    if topic not in config.rules.topics:
        raise UsageError(f"no topic {topic!r} in the rules; known: {', '.join(config.rules.topics)}")
    with open_archive(config.archive) as archive:
        archive.article(article_id)
    target = f"{article_id} {verdict} {topic}"

    def here(asked: Sequence[int]) -> None:
        with Writer(config.archive, policy(config)) as writer:
            writer.submit(partial(withdraw, requests=asked)).result()
            keep_label(config, writer, target)

    do_or_ask(config, "label", [target], here, lambda _: None, progress)


def keep_label(config: Config, writer: Writer, target: str) -> None:
    """Store a label, "ARTICLE yes|no TOPIC"; a yes keeps what was passed over. Blocks. Raises ArchiveError."""
    number, verdict, topic = target.split(" ", 2)
    article_id = int(number)
    with open_archive(config.archive) as archive:
        known = archive.article(article_id)
        passed = [row for row in archive.query(statement("rejudge.passed"), ("",)) if row["article_id"] == article_id]
        if known.version_id is None and passed and verdict == "yes":
            page = _captured(archive, passed[0])
            with closing(Worker(config.rules)) as worker:
                keep_passed(writer, article_id, known.outlet_id, page, *worker.read_sync(page), quiet=True)
    writer.submit(lambda tx: label(tx, article_id, topic, "yes" if verdict == "yes" else "no")).result()


def _captured(archive: Archive, row: dict[str, Any]) -> Page:
    lines = furniture(archive.db, row["outlet_id"])
    page = archive.capture(row["capture_id"])
    return replace(page, timezone=row["timezone"], outlet_name=row["name_ar"], furniture=lines)
