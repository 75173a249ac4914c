"""What all spiders share: requests that always come back, as an answer or as a failure, and the looks they leave."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Any, ClassVar

import scrapy
from scrapy import Request
from scrapy.http import Response
from twisted.python.failure import Failure

from archive.frontier import Source, source_failed, source_read
from archive.models import Look, Outcome
from crawler.discover import Listing
from crawler.guest import Declined, Stopping
from crawler.handler import Wire
from crawler.job import Job
from crawler.middlewares import outcome_of, outcome_of_status


class OutletSpider(scrapy.Spider):  # type: ignore[misc]
    """Works on one job. What goes wrong with an address becomes a look, never an exception."""

    job: Job

    def __init__(self, job: Job, **kwargs: Any) -> None:
        """`job` says for whom, with what, and where results go."""
        super().__init__(**kwargs)
        self.job = job

    def look(self, url: str, outcome: Outcome, response: Response | None = None, **more: Any) -> Look:
        """A row for `fetches`; `response` gives status, size and duration where there was one."""
        wire: Wire | None = response.meta.get("wire") if response is not None else None
        if response is not None and wire is not None:
            more = {
                "at": wire.at, "status": response.status, "ms": wire.ms, "retry_at": wire.retry_at,
                "bytes": len(response.body if wire.raw is None else wire.raw), **more,
            }  # fmt: skip
        return Look(**{
            "url": url, "outcome": outcome, "at": self.job.now(),
            "outlet_id": self.job.outlet_id, "crawl_id": self.job.crawl_id, **more,
        })  # fmt: skip

    def look_at_failure(self, url: str, failure: Failure, **more: Any) -> Look | None:
        """The look a failed request leaves; None when we are only stopping."""
        error = failure.value
        if isinstance(error, Stopping):
            return None
        outcome, words = outcome_of(error)
        retry_at = error.retry_at if isinstance(error, Declined) else None
        return self.look(url, outcome, error=words[:500], retry_at=retry_at, **more)

    def look_at_status(self, url: str, response: Response, **more: Any) -> Look | None:
        """The look of an answer that is no page; None for a page."""
        location = (response.headers.get("Location") or b"").decode("latin-1")
        if 300 <= response.status < 400 and location:  # what Scrapy did not follow leads out of http and https
            return self.look(url, "refused", response, error=f"redirects to {location[:200]}", **more)
        outcome = outcome_of_status(response.status)
        return outcome and self.look(url, outcome, response, error=f"answered {response.status}", **more)


class ListingSpider(OutletSpider):
    """Reads sources of one kind and puts the addresses they list into the frontier; it reads no articles."""

    kind: ClassVar[str]

    def __init__(self, job: Job, sources: Sequence[Source], **kwargs: Any) -> None:
        """`sources` are all of this spider's kind."""
        super().__init__(job, **kwargs)
        self.sources = sources

    def links(self, body: bytes, content_type: str, url: str) -> Listing:
        """What a listing says; runs in a thread, since a large one takes seconds."""
        raise NotImplementedError

    async def start(self) -> AsyncIterator[Request]:
        """One request for each source, conditional where the last answer gave a validator."""
        for source in self.sources:
            validators = {"If-None-Match": source.etag, "If-Modified-Since": source.last_modified}
            yield Request(
                source.url,
                headers={name: value for name, value in validators.items() if value},
                callback=self.parse, errback=self.failed, cb_kwargs={"source": source},
            )  # fmt: skip

    async def parse(self, response: Response, source: Source) -> None:
        """Links and validators become durable in one transaction."""
        if response.status == 304:
            look = self.look(source.url, "unchanged", response)
            await self._read(look, source, (), source.etag, source.last_modified)
        elif failed := self.look_at_status(source.url, response):
            await self._failed(failed, source)
        else:
            header = response.meta["wire"].header
            listing = await asyncio.to_thread(self.links, response.body, header.get("content-type", ""), response.url)
            if listing.problem:
                await self._failed(self.look(source.url, "unreadable", response, error=listing.problem), source)
            else:
                look = self.look(source.url, "ok", response)
                await self._read(look, source, listing.links, header.get("etag"), header.get("last-modified"))

    async def failed(self, failure: Failure) -> None:
        """The source is tried again at the outlet's next visit."""
        source: Source = failure.request.cb_kwargs["source"]
        if look := self.look_at_failure(source.url, failure):
            await self._failed(look, source)

    async def _read(
        self, look: Look, source: Source, links: Sequence[Any], etag: str | None, modified: str | None
    ) -> None:
        next_at = self.job.next_at()
        new = await self.job.write(
            lambda tx: source_read(tx, source.id, look, links, etag=etag, last_modified=modified, next_at=next_at)
        )
        self.job.tell("discover", listed=len(links), new=new)

    async def _failed(self, look: Look, source: Source) -> None:
        next_at = max(self.job.next_at(), look.retry_at or "")
        await self.job.write(lambda tx: source_failed(tx, source.id, look, next_at=next_at))
        self.job.tell("discover", failed=1)
