"""Alert rules, and which of them an event wakes: the outbox is filled where the event is stored."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args
from uuid import uuid4

from archive.models import Event, EventKind, Strength
from archive.times import later

if TYPE_CHECKING:  # the store calls us; we only need to know the shape of what it hands over
    from archive.sqlite import Connection
    from archive.writer import Transaction

Language = Literal["ar", "en"]
Backlog = Literal["digest", "each", "none"]

DIGEST_MOST_S = 86400.0  # the longest a digest gathers
_LOCAL = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_ADDRESS = re.compile(rf"{_LOCAL}(?:\.{_LOCAL})*@{_LABEL}(?:\.{_LABEL})*")


def check_address(address: str) -> str:
    """Return `address` if a mail can be sent to it, else raise ValueError with the mend.

    Plain ASCII only: the mail library encodes a non-ASCII local part wrongly without a word.
    """
    if not _ADDRESS.fullmatch(address) or len(address) > 254:
        raise ValueError(
            f"{address[:80]!r} is no mail address; write name@host in plain ASCII letters, without a display name "
            "(an Arabic domain in its xn-- form)"
        )
    return address


@dataclass(frozen=True, slots=True)
class AlertRule:
    """Who is told of which events. Raises ValueError (field, what is wrong, the mend) at construction."""

    name: str
    topics: tuple[str, ...]
    to: tuple[str, ...]
    strength: Strength = "substantive"  # "passing" accepts either strength
    on: tuple[EventKind, ...] = ("new", "edited", "withdrawn")
    when: Literal["instant"] = "instant"
    language: Language = "ar"
    backlog: Backlog = "digest"

    def __post_init__(self) -> None:
        """Refuse what cannot be meant while somebody is looking, not when the first mail is due."""
        if not self.name.strip() or not self.name.isprintable() or len(self.name) > 80:
            raise ValueError("name: must be a word or two on one line, of at most 80 letters")
        for field in ("topics", "to", "on"):
            if not getattr(self, field):
                raise ValueError(f"{field}: is empty; name at least one, or take the rule out")
        choices: dict[str, object] = {"strength": Strength, "language": Language, "backlog": Backlog}
        chosen = [(field, getattr(self, field), get_args(choices[field])) for field in choices]
        chosen += [("when", self.when, ("instant",)), *(("on", kind, get_args(EventKind)) for kind in self.on)]
        for field, value, allowed in chosen:
            if value not in allowed:
                raise ValueError(f"{field}: {value!r} is unknown; write one of {', '.join(allowed)}")
        for address in self.to:
            try:
                check_address(address)
            except ValueError as error:
                raise ValueError(f"to: {error}") from None

    def wants(self, topic: str, strength: str) -> bool:
        """Whether a match on `topic` of this strength is one the rule is about."""
        return topic in self.topics and (strength == "substantive" or self.strength == "passing")


def judged_versions(db: Connection, event: Event) -> list[int]:
    """Versions whose matches decide on an event: its own (or the newest), then for an edit the one before it."""
    version = event.version_id
    if version is None:
        row = db.execute("SELECT latest_version_id FROM articles WHERE id = ?", (event.article_id,)).fetchone()
        version = row[0] if row else None
    before = (
        "SELECT v.id FROM versions v JOIN versions n ON n.id = ? AND v.article_id = n.article_id "
        "WHERE (v.captured_at, v.id) < (n.captured_at, n.id) ORDER BY v.captured_at DESC, v.id DESC LIMIT 1"
    )
    found = [] if version is None else [version]
    if event.kind == "edited":
        found += [row[0] for row in db.execute(before, (version,))]
    return found


def plan(tx: Transaction, event: Event, *, new_id: Callable[[], str] = lambda: uuid4().hex) -> None:
    """Queue a mail for every rule and recipient that `event` concerns, in the transaction that stores the event.

    `new_id` gives the left side of a Message-ID; it is stored with the mail, so that a mail sent again after
    a crash is recognisably the same one. Planning an event twice queues nothing more.
    """
    found = [
        match
        for version in judged_versions(tx.db, event)
        for match in tx.db.execute("SELECT topic, strength FROM matches WHERE version_id = ?", (version,))
    ]
    for rule in tx.policy.alerts:
        wanted = any(rule.wants(topic, strength) for topic, strength in found)
        if wanted and event.kind in rule.on and not (event.backlog and rule.backlog == "none"):
            for recipient in dict.fromkeys(rule.to):
                _queue(tx, rule, recipient, event, new_id)


def _queue(tx: Transaction, rule: AlertRule, recipient: str, event: Event, new_id: Callable[[], str]) -> None:
    """Put an event into the open digest of this rule and recipient, or into a mail of its own; once."""
    key = (rule.name, "email", recipient)
    told = "SELECT 1 FROM mail_events WHERE rule = ? AND channel = ? AND recipient = ? AND event_id = ?"
    if tx.db.execute(told, (*key, event.id)).fetchone():
        return
    kind, now, mail = "instant", tx.now(), None
    due = now
    if event.backlog and rule.backlog == "digest":
        kind, due = "digest", later(now, tx.policy.digest_after)
        mail = tx.db.execute(  # once tried, a digest stays as it is: the server may have taken it
            "SELECT id, created_at FROM mails WHERE state = 'queued' AND rule = ? AND channel = ? AND recipient = ? "
            "AND kind = 'digest' AND attempts = 0 ORDER BY id LIMIT 1",
            key,
        ).fetchone()
    if mail is None:
        mail = tx.db.execute(
            "INSERT INTO mails (rule, channel, recipient, kind, message_id, created_at, next_attempt_at) "
            "VALUES (?, ?, ?, ?, ?, ?, ?) RETURNING id",
            (*key, kind, f"<{new_id()}@rasid.invalid>", now, due),
        ).fetchone()
    elif kind == "digest":  # as long as more of a backlog comes in, it is one digest; but not for ever
        tx.db.execute(
            "UPDATE mails SET next_attempt_at = min(?, ?) WHERE id = ?", (due, later(mail[1], DIGEST_MOST_S), mail[0])
        )
    tx.db.execute(
        "INSERT INTO mail_events (mail_id, rule, channel, recipient, event_id) VALUES (?, ?, ?, ?, ?)",
        (mail[0], *key, event.id),
    )
