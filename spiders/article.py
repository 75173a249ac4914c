"""Articles: new ones out of the frontier, and revisits of kept ones. Reads what is due until nothing is."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from scrapy import Request
from scrapy.http import Response
from scrapy.http.request import NO_CALLBACK

from archive.captures import CaptureFiles
from archive.edits import doubtful
from archive.errors import ArchiveError, ExtractionError
from archive.frontier import Due, due_articles, postpone
from archive.identity import SAME, kept, owner
from archive.looks import known as known_article
from archive.looks import look as store_look
from archive.looks import record_fetch, unheard
from archive.models import Article, Judgement, Look, Page, Saved, Snapshot
from archive.store import save
from archive.times import later
from archive.versions import is_stump, likeness, same_text
from crawler.effective import effective, named, onward
from crawler.guest import NoPage
from crawler.job import Job
from crawler.middlewares import Wire, ask, no_page
from crawler.telegram import embedded, withheld
from crawler.urls import canonical, same_site
from spiders.base import OutletSpider

BATCH = 50  # addresses taken from the archive at a time
HOPS = 2  # pages that lead on, one after the other
AGAIN_S = 900.0  # until a twin is looked at whose canonical page is under way
STUMP = 250  # characters; a shorter text may not be the whole
_NO_PAGE = ("image/", "video/", "audio/", "font/", "application/pdf", "application/zip", "application/octet-stream")


@dataclass(frozen=True, slots=True)
class _Told:
    """An answer as it was read; without an article `error` says why."""

    page: Page
    wire: Wire
    article: Article | None = None
    judgement: Judgement | None = None
    error: str | None = None


class ArticleSpider(OutletSpider):
    """Fetches, reads, judges and stores; holds few pages at a time, each until it is durable."""

    name = "article"

    def __init__(self, job: Job, only: Sequence[Due] | None = None, **kwargs: Any) -> None:
        """`only`: these addresses, kept whatever their topic; else all that is due at the job's outlet."""
        super().__init__(job, **kwargs)
        self.only, self.channels = only, job.outlet.telegram if job.outlet else ()
        self.asked_home, self.led = False, set[str]()  # addresses that pages named
        # A page in hand takes up to three times crawl.max_bytes: wire, decoded, and its way to the worker.
        self.hands = asyncio.Semaphore(job.config.crawl.concurrency + 1)

    async def start(self) -> AsyncIterator[Request]:
        """Requests for due articles, no more at a time than there are hands."""
        job, due = self.job, self.only or ()
        with self.ending():
            while not job.ended and (self.only or job.has_room()):
                if self.only is None:  # what was seen in this crawl and is still due must not hide the rest
                    per_hour = job.config.revisit.per_hour
                    due = due_articles(job.reader, job.outlet_id, job.now(), BATCH + len(job.seen), per_hour)
                if not (due := [d for d in due if d.url not in job.seen]):
                    break
                for item in due:
                    if item.url in job.seen:  # another one redirected here meanwhile
                        continue
                    if until := job.guest.held(item.url):
                        job.seen.add(item.url)
                        await self._put_off(item.url, until)
                        continue
                    await self.hands.acquire()
                    if job.ended:
                        return
                    job.seen.add(item.url)
                    url = embedded(item.url, self.channels) or item.url
                    meta = {"again": item.article_id is not None}
                    yield Request(url, self.parse, errback=self.failed, cb_kwargs={"due": item}, meta=meta)

    async def parse(self, response: Response, due: Due) -> None:
        """From a page to what is durably kept of it."""
        try:
            with self.ending():
                await self._take(response, due)
        except NoPage as why:
            with self.ending():
                await self._leave(self.missed(due.url, why, response.meta, article_id=due.article_id))
        finally:
            self.hands.release()

    async def failed(self, failure: Any) -> None:
        """From a failure to a durable look."""
        due: Due = failure.request.cb_kwargs["due"]
        try:
            with self.ending():
                look = self.missed(due.url, no_page(failure.value), failure.request.meta, article_id=due.article_id)
                if look.retry_at and look.status is None:  # told to wait before this address was ever asked for
                    await self._put_off(due.url, look.retry_at)
                else:
                    await self._leave(look)
        finally:
            self.hands.release()

    async def _take(self, response: Response, due: Due) -> None:
        """Keep the article that an answer holds, or leads to; a NoPage says what stands there instead."""
        job = self.job
        known, names = kept(job.reader, due.article_id)
        told = await self._read(response, due)
        for _ in range(HOPS):
            sent, claimed = onward(told.page, told.article), named(told.page, told.article)
            if effective(told.page, told.article, known, names).status in ("blocked", "outage"):
                break
            if sent:
                told = await self._read(await self._ask(sent, told.page, again=due.article_id is not None), due)
                continue
            if not claimed or due.article_id or claimed in {*self.led, *job.results} or owner(job.reader, claimed):
                break  # nothing more to see, or another page of what is known: its own words say of which
            if claimed in job.seen:  # just being read: what it names will tell
                return await self._put_off(due.url, later(job.now(), AGAIN_S))
            self.led.add(claimed)
            with suppress(NoPage):
                further = await self._read(await self._ask(claimed, told.page), due)
                if told.article and further.article and likeness(told.article, further.article) >= SAME:
                    told = further  # else it is named by mistake
        told = await self._twin(told, due)
        what = effective(told.page, told.article, known, names)
        if what.other and same_site(told.page.final_url, due.url):
            await self._keep(replace(told, page=replace(told.page, url=told.page.final_url)), due, None)
        by_hand = what.status == "not_article" and self.only is not None
        if by_hand or what.status == "live" or what.status == "moved":
            return job.note(due.url, await self._keep(told, due, due.article_id))
        raise NoPage(what.status, told.error or what.why)

    async def _twin(self, told: _Told, due: Due) -> _Told:
        """The AMP twin of a page that gave no text, or a stump, where it tells more under the same headline."""
        read = told.article
        amp = dict(reversed(read.addresses)).get("amp") if read and len(read.text) < STUMP else None
        if read and amp and amp not in (told.page.final_url, *self.job.seen):
            with suppress(NoPage):
                further = await self._read(await self._ask(amp, told.page, again=due.article_id is not None), due)
                more = further.article
                if more and is_stump(read.text, more.text) and same_text(read.title, more.title):
                    return replace(further, article=replace(more, extractor=f"amp twin; {more.extractor}"))
        return told

    async def _read(self, response: Response, due: Due) -> _Told:
        wire, outlet = response.meta["wire"], self.job.outlet
        final, view = canonical(response.url), None
        if embedded(due.url, self.channels):
            if why := withheld(response.body, due.url):
                raise NoPage(*why)
            final, view = due.url, final
        page = Page(
            due.url, final, wire.at, response.status, wire.headers, response.body, wire.raw,
            wire.request_headers, timezone=outlet.timezone if outlet else None,
            outlet_name=outlet.name_ar if outlet else None, link=due.link, furniture=self.job.furniture, view=view,
        )  # fmt: skip
        media = wire.by_name.get("content-type", "").lower()
        if media.startswith(_NO_PAGE):
            raise NoPage("not_article", f"is {media}")
        try:
            return _Told(page, wire, *await self.job.read(page))
        except ExtractionError as error:
            return _Told(page, wire, error=str(error))

    async def _keep(self, told: _Told, due: Due, article_id: int | None) -> Saved:
        if told.article is None or told.judgement is None:
            raise NoPage("unreadable", told.error or "no text was found in it")
        shot = Snapshot(
            told.page, told.article, told.judgement, self.job.outlet_id, self.job.crawl_id, article_id, due.backlog,
            keep=self.only is not None, ms=told.wire.ms, reread=await self._reread(told.page, told.article, article_id),
        )  # fmt: skip
        return await self.job.write(lambda tx: save(tx, shot), size=told.wire.size + len(told.page.body))

    async def _reread(self, page: Page, article: Article, article_id: int | None) -> tuple[int, Article] | None:
        """What today's reader makes of the version before, where the page seems edited: it may be the reader that
        changed."""
        job = self.job
        doubt = doubtful(job.reader, article_id or owner(job.reader, page.final_url), article)
        if doubt is None:
            return None
        try:
            was = CaptureFiles(job.config.archive.parent / "captures", job.clock).read(*doubt[1:])
            was = replace(page, at=was.at, status=was.status, headers=was.headers, body=was.body, raw=was.raw)
            return doubt[0], (await job.read(was))[0]
        except (ArchiveError, ExtractionError):
            return None  # then the text as it was kept is all there is to compare with

    async def _ask(self, url: str, after: Page | None = None, *, again: bool = False) -> Response:
        """One more answer, by the same door as any; `after`: the page that leads there. Raises NoPage, Stopping."""
        meta = {"redirect_urls": [after.url, after.final_url], "again": again} if after else {}
        return await ask(self.crawler, Request(url, meta=meta, callback=NO_CALLBACK))

    async def _leave(self, look: Look) -> None:
        job = self.job
        if look.article_id is not None and look.outcome == "not_article":
            # A kept article that reads like a home page is a page we misread: neither an edit nor a withdrawal.
            look = replace(look, outcome="unreadable")
        if look.outcome == "gone" and look.article_id is not None and not self.asked_home:
            article = known_article(job.reader, look.article_id)
            if article.status == "suspect" and unheard(job.reader, article):
                await self._ask_home()
        await job.write(lambda tx: store_look(tx, look))
        job.note(look.url, Saved("unchanged", look.article_id) if look.outcome == "moved" and look.article_id else look)

    async def _ask_home(self) -> None:
        """See whether the outlet can be reached at all, once a crawl."""
        self.asked_home = True
        home = canonical(self.job.outlet.homepage) if self.job.outlet else ""
        try:
            answer = await self._ask(home)
            page = Page(home, canonical(answer.url), self.job.now(), answer.status, (), answer.body)
            status = effective(page, None).status
            seen = self.look(home, status if status in ("gone", "blocked", "outage") else "ok", answer.meta)
        except NoPage as why:
            seen = self.missed(home, why, {})
        await self.job.write(lambda tx: record_fetch(tx, seen))

    async def _put_off(self, url: str, until: str) -> None:
        if self.only is None:
            return await self.job.write(lambda tx: postpone(tx, [url], until))
        await self._leave(self.look(url, "blocked", {}, f"the host asked us to wait until {until}"))
