"""What all spiders share: whatever goes wrong with an address becomes a look, never an exception."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, ClassVar

import scrapy
from scrapy import Request
from scrapy.http.request import NO_CALLBACK

from archive.errors import ArchiveError
from archive.frontier import Source, Visited, source_done, source_failed, source_read
from archive.identity import owner
from archive.looks import PASSING
from archive.models import Look, Outcome
from archive.times import later
from crawler.guest import NoPage, Stopping
from crawler.job import Job
from crawler.listings import Listing, Scope
from crawler.middlewares import Wire, no_page
from crawler.urls import on_site, same_site

FIRST_PAGES, PAGES = 20, 5  # of one source in one visit: at first contact, and later
MISSES = 2  # of these pages, after which the rest is left for another visit
FIRST_LINKS = 2000  # after so many a first contact asks for no further page
PLAIN_S = 2 * 3600.0  # a listing is read without validators at least so often: they are hints


class OutletSpider(scrapy.Spider):
    """Works on one job."""

    def __init__(self, job: Job, **kwargs: Any) -> None:
        """`job` says for whom, with what, and where results go."""
        super().__init__(**kwargs)
        self.job = job

    @contextmanager
    def ending(self) -> Iterator[None]:
        """What ends a job is no fault of the page in hand, which stays due: the job tells of it, once."""
        try:
            yield
        except Stopping:
            pass
        except ArchiveError as error:
            self.job.fault = self.job.fault or error

    def look(self, url: str, outcome: Outcome, meta: dict[str, Any], error: str | None = None, **more: Any) -> Look:
        """A row for `fetches`, with what the request's `meta` knows of its answer."""
        wire: Wire | None = meta.get("wire")
        if wire is not None:
            more = {"status": wire.status, "bytes": wire.size, "ms": wire.ms} | more
        return Look(
            url, wire.at if wire else self.job.now(), outcome, self.job.outlet_id, self.job.crawl_id,
            error=error and error[:500], **more,
        )  # fmt: skip

    def missed(self, url: str, why: NoPage, meta: dict[str, Any], **more: Any) -> Look:
        """The look that a request without a page leaves."""
        more |= {} if why.status is None else {"status": why.status}
        if why.leads_to:
            more["article_id"] = more.get("article_id") or owner(self.job.reader, why.leads_to)
        return self.look(url, why.outcome, meta, str(why), retry_at=why.retry_at, **more)


@dataclass(frozen=True, slots=True)
class _Page:
    """What came of one page of a source."""

    look: Look
    listing: Listing = field(default_factory=Listing)
    headers: Mapping[str, str] = field(default_factory=dict)
    new: int = 0  # of the addresses it lists, those that the archive did not know

    @property
    def ok(self) -> bool:
        return self.look.outcome in ("ok", "unchanged")


