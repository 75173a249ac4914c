"""One crawl of one outlet, as its spiders and the parts around them see it."""

from __future__ import annotations

import asyncio
import logging
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from archive.errors import ArchiveError, ExtractionError
from archive.frontier import CrawlSummary, Pace
from archive.models import Article, Judgement, Look, Page, Saved
from archive.sqlite import Connection
from archive.times import Clock, stamp
from archive.transaction import Transaction
from archive.writer import Writer
from crawler.browser import Browser
from crawler.config import Config, Outlet
from crawler.guest import Guest, NoPage
from crawler.worker import Readers

log = logging.getLogger("rasid.crawl")
T = TypeVar("T")
WAITING_MAX = 32 << 20  # bytes queued for the writer; beyond it crawls wait, without holding up the loop


@dataclass(slots=True, eq=False)
class Job:
    """What a crawl works with and what it has seen. `outlet` is None for addresses of no known outlet."""

    crawl_id: int
    outlet: Outlet | None
    config: Config
    guest: Guest
    worker: Readers
    writer: Writer
    reader: Connection
    clock: Clock
    next_at: Callable[[Pace | None], str]  # the stamp of a listing's next visit, None: of one that tells nothing
    noted: Callable[[], object] = lambda: None  # called when it is durable what became of an article's address
    browser: Browser | None = None  # for pages that hold their text only once their scripts ran
    furniture: tuple[str, ...] = ()  # lines learned of the outlet
    stopping: bool = False
    until: float | None = None  # by the loop's clock: others want its place from then on
    fault: Exception | None = None  # the archive or the worker fails: the crawl ends
    summary: CrawlSummary | None = None  # once it has ended
    seen: set[str] = field(default_factory=set)  # addresses asked for in this crawl
    results: dict[str, Saved | Look] = field(default_factory=dict)  # what became of each article's address

    @property
    def outlet_id(self) -> str | None:
        """None for addresses of no known outlet."""
        return self.outlet.id if self.outlet else None

    @property
    def allow_private(self) -> bool:
        """Only an outlet's own entry may allow private addresses."""
        return self.outlet is not None and self.outlet.allow_private

    @property
    def delay(self) -> float | None:
        """Seconds between two requests to one host, where the outlet's entry says so."""
        return float(self.outlet.delay) if self.outlet and self.outlet.delay else None

    @property
    def ended(self) -> bool:
        """No further address is to be started."""
        return self.stopping or self.fault is not None

    def now(self) -> str:
        """The stamp of this moment."""
        return stamp(self.clock())

    def has_room(self) -> bool:
        """Whether the disk has the space that the configuration wants left free. Raises ArchiveError."""
        try:
            return shutil.disk_usage(self.config.archive.parent).free >= self.config.keep.free_space
        except OSError as error:
            raise ArchiveError(f"{self.config.archive} cannot be used: {error}; restore it, then restart") from error

    async def read(self, page: Page) -> tuple[Article, Judgement]:
        """Extract and judge. Raises ExtractionError for the page's own faults."""
        try:
            return await self.worker.read(page)
        except ExtractionError:
            raise
        except Exception as error:
            self.fault = self.fault or error
            raise

    async def write(self, operation: Callable[[Transaction], T], *, size: int = 0) -> T:
        """Run an operation in the writer; returns when it is durable. Raises NoPage when it alone failed."""
        while self.writer.waiting > WAITING_MAX:  # noqa: ASYNC110  # the writer is a thread, and this is rare
            await asyncio.sleep(0.05)
        try:
            return await asyncio.wrap_future(self.writer.submit(operation, size=size))
        except ArchiveError as error:
            self.fault = self.fault or error
            raise
        except Exception as error:  # what one page holds must not end the crawl, nor be fetched again and again
            log.exception("crawl=%d: one operation failed, and was undone", self.crawl_id)
            raise NoPage("unreadable", f"cannot be stored: {type(error).__name__}: {error!a}") from error

    def note(self, url: str, became: Saved | Look) -> None:
        """Remember what became of an article's address, and tell whoever watches."""
        self.results[url] = became
        self.noted()
