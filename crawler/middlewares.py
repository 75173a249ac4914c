"""Before every request, redirects included: scheme, address, robots.txt. After it: what a failure means."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from OpenSSL import SSL
from scrapy import Request
from scrapy.crawler import Crawler
from scrapy.exceptions import DownloadCancelledError, DownloadTimeoutError, IgnoreRequest
from scrapy.http.request import NO_CALLBACK
from service_identity import VerificationError

from archive.models import Outcome
from crawler.guest import ROBOTS_BYTES, Declined, RobotsAnswer, Stopping
from crawler.job import Job
from crawler.resolver import is_public, literal
from crawler.urls import canonical


class GuestMiddleware:
    """Stands first in line, so that a redirect passes it again."""

    def __init__(self, job: Job, crawler: Crawler) -> None:
        """`crawler` is needed to fetch robots.txt by the same way as everything else."""
        self.job, self.crawler = job, crawler

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> GuestMiddleware:
        """Wire it."""
        return cls(crawler.spider.job, crawler)

    async def process_request(self, request: Request) -> None:
        """Raise Declined for what we do not fetch."""
        job = self.job
        if job.stopping:
            raise Stopping
        try:
            url = canonical(request.url)
        except ValueError as error:
            raise Declined("refused", f"{request.url[:200]!r} is no web address: {error}") from error
        if job.proxy:
            request.meta["proxy"] = job.proxy
        address = literal(urlsplit(url).hostname or "")
        if address is not None and not job.allow_private and not is_public(address):
            raise Declined("refused", f"{address} is a private address")
        if request.meta.get("robots"):
            return
        if "redirect_times" in request.meta:
            self._not_again(url, [canonical(u) for u in request.meta["redirect_urls"]])
        await job.guest.permit(url, self._robots)

    def _not_again(self, url: str, came_from: list[str]) -> None:
        """One crawl fetches no address twice, not even by way of a redirect."""
        if url in came_from:
            raise Declined("outage", "the address redirects to itself")
        if url in self.job.seen:
            raise Declined("not_article", f"redirects to {url}, which this crawl reads anyway")
        self.job.seen.add(url)

    async def _robots(self, url: str) -> RobotsAnswer:
        meta = {"robots": True, "download_maxsize": max(ROBOTS_BYTES * 2, 1)}
        try:
            response = await self.crawler.engine.download_async(Request(url, meta=meta, callback=NO_CALLBACK))
        except (Stopping, Declined):
            raise  # said of us, not of the host: not to be remembered
        except Exception as error:
            outcome, words = outcome_of(error)
            return RobotsAnswer(outcome=outcome, error=words)
        if response.status >= 500 or response.status == 429:
            return RobotsAnswer(outcome="outage", error=f"answered {response.status}")
        return RobotsAnswer(body=response.body if 200 <= response.status < 300 else b"")


def outcome_of_status(status: int) -> Outcome | None:
    """What a status means for a look; None: a page came back.

    >>> outcome_of_status(200), outcome_of_status(410), outcome_of_status(429), outcome_of_status(502)
    (None, 'gone', 'blocked', 'outage')
    """
    if 200 <= status < 300:
        return None
    if status in (404, 410):
        return "gone"
    return "blocked" if status in (401, 402, 403, 407, 429, 451) else "outage"


def outcome_of(error: BaseException) -> tuple[Outcome, str]:
    """What a failed request means for a look, and the words for its row."""
    words = str(error) or type(error).__name__
    if isinstance(error, Declined):
        return error.outcome, words
    if isinstance(error, DownloadTimeoutError):
        return "timeout", words
    # Scrapy cancels a download for its size alone, and tells the size once decompressed by words alone.
    if isinstance(error, DownloadCancelledError) or (isinstance(error, IgnoreRequest) and "DOWNLOAD_MAXSIZE" in words):
        return "too_large", "larger than crawl.max_bytes"
    for cause in _causes(error):
        if isinstance(cause, (SSL.Error, VerificationError)):
            return "tls", f"the certificate or the TLS handshake was not accepted: {_tls_words(cause)}"
    return "outage", words


def _causes(error: BaseException) -> list[BaseException]:
    """An error and everything it came from; Twisted keeps a list of failures where a connection broke."""
    found: list[BaseException] = []
    todo: list[Any] = [error]
    while todo and len(found) < 50:
        current = todo.pop()
        found.append(current)
        todo += [f.value for f in getattr(current, "reasons", None) or ()]
        todo += [e for e in (current.__cause__, current.__context__) if e is not None]
    return found


def _tls_words(error: BaseException) -> str:
    """OpenSSL's reason out of its nested tuples, or what the verifier said."""
    reasons = error.args[0] if error.args else ""
    return "; ".join(r[-1] for r in reasons) if isinstance(reasons, (list, tuple)) else str(error)
