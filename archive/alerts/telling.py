"""What a mail says, read from the archive in the words of its rule."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence

from archive.alerts.plan import judged_versions
from archive.alerts.render import Copy, MailContext, Story, Told
from archive.alerts.rules import AlertRule
from archive.edits import stored
from archive.facts import asked
from archive.ledger import head
from archive.models import Event
from archive.rules import RuleSet
from archive.search import places
from archive.sqlite import Connection, statement
from archive.stories import copies_of
from archive.titles import heading
from archive.topics import read_matches

LISTED = 100  # events a digest lists
COPIES = 20  # copies that are listed with an article


def read_mail(db: Connection, mail_id: int, rules: Sequence[AlertRule], topics: RuleSet, at: str) -> MailContext:
    """What a mail says by its rules, at the moment `at`; the first rule gives language and zone, `topics` the names."""
    recipient, kind, message_id, notice = db.execute(statement("alerts.mail"), (mail_id,)).fetchone()
    told = "SELECT DISTINCT event_id FROM mail_events WHERE mail_id = ? ORDER BY 1"
    events = [event_id for (event_id,) in db.execute(told, (mail_id,))]
    stories = read_stories(db, events[:LISTED], rules)
    total = len(stories) + len(events[LISTED:])
    return context(rules, topics, at, stories, id=mail_id, message_id=message_id, kind=kind, recipient=recipient,
                   total=total, notice=notice, head=head(db) if kind == "digest" else None)  # fmt: skip


def context(
    rules: Sequence[AlertRule], topics: RuleSet, at: str, stories: Sequence[Story], **of_mail: object
) -> MailContext:
    """A mail of these stories; `of_mail` holds the other fields of MailContext."""
    first = rules[0]
    names = {topic.name: topic.title(first.language) for topic in topics.by_topic}
    return MailContext(
        rules=tuple(rule.name for rule in rules), queries=tuple(rule.query for rule in rules if rule.query),
        language=first.language, zone=first.timezone, topics=names, at=at, stories=tuple(stories), **of_mail,  # type: ignore[arg-type]
    )  # fmt: skip


def read_stories(db: Connection, event_ids: Iterable[int], rules: Sequence[AlertRule]) -> list[Story]:
    """What is told of events, each with the copies of its article; a new copy of what is told already is no other."""
    stories: list[Story] = []
    listed: set[int] = set()
    arabic = rules[0].language == "ar"
    for event_id in event_ids:
        given = {"id": event_id, "arabic": arabic}
        *row, silent, url, outlet, last_seen = db.execute(statement("alerts.event"), given).fetchone()
        event = Event(*row)
        versions = judged_versions(db, event)
        if not versions or (event.kind == "new" and event.article_id in listed):
            continue
        told = [_told(db, version, rules) for version in versions]
        copies = copies_of(db, event.article_id) if event.kind == "new" else []
        listed |= {event.article_id, *copies}
        stories.append(Story(
            event.kind, event.at, event.article_id, url, outlet,
            version=told[0], before=told[1] if len(told) > 1 else None, last_seen_at=last_seen or told[0].seen_at,
            edits=tuple(stored(db, *versions)) or None if len(versions) > 1 else None, silent=bool(silent),
            copies=_copies(db, copies, arabic=arabic),
        ))  # fmt: skip
    return stories


def _copies(db: Connection, articles: list[int], *, arabic: bool) -> tuple[Copy, ...]:
    given = {"arabic": arabic, "articles": json.dumps(articles), "most": COPIES}
    rows = db.execute(statement("alerts.copies"), given)
    return tuple(Copy(article_id, heading(title, text), outlet) for article_id, title, text, outlet in rows)


def _told(db: Connection, version: int, rules: Sequence[AlertRule]) -> Told:
    """A version with those of its matches that the rules are about, the strongest first, and what they search for."""
    words = "SELECT title, text, author, published_at, captured_at FROM versions WHERE id = ?"
    title, text, author, published_at, seen_at = db.execute(words, (version,)).fetchone()
    matches = read_matches(db.query(statement("reading.matches"), {"version": version}))
    wanted = tuple(match for match in matches if any(rule.wants(match.topic, match.strength) for rule in rules))
    named = [span for rule in rules for span in asked(db, version, rule) or ()]
    texts = {"title": title, "text": text}
    said = {
        field: tuple(place for rule in rules if rule.query for place in places(whole, rule.query))
        + tuple((start, end) for where, start, end in named if where == field)
        for field, whole in texts.items()
    }
    surfaces = dict.fromkeys(texts[field][start:end] for field, start, end in named)
    return Told(title, text, author, published_at, seen_at, wanted, said, tuple(surfaces))
