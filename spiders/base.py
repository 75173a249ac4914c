"""What all spiders share: whatever goes wrong with an address becomes a look, never an exception."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from typing import Any, ClassVar

import scrapy
from scrapy import Request
from scrapy.http import Response

from archive.frontier import Source, source_failed, source_read
from archive.models import Link, Look, Outcome
from crawler.discover import Listing
from crawler.guest import NoPage, Stopping
from crawler.job import Job
from crawler.middlewares import Wire, no_page


class OutletSpider(scrapy.Spider):
    """Works on one job."""

    def __init__(self, job: Job, **kwargs: Any) -> None:
        """`job` says for whom, with what, and where results go."""
        super().__init__(**kwargs)
        self.job = job

    def look(self, url: str, outcome: Outcome, meta: dict[str, Any], error: str | None = None, **more: Any) -> Look:
        """A row for `fetches`, with what the request's `meta` knows of its answer."""
        wire: Wire | None = meta.get("wire")
        if wire is not None:
            more = {"status": wire.status, "bytes": wire.size, "ms": wire.ms} | more
        return Look(
            url, wire.at if wire else self.job.now(), outcome, self.job.outlet_id, self.job.crawl_id,
            error=error and error[:500], **more,
        )  # fmt: skip

    def miss(self, url: str, failure: Any, **more: Any) -> Look | None:
        """The look that a failed request leaves; None when we are only stopping."""
        if isinstance(failure.value, Stopping):
            return None
        why = no_page(failure.value)
        return self.look(url, why.outcome, failure.request.meta, str(why), retry_at=why.retry_at, **more)


class ListingSpider(OutletSpider):
    """Reads sources of one kind and puts the addresses they list into the frontier; it reads no articles."""

    read: ClassVar[staticmethod[[bytes, str, str], Listing]]  # pure, and slow for a large listing

    def __init__(self, job: Job, sources: Sequence[Source], **kwargs: Any) -> None:
        """`sources` are all of this spider's kind."""
        super().__init__(job, **kwargs)
        self.sources = sources

    async def start(self) -> AsyncIterator[Request]:
        """One request for each source, conditional where the last answer gave a validator."""
        for source in self.sources:
            validators = {"If-None-Match": source.etag, "If-Modified-Since": source.last_modified}
            headers = {name: value for name, value in validators.items() if value}
            yield Request(source.url, self.parse, headers=headers, errback=self.failed, cb_kwargs={"source": source})

    async def parse(self, response: Response, source: Source) -> None:
        """Links and validators become durable in one transaction."""
        header = response.meta["wire"].by_name
        if response.status == 304:
            look = self.look(source.url, "unchanged", response.meta)
            return await self._read(look, source, (), source.etag, source.last_modified)
        media = header.get("content-type", "")
        listing = await asyncio.to_thread(self.read, response.body, media, response.url)
        if listing.problem:
            return await self._failed(self.look(source.url, "unreadable", response.meta, listing.problem), source)
        look = self.look(source.url, "ok", response.meta)
        try:
            await self._read(look, source, listing.links, header.get("etag"), header.get("last-modified"))
        except NoPage as why:
            await self._failed(self.look(source.url, why.outcome, response.meta, str(why)), source)

    async def failed(self, failure: Any) -> None:
        """The source is tried again at the outlet's next visit, or when its host allows."""
        source: Source = failure.request.cb_kwargs["source"]
        if look := self.miss(source.url, failure):
            if look.outcome == "gone":  # of an article an answer; a listing that is no more is a fault to tell of
                look = replace(look, outcome="unreadable")
            await self._failed(look, source)

    async def _read(
        self, look: Look, source: Source, links: Sequence[Link], etag: str | None, modified: str | None
    ) -> None:
        next_at = self.job.next_at()
        await self.job.write(
            lambda tx: source_read(tx, source.id, look, links, etag=etag, last_modified=modified, next_at=next_at)
        )

    async def _failed(self, look: Look, source: Source) -> None:
        next_at = max(self.job.next_at(), look.retry_at or "")
        await self.job.write(lambda tx: source_failed(tx, source.id, look, next_at=next_at))
