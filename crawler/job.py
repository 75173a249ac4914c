"""One crawl of one outlet, as its spiders and the parts around them see it."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from archive.frontier import CrawlSummary
from archive.models import Look, Saved
from archive.sqlite import Connection
from archive.times import Clock, stamp
from archive.writer import Transaction, Writer
from crawler.config import Config, Outlet
from crawler.guest import Guest
from crawler.worker import Worker

T = TypeVar("T")
Progress = Callable[[dict[str, Any]], None]


@dataclass(slots=True, eq=False)
class Job:
    """What a crawl works with and what it has seen. `outlet` is None for an address of no known outlet."""

    crawl_id: int
    outlet: Outlet | None
    config: Config
    guest: Guest
    worker: Worker
    writer: Writer
    reader: Connection
    clock: Clock
    next_at: Callable[[], str]
    on_progress: Progress | None = None
    seen: set[str] = field(default_factory=set)  # addresses asked for in this crawl
    results: dict[str, Saved | Look] = field(default_factory=dict)  # what became of each article's address
    stopping: bool = False
    fault: Exception | None = None  # the archive cannot take any more: the crawl ends
    summary: CrawlSummary | None = None  # once it has ended

    @property
    def outlet_id(self) -> str | None:
        """None for an address of no known outlet."""
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
    def proxy(self) -> str | None:
        """The configured proxy; the environment's are ignored."""
        return self.config.crawl.proxy

    @property
    def ended(self) -> bool:
        """No further address is to be started."""
        return self.stopping or self.fault is not None

    def now(self) -> str:
        """The stamp of this moment."""
        return stamp(self.clock())

    def has_room(self) -> bool:
        """Whether the disk has the space the configuration wants left free."""
        return shutil.disk_usage(self.config.archive.parent).free >= self.config.keep.free_space

    async def write(self, operation: Callable[[Transaction], T], *, size: int = 0) -> T:
        """Run an operation in the writer; returns when it is durable. A failing archive ends the crawl."""
        try:
            return await asyncio.wrap_future(self.writer.submit(operation, size=size))
        except Exception as error:
            self.fault = self.fault or error
            raise

    def note(self, url: str, became: Saved | Look) -> None:
        """Remember what became of an article's address, and tell whoever watches."""
        self.results[url] = became
        self.tell("fetch", fetched=len(self.results), kept=self.kept())

    def kept(self) -> int:
        """How many articles were newly kept or got a new version."""
        return sum(isinstance(r, Saved) and r.kind in ("new", "changed") for r in self.results.values())

    def tell(self, phase: str, **counts: int) -> None:
        """Report progress: a dict with `outlet`, `phase` (discover, fetch) and counts."""
        if self.on_progress:
            self.on_progress({"outlet": self.outlet_id, "phase": phase, **counts})
