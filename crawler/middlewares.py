"""Between Scrapy and the network: every request, redirects included, is checked here and enters by one polite door."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Self, cast
from urllib.parse import urlsplit

from OpenSSL import SSL
from scrapy import Request
from scrapy.core.downloader.handlers import http11
from scrapy.crawler import Crawler
from scrapy.exceptions import DownloadCancelledError, DownloadTimeoutError, IgnoreRequest
from scrapy.http import Headers, Response
from scrapy.http.request import NO_CALLBACK
from service_identity import VerificationError

from archive.captures import ORIGINAL
from archive.models import RENDERED, Outcome, Page
from archive.times import stamp
from crawler.addresses import is_listing
from crawler.effective import effective
from crawler.guest import NoPage, Stopping
from crawler.job import Job
from crawler.resolver import Visit, is_public, literal, visit
from crawler.urls import canonical

_PRIVATE = "is a private address, and allow_private is not set"
_OF_THE_SHELL = ("content-type", "etag", "last-modified")  # what holds of the page as sent, not of what it became
HEAD_MAX = 1 << 20  # bytes of status line and headers; browsers take a quarter of it


@dataclass(frozen=True, slots=True)
class Wire:
    """What went over the wire for one answer, before any decoding. In the `meta` of the request as `wire`."""

    at: str
    ms: int
    status: int
    headers: tuple[tuple[str, str], ...]
    request_headers: tuple[tuple[str, str], ...]
    size: int
    raw: bytes | None  # None: no content encoding, the body is what was sent

    @property
    def by_name(self) -> dict[str, str]:
        """Header values by lower-case name, the last one counting."""
        return {name.lower(): value for name, value in self.headers}


class JobMiddleware:
    """What middlewares of a crawl share: its job, and a way to ask for more."""

    def __init__(self, job: Job, crawler: Crawler) -> None:
        """`crawler` fetches what is needed beside a page the way it fetches everything else."""
        self.job, self.crawler = job, crawler

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Wire it."""
        return cls(job_of(crawler), crawler)


class GuestMiddleware(JobMiddleware):
    """First in line, so that a redirect passes it again: scheme, address, robots.txt; then the status."""

    async def process_request(self, request: Request) -> None:
        """Raise NoPage for what we do not fetch."""
        job = self.job
        request.meta.pop("wire", None)  # the redirect's, not ours
        if job.stopping:
            raise Stopping
        try:
            url = canonical(request.url)
        except ValueError as error:
            raise NoPage("refused", f"{request.url[:200]!r} is no web address: {error}") from error
        address = literal(urlsplit(url).hostname or "")
        if address is not None and not job.allow_private and not is_public(address):
            raise NoPage("refused", f"{address} {_PRIVATE}")
        if job.config.crawl.proxy:
            request.meta["proxy"] = job.config.crawl.proxy
        if request.meta.get("robots"):
            return
        if "redirect_urls" in request.meta and not request.meta.get("asset"):
            came_from = [canonical(u) for u in request.meta["redirect_urls"]]
            self._not_again(url, came_from, again=bool(request.meta.get("again")))
        await job.guest.permit(url, self._robots)

    def process_response(self, request: Request, response: Response) -> Response:
        """Raise NoPage for an answer that is no page; a 304 is for the spider that asked for it."""
        status = response.status
        whole = status in (200, 203) or (200 <= status < 300 and request.meta.get("robots"))
        asked = "If-None-Match" in request.headers or "If-Modified-Since" in request.headers
        if whole or (status == 304 and asked):
            return response  # 202 is how bot checks answer, 206 a part nobody asked for
        location = (response.headers.get("Location") or b"").decode("latin-1")
        if 300 <= status < 400 and location:  # Scrapy follows all but what leads out of http and https
            raise NoPage("refused", f"redirects to {location[:200]}", status=status)
        outcome, why = outcome_of_status(status), f"answered {status}"
        page = Page(request.url, request.url, "", status, request.meta["wire"].headers, response.body)
        if outcome == "outage" and (stands := effective(page, None)).status == "blocked":  # how bot checks answer
            outcome, why = "blocked", f"{why}, {stands.why}"
        raise NoPage(outcome, why, self.job.guest.held(request.url), status)

    def _not_again(self, url: str, came_from: list[str], *, again: bool) -> None:
        """One crawl fetches no address twice, not even by way of a redirect; but where a kept article leads now is
        seen by looking there (`again`)."""
        if url in came_from:
            raise NoPage("outage", "redirects to itself")
        if url in self.job.seen and not again:
            home = is_listing(url) and not is_listing(came_from[0])
            why = f"redirects to {url}, which this crawl reads anyway"
            raise NoPage("gone", why) if home else NoPage("moved", why, leads_to=url)
        self.job.seen.add(url)

    async def _robots(self, url: str) -> bytes:
        try:
            return (await ask(self.crawler, Request(url, meta={"robots": True}, callback=NO_CALLBACK))).body
        except NoPage as miss:
            if miss.status is not None and 400 <= miss.status < 500 and miss.status != 429:
                return b""  # there is none: nothing is forbidden
            raise


