"""A service at work in simulated time, on real servers: what tests of days and months share."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import random
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import Future
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote

from archive.frontier import sync_outlets
from archive.sqlite import connect_read
from archive.times import moment, stamp
from archive.writer import Writer
from crawler.crawl import Crawls
from crawler.guest import Guest
from crawler.service import Service
from crawler.session import policy
from crawler.urls import host_key
from crawler.worker import Worker
from tests.crawl_kit import Desk, Loop
from tests.newspapers import START, Paper, answer
from tests.warp import Warp

_SPAWN = multiprocessing.get_context("spawn")
TICK_S = 2.0  # between two ticks of the service while it crawls; else it sleeps until something is due
HEAD_MAX = 1 << 16


class Shown(NamedTuple):
    """One request as a paper answered it."""

    paper: str
    t: float
    kind: str  # of what was asked for: robots, listing, unchanged, page, home, fault
    number: int  # of a story, or -1
    said: str  # # and the number of the telling shown, or how it is missing
    bytes: int

    @property
    def telling(self) -> int | None:
        """Which telling of a story was shown, if one was."""
        return int(self.said[1:]) if self.said.startswith("#") else None


class Printers:
    """Serves papers from a process of its own, each on an address of its own, at the time of the simulation."""

    def __init__(self, papers: Sequence[Paper]) -> None:
        self.papers = papers
        self.epoch = _SPAWN.Value("d", 0.0, lock=False)  # of the monotonic clock at which the simulation began
        self.hanging = _SPAWN.Value("i", 0, lock=False)
        self._pipe, theirs = _SPAWN.Pipe()
        given = (list(papers), self.epoch, self.hanging, theirs)
        self._process = _SPAWN.Process(target=_serve, args=given, daemon=True)

    def __enter__(self) -> Printers:
        self._process.start()
        for paper, url in zip(self.papers, self._pipe.recv(), strict=True):
            paper.url = url
        return self

    @property
    def pid(self) -> int:
        """Of the process that serves."""
        return self._process.pid or 0

    def log(self) -> list[Shown]:
        """Every request so far, in order."""
        self._pipe.send("log")
        return [Shown(*row) for row in self._pipe.recv()]

    def __exit__(self, *_: object) -> None:
        with suppress(OSError):
            self._pipe.send("end")
        self._process.join(5)
        self._process.kill()


def _serve(papers: list[Paper], epoch: Any, hanging: Any, pipe: Any) -> None:
    log: list[tuple[Any, ...]] = []

    def handler(paper: Paper) -> Callable[[asyncio.StreamReader, asyncio.StreamWriter], Any]:
        async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            with suppress(OSError, asyncio.IncompleteReadError):
                while await _one(paper, reader, writer):
                    pass
            writer.close()

        return handle

    async def _one(paper: Paper, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        headers = {n.lower(): v.strip() for n, _, v in (line.partition(":") for line in lines[1:]) if v}
        t = asyncio.get_running_loop().time() - epoch.value
        given = answer(paper, lines[0].split()[1], headers, t)
        if given == "refuse":
            log.append((paper.name, t, "fault", -1, given, 0))
            return False
        if given == "hang":
            log.append((paper.name, t, "fault", -1, given, 0))
            hanging.value += 1
            with suppress(OSError):
                await reader.read()  # until the visitor gives up
            hanging.value -= 1
            return False
        assert not isinstance(given, str)
        told = {"Content-Type": "text/html; charset=utf-8", "Date": _http_date(t)} | given.headers
        if "Location" in told:
            told["Location"] = quote(told["Location"], safe="/?=%:")
        head = "".join(f"{name}: {value}\r\n" for name, value in told.items())
        writer.write(f"HTTP/1.1 {given.status} x\r\nContent-Length: {len(given.body)}\r\n{head}\r\n".encode())
        writer.write(given.body)
        log.append((paper.name, t, given.kind, given.number, given.said, len(given.body) + len(head)))
        await writer.drain()
        return True

    async def main() -> None:
        urls, servers = [], []
        for number, paper in enumerate(papers):
            host = f"127.0.{1 + number // 250}.{1 + number % 250}"
            server = await asyncio.start_server(handler(paper), host, 0, limit=HEAD_MAX)
            paper.url = f"http://{host}:{server.sockets[0].getsockname()[1]}"
            servers.append(server)
            urls.append(paper.url)
        pipe.send(urls)
        loop, ended = asyncio.get_running_loop(), asyncio.Event()

        def told() -> None:
            try:
                if pipe.recv() == "log":
                    return pipe.send(log)
            except EOFError:
                pass
            ended.set()

        loop.add_reader(pipe.fileno(), told)
        await ended.wait()

    asyncio.run(main())


def _http_date(t: float) -> str:
    return (START + timedelta(seconds=t)).strftime("%a, %d %b %Y %H:%M:%S GMT")


@dataclass(frozen=True)
class Turn:
    """A request that was let in to a host; `t` is by the loop's clock."""

    host: str
    t: float


