"""The outbox as it is worked off: what is due, what became of it.

Every function runs inside the writer's transaction; `sending` means that a mail may have reached its server.
"""

from __future__ import annotations

from collections.abc import Callable

from archive.alerts.plan import concerns
from archive.alerts.render import MailContext
from archive.alerts.rules import AlertRule, Channel
from archive.alerts.telling import read_mail
from archive.models import Event
from archive.sqlite import Connection, statement
from archive.times import later
from archive.transaction import Transaction

LAST_ATTEMPT = 26  # after 1, 2, 4 ... minutes, then every 4 hours: three days
UNUSABLE_S = 300.0  # until a server that is down, or that refuses our account, is asked again


def waits(db: Connection, channel: Channel, now: str) -> bool:
    """Whether something is to be sent by `channel`; while nobody sends, also what a crash left in `sending`."""
    sql = "SELECT 1 FROM mails WHERE channel = ? AND (state = 'queued' AND next_attempt_at <= ? OR state = 'sending')"
    return db.execute(f"{sql} LIMIT 1", (channel, now)).fetchone() is not None


def due(tx: Transaction, channel: Channel, limit: int) -> list[int]:
    """At most `limit` mails to send now, longest due first; what a crash left in `sending` is due again."""
    again = "UPDATE mails SET state = 'queued', next_attempt_at = ? WHERE state = 'sending' AND channel = ?"
    tx.db.execute(again, (tx.now(), channel))
    return [mail_id for (mail_id,) in tx.db.execute(statement("alerts.due"), (channel, tx.now(), limit))]


def claim(tx: Transaction, mail_id: int) -> MailContext | None:
    """Record that the mail is being sent and give what it says; None when it is not to be sent (now, or any more).

    Whoever was taken out of the rules is written to no more, whatever still waits for them.
    """
    waiting = "SELECT rule, channel, recipient FROM mails WHERE id = ? AND state = 'queued'"
    if (row := tx.db.execute(waiting, (mail_id,)).fetchone()) is None:
        return None
    rules = _rules(tx, mail_id, *row)
    if not rules:
        fail(tx, mail_id, f"no alert rule {row[0]!r} writes to {row[2]} any more")
        return None
    if (awake := min(rule.awake(tx.now()) for rule in rules)) > tx.now():
        tx.db.execute("UPDATE mails SET next_attempt_at = ? WHERE id = ?", (awake, mail_id))
        return None
    tx.db.execute("UPDATE mails SET state = 'sending', attempts = attempts + 1 WHERE id = ?", (mail_id,))
    return read_mail(tx.db, mail_id, rules, tx.policy.rules, tx.now())


def _rules(tx: Transaction, mail_id: int, name: str, channel: Channel, recipient: str) -> list[AlertRule]:
    """The rules a mail is by, that which queued it first; one that was given another name is known by what it wants."""
    told = "SELECT id, at, kind, article_id, version_id, backlog FROM events " \
           "WHERE id IN (SELECT event_id FROM mail_events WHERE mail_id = ?)"  # fmt: skip
    events = [Event(*event) for event in tx.db.execute(told, (mail_id,))]
    kind, names = "events" if events else "operator", {name}
    names |= {row[0] for row in tx.db.execute("SELECT rule FROM mail_events WHERE mail_id = ?", (mail_id,))}
    writing = [rule for rule in tx.policy.alerts if (channel, recipient) in rule.readers]
    found = sorted((rule for rule in writing if rule.name in names), key=lambda rule: rule.name != name)
    if not found:
        found = [r for r in writing if r.kind == kind and (not events or any(concerns(tx.db, r, e) for e in events))]
    return found


def sent(tx: Transaction, mail_id: int) -> None:
    """The server took the mail."""
    sql = "UPDATE mails SET state = 'sent', sent_at = ?, next_attempt_at = NULL, error = NULL WHERE id = ?"
    tx.db.execute(sql, (tx.now(), mail_id))


def fail(tx: Transaction, mail_id: int, error: str) -> None:
    """The mail will not be tried again."""
    tx.db.execute("UPDATE mails SET state = 'failed', next_attempt_at = NULL, error = ? WHERE id = ?", (error, mail_id))


def put_off(tx: Transaction, mail_id: int, error: str, chance: Callable[[], float]) -> None:
    """Try this mail again later, each time later, until three days are over."""
    (attempts,) = tx.db.execute("SELECT attempts FROM mails WHERE id = ?", (mail_id,)).fetchone()
    if attempts >= LAST_ATTEMPT:
        return fail(tx, mail_id, error)
    delay = min(60.0 * 2 ** (attempts - 1), 4 * 3600.0) * (0.75 + chance() / 2)
    sql = "UPDATE mails SET state = 'queued', next_attempt_at = ?, error = ? WHERE id = ?"
    tx.db.execute(sql, (later(tx.now(), delay), error, mail_id))


def wait_for_server(tx: Transaction, error: str, chance: Callable[[], float]) -> int:
    """No mail can be sent now: all that is due waits some minutes, and is as untried as before. Gives how many."""
    again = later(tx.now(), UNUSABLE_S * (0.75 + chance() / 2))
    return int(tx.db.execute(statement("alerts.wait"), {"again": again, "error": error, "now": tx.now()}).rowcount)


def retry(db: Connection, now: str, mail_id: int | None) -> int:
    """Make a mail that failed or waits due, as if it had never been tried; None: all that failed. Gives how many."""
    return int(db.execute(statement("alerts.retry"), {"now": now, "id": mail_id}).rowcount)