class RenderMiddleware(JobMiddleware):
    """Outermost, so that every check was passed: articles and sections of an outlet with `browser = true`."""

    async def process_response(self, request: Request, response: Response) -> Response:
        """The page as its scripts made it, with headers that hold for what it became. Raises NoPage."""
        job, kind = self.job, self.crawler.spider and self.crawler.spider.name
        if not (job.outlet and job.outlet.browser and job.browser and kind in ("article", "section")):
            return response
        media = (response.headers.get("Content-Type") or b"text/html").lower()
        if request.meta.keys() & {"robots", "asset"} or not media.startswith((b"text/html", b"application/xhtml")):
            return response
        seconds = 2 * float(job.config.crawl.timeout)
        html, name = await job.browser.render(response, partial(ask, self.crawler), seconds)
        body, wire = html.encode("utf-8", "replace"), request.meta["wire"]
        if len(body) > job.config.crawl.max_bytes:
            raise NoPage("too_large", "larger than crawl.max_bytes once its scripts ran")
        said = [(ORIGINAL + n if n.lower() in _OF_THE_SHELL else n, v) for n, v in wire.headers]
        headers = (("Content-Type", "text/html; charset=utf-8"), (RENDERED, name), *said)
        request.meta["wire"] = replace(wire, headers=headers, raw=None)
        return response.replace(body=body)


class _Connection(http11._LenientHTTP11ClientProtocol):
    """Ends where headers do not end: Scrapy bounds bodies only, and an endless head would fill the memory."""

    transport: Any
    head = 0

    def request(self, request: Any) -> Any:
        self.head = 0
        return super().request(request)

    def dataReceived(self, data: bytes) -> None:
        self.head += len(data) if self._parser is not None and self._parser.state in ("STATUS", "HEADER") else 0
        if self.head > HEAD_MAX:
            self.transport.abortConnection()
        else:
            super().dataReceived(data)  # type: ignore[no-untyped-call]


class _Connections(http11._LenientHTTP11ClientFactory):
    def buildProtocol(self, addr: Any) -> _Connection:
        return _Connection(self._quiescentCallback)  # type: ignore[no-untyped-call]


class PoliteHandler(http11.HTTP11DownloadHandler):
    """Waits for its turn at the host, shows the resolver who is visiting, and notes what came over the wire."""

    def __init__(self, crawler: Crawler) -> None:
        """Called by Scrapy; the spider carries the job."""
        super().__init__(crawler)
        self.job = job_of(crawler)
        self._pool._factory = _Connections

    async def download_request(self, request: Request) -> Response:
        """One request and its answer, whole. Raises NoPage where the guest or the resolver say no."""
        job = self.job
        # A proxy is the operator's own choice, wherever it stands; it is the one we connect to.
        current = Visit(allow_private=job.allow_private or job.config.crawl.proxy is not None)
        async with job.guest.turn(request.url, job.delay):
            token = visit.set(current)  # the task's own, so that no other connection sees it
            started, sent = time.monotonic(), _pairs(request.headers)
            try:
                response = await super().download_request(request)
            except Exception as error:
                if current.refused:
                    raise NoPage("refused", f"{current.refused} {_PRIVATE}") from error
                if not isinstance(error, DownloadCancelledError):  # one page too large is no fault of its host
                    job.guest.failed(request.url)
                raise
            finally:
                visit.reset(token)
            request.meta["wire"] = wire = Wire(
                stamp(job.clock()), round((time.monotonic() - started) * 1000), response.status,
                _pairs(response.headers), tuple(h for h in sent if h[0].lower() != "proxy-authorization"),
                len(response.body), response.body if "Content-Encoding" in response.headers else None,
            )  # fmt: skip
            job.guest.heed(request.url, response.status, wire.by_name)  # before the next one gets its turn
            return response


def outcome_of_status(status: int) -> Outcome:
    """What a status that brings no page means for a look.

    >>> outcome_of_status(410), outcome_of_status(429), outcome_of_status(502), outcome_of_status(302)
    ('gone', 'blocked', 'outage', 'outage')
    """
    if status in (404, 410):
        return "gone"
    return "blocked" if status in (401, 402, 403, 407, 429, 451) else "outage"


async def ask(crawler: Crawler, request: Request) -> Response:
    """The answer to a request that no spider yields; it goes by the same door as any. Raises NoPage, Stopping."""
    try:
        return await crawler.engine.download_async(request)
    except Exception as error:
        raise no_page(error) from error


def no_page(error: Exception) -> NoPage:
    """Any failure of a request as a NoPage. Raises Stopping where it is none, and we are only stopping."""
    if isinstance(error, Stopping):
        raise error
    if isinstance(error, NoPage):
        return error
    broken = getattr(error.__cause__, "reasons", None) or ()
    words = "; ".join(str(failure.value) for failure in broken) or str(error) or type(error).__name__
    if isinstance(error, DownloadTimeoutError):
        return NoPage("timeout", words)
    # Scrapy cancels a download for its size alone, and tells the size once decompressed by words alone.
    if isinstance(error, DownloadCancelledError) or (isinstance(error, IgnoreRequest) and "DOWNLOAD_MAXSIZE" in words):
        return NoPage("too_large", "larger than crawl.max_bytes")
    for cause in _causes(error):
        if isinstance(cause, (SSL.Error, VerificationError)):
            reasons = cause.args[0] if isinstance(cause, SSL.Error) and cause.args else ()
            said = "; ".join(str(r[-1]) for r in reasons) or str(cause)
            return NoPage("tls", f"the certificate or the TLS handshake was not accepted: {said}")
    return NoPage("outage", words)


def _causes(error: BaseException) -> Iterator[BaseException]:
    """An error and everything it came from; Twisted keeps a list of failures where a connection broke."""
    yield error
    broken = [failure.value for failure in getattr(error, "reasons", None) or ()]
    for cause in (*broken, error.__cause__ or error.__context__):
        if cause is not None:
            yield from _causes(cause)


def job_of(crawler: Crawler) -> Job:
    """What the crawl's spider carries."""
    return cast("Job", cast("Any", crawler.spider).job)


def _pairs(headers: Headers) -> tuple[tuple[str, str], ...]:
    """Header lines; bytes as Latin-1, as HTTP has it."""
    return tuple((n.decode("latin-1"), v.decode("latin-1")) for n in headers for v in headers.getlist(n))
