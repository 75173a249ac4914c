"""A day of a hundred newspapers on one machine, in simulated time, against real servers.

No host is asked faster than it allows, nothing is lost, memory stays flat, and news is in the archive within a poll.
`make test-day` also prints what a poll and a page cost, from which docs/capacity.md reckons.
"""

from __future__ import annotations

import multiprocessing
import os
import random
import statistics
import time
from itertools import pairwise
from pathlib import Path

import pytest

from crawler.worker import Worker
from tests.crawl_kit import Loop
from tests.mailbox import Mailbox
from tests.newspapers import DAY, HOUR, Paper, Story
from tests.simulation import Printers, Simulation, rss_mb, t_of
from tests.test_ninety import Life

OUTLETS, HOURS = int(os.environ.get("OUTLETS", "100")), float(os.environ.get("HOURS", "24"))
EVERY, DELAY = 900.0, 2.0
LAG = 1.5  # seconds: on a busy machine a request may leave later than its turn came, and the next one in time
WAYS = (("feed",),) * 6 + (("atom",),) * 2 + (("rest",), ("sitemap",), ("feed", "sitemap"), ("section",))


def newspapers(count: int) -> list[Paper]:
    """A few publish a lot, most a little, and less at night."""
    papers = []
    for place in range(count):
        chance = random.Random(f"day {place}")
        paper = Paper(f"paper{place}", WAYS[place % len(WAYS)], items=chance.randint(10, 30), padding=40_000)
        paper.crawl_delay = chance.choice((0, 0, 0, 0, 5, 10))
        times = (chance.uniform(-6 * HOUR, DAY) for _ in range(int(5 * min(chance.paretovariate(1.2), 30))))
        awake = (at for at in sorted(times) if 5 < at / HOUR % 24 < 21 or chance.random() < 0.2)
        for number, at in enumerate(awake, 10_000 + 1000 * place):
            paper.stories.append(Story.written(chance, number, at, chance.random() < 0.15))
        papers.append(paper)
    return papers


class Meter:
    """Memory and processor time of the service, hour by hour; what serves the papers is none of it."""

    def __init__(self, simulation: Simulation, servers: int) -> None:
        self.simulation, self.servers, self.began = simulation, servers, time.monotonic()
        self.memory: list[float] = []
        self.main: list[float] = []  # seconds so far
        self.reader: list[float] = []
        self.polls: list[int] = []
        self.pages: list[int] = []
        self()

    def __call__(self) -> None:
        children = [child.pid for child in multiprocessing.active_children() if child.pid != self.servers]
        self.memory.append(rss_mb(os.getpid()) + sum(rss_mb(pid) for pid in children if pid))
        self.main.append(time.process_time())
        self.reader.append(sum(_seconds(pid) for pid in children if pid))
        polls, pages = self.simulation.rows(
            "SELECT count(*) FILTER (WHERE source_id IS NOT NULL), count(*) FILTER (WHERE source_id IS NULL) "
            "FROM fetches"
        )[0]
        self.polls.append(polls)
        self.pages.append(pages)
        print(
            f"hour {len(self.memory) - 1}: {polls} polls, {pages} pages, {self.memory[-1]:.0f} MB", end="\r", flush=True
        )

    def costs(self) -> tuple[float, float, float]:
        """Milliseconds of processor time: of a poll and of a page outside the reader (least squares over the hours),
        and of a page in the reader."""
        hours = [
            (b[0] - a[0], b[1] - a[1], b[2] - a[2])
            for a, b in pairwise(zip(self.polls, self.pages, self.main, strict=True))
        ]
        xx, xy, yy = (sum(h[i] * h[j] for h in hours) for i, j in ((0, 0), (0, 1), (1, 1)))
        xz, yz = (sum(h[i] * h[2] for h in hours) for i in (0, 1))
        whole = xx * yy - xy * xy
        reader = (self.reader[-1] - self.reader[0]) / max(1, self.pages[-1])
        return 1000 * (xz * yy - yz * xy) / whole, 1000 * (yz * xx - xz * xy) / whole, 1000 * reader


