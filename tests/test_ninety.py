"""Ninety days of the service, killed every day, with a mail server that fails in every way: all is told, nothing twice.

`rasid run` is a process of its own, in simulated time. Newspapers publish, edit, withdraw and restore, and break; the
mail server refuses, hangs, puts off, drops, and takes mails without saying so. `make test-ninety` lives through all of
it; the fast suite through some days.
"""

from __future__ import annotations

import json
import os
import random
import signal
import statistics
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from archive.sqlite import connect_read
from tests.archive_kit import children
from tests.clockwork import LATE, STEP_S, live
from tests.crawl_kit import ROOT
from tests.mailbox import STEPS, Mailbox
from tests.month import EVERY, SLOWEST, Truth, newspapers
from tests.newspapers import DAY, HOUR, Paper
from tests.simulation import Printers, entry, rss_mb, stamp_of

DAYS, SEED = int(os.environ.get("DAYS", "90")), int(os.environ.get("SEED", "1"))
CALM = 2 * DAY  # at the end, nothing new happens and the mail server is well
READERS = ("instant", "daily", "operator")
SERVICE = """
contact = "desk@example.org"
[crawl]
every = "{every:.0f}s"
delay = "2s"
timeout = "30s"
[keep]
free_space = "1B"
[service]
listen = ""
[smtp]
host = "127.0.0.1"
port = {port}
security = "none"
sender = "rasid@example.org"
timeout = "{timeout}s"
[[alert]]
name = "instant"
topics = ["syria", "isis_detainees", "sdf"]
strength = "passing"
to = ["instant@example.org"]
on = ["new", "edited", "withdrawn", "restored"]
backlog = "each"
[[alert]]
name = "daily"
topics = ["syria", "isis_detainees", "sdf"]
strength = "passing"
to = ["daily@example.org"]
on = ["new", "edited", "withdrawn", "restored"]
when = "daily"
at = "08:00"
timezone = "Asia/Damascus"
[[alert]]
name = "operator"
kind = "operator"
to = ["operator@example.org"]
"""


class Life:
    """The service from day to day: started, killed, started again."""

    def __init__(self, directory: Path, printers: Printers, mailbox: Mailbox, seed: int) -> None:
        self.directory, self.printers, self.mailbox = directory, printers, mailbox
        self.chance = random.Random(f"life {seed}")
        self.memory: list[float] = []  # of the service at its end, day by day
        self.kills: Counter[str] = Counter()
        self.printers.epoch.value = time.monotonic()
        self.down = [(at, at + hours * HOUR) for at, hours in _outages(self.chance)]
        self.process: Any = None
        self.armed: str | None = None  # the step of a mail at which the service is killed
        mailbox.now, mailbox.on_step = lambda: self.t, self._on_step
        paper_entries = "\n".join(entry(paper) for paper in printers.papers)
        (directory / "outlets.toml").write_text(paper_entries)
        (directory / "rasid.toml").write_text(SERVICE.format(every=EVERY, port=mailbox.port, timeout=1))

    @property
    def t(self) -> float:
        return time.monotonic() - self.printers.epoch.value

    def _on_step(self, step: str) -> None:
        if step == self.armed and self.process:
            self.armed = None
            self.kills[f"at {step}"] += 1
            self.process.kill()

    def day(self, number: int) -> None:
        """Until it is killed, at a random moment of the day or at a step of the next mail from then on."""
        self.start(number)
        moment = (number + self.chance.random()) * DAY
        self.until(moment)
        self.memory.append(rss_mb(self.process.pid))
        if self.chance.random() < 0.6:
            self.armed = self.chance.choice(STEPS)
            self.until((number + 1) * DAY, alive=False)
        if self.process.is_alive():
            self.armed = None
            self.kills["anywhere"] += 1
            self.process.kill()
        self.process.join(20)
        assert self.process.exitcode == -signal.SIGKILL
        for (message_id,) in self.rows("SELECT message_id FROM mails WHERE state = 'sending'"):
            if self.mailbox.copies(message_id):
                self.mailbox.not_said(message_id)

    def end(self, until: float) -> None:
        """Come to a proper end."""
        self.until(until)
        self.process.terminate()
        self.process.join(30)
        assert self.process.exitcode == 0

    def start(self, number: int, step: float | None = STEP_S) -> None:
        log = self.directory / "service.log"
        given = (self.directory, self.printers.epoch, self.printers.hanging, log, number, step)
        self.process = children.Process(target=live, args=given)
        self.process.start()

    def until(self, moment: float, *, alive: bool = True) -> None:
        while self.t < moment and self.process.is_alive():
            up = self.mailbox.calm or not any(since <= self.t < end for since, end in self.down)
            if up != self.mailbox.up:
                self.mailbox.listen(up)
            time.sleep(0.003)
        assert not alive or self.process.is_alive(), (self.directory / "service.log").read_text()[-3000:]

    def close(self) -> None:
        if self.process:
            self.process.kill()
            self.process.join(20)

    def rows(self, sql: str, *args: Any) -> list[tuple[Any, ...]]:
        db = connect_read(self.directory / "archive.db")
        try:
            return list(db.execute(sql, args).fetchall())
        finally:
            db.close()


