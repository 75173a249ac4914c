"""What makes us a good guest, once per process and shared by all its crawls.

robots.txt is asked for once per origin and obeyed; requests to one host keep their distance whichever crawl sends
them; a host that says when to come back is not visited before; one that fails again and again is left alone.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from email.utils import parsedate_to_datetime
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import TypeVar
from urllib.parse import urlsplit

from protego import Protego

from archive.errors import WorkError
from archive.frontier import held_hosts, hold_host
from archive.models import Outcome
from archive.sqlite import connect_read
from archive.times import Clock, moment, stamp, utc_now
from archive.writer import Writer
from crawler.config import Config
from crawler.urls import host_key

log = logging.getLogger("rasid.guest")
NAME = "Rasid"  # what robots.txt may call us; not the whole agent, whose contact may hold another robot's name
ROBOTS_FRESH_S = 24 * 3600.0  # RFC 9309: no longer than a day
ROBOTS_FAILED_S = 300.0  # an unreachable robots.txt forbids everything for this long, then is asked for again
ROBOTS_BYTES = 500 * 1024  # what RFC 9309 asks to be read of it
CRAWL_DELAY_MAX_S = 120.0
HOLD_MAX_S = 24 * 3600.0
HOLD_DEFAULT_S = 900.0  # after 429 without Retry-After
TRIP_AFTER = 5  # failures of a host in a row; then it is left alone for a while, each time twice as long
TRIP_S, TRIP_MAX_S = 60.0, 3600.0
PATIENCE_S = 5.0  # a wait this short is waited for; after a longer one the address is left for a later crawl
HOSTS_MAX = 2000  # remembered at a time
CLOCKS_MAX = 50  # of hosts that told the time, the last to answer count
ENOUGH = 5  # hosts that are asked for their opinion before there is one
WRONG_S = 300.0


class HostClocks:
    """What hosts say: each the last it said, and no clock is ever set by it."""

    def __init__(self) -> None:
        """Nobody has said anything."""
        self._ahead: dict[str, float] = {}

    def heard(self, host: str, ahead: float) -> None:
        """A host's clock is `ahead` seconds before ours."""
        self._ahead.pop(host, None)
        self._ahead[host] = ahead
        if len(self._ahead) > CLOCKS_MAX:
            del self._ahead[next(iter(self._ahead))]

    def wrong(self) -> str | None:
        """By how much our clock is wrong, in a sentence; None where it is not by minutes, or too few say so.

        >>> clocks = HostClocks()
        >>> for host, ahead in zip("abcde", (420, 419, 421, 0, 9e9)):
        ...     clocks.heard(host, ahead)
        >>> clocks.wrong()
        "this machine's clock is about 7 minutes behind, by what 5 hosts say the time is; set it right (NTP)"
        """
        if len(self._ahead) < ENOUGH or abs(ahead := median(self._ahead.values())) < WRONG_S:
            return None
        how, by = "behind" if ahead > 0 else "ahead", f"by what {len(self._ahead)} hosts say the time is"
        return f"this machine's clock is about {abs(ahead) / 60:.0f} minutes {how}, {by}; set it right (NTP)"


class NoPage(WorkError):
    """No page came of an address: `outcome` is what its look records, with `retry_at` not to come back before."""

    def __init__(
        self, outcome: Outcome, message: str, retry_at: str | None = None, status: int | None = None,
        leads_to: str | None = None,
    ) -> None:  # fmt: skip
        """`message` says why, in one sentence; `status` is the HTTP status where there was an answer, `leads_to` the
        address in whose place another is looked at."""
        super().__init__(message)
        self.outcome, self.retry_at, self.status, self.leads_to = outcome, retry_at, status, leads_to


class Stopping(Exception):
    """The process is about to end: the address stays due, and nothing is recorded of it."""


@dataclass(slots=True)
class _Origin:
    """What robots.txt of one scheme, host and port says; NoPage: it could not be had, so all is forbidden for now."""

    asking: asyncio.Lock = field(default_factory=asyncio.Lock)
    until: float = float("-inf")
    rules: Protego | NoPage = field(default_factory=Protego)

    def idle(self, _now: float) -> bool:
        return not self.asking.locked()