class CountingGuest(Guest):
    """Counts who is inside, and keeps when each was let in, by the loop's clock."""

    warp: Warp

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self.turns: list[Turn] = []

    @asynccontextmanager
    async def turn(self, url: str, delay: float | None = None) -> AsyncIterator[None]:
        async with super().turn(url, delay):
            self.turns.append(Turn(host_key(url), self.warp.time()))
            self.warp.busy += 1
            try:
                yield
            finally:
                self.warp.busy -= 1


class CountingWriter(Writer):
    """Counts what it is asked for."""

    warp: Warp
    count = 0

    def submit(self, operation: Any, *, size: int = 0) -> Future[Any]:
        future = super().submit(operation, size=size)
        self.count += 1
        if asyncio._get_running_loop() is self.warp:  # what other threads ask for is awaited by whoever started them
            self.warp.count(future)
        return future


class Simulation(Desk):
    """A desk whose service works on papers in simulated time."""

    def __init__(self, loop: Loop, worker: Worker, directory: Path, printers: Printers) -> None:
        super().__init__(loop, worker, directory)
        self.printers = printers
        self.settings |= {"crawl.delay": "2s", "crawl.timeout": "30s"}
        self.epoch = loop.loop.time()
        self._tell_time()

    @property
    def t(self) -> float:
        """Seconds since the simulation began."""
        return self.loop.loop.time() - self.epoch

    @property
    def turns(self) -> list[Turn]:
        """Every request so far."""
        return self.guest.turns

    def now(self) -> datetime:
        return START + timedelta(seconds=self.t)

    def _tell_time(self) -> None:
        self.printers.epoch.value = self.epoch - self.loop.loop.ahead

    def open(self) -> Simulation:
        self.outlets += [entry(paper) for paper in self.printers.papers]
        self.configure()
        self.writer = CountingWriter(self.config.archive, policy(self.config), group_ms=5, clock=self.now)
        self.guest = CountingGuest(self.config, self.writer, clock=self.now, monotonic=self.loop.loop.time)
        self.writer.warp = self.guest.warp = self.loop.loop
        self.crawls = Crawls(self.config, self.writer, self.worker, self.guest, clock=self.now, chance=random.Random(7))
        self.closers = [self.writer.close]
        self.writer.submit(lambda tx: sync_outlets(tx, [o.row for o in self.config.outlets])).result()
        self.db = connect_read(self.config.archive)
        return self

    def run(self, until: float, seconds: float = 900, every: Callable[[], None] | None = None) -> None:
        """Let the service work until `until`; `every` is called once an hour. At most `seconds` of real time."""
        self.loop.run(self._work(until, every), seconds)

    async def _work(self, until: float, every: Callable[[], None] | None) -> None:
        loop = self.loop.loop
        loop.hanging, loop.leapt = lambda: int(self.printers.hanging.value), self._tell_time
        loop.leaping = True
        service = Service(self.crawls)
        hour = self.t // 3600
        try:
            while self.t < until:
                # Its scheduler's clock is the machine's; what the scheduler would call is called here instead.
                await service._tick()
                await self._rest(service, until)
                if every and self.t // 3600 > hour:
                    hour = self.t // 3600
                    every()
            if service.running:
                await asyncio.wait(service.running.values())
        finally:
            loop.leaping = False
            service.reader.close()

    async def _rest(self, service: Service, until: float) -> None:
        """Until something may have become due."""
        if service.running:
            await asyncio.sleep(TICK_S)
            return
        (due,) = self.rows(
            "SELECT min(at) FROM (SELECT min(next_at) AS at FROM sources UNION ALL SELECT min(next_at) FROM frontier "
            "UNION ALL SELECT min(next_check_at) FROM articles)"
        )[0]
        wait = (moment(due) - self.now()).total_seconds() if due else 3600.0
        await asyncio.sleep(max(1.0, min(wait, 3600.0, until - self.t)))


def entry(paper: Paper) -> str:
    """The outlet of a paper, as TOML."""
    keys = {"id": f'"{paper.name}"', "name_ar": f'"{paper.name}"', "name_en": f'"{paper.name}"'}
    keys |= {"homepage": f'"{paper.url}/"', "allow_private": "true"} | paper.outlet()
    return "[[outlet]]\n" + "\n".join(f"{name} = {value}" for name, value in keys.items())


def rss_mb(pid: int) -> float:
    """Resident memory of a process."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def t_of(at: str) -> float:
    """Seconds of the simulation at a stamp."""
    return (moment(at) - START).total_seconds()


def stamp_of(t: float) -> str:
    return stamp(START + timedelta(seconds=t))