def _seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@pytest.mark.day
@pytest.mark.timeout(7200)
def test_a_day_of_a_hundred_newspapers(loop: Loop, worker: Worker, tmp_path: Path) -> None:
    papers, end = newspapers(OUTLETS), HOURS * HOUR
    with Printers(papers) as printers:
        simulation = Simulation(loop, worker, tmp_path, printers)
        simulation.settings |= {"crawl.every": f"{EVERY:.0f}s", "crawl.delay": f"{DELAY:.0f}s"}
        simulation.open()
        try:
            meter = Meter(simulation, printers.pid)
            simulation.run(end, seconds=7000, every=meter)
            meter()
            report(simulation, meter, printers)
            paced(simulation, papers)
            delays = found(simulation, papers, end)
        finally:
            simulation.close()
    median, most = statistics.median(delays), sorted(delays)[int(0.95 * len(delays))]
    print(f"from publication to archive: median {median:.0f} s, 95 % within {most:.0f} s")
    assert median < EVERY
    assert max(meter.memory) < 400
    first, last = (statistics.mean(part) for part in (_quarter(meter.memory, 1), _quarter(meter.memory, 3)))
    print(
        f"memory: {first:.0f} MB in the second quarter, {last:.0f} MB in the last, at most {max(meter.memory):.0f} MB"
    )
    assert last < first + 40


@pytest.mark.day
@pytest.mark.timeout(3600)
def test_news_are_with_their_readers_seconds_after_the_poll_that_finds_them(tmp_path: Path) -> None:
    """From a listing that shows an article first to its mail in the mail server, by `rasid run` as it is in earnest."""
    papers, end = newspapers(OUTLETS), min(HOURS, 2.0) * HOUR
    for place, paper in enumerate(papers):
        chance = random.Random(f"news {place}")
        paper.crawl_delay, paper.keys = 0, dict.fromkeys(("fastest", "slowest"), f'"{EVERY:.0f}s"')
        times = sorted(chance.uniform(-HOUR, end - EVERY) for _ in range(3))
        paper.stories = [Story.written(chance, 10_000 + 1000 * place + n, int(at), True) for n, at in enumerate(times)]
    with Printers(papers) as printers, Mailbox(1, calm=True) as mailbox:
        life = Life(tmp_path, printers, mailbox, 1)
        life.down = []
        service = tmp_path / "rasid.toml"
        words = service.read_text().replace("[smtp]", "[smtp]\nmost_per_hour = 9999")
        service.write_text(words.replace('backlog = "each"', 'backlog = "each"\nmost_per_hour = 9999'))
        try:
            life.start(1, step=None)
            life.end(end)
            log = printers.log()
        finally:
            life.close()
    told = life.rows(
        "SELECT a.url, m.message_id FROM mails m JOIN mail_events j ON j.mail_id = m.id JOIN events e ON "
        "e.id = j.event_id JOIN articles a ON a.id = e.article_id WHERE e.kind = 'new' AND m.kind = 'instant'"
    )
    ids, arrived = dict(told), {message_id: t for t, _, message_id in mailbox.accepted}
    waits, lags, ours = [], [], []
    for paper in papers:
        shown = [row.t for row in log if row.paper == paper.name and row.kind in ("listing", "unchanged")]
        for story in paper.stories:
            # The first round meets everything at once; what is told as a copy goes into the digest.
            if story.at > EVERY and (url := paper.url + paper.path(story, end)) in ids:
                seen = next(t for t in shown if t >= story.at)
                read = next(r.t for r in log if (r.paper, r.kind, r.number) == (paper.name, "page", story.number))
                at = arrived[ids[url]]
                ours.append(at - read)
                waits.append(at - story.at)
                lags.append(at - seen)
    lags.sort()
    ours.sort()
    print(
        f"\n{len(lags)} articles at {len(papers)} outlets, from the listing to the mail: "
        f"median {statistics.median(lags):.1f} s, 95 % within {lags[int(0.95 * len(lags))]:.1f} s, "
        f"at most {lags[-1]:.1f} s; from its page to the mail: median {statistics.median(ours):.1f} s, 95 % within "
        f"{ours[int(0.95 * len(ours))]:.1f} s; from its appearance at most {max(waits):.0f} s, at a poll every "
        f"{EVERY:.0f} s"
    )
    assert lags[int(0.95 * len(lags))] < 5


