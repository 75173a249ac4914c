"""The one door to the network: Scrapy's own HTTP handler, entered politely and safely."""

from __future__ import annotations

import time
from dataclasses import dataclass

from scrapy.core.downloader.handlers.http11 import HTTP11DownloadHandler
from scrapy.crawler import Crawler
from scrapy.http import Headers, Request, Response

from archive.times import stamp
from crawler.guest import Declined
from crawler.job import Job
from crawler.resolver import Visit, visit


@dataclass(frozen=True, slots=True)
class Wire:
    """What went over the wire for one answer, before any decoding."""

    at: str
    ms: int
    headers: tuple[tuple[str, str], ...]
    request_headers: tuple[tuple[str, str], ...]
    raw: bytes | None  # None: no content encoding, the body is what was sent
    retry_at: str | None  # the host asked not to be visited before

    @property
    def header(self) -> dict[str, str]:
        """Header values by lower-case name, the last one counting."""
        return {name.lower(): value for name, value in self.headers}


def pairs(headers: Headers) -> tuple[tuple[str, str], ...]:
    """Header lines in the order Scrapy holds them; bytes as Latin-1, as HTTP has it."""
    return tuple(
        (name.decode("latin-1"), value.decode("latin-1")) for name in headers for value in headers.getlist(name)
    )


class PoliteHandler(HTTP11DownloadHandler):  # type: ignore[misc]
    """Waits for its turn at the host, lets the resolver see who is visiting, and notes what came over the wire."""

    lazy = False

    def __init__(self, crawler: Crawler) -> None:
        """Called by Scrapy; the spider carries the job."""
        super().__init__(crawler)
        self.job: Job = crawler.spider.job

    async def download_request(self, request: Request) -> Response:
        """One request and its answer, whole. Raises Declined where the guest or the resolver say no."""
        job, current = self.job, Visit(allow_private=self.job.allow_private or self.job.proxy is not None)
        async with job.guest.turn(request.url, job.delay):
            token = visit.set(current)
            started, sent = time.monotonic(), pairs(request.headers)
            try:
                response = await super().download_request(request)
            except Exception as error:
                if current.refused:
                    raise Declined("refused", f"{current.refused} is a private address") from error
                raise
            finally:
                visit.reset(token)
            received = pairs(response.headers)
            by_name = {name.lower(): value for name, value in received}
            request.meta["wire"] = Wire(
                at=stamp(job.clock()),
                ms=round((time.monotonic() - started) * 1000),
                headers=received,
                request_headers=tuple(h for h in sent if h[0].lower() != "proxy-authorization"),
                raw=response.body if "content-encoding" in by_name else None,
                retry_at=job.guest.heed(request.url, response.status, by_name),
            )
            return response
