"""Politeness and private addresses, without a network: who may go where, and when."""

from __future__ import annotations

import asyncio
import doctest
import itertools
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import crawler.guest
import crawler.middlewares
import crawler.resolver
from archive.frontier import held_hosts
from archive.sqlite import connect_read
from archive.times import stamp
from archive.topics import shipped_rules
from archive.transaction import Policy
from archive.writer import Writer
from crawler.config import Crawl, Duration
from crawler.guest import Guest, NoPage, Stopping
from crawler.resolver import is_public, literal
from tests.archive_kit import prepared

NOW = datetime(2026, 1, 21, 9, 0, tzinfo=UTC)
URL = "https://example.org/a"


class World:
    """A guest on a real archive, with a clock that is set by hand."""

    def __init__(self, tmp_path: Path, writer: Writer, **crawl: Any) -> None:
        self.now, self.writer, self.archive = NOW, writer, writer.archive
        config: Any = SimpleNamespace(archive=writer.archive, contact="desk@example.org", crawl=Crawl(**crawl))
        self.guest = Guest(config, writer, clock=lambda: self.now, monotonic=lambda: self.now.timestamp())

    def later(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@pytest.fixture
def writer(tmp_path: Path) -> Iterator[Writer]:
    with Writer(prepared(tmp_path / "archive.db"), Policy((3600.0,), 3600.0, shipped_rules(), ())) as writer:
        yield writer


@pytest.fixture
def world(tmp_path: Path, writer: Writer) -> World:
    return World(tmp_path, writer, delay=Duration(0.01))


def says(text: str = "", outcome: Any = "ok", asked: list[str] | None = None) -> Callable[[str], Awaitable[bytes]]:
    async def fetch(url: str) -> bytes:
        if asked is not None:
            asked.append(url)
        await asyncio.sleep(0.01)
        if outcome != "ok":
            raise NoPage(outcome, "told so")
        return text.encode()

    return fetch


def test_examples_in_docstrings() -> None:
    for module in (crawler.resolver, crawler.middlewares, crawler.guest):
        assert doctest.testmod(module).failed == 0


def test_all_who_wait_hear_the_same_verdict_and_it_is_fetched_once(world: World) -> None:
    asked: list[str] = []
    robots = says("User-agent: *\nDisallow: /", asked=asked)

    async def ask(number: int) -> bool:
        try:
            await world.guest.permit(f"https://example.org/{number}", robots)
        except NoPage as error:
            return error.outcome == "refused"
        return False

    async def all_at_once() -> list[bool]:
        return await asyncio.gather(*(ask(n) for n in range(40)))

    assert asyncio.run(all_at_once()) == [True] * 40
    assert asked == ["https://example.org/robots.txt"]


def test_when_the_one_who_fetches_is_cancelled_the_next_takes_over(world: World) -> None:
    asked: list[str] = []

    async def play() -> None:
        first = asyncio.create_task(world.guest.permit(URL, says(asked=asked)))
        second = asyncio.create_task(world.guest.permit(URL, says("User-agent: *\nDisallow: /a", asked=asked)))
        await asyncio.sleep(0)
        first.cancel()
        with pytest.raises(NoPage):
            await second

    asyncio.run(play())
    assert len(asked) == 2


def test_rules_are_those_for_our_name_and_arabic_paths_are_understood(world: World) -> None:
    robots = says(
        "User-agent: *\nDisallow: /\n\nUser-agent: example.org\nDisallow: /\n\n"
        "User-agent: rasid\nDisallow: /%d8%b3%d8%b1\nCrawl-delay: 1"
    )
    asyncio.run(world.guest.permit("https://example.org/%D8%AE%D8%A8%D8%B1", robots))
    with pytest.raises(NoPage, match=r"robots\.txt forbids"):
        asyncio.run(world.guest.permit("https://example.org/%D8%B3%D8%B1%D9%8A", robots))


@pytest.mark.parametrize("outcome", ["outage", "timeout", "tls"])
def test_unreachable_robots_forbids_for_a_while_then_is_asked_again(world: World, outcome: Any) -> None:
    with pytest.raises(NoPage) as caught:
        asyncio.run(world.guest.permit(URL, says(outcome=outcome)))
    assert caught.value.outcome == outcome
    with pytest.raises(NoPage):
        asyncio.run(world.guest.permit(URL, says()))  # still remembered
    world.later(301)
    asyncio.run(world.guest.permit(URL, says()))


def test_a_wait_for_robots_lasts_until_it_is_asked_for_again(world: World) -> None:
    """A host that asked for less time than that is not gone to again and again meanwhile, to no avail."""

    async def fetch(url: str) -> bytes:
        raise NoPage("outage", "answered 503", stamp(NOW + timedelta(seconds=20)), 503)

    for seconds in (0, 60):
        world.later(seconds)
        with pytest.raises(NoPage) as told:
            asyncio.run(world.guest.permit(URL, fetch))
        assert told.value.retry_at == stamp(NOW + timedelta(seconds=300))


def test_rules_are_forgotten_after_a_day(world: World) -> None:
    with pytest.raises(NoPage):
        asyncio.run(world.guest.permit(URL, says("User-agent: *\nDisallow: /")))
    world.later(24 * 3600 + 1)
    asyncio.run(world.guest.permit(URL, says("")))


@pytest.mark.parametrize(
    ("status", "value", "seconds"),
    [
        (429, "120", 120), (503, "120", 120), (429, "", 900), (503, "", None), (200, "120", None),
        (429, "Wed, 21 Jan 2026 09:10:00 GMT", 600), (429, "Wed, 21 Jan 2026 08:00:00 GMT", 0),
        (429, "soon", 900), (429, "99999999999999", 86400), (503, "-5", None), (429, "٣٠", 900),
    ],
)  # fmt: skip
def test_retry_after(world: World, status: int, value: str, seconds: int | None) -> None:
    until = world.guest.heed(URL, status, {"retry-after": value})
    assert until == (None if seconds is None else stamp(NOW + timedelta(seconds=seconds)))
    assert world.guest.held(URL) == (until if seconds else None)


def test_a_wrong_clock_is_known_by_what_most_hosts_say_and_never_by_one(world: World) -> None:
    def answers(host: int, **headers: str) -> str | None:
        world.guest.heed(f"https://{host}.example/", 200, headers)
        return world.guest.clocks.wrong()

    right, earlier = "Wed, 21 Jan 2026 09:00:00 GMT", "Wed, 21 Jan 2026 07:00:00 GMT"
    assert [answers(host, date=right) for host in range(4)] == [None] * 4
    assert answers(4, date="Wed, 21 Jan 99999999999999999999 09:00:00 GMT") is None
    assert answers(5, date="Wed, 21 Jan 2026 09:00:00") is None  # of no zone, so of no moment
    assert answers(6, date=earlier, age="7200") is None  # out of a cache
    world.later(3600)
    assert [answers(host, date=right) for host in range(2)] == [None] * 2
    assert "about 60 minutes ahead" in (answers(2, date=right) or "")
    world.later(-3600)
    assert answers(2, date=right) is None


def test_a_host_that_asked_for_rest_is_left_alone_across_restarts(world: World, tmp_path: Path, writer: Writer) -> None:
    world.guest.heed(URL, 503, {"retry-after": "3600"})
    writer.submit(lambda tx: None).result()
    assert held_hosts(connect_read(world.archive), stamp(NOW)) == {"example.org:443": "2026-01-21T10:00:00Z"}
    again = World(tmp_path, writer)

    async def turn(url: str) -> None:
        async with again.guest.turn(url, 0.01):
            pass

    with pytest.raises(NoPage) as caught:
        asyncio.run(turn("https://example.org/b"))
    assert (caught.value.outcome, caught.value.retry_at) == ("blocked", "2026-01-21T10:00:00Z")
    asyncio.run(turn("https://other.example/b"))
    again.later(3601)
    asyncio.run(turn("https://example.org/b"))


def test_a_host_that_fails_again_and_again_is_left_alone_ever_longer_until_it_answers(world: World) -> None:
    async def turn(url: str) -> None:
        async with world.guest.turn(url, 0.01):
            pass

    for _ in range(4):
        world.guest.failed(URL)
    world.guest.heed(URL, 404, {})  # it answers: nothing is counted against it
    for _ in range(4):
        world.guest.heed(URL, 502, {})
    asyncio.run(turn(URL))
    world.guest.failed(URL)
    assert world.guest.held("https://example.org/other") == "2026-01-21T09:01:00Z"
    with pytest.raises(NoPage, match="failed 5 times in a row") as caught:
        asyncio.run(turn(URL))
    assert (caught.value.outcome, caught.value.retry_at) == ("outage", "2026-01-21T09:01:00Z")
    asyncio.run(turn("https://other.example/"))  # nobody else rests with it
    world.later(61)
    asyncio.run(turn(URL))
    world.guest.failed(URL)
    assert world.guest.held(URL) == "2026-01-21T09:03:01Z"
    world.later(121)
    world.guest.heed(URL, 200, {})
    for _ in range(4):
        world.guest.failed(URL)
    assert world.guest.held(URL) is None
    for _ in range(30):
        world.guest.failed(URL)
    assert world.guest.held(URL) == stamp(world.now + timedelta(hours=1))


def test_turns_keep_their_distance_and_their_number(tmp_path: Path, writer: Writer) -> None:
    config: Any = SimpleNamespace(archive=writer.archive, contact="x@example.org", crawl=Crawl(concurrency=2))
    guest = Guest(config, writer)
    starts: list[float] = []
    inside = most = 0

    async def visit() -> None:
        nonlocal inside, most
        async with guest.turn(URL, 0.05):
            starts.append(asyncio.get_running_loop().time())
            inside += 1
            most = max(most, inside)
            await asyncio.sleep(0.2)
            inside -= 1

    async def play() -> None:
        await asyncio.gather(*(visit() for _ in range(5)))

    asyncio.run(play())
    assert most == 2
    assert min(b - a for a, b in itertools.pairwise(starts)) >= 0.049


def test_stopping_ends_every_wait(world: World) -> None:
    async def play() -> None:
        async with world.guest.turn(URL, 1000):
            pass
        waiting = asyncio.create_task(world.guest.turn(URL, 1000).__aenter__())
        await asyncio.sleep(0)
        world.guest.stop()
        with pytest.raises(Stopping):
            await waiting

    asyncio.run(play())


PRIVATE = [
    "127.0.0.1", "127.1", "0x7f.1", "0177.0.0.1", "2130706433", "0x7f000001", "127.0.0.1.", "１２７.0.0.1", "0.0.0.0",
    "0", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "224.0.0.1", "240.0.0.1",
    "255.255.255.255", "192.0.0.8", "198.18.0.1", "[::1]", "[::]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]",
    "[64:ff9b::7f00:1]", "[64:ff9b::10.0.0.1]", "[64:ff9b:1::1]", "[2002:7f00:1::]", "[fe80::1]", "[fe80::1%25eth0]",
    "[fc00::1]", "[fec0::1]", "[ff02::1]", "[::127.0.0.1]", "[2001::1]", "[2001:db8::1]",
]  # fmt: skip


@pytest.mark.parametrize("host", PRIVATE)
def test_private_addresses_are_known_in_every_spelling(host: str) -> None:
    plain = literal(host)
    assert plain is not None
    assert not is_public(plain)


@pytest.mark.parametrize(
    "host", ["93.184.215.14", "[2606:4700::1111]", "[::ffff:8.8.8.8]", "[64:ff9b::8.8.8.8]", "134744072"]
)
def test_public_addresses_pass(host: str) -> None:
    plain = literal(host)
    assert plain is not None
    assert is_public(plain)


@given(st.text(max_size=30))
def test_names_are_no_literals_and_nothing_raises(host: str) -> None:
    plain = literal(host)
    assert plain is None or is_public(plain) in (True, False)
