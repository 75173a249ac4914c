"""Where pages of outlets that need a browser go through one on their way in."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from scrapy import Request
from scrapy.http import Response

from archive.captures import ORIGINAL
from archive.models import RENDERED
from crawler.guest import NoPage
from crawler.middlewares import JobMiddleware, ask

_OF_THE_SHELL = ("content-type", "etag", "last-modified")  # what holds of the page as sent, not of what it became


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
