"""The outbox as it is worked off: what is due, what a mail must say, what became of it.

Every function runs inside the writer's transaction; `sending` means that a mail may have reached its server.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from archive.alerts.render import MailContext, Story, Told
from archive.alerts.rules import AlertRule, judged_versions
from archive.edits import stored
from archive.models import Event, Match, Passage
from archive.times import later

if TYPE_CHECKING:
    from archive.sqlite import Connection
    from archive.writer import Transaction

LAST_ATTEMPT = 26  # after 1, 2, 4 ... minutes, then every 4 hours: three days
UNUSABLE_S = 300.0  # until a server that is down, or that refuses our account, is asked again
LISTED = 100  # events a digest lists


def due(tx: Transaction, limit: int) -> list[int]:
    """Ids of at most `limit` mails to send now, longest due first. Mails a crash left in `sending` are due again."""
    tx.db.execute("UPDATE mails SET state = 'queued', next_attempt_at = ? WHERE state = 'sending'", (tx.now(),))
    rows = tx.db.execute(
        "SELECT id FROM mails WHERE state = 'queued' AND next_attempt_at <= ? ORDER BY next_attempt_at, id LIMIT ?",
        (tx.now(), limit),
    )
    return [row[0] for row in rows]


def claim(tx: Transaction, mail_id: int) -> MailContext | None:
    """Record that the mail is being sent and give what it says; None when it is not to be sent (any more).

    Whoever was taken out of the rules is written to no more, whatever still waits for them.
    """
    row = tx.db.execute("SELECT rule, recipient FROM mails WHERE id = ? AND state = 'queued'", (mail_id,)).fetchone()
    if row is None:
        return None
    rule = next((rule for rule in tx.policy.alerts if rule.name == row[0] and row[1] in rule.to), None)
    if rule is None:
        fail(tx, mail_id, f"no alert rule {row[0]!r} writes to {row[1]} any more")
        return None
    tx.db.execute("UPDATE mails SET state = 'sending', attempts = attempts + 1 WHERE id = ?", (mail_id,))
    return read_mail(tx.db, mail_id, rule, tx.now())


def sent(tx: Transaction, mail_id: int) -> None:
    """The server took the mail."""
    tx.db.execute(
        "UPDATE mails SET state = 'sent', sent_at = ?, next_attempt_at = NULL, error = NULL WHERE id = ?",
        (tx.now(), mail_id),
    )


def fail(tx: Transaction, mail_id: int, error: str) -> None:
    """The mail will not be tried again."""
    tx.db.execute("UPDATE mails SET state = 'failed', next_attempt_at = NULL, error = ? WHERE id = ?", (error, mail_id))


def put_off(tx: Transaction, mail_id: int, error: str, chance: Callable[[], float]) -> None:
    """Try this mail again later, each time later, until three days are over."""
    (attempts,) = tx.db.execute("SELECT attempts FROM mails WHERE id = ?", (mail_id,)).fetchone()
    if attempts >= LAST_ATTEMPT:
        return fail(tx, mail_id, error)
    delay = min(60.0 * 2 ** (attempts - 1), 4 * 3600.0) * (0.75 + chance() / 2)
    tx.db.execute(
        "UPDATE mails SET state = 'queued', next_attempt_at = ?, error = ? WHERE id = ?",
        (later(tx.now(), delay), error, mail_id),
    )


def wait_for_server(tx: Transaction, error: str, chance: Callable[[], float]) -> int:
    """No mail can be sent now: all that is due waits some minutes, and is as untried as before. Gives how many."""
    again = later(tx.now(), UNUSABLE_S * (0.75 + chance() / 2))
    waiting = tx.db.execute(
        "UPDATE mails SET next_attempt_at = ?, error = ? WHERE state = 'queued' AND next_attempt_at <= ?",
        (again, error, tx.now()),
    )
    return int(waiting.rowcount)


def read_mail(db: Connection, mail_id: int, rule: AlertRule, at: str) -> MailContext:
    """What a mail says, read from the archive in the words of its rule."""
    recipient, kind, message_id, total = db.execute(
        "SELECT recipient, kind, message_id, (SELECT count(*) FROM mail_events WHERE mail_id = id) "
        "FROM mails WHERE id = ?",
        (mail_id,),
    ).fetchone()
    rows = db.execute(
        "SELECT e.id, e.at, e.kind, e.article_id, e.version_id, e.backlog, "
        "json_extract(e.detail, '$.silent'), a.url, o.name_ar, o.name_en "
        "FROM mail_events m JOIN events e ON e.id = m.event_id JOIN articles a ON a.id = e.article_id "
        "LEFT JOIN outlets o ON o.id = a.outlet_id WHERE m.mail_id = ? ORDER BY e.id LIMIT ?",
        (mail_id, LISTED),
    ).fetchall()
    stories = []
    for *event_row, silent, url, name_ar, name_en in rows:
        event = Event(*event_row)
        versions = judged_versions(db, event)
        told = [_told(db, version, rule) for version in versions]
        if not told:
            continue
        (last_seen,) = db.execute(
            "SELECT max(at) FROM fetches WHERE article_id = ? AND outcome IN ('ok', 'unchanged') AND at <= ?",
            (event.article_id, event.at),
        ).fetchone()
        stories.append(Story(
            event.kind, event.at, event.article_id, url, name_ar if rule.language == "ar" else name_en,
            version=told[0], before=told[1] if len(told) > 1 else None, last_seen_at=last_seen or told[0].seen_at,
            edits=tuple(stored(db, *versions)) or None if len(versions) > 1 else None, silent=bool(silent),
        ))  # fmt: skip
    return MailContext(mail_id, message_id, kind, rule.name, recipient, rule.language, at, tuple(stories), total)


def _told(db: Connection, version: int, rule: AlertRule) -> Told:
    """A version with those of its matches that the rule is about, the strongest first."""
    title, text, author, published_at, seen_at = db.execute(
        "SELECT title, text, author, published_at, captured_at FROM versions WHERE id = ?", (version,)
    ).fetchone()
    matches = db.execute(
        "SELECT topic, strength, score FROM matches WHERE version_id = ? ORDER BY strength DESC, score DESC, topic",
        (version,),
    ).fetchall()
    passages = (
        'SELECT field, start, "end", term, surface FROM passages WHERE version_id = ? AND topic = ? '
        "ORDER BY field DESC, start"
    )
    wanted = tuple(
        Match(topic, strength, score, tuple(Passage(*hit) for hit in db.execute(passages, (version, topic))))
        for topic, strength, score in matches
        if rule.wants(topic, strength)
    )
    return Told(title, text, author, published_at, seen_at, wanted)
