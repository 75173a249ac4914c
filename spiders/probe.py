"""Asks for single addresses on behalf of whoever tries or explores an outlet; stores nothing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping

from scrapy import Request
from scrapy.http.request import NO_CALLBACK

from archive.frontier import Source
from archive.models import Page
from crawler.guest import NoPage
from crawler.listings import Listing
from crawler.middlewares import ask
from crawler.probe import Answer, Fetch
from crawler.urls import canonical
from spiders.base import ListingSpider, OutletSpider


class ProbeSpider(OutletSpider):
    """Gives `work` the means to fetch, and ends with it."""

    name = "probe"
    work: Callable[[Fetch], Awaitable[None]]  # given to the constructor; must not raise
    kinds: Mapping[str, type[ListingSpider]]  # likewise: the spiders of sources, by name

    async def start(self) -> AsyncIterator[Request]:
        """It yields nothing: `work` asks for what it wants by itself."""
        await self.work(self.fetch)
        return
        yield

    async def fetch(self, kind: str, url: str) -> tuple[Answer, Listing]:
        """Ask for one address, as a crawl of a source of this kind would, and read what it lists.

        A `kind` that has no spider is not read. Raises Stopping.
        """
        reader = self.kinds[kind](self.job, ()) if kind in self.kinds else None
        source = Source(0, self.job.outlet_id or "", kind, url, None, None, None, None)
        page, listing = Page(reader.address(source) if reader else url, url, self.job.now(), 0, (), b""), Listing()
        self.job.seen.clear()  # that two addresses lead to one is worth telling here
        try:
            got = await ask(self.crawler, Request(page.url, callback=NO_CALLBACK))
        except NoPage as miss:
            return Answer(page, miss.outcome, str(miss), *self.job.guest.told(page.url)), listing
        wire = got.meta["wire"]
        page = Page(page.url, canonical(got.url), wire.at, got.status, wire.headers, got.body)
        if reader:
            listing = await asyncio.to_thread(reader.read, source, page.body, wire.by_name, page.final_url)
        return Answer(page, None, "", *self.job.guest.told(page.final_url)), listing
