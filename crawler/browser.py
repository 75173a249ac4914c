"""Pages that hold their text only once their scripts ran: the system's Chromium renders them, without any network.

Chromium would resolve names by itself and follow redirects unasked. So it can reach nothing: what a page asks for comes
through the same door as every request of ours (robots.txt, turns, private addresses, certificates, bounds), or not at
all. Pages are strangers' programs: they run in Chromium's sandbox, each with an empty profile of its own.
"""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack, suppress
from importlib.util import find_spec
from typing import Any
from urllib.parse import urlsplit

from scrapy import Request
from scrapy.http import Response
from scrapy.http.request import NO_CALLBACK

from crawler.guest import NoPage, Stopping

Fetch = Callable[[Request], Awaitable[Response]]  # raises NoPage or Stopping
ASSETS = 20  # requests that one page may cause
SCRIPTS_MAX = 32 << 20  # bytes of scripts kept for the next page of their site
_NAMES = ("chromium", "chromium-browser", "google-chrome")
_ASKED = ("script", "xhr", "fetch")  # no images, styles, fonts, media, frames, sockets
_PASSED_ON = ("accept", "authorization", "x-")  # how headers begin that a script may send
_NOT_PASSED_ON = (b"Content-Encoding", b"Content-Length", b"Transfer-Encoding", b"Set-Cookie")
_ALONE = [
    "--proxy-server=http://127.0.0.1:9", "--proxy-bypass-list=<-loopback>", "--host-resolver-rules=MAP * ~NOTFOUND",
    "--force-webrtc-ip-handling-policy=disable_non_proxied_udp", "--js-flags=--max-old-space-size=256",
]  # fmt: skip


def missing() -> str | None:
    """The mend, where an outlet's `browser = true` cannot work on this machine."""
    if find_spec("playwright") is None:
        return "needs the extra: pip install 'rasid[browser]'"
    if not any(map(shutil.which, _NAMES)):
        return "needs Chromium; install your system's package, such as apt install chromium"
    return "runs strangers' scripts, so not as root, for whom Chromium has no sandbox" if os.geteuid() == 0 else None


class Browser:
    """One Chromium, started when first needed; renders one page at a time."""

    def __init__(self, agent: str, *, sandbox: bool = True) -> None:
        """`agent` is what scripts are told, too. Without its sandbox only pages of one's own may be rendered."""
        self.agent, self.sandbox, self._turn = agent, sandbox, asyncio.Lock()
        self._chromium: Any = None
        self._stack = AsyncExitStack()
        self._scripts: dict[str, Response] = {}

    async def render(self, page: Response, fetch: Fetch, seconds: float) -> tuple[str, str]:
        """The HTML of a page after its scripts came to rest, and the name of what rendered it. Raises NoPage."""
        async with self._turn:
            try:
                chromium = await self._started()
                async with asyncio.timeout(seconds):
                    html = await _Visit(page, fetch, self._scripts).render(chromium, self.agent, seconds)
                    return html, f"Chromium/{chromium.version}"
            except (NoPage, Stopping):
                raise
            except Exception as error:  # whatever Chromium fails with, or what drives it; it may be lost in a loop
                await self.close()
                if isinstance(error, TimeoutError):
                    raise NoPage("timeout", f"its scripts did not come to rest within {seconds:g} s") from error
                raise NoPage("unreadable", f"Chromium: {str(error).partition(chr(10))[0][:300]}") from error

    async def close(self) -> None:
        """End Chromium, if it runs; the next page starts it anew."""
        stack, self._stack, self._chromium, self._scripts = self._stack, AsyncExitStack(), None, {}
        with suppress(Exception):
            async with asyncio.timeout(10):
                await stack.aclose()

    async def _started(self) -> Any:
        if self._chromium is None:
            from playwright.async_api import async_playwright

            driver = await self._stack.enter_async_context(async_playwright())
            self._chromium = await driver.chromium.launch(
                executable_path=next(filter(None, map(shutil.which, _NAMES))), chromium_sandbox=self.sandbox,
                args=_ALONE, ignore_default_args=["--disable-popup-blocking"],
            )  # fmt: skip
            self._stack.push_async_callback(self._chromium.close)
        return self._chromium


class _Visit:
    """One page in a context of its own, and what its scripts ask for."""

    def __init__(self, page: Response, fetch: Fetch, scripts: dict[str, Response]) -> None:
        self.page, self.fetch, self.scripts = page, fetch, scripts
        self.shown, self.asked, self.waiting = False, 0, 0
        self.lacks: Exception | None = None  # something it may have needed could not be had now

    async def render(self, chromium: Any, agent: str, seconds: float) -> str:
        context = await chromium.new_context(user_agent=agent, service_workers="block", accept_downloads=False)
        try:
            await context.route("**/*", self._route)
            await context.route_web_socket("**/*", lambda socket: socket.close())
            tab = await context.new_page()
            await tab.goto(self.page.url, wait_until="commit")
            with suppress(Exception):  # one that asks again and again never rests
                await tab.wait_for_load_state("networkidle", timeout=700 * seconds)
            html: str = await tab.content()
        finally:
            await context.close()
        if self.lacks or self.waiting:
            raise self.lacks or NoPage("timeout", "what its scripts asked for did not come in time")
        return html

    async def _route(self, route: Any) -> None:
        """Answer the page itself once, then scripts and data of its site; nothing else."""
        asked, answer = route.request, None
        with suppress(Exception):  # the page is gone meanwhile
            if asked.is_navigation_request():
                answer, self.shown = None if self.shown else self.page, True
            elif asked.resource_type in _ASKED and asked.method == "GET" and _near(asked.url, self.page.url):
                answer = self.scripts.get(asked.url) or await self._fetched(asked)
            if answer is None:
                await route.abort("aborted")
                return
            said = {n: b", ".join(v) for n, v in answer.headers.items() if n not in _NOT_PASSED_ON}
            headers = {n.decode("latin-1"): v.decode("latin-1") for n, v in said.items()}
            await route.fulfill(status=200, headers=headers, body=answer.body)

    async def _fetched(self, asked: Any) -> Response | None:
        self.asked += 1
        if self.asked > ASSETS:
            return None
        said = {n: v for n, v in asked.headers.items() if n.startswith(_PASSED_ON)}
        self.waiting += 1
        try:
            answer = await self.fetch(Request(asked.url, headers=said, callback=NO_CALLBACK, meta={"asset": True}))
        except (NoPage, Stopping) as error:
            if isinstance(error, Stopping) or error.outcome not in ("gone", "refused", "too_large"):
                self.lacks = error
            return None
        finally:
            self.waiting -= 1
        if asked.resource_type == "script" and sum(len(s.body) for s in self.scripts.values()) < SCRIPTS_MAX:
            self.scripts[asked.url] = answer
        return answer


def _near(url: str, page: str) -> bool:
    """Whether an address is of a page's own site: its host, or one under it."""
    host, own = ((urlsplit(u).hostname or "").removeprefix("www.") for u in (url, page))
    return host == own or ("." in own and host.endswith(f".{own}"))