def _quarter(values: list[float], number: int) -> list[float]:
    size = max(1, len(values) // 4)
    return values[number * size : (number + 1) * size]


def paced(simulation: Simulation, papers: list[Paper]) -> None:
    """No two requests to a host closer than it allows."""
    delays = {paper.url.removeprefix("http://"): max(DELAY, paper.crawl_delay) for paper in papers}
    turns: dict[str, list[float]] = {}
    for turn in simulation.turns:
        turns.setdefault(turn.host, []).append(turn.t)
    for host, times in turns.items():
        # What is asked for before its robots.txt was read is not under its Crawl-delay yet.
        for few in (1, 10):
            close = [
                b - a for a, b in zip(times[1:], times[1 + few :], strict=False) if b - a < few * delays[host] - LAG
            ]
            assert not close, f"{host}: {few} intervals in {close} s"


def found(simulation: Simulation, papers: list[Paper], end: float) -> list[float]:
    """Every article published is in the archive; how long that took, for those published while the service ran."""
    rows = simulation.rows("SELECT url, min(at) FROM captures GROUP BY url")
    captured = {url: t_of(at) for url, at in rows}
    missed, delays = [], list[float]()
    for paper in papers:
        for story in paper.stories:
            at = captured.get(paper.url + paper.path(story, end))
            if at is None and 0 < story.at < end - 2 * HOUR:
                missed.append(f"{paper.name} {story.number} of {story.at:.0f}")
            elif at is not None and story.at > 0:
                delays.append(max(0.0, at - story.at))
    assert not missed
    return delays


def report(simulation: Simulation, meter: Meter, printers: Printers) -> None:
    """What a poll and a page cost."""
    log, (poll, page, read) = printers.log(), meter.costs()
    polls, pages = meter.polls[-1], meter.pages[-1]
    asked = {kind: [row.bytes for row in log if row.kind == kind] for kind in ("listing", "page", "robots")}
    tables = ("fetches", "crawls", "articles", "addresses", "captures", "versions", "matches", "passages", "coverage")
    rows = {table: simulation.rows(f"SELECT count(*) FROM {table}")[0][0] for table in tables}
    files = sum(file.stat().st_size for file in (simulation.directory / "captures").rglob("*") if file.is_file())
    kept = simulation.rows("SELECT count(*) FROM captures WHERE series = 'kept'")[0][0]
    print(
        f"\n{len(printers.papers)} outlets, {HOURS:g} h in {time.monotonic() - meter.began:.0f} s: {polls} polls, "
        f"{pages} pages ({kept} kept), {len(log)} requests\n"
        f"processor: a poll {poll:.1f} ms; a page {page:.1f} ms and {read:.1f} ms in the reader; "
        f"in all {meter.main[-1] - meter.main[0]:.0f} s and {meter.reader[-1] - meter.reader[0]:.0f} s\n"
        f"bytes on the wire: a poll {statistics.mean(asked['listing']):.0f}, "
        f"a page {statistics.mean(asked['page']):.0f}\n"
        f"rows: {rows}; writes handed to the writer: {simulation.writer.count}\n"
        f"disk: archive {simulation.config.archive.stat().st_size / 1e6:.1f} MB, captures {files / 1e6:.1f} MB"
    )