class ListingSpider(OutletSpider):
    """Reads sources of one kind and puts the addresses they list into the frontier; it reads no articles."""

    to_the_end: ClassVar[bool] = False  # every page is new by the way it is asked for; else the first known ends it

    def __init__(self, job: Job, sources: Sequence[Source], **kwargs: Any) -> None:
        """`sources` are all of this spider's kind."""
        super().__init__(job, **kwargs)
        self.sources = sources
        self.scope = job.outlet.scope if job.outlet else Scope()

    def address(self, source: Source) -> str:
        """Where a visit to a source begins."""
        return source.url

    def read(self, source: Source, body: bytes, headers: Mapping[str, str], url: str) -> Listing:
        """What one page of a source lists. Pure, and run in a thread; header names are in lower case."""
        raise NotImplementedError

    async def start(self) -> AsyncIterator[Request]:
        """Visit one source after the other. It yields nothing: a visit asks for its pages by itself."""
        with self.ending():
            for source in self.sources:
                if not self.job.ended:
                    await self._visit(source)
        return
        yield

    async def _visit(self, source: Source) -> None:
        """Read a source's first page, if it changed, and those it leads to; a failure is tried again later."""
        job, validators = self.job, self._validators(source)
        page = await self._page(source, self.address(source), validators)
        if not page.ok:
            look, next_at = page.look, max(job.next_at(None), page.look.retry_at or "")
            if look.outcome == "gone":  # of an article an answer; a listing that is no more is a fault to tell of
                look = replace(look, outcome="unreadable")
            return await job.write(lambda tx: source_failed(tx, source.id, look, next_at=next_at))
        new, whole = await self._further(source, page)
        links, etag, modified, mark = page.listing.links, source.etag, source.last_modified, source.mark
        if page.look.outcome == "ok":  # an index may stay the same while what it leads to does not
            etag, modified = (page.headers.get(name) if links else None for name in ("etag", "last-modified"))
            mark = page.listing.mark if whole else mark
            if mark and mark[4:5] == "-":  # a date, no number of a channel's: one that lies ahead would hide the rest
                mark = min(mark, job.now())
        shown = 0 if self.to_the_end else len(links)  # of a page that holds nothing known it says nothing to be full
        visited = Visited(page.look.at, shown, new, etag, modified, mark, not validators, whole)
        await job.write(lambda tx: source_done(tx, source.id, visited, job.next_at))

    def _validators(self, source: Source) -> dict[str, str]:
        """Headers that make a request conditional, as the server gave them; none now and then, or where it lied."""
        if self.to_the_end or not source.honest or not source.plain_at:
            return {}
        if later(source.plain_at, PLAIN_S) <= self.job.now():
            return {}
        given = {"If-None-Match": source.etag, "If-Modified-Since": source.last_modified}
        return {name: value for name, value in given.items() if value}

    async def _further(self, source: Source, page: _Page) -> tuple[int, bool]:
        """Read the pages that the first one leads to, within bounds.

        Returns how many new addresses the visit brought, and whether no page failed.
        """
        first, new, misses = source.first_read_at is None, page.new, 0
        home = self.job.outlet.homepage if self.job.outlet else source.url
        waiting, asked, told = list(page.listing.more), {self.address(source)}, {x.url for x in page.listing.links}
        if not (first or self.to_the_end or page.new == len(told)):
            return new, True
        while waiting and len(asked) < (FIRST_PAGES if first else PAGES) and not (first and len(told) >= FIRST_LINKS):
            url = waiting.pop(0)
            if url in asked or not (same_site(url, source.url) or on_site(url, home)):
                continue
            asked.add(url)
            page = await self._page(source, url, {})
            here = {link.url for link in page.listing.links}
            if not page.ok:
                await self.job.write(partial(source_read, source_id=source.id, look=page.look, links=()))
                misses += page.look.outcome in PASSING  # what is gone is the end of a listing, and no failure
                if misses == MISSES or page.look.retry_at:
                    break
            new += page.new
            if not here or (here - told and (first or self.to_the_end or page.new == len(here))):
                waiting[:0] = page.listing.more
            told |= here
        return new, not misses

    async def _page(self, source: Source, url: str, validators: Mapping[str, str]) -> _Page:
        """Ask for one page, and make what it lists durable. Raises Stopping."""
        request = Request(url, headers=dict(validators), callback=NO_CALLBACK)
        try:
            answer = await self.crawler.engine.download_async(request)
            headers, listing = answer.meta["wire"].by_name, Listing()
            if answer.status != 304:
                listing = await asyncio.to_thread(self.read, source, answer.body, headers, answer.url)
        except Exception as error:  # whatever it is, the source must not stay due, or it is asked for ever and again
            return _Page(self.missed(url, no_page(error), request.meta))
        if listing.problem:
            return _Page(self.look(url, "unreadable", answer.meta, listing.problem))
        look = self.look(url, "unchanged" if answer.status == 304 else "ok", answer.meta)
        try:
            new = await self.job.write(lambda tx: source_read(tx, source.id, look, listing.links))
        except NoPage as why:
            return _Page(self.missed(url, why, answer.meta))
        return _Page(look, listing, headers, new)