@dataclass(slots=True)
class _Host:
    """When one host and port may be visited next."""

    room: asyncio.Semaphore
    next_start: float = 0.0
    crawl_delay: float = 0.0
    failures: int = 0  # in a row
    rests_until: str = ""  # a stamp: the circuit is open

    def idle(self, now: float) -> bool:
        return self.next_start <= now and not self.room.locked() and not self.failures


_Entry = TypeVar("_Entry", _Origin, _Host)


class Guest:
    """Answers, for every request of the process: may we, and when."""

    def __init__(
        self, config: Config, writer: Writer, *, clock: Clock = utc_now,
        monotonic: Callable[[], float] = time.monotonic, waits: Path | None = None,
    ) -> None:  # fmt: skip
        """Takes up the waits that other processes were asked for, from `waits` if there is such an archive, else from
        the configured one; `writer` keeps new ones."""
        self._hosts: dict[str, _Host] = {}
        self._concurrency = 0
        self.use(config)
        self._writer, self._clock, self._monotonic = writer, clock, monotonic
        self._origins: dict[str, _Origin] = {}
        self.clocks = HostClocks()
        self._stopping = asyncio.Event()
        reader = connect_read(waits if waits and waits.exists() else config.archive)
        self._held: dict[str, str] = held_hosts(reader, stamp(clock()))
        reader.close()

    def use(self, config: Config) -> None:
        """Be another guest from here on: who we are, and how many requests how far apart."""
        self.agent = f"{NAME}/{version('rasid')} (+{config.contact})"
        self._delay = float(config.crawl.delay)
        if config.crawl.concurrency != self._concurrency:
            self._concurrency = config.crawl.concurrency
            for host in self._hosts.values():
                host.room = asyncio.Semaphore(self._concurrency)

    async def permit(self, url: str, fetch: Callable[[str], Awaitable[bytes]]) -> None:
        """Return when robots.txt allows `url`, else raise NoPage; `fetch` gets a robots.txt, or raises NoPage.

        Whoever asks first fetches; all others of the origin wait for that verdict. Should the first one be
        cancelled, the next takes over.
        """
        parts = urlsplit(url)
        root = f"{parts.scheme}://{parts.netloc}"
        origin = self._recall(self._origins, root, _Origin)
        async with origin.asking:
            if origin.until <= self._monotonic():
                await self._learn(origin, fetch(f"{root}/robots.txt"))
        rules = origin.rules
        if isinstance(rules, NoPage):
            again = stamp(self._clock() + timedelta(seconds=max(0.0, origin.until - self._monotonic())))
            until = rules.retry_at and max(rules.retry_at, again)  # a wait that is over would have it asked for at once
            raise NoPage(rules.outcome, f"robots.txt cannot be read ({rules}), so we wait", until)
        self._host(url).crawl_delay = min(rules.crawl_delay(NAME) or 0.0, CRAWL_DELAY_MAX_S)
        if not rules.can_fetch(url, NAME):
            raise NoPage("refused", "robots.txt forbids it")

    def told(self, url: str) -> tuple[float | None, tuple[str, ...]]:
        """What robots.txt of this origin said, where it was read: its Crawl-delay in seconds, the sitemaps it names."""
        parts = urlsplit(url)
        origin = self._origins.get(f"{parts.scheme}://{parts.netloc}")
        if origin is None or isinstance(origin.rules, NoPage):
            return None, ()
        return origin.rules.crawl_delay(NAME), tuple(origin.rules.sitemaps)

    async def _learn(self, origin: _Origin, fetching: Awaitable[bytes]) -> None:
        try:
            text = (await fetching)[:ROBOTS_BYTES].decode("utf-8-sig", "replace")
        except NoPage as miss:
            if miss.outcome == "refused":
                raise  # it is this visitor who may not go there
            origin.rules, origin.until = miss, self._monotonic() + ROBOTS_FAILED_S
        else:
            origin.rules, origin.until = Protego.parse(text), self._monotonic() + ROBOTS_FRESH_S

    @asynccontextmanager
    async def turn(self, url: str, delay: float | None = None) -> AsyncIterator[None]:
        """Hold a place at the host of `url` for one request; at least `delay` seconds pass between two starts.

        Raises NoPage when the host has asked us to stay away, Stopping when the process ends.
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
        key = host_key(url)
        until = max(self._held.get(key, ""), self._hosts[key].rests_until if key in self._hosts else "")
        return until if until > stamp(self._clock()) else None

    def failed(self, url: str) -> None:
        """The host did not answer, or broke off. After some failures in a row it rests, then one visit tries again."""
        host = self._host(url)
        host.failures += 1
        if host.failures >= TRIP_AFTER:
            seconds = min(TRIP_S * 2.0 ** min(host.failures - TRIP_AFTER, 10), TRIP_MAX_S)
            host.rests_until = stamp(self._clock() + timedelta(seconds=seconds))
            log.info("host=%s failed %d times in a row, left alone for %.0f s", host_key(url), host.failures, seconds)

    def heed(self, url: str, status: int, headers: Mapping[str, str]) -> str | None:
        """Take note of an answer; for 429 and 503 the stamp not to come back before, or None. Header names lower."""
        if status >= 500 or status in (403, 429):
            self.failed(url)
        else:
            self._host(url).failures, self._host(url).rests_until = 0, ""
        if (ahead := self._until(headers.get("date", ""))) is not None:
            self.clocks.heard(host_key(url), ahead + (self._seconds(headers.get("age", "")) or 0.0))
        seconds = self._seconds(headers.get("retry-after", "")) if status in (429, 503) else None
        if seconds is None and status == 429:
            seconds = HOLD_DEFAULT_S
        if seconds is None:
            return None
        key, reason = host_key(url), f"answered {status}"
        until = stamp(self._clock() + timedelta(seconds=min(seconds, HOLD_MAX_S)))
        if until > self._held.get(key, ""):
            self._held[key] = until
            log.info("host=%s asked us to wait until %s: %s", key, until, reason)
            self._writer.submit(lambda tx: hold_host(tx, key, until, reason))
        return until

    def stop(self) -> None:
        """Let nobody in any more; whoever waits for a turn gets Stopping."""
        self._stopping.set()

    def _seconds(self, value: str) -> float | None:
        if value.isascii() and value.strip().isdigit():
            return float(value.strip()[:9])
        ahead = self._until(value)
        return None if ahead is None else max(0.0, ahead)

    def _until(self, date: str) -> float | None:
        with suppress(ValueError, TypeError, OverflowError):  # no date, or one without a zone
            return (parsedate_to_datetime(date) - self._clock()).total_seconds()
        return None

    def _remaining(self, url: str) -> float:
        until = self.held(url)
        seconds = (moment(until) - self._clock()).total_seconds() if until else 0.0
        if seconds <= PATIENCE_S:
            return seconds
        if until == self._held.get(host_key(url)):
            raise NoPage("blocked", f"the host asked us to wait until {until}", until)
        failures = self._host(url).failures
        raise NoPage("outage", f"the host failed {failures} times in a row; left alone until {until}", until)

    async def _pause(self, seconds: float) -> None:
        with suppress(TimeoutError):
            if seconds > 0:
                await asyncio.wait_for(self._stopping.wait(), seconds)
        if self._stopping.is_set():
            raise Stopping

    def _host(self, url: str) -> _Host:
        return self._recall(self._hosts, host_key(url), lambda: _Host(asyncio.Semaphore(self._concurrency)))

    def _recall(self, table: dict[str, _Entry], key: str, new: Callable[[], _Entry]) -> _Entry:
        """The entry of `key`, moved to the end; out of a full table the longest unused one is forgotten."""
        table[key] = entry = table.pop(key, None) or new()
        if len(table) > HOSTS_MAX and table[oldest := next(iter(table))].idle(self._monotonic()):
            del table[oldest]
        return entry