def _outages(chance: random.Random) -> list[tuple[float, float]]:
    """When the mail server is down, and for how many hours: now and then a few, once for days."""
    found, t = list[tuple[float, float]](), 0.0
    while (t := t + chance.uniform(1, 4) * DAY) < DAYS * DAY:
        found.append((t, 60.0 if len(found) == 5 else chance.uniform(0.2, 8)))
        t += found[-1][1] * HOUR
    return found


def live_through(directory: Path, papers: list[Paper], days: int, seed: int, calm: float) -> None:
    for paper in papers:
        paper.keys = {"slowest": f'"{SLOWEST:.0f}s"'}
    began = time.monotonic()
    with Printers(papers) as printers, Mailbox(seed) as mailbox:
        life = Life(directory, printers, mailbox, seed)
        try:
            for number in range(days):
                life.day(number)
                print(end=f"day {number + 1} after {time.monotonic() - began:.0f} s\r", flush=True)
            life.start(days)
            mailbox.calm = True
            life.end(days * DAY + calm)
            log = printers.log()
        finally:
            life.close()
    took = time.monotonic() - began
    print(
        f"\n{days} days in {took:.0f} s; kills: {dict(life.kills)}\nmail server: {dict(sorted(mailbox.faults.items()))}"
    )
    # A look waits for the next tick, and where the service was killed before that for the first one of the next.
    rows: Any = SimpleNamespace(rows=life.rows)
    truth = Truth(rows, papers, log, days * DAY, SLOWEST, late=3 * STEP_S)
    told = ", ".join(f"{count} {what}" for what, count in sorted(truth.tally.counts.items()))
    print(f"{len(log)} requests: {told}; wrong {len(truth.tally.wrong)}")
    assert not truth.tally.wrong, "\n".join(truth.tally.wrong)
    all_delivered_once(life, days * DAY + calm)
    in_time(life)


def sound(directory: Path) -> None:
    """What `rasid verify` and `rasid doctor` find in an archive whose writer died so often."""
    for command in ("verify", "doctor"):
        done = subprocess.run(
            [sys.executable, "-m", "crawler", command, "--config", str(directory)],
            cwd=ROOT, capture_output=True, text=True, timeout=300,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr


def all_delivered_once(life: Life, end: float) -> None:
    """Every event reached each reader in one mail, which came twice only where nobody learned that it was taken; only
    the digest of the last hours may still gather."""
    mailbox = life.mailbox
    due = "state <> 'sent' AND coalesce(next_attempt_at, '') <= ?"
    assert not life.rows(f"SELECT id, rule, kind, state, attempts, error FROM mails WHERE {due}", stamp_of(end))
    copies = Counter(message_id for _, _, message_id in mailbox.accepted)
    assert set(copies) == {row[0] for row in life.rows("SELECT message_id FROM mails WHERE state = 'sent'")}
    repeated = {
        message_id: count for message_id, count in copies.items() if count > 1 + mailbox.unsaid.get(message_id, 0)
    }
    assert not repeated
    (events,) = life.rows("SELECT count(*) FROM events")[0]
    for reader in READERS[:2]:
        told = life.rows(
            "SELECT count(*), count(DISTINCT event_id) FROM mail_events WHERE recipient = ?", f"{reader}@example.org"
        )
        assert told == [(events, events)]
    twice = sum(count - 1 for count in copies.values())
    to = Counter(reader for _, reader, _ in mailbox.accepted)
    print(
        f"{events} events, {len(copies)} mails ({dict(to)}), {twice} copies more, of {len(mailbox.unsaid)} taken unsaid"
    )


def in_time(life: Life) -> None:
    """No job began late by more than twice its interval, and memory is flat."""
    worst: Counter[str] = Counter()
    for line in (life.directory / LATE).read_text().splitlines():
        for job, late in json.loads(line).items():
            worst[job] = max(worst[job], late)
    print(f"late at most, in intervals: { {job: round(late, 3) for job, late in worst.items()} }")
    assert {"tick", "deliver", "health", "upkeep", "verify"} <= set(worst)
    assert max(worst.values()) < 2
    size = max(1, len(life.memory) // 4)
    first, last = statistics.mean(life.memory[:size]), statistics.mean(life.memory[-size:])
    print(f"memory: {first:.0f} MB in the first quarter, {last:.0f} MB in the last, at most {max(life.memory):.0f} MB")
    assert last < first + 15


@pytest.mark.ninety
@pytest.mark.timeout(3600)
def test_ninety_days_are_told_once(tmp_path: Path) -> None:
    papers = [paper for paper in newspapers(SEED, DAYS, gap=40 * HOUR) if paper.name in ("rss", "atom")]
    live_through(tmp_path, papers, DAYS, SEED, CALM)
    sound(tmp_path)


def test_two_days_are_told_once(tmp_path: Path) -> None:
    papers = [paper for paper in newspapers(25, 2, gap=12 * HOUR) if paper.name == "atom"]
    live_through(tmp_path, papers, 2, 25, 8 * HOUR)
