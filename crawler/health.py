"""How it stands with an archive and what crawls into it: one survey for `rasid status`, /healthz, /metrics and mails.

Read from the archive's rows by a connection of its own, so that it says as much of a service that is dead.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from archive.alerts.plan import operator_clear, operator_notice
from archive.doctor import exposed, swollen
from archive.reading import open_archive
from archive.sqlite import Connection, statement
from archive.times import later, moment
from archive.usual import unusual
from crawler.config import Config

if TYPE_CHECKING:
    from archive.transaction import Transaction

OVERDUE_S = 900.0  # nothing was looked at for so long although listings are due
DOWN_S = 3 * 3600.0  # an outlet that fails is told after so long
MAIL_S = 3600.0  # mail that is due and not out
FUTURE_S = 300.0
TOGETHER = 5  # outlets that cannot be read, if they are more than half: then it is not they
OURS = ("outlet ", "job ", "outlets", "disk", "clock", "mail", "access", "service", "configuration", "log")


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something an operator should mend, in a sentence; `grave`: the service cannot do its work."""

    key: str
    text: str
    grave: bool = False


@dataclass(frozen=True, slots=True)
class Survey:
    """How it stands at one moment. Sizes are bytes; `mail_lag` is how long the oldest mail is late, in seconds."""

    at: str
    outlets: tuple[dict[str, Any], ...]  # rows of health; `unusual` and `errors` (outcome: count in 24 hours) added
    queues: Mapping[str, int]
    sizes: Mapping[str, int]  # database, log, captures, free
    mail_lag: float
    troubles: tuple[Trouble, ...]
    notices: tuple[tuple[str, str, str], ...]  # open ones: key, text, since when


def survey(config: Config, now: str, usual: Mapping[str, Mapping[str, str]] | None = None) -> Survey:
    """Look at everything; `usual` is what an earlier look found unusual, else that is found again, which takes longer.

    Raises ArchiveError when the archive cannot be read.
    """
    with open_archive(config.archive) as archive:
        db = archive.db
        rows = [asdict(health) for health in archive.health(now)]
        on = {row["id"] for row in rows if config.watches(row["id"])}
        usual = unusual(db, sorted(on), now) if usual is None else usual
        errors: dict[str, dict[str, int]] = {}
        for outlet, outcome, count in db.execute(statement("health.errors"), (later(now, -86400),)):
            errors.setdefault(outlet, {})[outcome] = count
        outlets = tuple(
            row | {"state": row["state"] if row["id"] in on else "off", "errors": errors.get(row["id"], {}),
                   "unusual": dict(usual.get(row["id"], {})) if row["id"] in on else {}}
            for row in rows
        )  # fmt: skip
        queues = next(iter(db.query(statement("health.queues"), {"now": now})))
        oldest, error = db.execute(statement("health.oldest_mail"), (now,)).fetchone()
        notices = db.execute("SELECT key, text, at FROM notices WHERE cleared_at IS NULL ORDER BY id").fetchall()
        overdue, newest = _pulse(db, now)
    sizes, lag = _sizes(config.archive), (moment(now) - moment(min(oldest or now, now))).total_seconds()
    troubles = [Trouble(*said) for said in _outlets(outlets, now)]
    if sizes["free"] < config.keep.free_space:
        what = f"{sizes['free'] / 1e9:.1f} GB are free at {config.archive.parent}, less than keep.free_space"
        troubles.append(Trouble("disk", f"{what}: nothing is fetched; free some space", True))
    if newest and newest > later(now, FUTURE_S):
        troubles.append(Trouble("clock", f"it is {now} by this machine, and {newest} was seen; set the clock", True))
    elif overdue:
        what = f"nothing was looked at since {newest}, though listings are due since {overdue}"
        troubles.append(Trouble("service", f"{what}: is `rasid run` at work?", True))
    if lag > MAIL_S:
        what = f"{queues['mails waiting']} mails wait, the oldest for {lag / 3600:.0f} hours"
        troubles.append(Trouble("mail", f"{what}: {error or 'is `rasid run` at work?'}", True))
    told = {"access": exposed(config.archive), "log": swollen(config.archive)}
    troubles += [Trouble(key, ": ".join(said)) for key, said in told.items() if said]
    return Survey(now, outlets, queues, sizes, lag, tuple(troubles), tuple(map(tuple, notices)))


def announce(tx: Transaction, troubles: Mapping[str, str]) -> None:
    """Tell operators of troubles that began, by key; note what became of the others, and which are over."""
    standing = dict(tx.db.execute("SELECT key, text FROM notices WHERE cleared_at IS NULL").fetchall())
    for key, text in troubles.items():
        if standing.get(key) != text:
            operator_notice(tx, key, text)
    for key in standing.keys() - troubles.keys():
        if key.startswith(OURS):
            operator_clear(tx, key)


def _outlets(rows: Sequence[dict[str, Any]], now: str) -> list[tuple[str, str]]:
    """What is to be told of outlets; when most cannot be read, that in one sentence."""
    on = [row for row in rows if row["state"] != "off"]
    down = [row for row in on if row["state"] in ("blocked", "failing")]
    found: list[tuple[str, str]] = []
    if rows and not on:
        found.append(("outlets", "no outlet is switched on, so nothing is read: rasid outlets check --enable"))
    elif len(down) >= TOGETHER and 2 * len(down) > len(on):
        found.append(("outlets", f"{len(down)} of {len(on)} outlets cannot be read: is this machine's network down?"))
    else:
        for row in down:
            last = row["last_ok_at"]
            if row["errors_24h"] >= 3 if last is None else last < later(now, -DOWN_S):
                since = f"since {last}" if last else "ever"
                what = f"{row['id']} is {row['state']}, nothing was read {since} ({row['last_error']})"
                found.append((f"outlet {row['id']}", f"{what}: rasid outlets check {row['id']}"))
    for row in on:
        if row["state"] == "silent":
            what = f"{row['id']} is silent: it answers, but nothing is new since {row['last_new_at']}"
            found.append((f"outlet {row['id']}", f"{what}: rasid outlets check {row['id']}"))
        elif row["state"] == "redesign?":
            what = "most articles looked at are missing alike (a redesign?), so none is told as withdrawn"
            found.append((f"outlet {row['id']}", f"{row['id']}: {what}"))
        for name, words in row["unusual"].items():
            if row["state"] == "ok":
                what = f"{row['id']}: {words}; look at one of its pages with rasid extract URL"
                found.append((f"outlet {row['id']} {name}", what))
    return found


def _pulse(db: Connection, now: str) -> tuple[str | None, str | None]:
    """Since when listings are due with nobody looking, if that is so; and when anything was looked at last."""
    newest = db.execute("SELECT max(at) FROM fetches").fetchone()[0]
    due = db.execute("SELECT min(next_at) FROM sources").fetchone()[0]
    limit = later(now, -OVERDUE_S)
    return (due if newest and newest < limit and due and due < limit else None), newest


def _sizes(archive: Path) -> dict[str, int]:
    def size(path: Path) -> int:
        with suppress(OSError):
            return path.stat().st_size
        return 0

    log, captures = archive.with_name(f"{archive.name}-wal"), archive.parent / "captures"
    return {
        "database": size(archive), "log": size(log), "captures": sum(map(size, captures.glob("*.warc.gz"))),
        "free": shutil.disk_usage(archive.parent).free,
    }  # fmt: skip
