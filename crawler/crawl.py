"""Crawls: read what an outlet lists, then read what is due. All state is in the archive, so a kill loses nothing."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from scrapy.crawler import AsyncCrawlerRunner
from scrapy.settings import Settings

from archive import frontier
from archive.errors import StorageFull, WorkError
from archive.frontier import CrawlSummary, Due, Source
from archive.learned import furniture
from archive.models import Look, Saved
from archive.sqlite import connect_read
from archive.times import Clock, utc_now
from archive.writer import Writer
from crawler.browser import Browser
from crawler.config import Config, Outlet
from crawler.guest import Guest, Stopping
from crawler.job import Job
from crawler.resolver import guard_reactor
from crawler.schedule import Schedule
from crawler.settings import crawl_settings
from crawler.urls import canonical
from crawler.worker import Readers

if TYPE_CHECKING:
    from crawler.probe import Fetch

log = logging.getLogger("rasid.crawl")
T = TypeVar("T")
LISTINGS = ("feed", "wordpress", "sitemap", "section", "telegram")  # kinds of sources, each with a spider of its name
GRACE_S = 60.0  # beside two answers: for what a crawl has under way when its time is over


class Crawls:
    """Runs crawls, several at a time, inside the asyncio reactor. One per process."""

    def __init__(
        self, config: Config, writer: Writer, worker: Readers, guest: Guest, *, clock: Clock = utc_now,
        chance: random.Random | None = None,
    ) -> None:  # fmt: skip
        """`chance` spreads the next visits of outlets, so that they do not move in step."""
        self.config, self.writer, self.worker, self.guest, self.clock = config, writer, worker, guest, clock
        self.browser = Browser(guest.agent)
        self.noted: Callable[[], object] = lambda: None  # called whenever it is durable what became of an address
        self._chance = chance or random.Random()  # noqa: S311  # no secret depends on it
        self._reader = connect_read(config.archive)
        self._runner = AsyncCrawlerRunner(crawl_settings(config, guest.agent))
        self._jobs: set[Job] = set()
        self._stopping = False
        self._given_up = asyncio.Event()  # stop() waited long enough
        self._said_full = False

    async def crawl(self, outlet: Outlet, *, all_sources: bool = False, within: float | None = None) -> CrawlSummary:
        """One crawl of one outlet: its due (or all) sources, then every due article.

        After `within` seconds it starts no further address, so that others have its place; what is left stays due.
        Raises ArchiveError when the archive cannot take what was read (what it took stays), WorkError when it hangs.
        """
        async with self._job(outlet, within) as job:
            sources = frontier.due_sources(self._reader, outlet.id, None if all_sources else job.now())
            if self._has_room(job):
                for kind in LISTINGS:
                    if mine := [s for s in sources if s.kind == kind]:
                        await self._run(kind, job, sources=mine)
                if frontier.due_articles(self._reader, outlet.id, job.now(), 1, self.config.revisit.per_hour):
                    await self._run("article", job)
            else:
                await self._put_off(job, sources)
        assert job.summary is not None  # noqa: S101  # set when the job ends
        return job.summary

    async def save(self, urls: Sequence[str]) -> list[tuple[str, Saved | Look]]:
        """Archive these pages now, whatever their topic: (address, what became of it) in the order given.

        Raises ValueError for what is no web address, StorageFull when the disk is short of space.
        """
        wanted = [canonical(url) for url in urls]
        results: dict[str, Saved | Look] = {}
        for outlet in dict.fromkeys(map(self.config.outlet_of, wanted)):
            mine = [Due(url, None, False, None) for url in wanted if self.config.outlet_of(url) == outlet]
            async with self._job(outlet) as job:
                if not self._has_room(job):
                    raise StorageFull(f"{self.config.archive.parent}: less than keep.free_space is left; make room")
                await self._run("article", job, only=mine)
            results |= job.results
        return [(url, results[url]) for url in wanted if url in results]

    async def probe(self, outlet: Outlet, work: Callable[[Fetch], Awaitable[T]]) -> T | None:
        """Let `work`, which must not raise, fetch addresses for an outlet; nothing is stored. None: it ended early."""
        done: list[T] = []

        async def until_done(fetch: Fetch) -> None:
            with suppress(Stopping):
                done.append(await work(fetch))

        async with self._job(outlet) as job:
            kinds = {kind: self._runner.spider_loader.load(kind) for kind in LISTINGS}
            await self._run("probe", job, work=until_done, kinds=kinds)
        return done[0] if done else None

    def use(self, config: Config) -> None:
        """Crawl and read by another configuration from here on; crawls under way end by theirs. `writer.set_policy` is
        for its thread."""
        self.config = config
        self.worker.set_rules(config.rules)
        self.guest.use(config)
        self.browser.agent = self.guest.agent
        self._runner.settings = Settings(crawl_settings(config, self.guest.agent))

    async def stop(self, within: float = 15.0) -> None:
        """Start nothing new; let running requests end for `within` seconds, then leave them. What is due stays due."""
        self._stopping = True
        self.guest.stop()
        for job in self._jobs:
            job.stopping = True
        # Not Scrapy's own stop(): told between its opening and its start, a crawl never ends (2.19). Left alone each
        # ends soon, since its spider starts nothing and the guest lets nobody in.
        ending = asyncio.ensure_future(self._runner.join())
        await asyncio.wait((ending,), timeout=within)
        if not ending.done():
            log.warning("left %d crawls unfinished; what they had not read is still due", len(self._jobs))
        self._given_up.set()

    @asynccontextmanager
    async def _job(self, outlet: Outlet | None, within: float | None = None) -> AsyncIterator[Job]:
        guard_reactor()
        outlet_id = outlet.id if outlet else None
        crawl_id = await asyncio.wrap_future(self.writer.submit(lambda tx: frontier.start_crawl(tx, outlet_id)))
        usual = self.config.crawl.every
        plan = Schedule.read(outlet.every or usual, outlet.fastest, outlet.slowest) if outlet else None
        job = Job(
            crawl_id, outlet, self.config, self.guest, self.worker, self.writer, self._reader, self.clock,
            next_at=lambda pace: plan.next_at(self.clock(), self._chance, pace) if plan else job.now(),
            noted=self.noted, furniture=furniture(self._reader, outlet_id), stopping=self._stopping,
            browser=self.browser, until=None if within is None else asyncio.get_running_loop().time() + within,
        )  # fmt: skip
        self._jobs.add(job)
        try:
            yield job
        finally:
            self._jobs.discard(job)
            if not self._jobs:
                await self.browser.close()
            ending = partial(frontier.finish_crawl, crawl_id=crawl_id, interrupted=job.ended)
            job.summary = await asyncio.wrap_future(self.writer.submit(ending))
        if job.fault:
            raise job.fault

    async def _run(self, spider: str, job: Job, **arguments: Any) -> None:
        """Run one spider to its end, or until stop() gives up on it. Raises WorkError when it outlasts its time."""
        if job.ended:
            return
        running = self._runner.crawl(spider, job=job, **arguments)
        given_up = asyncio.ensure_future(self._given_up.wait())
        left = None if job.until is None else max(0.0, job.until - asyncio.get_running_loop().time())
        try:
            await asyncio.wait((running, given_up), timeout=left, return_when=asyncio.FIRST_COMPLETED)
            if not running.done() and not given_up.done():
                job.stopping = True
                grace = GRACE_S + 2 * float(self.config.crawl.timeout)
                await asyncio.wait((running, given_up), timeout=grace, return_when=asyncio.FIRST_COMPLETED)
            if running.done():
                running.result()
            elif not given_up.done():
                running.cancel()
                raise WorkError(f"the crawl of {job.outlet_id} hung; what it had not read is still due")
        finally:
            given_up.cancel()

    def _has_room(self, job: Job) -> bool:
        """Whether bodies may be fetched; the first no is logged."""
        room = job.has_room()
        if not room and not self._said_full:
            log.error("%s: less than keep.free_space is left, so nothing is fetched", self.config.archive.parent)
        self._said_full = not room
        return room

    async def _put_off(self, job: Job, sources: Sequence[Source]) -> None:
        """Everything due now becomes due at the outlet's next visit, unread: the crawl counts as interrupted."""
        job.stopping = True
        next_at, ids = job.next_at(None), [source.id for source in sources]
        due = [d.url for d in frontier.due_articles(self._reader, job.outlet_id, job.now(), 100_000)]
        await job.write(lambda tx: frontier.set_next(tx, ids, next_at))
        await job.write(lambda tx: frontier.postpone(tx, due, next_at))
