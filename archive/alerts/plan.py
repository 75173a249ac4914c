"""Which mails an event wakes, or a trouble of the service: the outbox is filled in the transaction that stores it."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from uuid import uuid4

from archive.alerts.rules import AlertRule, Reader
from archive.arabic.normalise import normalise
from archive.facts import asked
from archive.models import Event
from archive.search import ar_query
from archive.sqlite import Connection, fts_match, insert, statement
from archive.stories import copies_of
from archive.times import later
from archive.transaction import Transaction

DIGEST_MOST_S = 86400.0  # the longest a digest gathers
HELD_MOST_S = 7 * 86400.0  # how old a mail may be that counts as one to come
FLAPS_S = 6 * 3600.0  # a trouble that comes back so soon after it was over goes on, and is not told anew
NewId = Callable[[], str]


def unique() -> str:
    """The left side of a Message-ID."""
    return uuid4().hex


def judged_versions(db: Connection, event: Event) -> list[int]:
    """Versions whose matches decide on an event: its own, then for an edit the one before it."""
    earlier = db.execute(statement("alerts.version_before"), (event.version_id,)) if event.kind == "edited" else ()
    return [event.version_id, *(version for (version,) in earlier)]


def concerns(db: Connection, rule: AlertRule, event: Event) -> bool:
    """Whether a rule is about an event: its kind, its outlet, and one version that has all the rule asks of a text."""
    if rule.kind != "events" or event.kind not in rule.on or (event.backlog and rule.backlog == "none"):
        return False
    if rule.outlets:
        of = "SELECT outlet_id FROM articles WHERE id = ?"
        if db.execute(of, (event.article_id,)).fetchone()[0] not in rule.outlets:
            return False
    if event.kind == "edited" and rule.edits == "material":
        told = "SELECT json_extract(detail, '$.material') FROM events WHERE id = ?"
        if db.execute(told, (event.id,)).fetchone()[0] == 0:  # null: not known, so it is told
            return False
    return any(_has(db, rule, version) for version in judged_versions(db, event))


def _has(db: Connection, rule: AlertRule, version: int) -> bool:
    if rule.topics:
        matches = db.execute("SELECT topic, strength FROM matches WHERE version_id = ?", (version,)).fetchall()
        if not any(rule.wants(*match) for match in matches):
            return False
    if (rule.places or rule.figures) and asked(db, version, rule) is None:
        return False
    if not rule.query:
        return True
    said = db.execute("SELECT title, text FROM versions WHERE id = ?", (version,)).fetchone()
    return fts_match(ar_query(rule.query), *map(normalise, said))


def plan(tx: Transaction, event: Event, *, new_id: NewId = unique) -> None:
    """Queue a mail for every reader that `event` concerns, in the transaction that stores the event.

    `new_id` gives the left side of a Message-ID; it is stored with the mail, so that a mail sent again after
    a crash is recognisably the same one. A reader whom several rules name gets one mail that names them, from the
    promptest. Planning an event twice queues nothing more.
    """
    waking = [rule for rule in tx.policy.alerts if concerns(tx.db, rule, event)]
    for rule in sorted(waking, key=lambda rule: (_gathers(rule, event), rule.awake(tx.now()))):
        for reader in rule.readers:
            _tell(tx, rule, reader, event, new_id)


def _gathers(rule: AlertRule, event: Event) -> bool:
    """Whether a rule wants such events in digests."""
    return rule.when != "instant" or (event.backlog and rule.backlog == "digest")


def _tell(tx: Transaction, rule: AlertRule, reader: Reader, event: Event, new_id: NewId) -> None:
    """Put an event into the mail that tells its story already, into a digest, or into a mail of its own; once."""
    if told := _telling(tx.db, reader, [event.article_id], event=event.id):
        if told[1]:
            _add(tx.db, told[0], rule, reader, event)
        return
    copied = None
    if event.kind == "new":
        copied = _telling(tx.db, reader, copies_of(tx.db, event.article_id), kind="new")
    if copied and copied[1] and copied[2] == "instant":
        mail = copied[0]
    elif copied or _gathers(rule, event) or rule.awake(tx.now()) != tx.now() or _had_enough(tx, rule, reader):
        mail = _digest(tx, rule, reader, new_id)
    else:
        mail = queue(tx, rule.name, reader, "instant", tx.now(), new_id)
    _add(tx.db, mail, rule, reader, event)


def _telling(db: Connection, reader: Reader, articles: list[int], **such: object) -> Any:
    """The newest mail to a reader with `such` an event of one of these articles, whether it may take more, its kind."""
    given = {
        "articles": json.dumps(articles),
        "channel": reader[0],
        "recipient": reader[1],
        "event": None,
        "kind": None,
    }
    return db.execute(statement("alerts.telling"), given | such).fetchone()


def _had_enough(tx: Transaction, rule: AlertRule, reader: Reader) -> bool:
    """Whether a reader got as many instant mails in an hour as the rule, or the mail server's settings, allow; those
    that wait for a server count as well, since they will come all at once."""
    now, given = tx.now(), {"rule": rule.name, "channel": reader[0], "recipient": reader[1]}
    given |= {"now": now, "since": later(now, -3600), "held": later(now, -HELD_MOST_S)}
    of_rule, of_all = tx.db.execute(statement("alerts.had"), given).fetchone()
    return bool(of_rule >= rule.most_per_hour or of_all >= tx.policy.mails_per_hour)


def _digest(tx: Transaction, rule: AlertRule, reader: Reader, new_id: NewId) -> int:
    """The digest of this rule and reader that still gathers, or a new one."""
    now = tx.now()
    due = rule.digest_due(now, tx.policy.digest_after)
    row = tx.db.execute(statement("alerts.gathering"), (rule.name, *reader)).fetchone()
    if row is None:
        return queue(tx, rule.name, reader, "digest", due, new_id)
    if rule.when == "instant":  # as long as more comes in, it is one digest; but not for ever
        due = min(due, later(row[1], DIGEST_MOST_S))
        tx.db.execute("UPDATE mails SET next_attempt_at = ? WHERE id = ?", (due, row[0]))
    return int(row[0])


def queue(
    tx: Transaction, rule: str, reader: Reader, kind: str, due: str, new_id: NewId, notice: int | None = None
) -> int:
    """A new mail in the outbox; returns its id."""
    row = {"rule": rule, "channel": reader[0], "recipient": reader[1], "kind": kind, "notice_id": notice}
    row |= {"message_id": f"<{new_id()}@{tx.policy.mail_domain}>", "created_at": tx.now(), "next_attempt_at": due}
    return insert(tx.db, "mails", row)


def _add(db: Connection, mail: int, rule: AlertRule, reader: Reader, event: Event) -> None:
    sql = "INSERT OR IGNORE INTO mail_events (mail_id, rule, channel, recipient, event_id) VALUES (?, ?, ?, ?, ?)"
    db.execute(sql, (mail, rule.name, *reader, event.id))


def operator_notice(tx: Transaction, key: str, text: str) -> bool:
    """A trouble of the service itself is there: `text` says in a sentence what, where and the mend. Operators are told
    once, until it is over; returns whether they are, it being new. It is known by its key ("outlet sana silent",
    "disk"), which whoever watches for it chooses.
    """
    now = tx.now()
    row = tx.db.execute("SELECT id, cleared_at FROM notices WHERE key = ? ORDER BY id DESC LIMIT 1", (key,)).fetchone()
    if row and (row[1] is None or row[1] > later(now, -FLAPS_S)):
        tx.db.execute("UPDATE notices SET text = ?, last_at = ?, cleared_at = NULL WHERE id = ?", (text, now, row[0]))
        return False
    notice = insert(tx.db, "notices", {"key": key, "text": text, "at": now, "last_at": now})
    rules = [rule for rule in tx.policy.alerts if rule.kind == "operator"]
    first = {reader: rule for rule in reversed(rules) for reader in rule.readers}  # whom two rules name is told once
    for reader, by in first.items():
        queue(tx, by.name, reader, "notice", by.awake(now), unique, notice)
    return bool(rules)


def operator_clear(tx: Transaction, key: str) -> None:
    """A trouble is over, if it was there."""
    tx.db.execute("UPDATE notices SET cleared_at = ? WHERE key = ? AND cleared_at IS NULL", (tx.now(), key))
