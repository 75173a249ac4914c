"""What makes us a good guest, once per process and shared by all its crawls.

robots.txt is asked for once per origin and obeyed; requests to one host keep their distance whichever crawl sends
them; a host that says when to come back is not visited before.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from email.utils import parsedate_to_datetime
from importlib.metadata import version
from typing import TypeVar
from urllib.parse import urlsplit

from protego import Protego

from archive.errors import Refused
from archive.frontier import held_hosts, hold_host
from archive.models import Outcome
from archive.sqlite import connect_read
from archive.times import Clock, moment, stamp, utc_now
from archive.writer import Writer
from crawler.config import Config
from crawler.urls import host_key

log = logging.getLogger("rasid.guest")
ROBOTS_FRESH_S = 24 * 3600.0  # RFC 9309: no longer than a day
ROBOTS_FAILED_S = 300.0  # an unreachable robots.txt forbids everything for this long, then is asked for again
ROBOTS_BYTES = 500 * 1024  # what RFC 9309 asks to be read of it
CRAWL_DELAY_MAX_S = 120.0
HOLD_MAX_S = 24 * 3600.0
HOLD_DEFAULT_S = 900.0  # after 429 without Retry-After
PATIENCE_S = 5.0  # a wait this short is waited for; after a longer one the address is left for a later crawl
HOSTS_MAX = 2000  # remembered at a time


class Declined(Refused):
    """We do not go there now: `outcome` is what a look records, `retry_at` the stamp not to come back before."""

    def __init__(self, outcome: Outcome, message: str, retry_at: str | None = None) -> None:
        """`message` says by which rule, in one sentence."""
        super().__init__(message)
        self.outcome, self.retry_at = outcome, retry_at


class Stopping(Exception):
    """The process is about to end: the address stays due, and nothing is recorded of it."""


@dataclass(frozen=True, slots=True)
class RobotsAnswer:
    """What came back for a robots.txt: a body, or the outcome that stood in its way."""

    body: bytes = b""
    outcome: Outcome = "ok"
    error: str = ""


@dataclass(slots=True)
class _Origin:
    """What robots.txt of one scheme, host and port says."""

    asking: asyncio.Lock = field(default_factory=asyncio.Lock)
    until: float = float("-inf")
    rules: Protego | None = None  # None: unreachable, everything is forbidden for now
    outcome: Outcome = "outage"
    error: str = ""

    def idle(self, _now: float) -> bool:
        return not self.asking.locked()


@dataclass(slots=True)
class _Host:
    """When one host and port may be visited next."""

    room: asyncio.Semaphore
    next_start: float = 0.0
    crawl_delay: float = 0.0

    def idle(self, now: float) -> bool:
        return self.next_start <= now and not self.room.locked()


_Entry = TypeVar("_Entry", _Origin, _Host)


class Guest:
    """Answers, for every request of the process: may we, and when."""

    def __init__(
        self, config: Config, writer: Writer, *, clock: Clock = utc_now, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        """Takes up the waits that earlier processes were asked for; `writer` keeps new ones."""
        self.agent = f"Rasid/{version('rasid')} (+{config.contact})"
        self._concurrency, self._delay = config.crawl.concurrency, float(config.crawl.delay)
        self._writer, self._clock, self._monotonic = writer, clock, monotonic
        self._hosts: dict[str, _Host] = {}
        self._origins: dict[str, _Origin] = {}
        self._stopping = asyncio.Event()
        reader = connect_read(config.archive)
        try:
            self._held: dict[str, str] = held_hosts(reader, stamp(clock()))
        finally:
            reader.close()

    async def permit(self, url: str, fetch: Callable[[str], Awaitable[RobotsAnswer]]) -> None:
        """Return when robots.txt allows `url`; `fetch` gets a robots.txt. Raises Declined.

        Whoever asks first fetches; all others of the host wait for that verdict. Should the first one be cancelled,
        the next takes over.
        """
        parts = urlsplit(url)
        root = f"{parts.scheme}://{parts.netloc}"
        origin = self._recall(self._origins, root, _Origin)
        async with origin.asking:
            if origin.until <= self._monotonic():
                self._learn(origin, await fetch(f"{root}/robots.txt"))
        if origin.rules is None:
            raise Declined(origin.outcome, f"robots.txt cannot be read ({origin.error}), so we wait")
        delay = origin.rules.crawl_delay(self.agent) or 0.0
        self._host(url).crawl_delay = min(delay, CRAWL_DELAY_MAX_S)
        if not origin.rules.can_fetch(url, self.agent):
            raise Declined("refused", "robots.txt forbids it")

    def _learn(self, origin: _Origin, answer: RobotsAnswer) -> None:
        known = answer.outcome == "ok"
        text = answer.body[:ROBOTS_BYTES].decode("utf-8-sig", "replace")
        origin.rules = Protego.parse(text) if known else None
        origin.outcome, origin.error = answer.outcome, answer.error
        origin.until = self._monotonic() + (ROBOTS_FRESH_S if known else ROBOTS_FAILED_S)

    @asynccontextmanager
    async def turn(self, url: str, delay: float | None = None) -> AsyncIterator[None]:
        """Hold a place at the host of `url` for one request; at least `delay` seconds pass between two starts.

        Raises Declined when the host has asked us to stay away, Stopping when the process ends.
        """
        host = self._host(url)
        async with host.room:
            await self._pause(self._remaining(url))
            now = self._monotonic()
            start = max(now, host.next_start)
            host.next_start = start + max(self._delay if delay is None else delay, host.crawl_delay)
            await self._pause(start - now)
            self._remaining(url)  # the host may have asked for a pause while we waited
            yield

    def held(self, url: str) -> str | None:
        """The stamp before which the host of `url` does not want to see us, if it lies ahead."""
        until = self._held.get(host_key(url))
        return until if until is not None and until > stamp(self._clock()) else None

    def heed(self, url: str, status: int, headers: Mapping[str, str]) -> str | None:
        """Take note of an answer with 429 or 503: the stamp not to come back before, or None. Header names lower."""
        if status not in (429, 503):
            return None
        seconds = self._seconds(headers.get("retry-after", ""))
        if seconds is None:
            if status == 503:
                return None
            seconds = HOLD_DEFAULT_S
        key = host_key(url)
        until = stamp(self._clock() + timedelta(seconds=min(seconds, HOLD_MAX_S)))
        if until > self._held.get(key, ""):
            self._held[key] = until
            reason = f"answered {status}"
            log.info("host=%s asked us to wait until %s: %s", key, until, reason)
            self._writer.submit(lambda tx: hold_host(tx, key, until, reason))
        return until

    def stop(self) -> None:
        """Let nobody in any more; whoever waits for a turn gets Stopping."""
        self._stopping.set()

    def _seconds(self, value: str) -> float | None:
        value = value.strip()
        if value.isascii() and value.isdigit():
            return float(value[:9])
        try:
            return max(0.0, (parsedate_to_datetime(value) - self._clock()).total_seconds())
        except (ValueError, TypeError):  # no date, or one without a zone
            return None

    def _remaining(self, url: str) -> float:
        until = self.held(url)
        seconds = (moment(until) - self._clock()).total_seconds() if until else 0.0
        if seconds > PATIENCE_S:
            raise Declined("blocked", f"the host asked us to wait until {until}", until)
        return seconds

    async def _pause(self, seconds: float) -> None:
        if self._stopping.is_set():
            raise Stopping
        if seconds > 0:
            try:
                await asyncio.wait_for(self._stopping.wait(), seconds)
            except TimeoutError:
                return
            raise Stopping

    def _host(self, url: str) -> _Host:
        return self._recall(self._hosts, host_key(url), lambda: _Host(asyncio.Semaphore(self._concurrency)))

    def _recall(self, table: dict[str, _Entry], key: str, new: Callable[[], _Entry]) -> _Entry:
        """The entry of `key`, moved to the end; a quarter of a full table is forgotten, the longest unused first."""
        table[key] = entry = table.pop(key, None) or new()
        if len(table) > HOSTS_MAX:
            for old in list(table)[: HOSTS_MAX // 4]:
                if table[old].idle(self._monotonic()):
                    del table[old]
        return entry
