"""Articles: new ones out of the frontier, and revisits of kept ones. Reads what is due until nothing is."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import replace
from typing import Any

from scrapy import Request
from scrapy.http import Response

from archive.errors import ExtractionError
from archive.frontier import Due, due_articles, postpone
from archive.looks import look as store_look
from archive.models import Look, Page, Snapshot
from archive.store import save
from crawler.guest import NoPage
from crawler.job import Job
from crawler.telegram import embedded, withheld
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
        self.only, self.channels = only, job.outlet.telegram if job.outlet else ()
        # A page in hand takes up to three times crawl.max_bytes: wire, decoded, and its way to the worker.
        self.hands = asyncio.Semaphore(job.config.crawl.concurrency + 1)

    async def start(self) -> AsyncIterator[Request]:
        """Requests for due articles, no more at a time than there are hands."""
        job, due = self.job, self.only or ()
        while not job.ended and (self.only or job.has_room()):
            if self.only is None:  # what was seen in this crawl and is still due must not hide the rest
                due = due_articles(job.reader, job.outlet_id, job.now(), BATCH + len(job.seen))
            if not (due := [d for d in due if d.url not in job.seen]):
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
            url = embedded(item.url, self.channels) or item.url
            yield Request(url, self.parse, errback=self.failed, cb_kwargs={"due": item})

    async def parse(self, response: Response, due: Due) -> None:
        """From a page to what is durably kept of it."""
        try:
            await self._take(response, due)
        except NoPage as why:
            await self._leave(self.look(due.url, why.outcome, response.meta, str(why), article_id=due.article_id))
        finally:
            self.hands.release()

    async def failed(self, failure: Any) -> None:
        """From a failure to a durable look."""
        due: Due = failure.request.cb_kwargs["due"]
        try:
            look = self.miss(due.url, failure, article_id=due.article_id)
            if look and look.retry_at and look.status is None:  # told to wait before this address was ever asked for
                await self._put_off(due.url, look.retry_at)
            elif look:
                await self._leave(look)
        finally:
            self.hands.release()

    async def _take(self, response: Response, due: Due) -> None:
        job, wire, outlet = self.job, response.meta["wire"], self.job.outlet
        final, view = canonical(response.url), None
        if embedded(due.url, self.channels):
            if why := withheld(response.body, due.url):
                raise NoPage(*why)
            final, view = due.url, final
        page = Page(
            due.url, final, wire.at, response.status, wire.headers, response.body, wire.raw,
            wire.request_headers, timezone=outlet.timezone if outlet else None,
            outlet_name=outlet.name_ar if outlet else None, link=due.link, view=view,
        )  # fmt: skip
        media = wire.by_name.get("content-type", "").lower()
        if media.startswith(_NO_PAGE):
            raise NoPage("not_article", f"is {media}")
        try:
            article, judgement = await job.read(page)
        except ExtractionError as error:
            raise NoPage("unreadable", str(error)) from error
        if not article.text.strip():
            raise NoPage("unreadable", "no text was found in it")
        if article.is_article is False and self.only is None:
            raise NoPage("not_article", "reads like a home, section, login or error page")
        shot = Snapshot(
            page, article, judgement, job.outlet_id, job.crawl_id, due.article_id, due.backlog,
            keep=self.only is not None, ms=wire.ms,
        )  # fmt: skip
        job.note(due.url, await job.write(lambda tx: save(tx, shot), size=wire.size + len(page.body)))

    async def _leave(self, look: Look) -> None:
        if look.article_id is not None and look.outcome == "not_article":
            # A kept article that reads like a home page is a page we misread: neither an edit nor a withdrawal.
            look = replace(look, outcome="unreadable")
        await self.job.write(lambda tx: store_look(tx, look))
        self.job.note(look.url, look)

    async def _put_off(self, url: str, until: str) -> None:
        if self.only is None:
            return await self.job.write(lambda tx: postpone(tx, [url], until))
        await self._leave(self.look(url, "blocked", {}, f"the host asked us to wait until {until}"))
