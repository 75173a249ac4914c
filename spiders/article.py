"""Articles: new ones out of the frontier, and revisits of kept ones. Reads what is due until nothing is."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from typing import Any

from scrapy import Request
from scrapy.http import Response
from twisted.python.failure import Failure

from archive.errors import ExtractionError
from archive.frontier import Due, due_articles, postpone
from archive.models import Look, Page, Snapshot
from archive.store import look as store_look
from archive.store import save
from crawler.handler import Wire
from crawler.job import Job
from crawler.urls import canonical
from spiders.base import OutletSpider

BATCH = 50  # addresses taken from the archive at a time
_NO_PAGE = ("image/", "video/", "audio/", "font/", "application/pdf", "application/zip", "application/octet-stream")


class ArticleSpider(OutletSpider):
    """Fetches, reads, judges and stores; holds few pages at a time, each until it is durable."""

    name = "article"

    def __init__(self, job: Job, only: Sequence[Due] | None = None, **kwargs: Any) -> None:
        """`only`: these addresses, kept whatever their topic; else all that is due at the job's outlet."""
        super().__init__(job, **kwargs)
        self.only = only
        # A page in hand takes up to three times crawl.max_bytes: wire, decoded, and its way to the worker.
        self.hands = asyncio.Semaphore(job.config.crawl.concurrency + 1)

    async def start(self) -> AsyncIterator[Request]:
        """Requests for due articles, no more at a time than there are hands."""
        if self.only is not None:
            async for request in self._requests(self.only):
                yield request
            return
        while not self.job.ended and self.job.has_room():
            # What was seen in this crawl and is still due must not hide the rest.
            limit = BATCH + len(self.job.seen)
            due = due_articles(self.job.reader, self.job.outlet_id, self.job.now(), limit)
            if not (due := [d for d in due if d.url not in self.job.seen]):
                break
            async for request in self._requests(due):
                yield request

    async def _requests(self, due: Iterable[Due]) -> AsyncIterator[Request]:
        for item in due:
            if item.url in self.job.seen:  # another one redirected here meanwhile
                continue
            if until := self.job.guest.held(item.url):
                self.job.seen.add(item.url)
                await self._put_off(item.url, until)
                continue
            await self.hands.acquire()
            if self.job.ended:
                return
            self.job.seen.add(item.url)
            yield Request(item.url, callback=self.parse, errback=self.failed, cb_kwargs={"due": item})

    async def parse(self, response: Response, due: Due) -> None:
        """From an answer to a durable look or version."""
        try:
            if look := self.look_at_status(due.url, response, article_id=due.article_id):
                await self._leave(look)
            else:
                await self._keep(self._page(response, due), response, due)
        finally:
            self.hands.release()

    async def failed(self, failure: Failure) -> None:
        """From a failure to a durable look."""
        due: Due = failure.request.cb_kwargs["due"]
        try:
            if look := self.look_at_failure(due.url, failure, article_id=due.article_id):
                if look.retry_at and look.status is None:  # the host asked us to wait before we ever asked for this
                    await self._put_off(due.url, look.retry_at)
                else:
                    await self._leave(look)
        finally:
            self.hands.release()

    def _page(self, response: Response, due: Due) -> Page:
        wire: Wire = response.meta["wire"]
        outlet = self.job.outlet
        return Page(
            url=due.url, final_url=canonical(response.url), at=wire.at, status=response.status,
            headers=wire.headers, body=response.body, raw=wire.raw, request_headers=wire.request_headers,
            timezone=outlet.timezone if outlet else None, outlet_name=outlet.name_ar if outlet else None,
            link=due.link,
        )  # fmt: skip

    async def _keep(self, page: Page, response: Response, due: Due) -> None:
        keep = self.only is not None

        async def leave(kind: str, error: str) -> None:
            # A kept article that reads like a home page is a page we misread: no version, no withdrawal.
            outcome = "unreadable" if due.article_id is not None else kind
            await self._leave(self.look(page.url, outcome, response, article_id=due.article_id, error=error))  # type: ignore[arg-type]

        media = response.meta["wire"].header.get("content-type", "").lower()
        if media.startswith(_NO_PAGE):
            return await leave("not_article", f"is {media[:60]}")
        try:
            article, judgement = await self.job.worker.read(page)
        except ExtractionError as error:
            return await leave("unreadable", str(error)[:500])
        if not article.text.strip():
            return await leave("unreadable", "no text was found in it")
        if article.is_article is False and not keep:
            return await leave("not_article", "is no article")
        shot = Snapshot(
            page, article, judgement, outlet_id=self.job.outlet_id, crawl_id=self.job.crawl_id,
            article_id=due.article_id, backlog=due.backlog, keep=keep, ms=response.meta["wire"].ms,
        )  # fmt: skip
        saved = await self.job.write(lambda tx: save(tx, shot), size=len(page.body) + len(page.raw or b""))
        self.job.note(page.url, saved)

    async def _leave(self, look: Look) -> None:
        await self.job.write(lambda tx: store_look(tx, look))
        self.job.note(look.url, look)

    async def _put_off(self, url: str, until: str) -> None:
        if self.only is not None:
            await self._leave(self.look(url, "blocked", error=f"the host asked us to wait until {until}"))
        else:
            await self.job.write(lambda tx: postpone(tx, [url], until))
