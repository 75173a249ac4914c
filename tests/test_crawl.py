"""Crawls against real servers on loopback that misbehave: every one ends, and every look is recorded."""

from __future__ import annotations

import asyncio
import gzip
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Coroutine, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

import crawler.middlewares
import crawler.resolver
from archive.errors import StorageFull
from archive.frontier import sync_outlets
from archive.models import Look, Saved
from archive.sqlite import connect_read
from archive.topics import shipped_rules
from archive.writer import Writer
from crawler.config import load_config
from crawler.crawl import Crawls
from crawler.guest import Guest
from crawler.resolver import is_public
from crawler.session import policy
from crawler.worker import Worker
from tests.servers import ANY, Site, article, bomb, rss

ROOT = Path(__file__).parent.parent
TEXT = """أعلنت قوات سوريا الديمقراطية اليوم أنها نقلت دفعة من معتقلي تنظيم داعش من سجن الصناعة في الحسكة.
وقال مصدر في قسد إن عملية النقل جرت بإشراف التحالف الدولي وإن عدد المحتجزين بلغ مئة وخمسين.
وأضاف المصدر أن السجون التي تضم عناصر التنظيم في شمال شرق سوريا ما زالت تحت السيطرة الكاملة."""
OFF_TOPIC = """فاز الفريق الأخضر على ضيفه بهدفين دون رد في المباراة التي جرت مساء أمس على ملعب المدينة.
وسجل الهدفين اللاعب الشاب في الشوط الثاني بعد تمريرات متقنة من زميله على الجهة اليمنى.
ويحتل الفريق بهذا الفوز المركز الثالث في جدول الترتيب قبل خمس جولات من نهاية الموسم."""


class Loop:
    """Scrapy's reactor in a thread of its own, for as long as the tests run."""

    def __init__(self) -> None:
        self.loop: asyncio.AbstractEventLoop
        ready = threading.Event()
        threading.Thread(target=self._run, args=(ready,), daemon=True).start()
        assert ready.wait(30)

    def _run(self, ready: threading.Event) -> None:
        from scrapy.utils.reactor import install_reactor

        self.loop = asyncio.new_event_loop()
        asyncio.set_event_loop(self.loop)
        install_reactor("twisted.internet.asyncioreactor.AsyncioSelectorReactor")
        from twisted.internet import reactor

        reactor.callWhenRunning(ready.set)  # type: ignore[attr-defined]
        reactor.run(installSignalHandlers=False)  # type: ignore[attr-defined]

    def run(self, work: Coroutine[Any, Any, Any], seconds: float = 60) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(seconds)


@pytest.fixture(scope="session")
def loop() -> Loop:
    return Loop()


@pytest.fixture(scope="session")
def worker() -> Iterator[Worker]:
    worker = Worker(shipped_rules())
    yield worker
    worker.close()


class Desk:
    """A configured archive with everything a crawl needs."""

    def __init__(self, loop: Loop, worker: Worker, directory: Path) -> None:
        self.loop, self.worker, self.directory = loop, worker, directory
        self.outlets: list[str] = []
        self.settings = {"crawl.delay": "10ms", "crawl.timeout": "5s", "keep.free_space": "1B"}
        self.closers: list[Callable[[], object]] = []

    def outlet(self, name: str, site: Site, allow_private: bool = True, **keys: Any) -> None:
        """Add an outlet at a site; `keys` are TOML values."""
        entry = {"id": f'"{name}"', "name_ar": '"موقع"', "name_en": f'"{name}"', "homepage": f'"{site.url}/"'}
        entry |= {k: v if isinstance(v, str) else str(v) for k, v in keys.items()}
        entry["allow_private"] = str(allow_private).lower()
        self.outlets.append("[[outlet]]\n" + "\n".join(f"{k} = {v}" for k, v in entry.items()))

    def open(self) -> Desk:
        lines = ['contact = "desk@example.org"']
        for table in sorted({key.partition(".")[0] for key in self.settings}):
            lines.append(f"[{table}]")
            for key, value in self.settings.items():
                if key.startswith(table + "."):
                    lines.append(f"{key.partition('.')[2]} = {value if value.isdigit() else chr(34) + value + chr(34)}")
        (self.directory / "rasid.toml").write_text("\n".join(lines))
        (self.directory / "outlets.toml").write_text("\n".join(self.outlets))
        self.config = load_config(self.directory)
        self.writer = Writer(self.config.archive, policy(self.config), group_ms=5)
        self.guest = Guest(self.config, self.writer)
        self.crawls = Crawls(self.config, self.writer, self.worker, self.guest)
        self.closers = [self.writer.close]
        self.writer.submit(lambda tx: sync_outlets(tx, [o.row for o in self.config.outlets])).result()
        self.db = connect_read(self.config.archive)
        return self

    def close(self) -> None:
        for close in self.closers:
            close()
        self.closers = []

    def crawl(self, *names: str, all_sources: bool = True) -> Any:
        """Crawl these outlets (or all), at once; the summary, or a list of them."""
        chosen = self.config.enabled(names)

        async def work() -> list[Any]:
            return await asyncio.gather(*(self.crawls.crawl(o, all_sources=all_sources) for o in chosen))

        done = self.loop.run(work())
        return done[0] if len(done) == 1 else done

    def rows(self, sql: str, *args: Any) -> list[tuple[Any, ...]]:
        return list(self.db.execute(sql, args).fetchall())

    def outcomes(self) -> dict[str, str]:
        """Path of every look so far: its outcome."""
        return {
            re.sub("https?://[^/]+", "", u): o for u, o in self.rows("SELECT url, outcome FROM fetches ORDER BY id")
        }

    def titles(self) -> list[str]:
        return [row[0] for row in self.rows("SELECT title FROM latest ORDER BY title")]


@pytest.fixture
def desk(loop: Loop, worker: Worker, tmp_path: Path) -> Iterator[Desk]:
    desk = Desk(loop, worker, tmp_path)
    yield desk
    desk.close()


@pytest.fixture
def site() -> Iterator[Site]:
    with Site() as site:
        yield site


def one_article(desk: Desk, site: Site, path: str, **keys: Any) -> str:
    """A desk with one outlet whose feed lists one address."""
    site.feed("/feed", [site.url + path])
    desk.outlet("one", site, feeds=f'["{site.url}/feed"]', **keys)
    desk.open().crawl()
    return desk.outcomes().get(path, "none")


def test_listed_articles_are_found_read_judged_and_kept(desk: Desk, site: Site) -> None:
    site.article("/on", "نقل دفعة من معتقلي داعش", TEXT)
    site.article("/off", "فوز الفريق الأخضر", OFF_TOPIC)
    site.page("/section", '<a href="/حسكة/من أخبار اليوم">قسد تنقل معتقلين من تنظيم داعش</a>')
    site.article(quote("/حسكة/من أخبار اليوم"), "قسد تنقل معتقلي داعش", TEXT + "\nخاتمة أخرى.")
    site.feed("/feed", [f"{site.url}/on?utm_source=rss", f"{site.url}/off"])
    desk.outlet("one", site, feeds=f'["{site.url}/feed"]', sections=f'["{site.url}/section"]')
    done = desk.open().crawl()
    assert (done.discovered, done.kept, done.errors, done.outcome) == (3, 2, 0, "ok")
    assert desk.titles() == ["قسد تنقل معتقلي داعش", "نقل دفعة من معتقلي داعش"]
    assert desk.rows("SELECT count(*) FROM frontier") == [(0,)]
    agents = {hit.headers["user-agent"] for hit in site.log}
    assert len(agents) == 1
    assert re.fullmatch(r"Rasid/\S+ \(\+desk@example\.org\)", agents.pop())
    assert site.hits("/robots.txt") == 1
    assert not any("cookie" in hit.headers or "referer" in hit.headers for hit in site.log)


def test_a_second_crawl_reads_nothing_again(desk: Desk, site: Site) -> None:
    site.article("/a", "نقل دفعة من معتقلي داعش", TEXT)
    one_article(desk, site, "/a")
    desk.crawl()
    assert (site.hits("/a"), site.hits("/feed")) == (1, 2)


def test_an_unchanged_feed_is_asked_for_conditionally(desk: Desk, site: Site) -> None:
    def feed(visit: Any) -> None:
        if visit.headers.get("if-none-match") == '"v1"' and visit.headers.get("if-modified-since") == "yesterday":
            visit.start(304)
        else:
            visit.answer(
                rss([site.url + "/a"]), content_type="application/rss+xml", etag='"v1"', last_modified="yesterday"
            )

    site.article("/a", "نقل دفعة من معتقلي داعش", TEXT)
    site.route("/feed", feed)
    desk.outlet("one", site, feeds=f'["{site.url}/feed"]')
    desk.open().crawl()
    assert desk.outcomes()["/feed"] == "ok"
    desk.crawl()
    assert desk.outcomes()["/feed"] == "unchanged"
    desk.crawl()
    assert desk.outcomes()["/feed"] == "unchanged"


def test_what_goes_over_the_wire_is_kept_as_it_went(desk: Desk, site: Site) -> None:
    packed = gzip.compress(article("نقل دفعة من معتقلي داعش", TEXT).encode())
    site.page("/a", packed, content_encoding="gzip")
    assert one_article(desk, site, "/a") == "ok"
    desk.close()
    from warcio.archiveiterator import ArchiveIterator

    files = list((desk.directory / "captures").glob("*.warc.gz"))
    found = []
    for file in files:
        with file.open("rb") as stream:
            for record in ArchiveIterator(stream, no_record_parse=False):
                if record.rec_type == "response":
                    found.append((record.http_headers.get_header("Content-Encoding"), record.raw_stream.read()))
    assert found == [("gzip", packed)]
    assert desk.rows("SELECT bytes FROM fetches WHERE outcome = 'ok' AND url LIKE '%/a'") == [(len(packed),)]


# --- robots.txt


def test_nothing_forbidden_slips_through_while_robots_is_slow(desk: Desk, site: Site) -> None:
    def robots(visit: Any) -> None:
        time.sleep(1)
        visit.answer("User-agent: *\nDisallow: /secret", content_type="text/plain")

    site.route("/robots.txt", robots)
    site.route(ANY, lambda visit: visit.answer(article("نقل دفعة من معتقلي داعش", TEXT)))
    site.feed("/feed", [f"{site.url}/secret/{n}" for n in range(12)] + [f"{site.url}/open"])
    desk.settings["crawl.concurrency"] = "8"
    for name in ("one", "two", "three"):
        desk.outlet(name, site, feeds=f'["{site.url}/feed?{name}"]')
        site.routes[f"/feed?{name}"] = site.routes["/feed"]
    desk.open().crawl()
    asked = {hit.path for hit in site.log}
    assert not [path for path in asked if path.startswith("/secret")]
    assert "/open" in asked
    assert site.hits("/robots.txt") == 1
    assert desk.outcomes()["/secret/1"] == "refused"


@pytest.mark.parametrize("status", [500, 503, 429])
def test_a_failing_robots_forbids_for_now(desk: Desk, site: Site, status: int) -> None:
    site.route("/robots.txt", lambda visit: visit.answer("User-agent: *\nAllow: /", status))
    site.feed("/feed", [])
    desk.outlet("one", site, feeds=f'["{site.url}/feed"]')
    done = desk.open().crawl()
    assert site.hits("/feed") == 0
    assert done.outcome == "failed"
    assert desk.outcomes()["/feed"] in ("outage", "blocked")


def test_a_hanging_robots_forbids_for_now(desk: Desk, site: Site) -> None:
    site.route("/robots.txt", lambda visit: visit.hang())
    site.feed("/feed", [])
    desk.outlet("one", site, feeds=f'["{site.url}/feed"]')
    desk.settings["crawl.timeout"] = "500ms"
    desk.open().crawl()
    assert site.hits("/feed") == 0
    assert desk.outcomes() == {"/feed": "timeout"}


def test_crawl_delay_is_kept(desk: Desk, site: Site) -> None:
    site.robots = "User-agent: *\nCrawl-delay: 0.4"
    site.route(ANY, lambda visit: visit.answer(article("خبر", OFF_TOPIC)))
    site.feed("/feed", [f"{site.url}/{n}" for n in range(3)])
    site.routes.pop("/robots.txt", None)
    site.route("/robots.txt", lambda visit: visit.answer(site.robots or "", content_type="text/plain"))
    desk.outlet("one", site, feeds=f'["{site.url}/feed"]')
    desk.open().crawl()
    after_robots = site.times()[1:]
    assert len(after_robots) == 4
    assert min(b - a for a, b in pairwise(after_robots)) > 0.38


def test_one_host_is_visited_at_one_pace_by_crawls_at_once(desk: Desk, site: Site) -> None:
    site.route(ANY, lambda visit: visit.answer(article("خبر", OFF_TOPIC)))
    site.page("/robots.txt", "")
    for name in ("one", "two", "three"):
        site.feed(f"/feed/{name}", [f"{site.url}/{name}/{n}" for n in range(3)])
        desk.outlet(name, site, feeds=f'["{site.url}/feed/{name}"]')
    desk.settings["crawl.delay"] = "150ms"
    desk.open().crawl()
    times = site.times()
    assert len(times) == 1 + 3 + 9
    assert min(b - a for a, b in pairwise(times)) > 0.13


# --- a host that says when to come back


def test_retry_after_ends_the_visits_and_loses_nothing(desk: Desk, site: Site) -> None:
    site.route(ANY, lambda visit: visit.answer("تمهل", 429, retry_after="3600"))
    site.page("/robots.txt", "")
    site.feed("/feed", [f"{site.url}/{n}" for n in range(5)])
    desk.outlet("one", site, feeds=f'["{site.url}/feed"]')
    desk.open().crawl()
    assert [hit.path for hit in site.log if hit.path.strip("/").isdigit()] == ["/0"] or len(
        [hit for hit in site.log if hit.path.strip("/").isdigit()]
    ) == 1
    assert desk.rows("SELECT count(*), min(next_at) > datetime('now') FROM frontier WHERE next_at IS NOT NULL") == [
        (5, 1)
    ]
    before = len(site.log)
    desk.close()
    desk.open().crawl()  # another process
    assert len(site.log) == before
    assert desk.outcomes()["/feed"] == "blocked"


# --- outcomes


def test_status_codes(desk: Desk, site: Site) -> None:
    expected = {404: "gone", 410: "gone", 401: "blocked", 403: "blocked", 451: "blocked", 400: "outage", 500: "outage"}
    for status in expected:
        site.route(f"/{status}", lambda visit, status=status: visit.answer("خطأ", status))
    site.feed("/feed", [f"{site.url}/{status}" for status in expected])
    desk.outlet("one", site, feeds=f'["{site.url}/feed"]')
    desk.open().crawl()
    assert desk.outcomes() == {"/feed": "ok"} | {f"/{status}": outcome for status, outcome in expected.items()}


def test_a_chain_nobody_trusts_is_an_outcome_of_its_own(
    desk: Desk, site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Site(tls=tmp_path) as secure:
        secure.article("/b", "نقل دفعة من معتقلي داعش", TEXT)
        site.feed("/feed", [f"{secure.url}/b"])
        desk.outlet("one", site, feeds=f'["{site.url}/feed"]')
        desk.open().crawl()
        assert desk.outcomes()["/b"] == "tls"
        assert secure.log == []
        assert "certificate verify failed" in desk.rows("SELECT error FROM fetches WHERE outcome = 'tls'")[0][0]
        desk.close()

        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "server.pem"))
        desk.open()
        wrong = secure.url.replace("127.0.0.1", "localhost") + "/b"  # the certificate is made out to 127.0.0.1
        found = dict(desk.loop.run(desk.crawls.save([wrong])))
        assert found[wrong].outcome == "refused"  # saved by hand: no outlet of that host allows private addresses
        desk.writer.submit(lambda tx: tx.db.execute("UPDATE frontier SET next_at = '2020-01-01T00:00:00Z'")).result()
        desk.crawl()
        assert desk.titles() == ["نقل دفعة من معتقلي داعش"]
        site.feed("/feed", [wrong])
        desk.crawl()
        assert desk.rows("SELECT outcome FROM fetches WHERE url = ? ORDER BY id DESC", wrong)[0] == ("tls",)


@pytest.mark.parametrize("kind", ["length", "chunked", "bomb"])
def test_too_much_is_cut_off(desk: Desk, site: Site, kind: str) -> None:
    megabyte = b"<p>" + b"a" * (1 << 20)
    if kind == "length":
        site.page("/a", megabyte * 20)
    elif kind == "chunked":
        site.route("/a", lambda visit: visit.chunks(megabyte, 20))
    else:
        packed = bomb(300)
        assert len(packed) < 1_000_000
        site.page("/a", packed, content_encoding="gzip")
    found = one_article(desk, site, "/a")
    assert found == "too_large", desk.rows("SELECT error FROM fetches")


def test_headers_that_do_not_end_are_cut_off(desk: Desk, site: Site) -> None:
    sent = []

    def endless(visit: Any) -> None:
        visit.handler.wfile.write(b"HTTP/1.1 200 OK\r\n")
        while not site.closing.is_set():
            visit.handler.wfile.write(b"X-More: and more\r\n" * 1000)
            sent.append(1)

    site.route("/a", endless)
    assert one_article(desk, site, "/a") == "outage"
    assert len(sent) < 2000  # megabytes, where the time limit would have let gigabytes pass


@pytest.mark.parametrize("kind", ["hang", "drip"])
def test_slowness_ends_at_the_limit(desk: Desk, site: Site, kind: str) -> None:
    desk.settings["crawl.timeout"] = "700ms"
    site.route("/a", lambda visit: visit.hang() if kind == "hang" else visit.drip())
    assert one_article(desk, site, "/a") == "timeout"


def test_what_cannot_be_stored_costs_one_page_and_no_crawl(desk: Desk, site: Site) -> None:
    """JSON can spell half a surrogate pair; and whatever else a page may hold, it is not fetched for ever."""
    data = '{"@type": "NewsArticle", "headline": "نقل دفعة", "author": {"name": "ليلى \\ud83d"}}'
    html = article("نقل دفعة من معتقلي داعش", TEXT).replace('<meta name="author" content="ليلى حداد">', "")
    site.page("/half", html.replace("</head>", f'<script type="application/ld+json">{data}</script></head>'))
    site.article("/odd", "نقل دفعة أخرى من معتقلي داعش", TEXT)
    site.article("/a", "نقل دفعة ثالثة من معتقلي داعش", TEXT)
    site.feed("/feed", [f"{site.url}/half", f"{site.url}/odd", f"{site.url}/a"])
    desk.outlet("one", site, feeds=f'["{site.url}/feed"]')
    desk.open()
    odd = (
        "CREATE TRIGGER odd BEFORE INSERT ON versions WHEN new.title LIKE '%أخرى%' BEGIN SELECT raise(ABORT, 'no'); END"
    )
    desk.writer.submit(lambda tx: tx.db.execute(odd)).result()
    desk.crawl()
    assert desk.outcomes() == {"/feed": "ok", "/half": "ok", "/odd": "unreadable", "/a": "ok"}
    assert desk.rows("SELECT author FROM latest WHERE url LIKE '%/half'") == [("ليلى ?",)]
    assert desk.rows("SELECT attempts FROM frontier") == [(1,)]


@pytest.mark.parametrize(("status", "outcome"), [(202, "outage"), (206, "outage"), (304, "outage"), (203, "ok")])
def test_only_a_whole_page_is_one(desk: Desk, site: Site, status: int, outcome: str) -> None:
    body = "" if status == 304 else article("نقل دفعة من معتقلي داعش", TEXT)
    site.route("/a", lambda visit: visit.answer(body, status))
    assert one_article(desk, site, "/a") == outcome


def test_stray_control_characters_lose_no_text_and_unnamed_compression_is_no_text(desk: Desk, site: Site) -> None:
    html = article("نقل دفعة\x01 من معتقلي داعش", TEXT.replace(" ", " \x02", 3) + "\x1f\ufffe")
    site.page("/a", html)
    site.page("/b", gzip.compress(html.encode()))
    site.feed("/feed", [f"{site.url}/a", f"{site.url}/b"])
    desk.outlet("one", site, feeds=f'["{site.url}/feed"]')
    desk.open().crawl()
    assert desk.outcomes() == {"/feed": "ok", "/a": "ok", "/b": "unreadable"}
    assert desk.rows("SELECT title, text FROM latest") == [("نقل دفعة من معتقلي داعش", TEXT.strip())]


def test_broken_answers_are_outages(desk: Desk, site: Site) -> None:
    site.route("/cut", lambda visit: visit.cut())
    site.page("/gzip", b"this is no gzip", content_encoding="gzip")
    site.route("/self", lambda visit: visit.redirect("/self"))
    for n in range(9):
        site.route(f"/loop{n}", lambda visit, n=n: visit.redirect(f"/loop{n + 1}"))
    site.feed(
        "/feed", [site.url + path for path in ("/cut", "/gzip", "/self", "/loop0")] + ["http://127.0.0.1:1/closed"]
    )
    desk.outlet("one", site, feeds=f'["{site.url}/feed"]')
    desk.open().crawl()
    found = desk.outcomes()
    assert {found[path] for path in ("/cut", "/self", "/loop0", "/closed")} == {"outage"}
    assert found["/gzip"] in ("outage", "unreadable")
    assert desk.rows("SELECT status FROM fetches WHERE url LIKE '%/self'") == [(None,)]  # not that of the hop before
    assert site.hits("/self") == 1
    assert sum(hit.path.startswith("/loop") for hit in site.log) == 6


def test_a_page_that_hangs_the_reader_is_unreadable_and_the_crawl_goes_on(desk: Desk, site: Site) -> None:
    site.page("/slow", "<html><body>" + "<p>نص " * 300_000)
    site.article("/a", "نقل دفعة من معتقلي داعش", TEXT)
    site.feed("/feed", [f"{site.url}/slow", f"{site.url}/a"])
    desk.outlet("one", site, feeds=f'["{site.url}/feed"]')
    desk.worker = Worker(shipped_rules(), limit=4)
    desk.open().closers.append(desk.worker.close)
    desk.crawl()
    assert desk.titles() == ["نقل دفعة من معتقلي داعش"]
    assert desk.outcomes()["/slow"] == "unreadable"
    assert "not read within" in desk.rows("SELECT error FROM fetches WHERE outcome = 'unreadable'")[0][0]


def test_what_is_no_page_is_no_article(desk: Desk, site: Site) -> None:
    site.page("/a", b"%PDF-1.7", content_type="application/pdf")
    assert one_article(desk, site, "/a") == "not_article"


def test_an_entity_bomb_in_a_feed_hurts_nobody(desk: Desk, site: Site) -> None:
    entities = "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 12))
    site.page(
        "/feed",
        f'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a0 "ها">{entities}]><rss version="2.0"><channel><item>'
        f"<title>&a11;</title><link>{site.url}/a</link></item></channel></rss>",
        content_type="application/rss+xml",
    )
    site.article("/a", "نقل دفعة من معتقلي داعش", TEXT)
    desk.outlet("one", site, feeds=f'["{site.url}/feed"]')
    assert desk.open().crawl().finished_at
    assert len(desk.rows("SELECT outcome FROM fetches WHERE url LIKE '%/feed'")) == 1


# --- private addresses


HOSTS = ["127.0.0.1", "127.1", "2130706433", "0x7f.1", "localhost", "[::ffff:127.0.0.1]", "[::1]", "169.254.169.254"]


def test_a_public_outlet_leads_to_no_private_address(desk: Desk, site: Site) -> None:
    site.feed("/feed", [])
    for number, host in enumerate(HOSTS):
        desk.outlet(f"public{number}", site, allow_private=False, feeds=f'["http://{host}:{site.port}/feed{number}"]')
    desk.outlet("trusted", site, feeds=f'["{site.url}/feed"]')
    desk.open().crawl(*(f"public{number}" for number in range(len(HOSTS))))
    assert site.log == []  # not even robots.txt
    assert desk.outcomes() == {f"/feed{number}": "refused" for number in range(len(HOSTS))}
    desk.crawl("trusted")
    assert site.hits("/feed") == 1


@pytest.fixture
def public(monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    """A site on 127.0.0.2, which plays the public internet here."""
    for module in (crawler.resolver, crawler.middlewares):
        monkeypatch.setattr(module, "is_public", lambda address: address == "127.0.0.2" or is_public(address))
    with Site(host="127.0.0.2") as site:
        yield site


def test_a_redirect_to_a_private_address_is_refused(desk: Desk, site: Site, public: Site) -> None:
    """By name and by number, even where another outlet may go."""
    for number, host in enumerate(HOSTS):
        public.route(f"/{number}", lambda visit, host=host: visit.redirect(f"http://{host}:{site.port}/inner"))
    public.route("/moved", lambda visit: visit.redirect(f"http://localhost:{site.port}/feed"))
    public.article("/fine", "نقل دفعة من معتقلي داعش", TEXT)
    public.feed("/feed", [f"{public.url}/{number}" for number in range(len(HOSTS))] + [f"{public.url}/fine"])
    site.feed("/feed", [])
    desk.outlet("public", public, allow_private=False, feeds=f'["{public.url}/feed", "{public.url}/moved"]')
    desk.outlet("trusted", site, feeds=f'["{site.url}/feed"]')
    desk.open().crawl("trusted", "public")
    assert (site.hits("/inner"), site.hits("/feed")) == (0, 1)  # the one is the trusted outlet's own
    refused = {path for path, outcome in desk.outcomes().items() if outcome == "refused"}
    assert refused == {f"/{number}" for number in range(len(HOSTS))} | {"/moved"}
    assert desk.outcomes()["/fine"] == "ok"


def test_robots_may_not_lead_to_a_private_address(desk: Desk, site: Site, public: Site) -> None:
    public.route("/robots.txt", lambda visit: visit.redirect(f"http://localhost:{site.port}/robots.txt"))
    public.feed("/feed", [])
    desk.outlet("public", public, allow_private=False, feeds=f'["{public.url}/feed"]')
    desk.open().crawl()
    assert site.log == []
    assert desk.outcomes() == {"/feed": "refused"}


def test_a_proxy_is_used_where_configured_and_carries_no_private_address(
    desk: Desk, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")  # what the environment says does not count
    site.route("http://news.example/feed", lambda visit: visit.answer(rss(["http://news.example/a"])))
    site.route("http://news.example/a", lambda visit: visit.redirect(f"http://127.1:{site.port}/inner"))
    desk.outlet("public", site, allow_private=False, feeds='["http://news.example/feed"]')
    desk.settings["crawl.proxy"] = site.url
    desk.open().crawl()
    assert [hit.path.partition("example")[2] for hit in site.log] == ["/robots.txt", "/feed", "/a"]
    assert desk.outcomes()["/a"] == "refused"


def test_other_schemes_are_not_followed(desk: Desk, site: Site) -> None:
    site.route("/a", lambda visit: visit.redirect("file:///etc/passwd"))
    site.route("/b", lambda visit: visit.redirect("ftp://example.org/x"))
    site.feed("/feed", [f"{site.url}/a", f"{site.url}/b"])
    desk.outlet("one", site, feeds=f'["{site.url}/feed"]')
    desk.open().crawl()
    assert {desk.outcomes()[path] for path in ("/a", "/b")} == {"refused"}


# --- redirects, revisits, saving by hand


def test_a_redirect_is_followed_once_and_both_addresses_are_one_article(desk: Desk, site: Site) -> None:
    site.article("/new", "نقل دفعة من معتقلي داعش", TEXT)
    site.route("/old", lambda visit: visit.redirect("/new", 301))
    site.feed("/feed", [f"{site.url}/old", f"{site.url}/new"])
    desk.outlet("one", site, feeds=f'["{site.url}/feed"]')
    desk.open().crawl()
    assert site.hits("/new") == 1
    assert desk.rows("SELECT count(*) FROM articles") == [(1,)]
    desk.crawl()
    assert (site.hits("/new"), site.hits("/old")) == (1, 1)


def test_revisits_find_edits_and_withdrawals_and_outages_are_neither(desk: Desk, site: Site) -> None:
    desk.settings |= {"revisit.confirm_after": "1s"}
    site.article("/a", "نقل دفعة من معتقلي داعش", TEXT)
    site.feed("/feed", [f"{site.url}/a"])
    desk.outlet("one", site, feeds=f'["{site.url}/feed"]')
    desk.open()

    def revisit() -> None:
        desk.writer.submit(
            lambda tx: tx.db.execute("UPDATE articles SET next_check_at = '2020-01-01T00:00:00Z'")
        ).result()
        desk.crawl()

    desk.crawl()
    revisit()
    assert desk.outcomes()["/a"] == "unchanged"
    site.article("/a", "نقل دفعة من معتقلي داعش", TEXT.replace("مئة وخمسين", "مئتين"))
    revisit()
    site.route("/a", lambda visit: visit.answer("صيانة", 503))
    revisit()
    site.page("/a", "<html><body>تسجيل الدخول</body></html>")  # a wall in place of a kept article
    revisit()
    assert desk.outcomes()["/a"] == "unreadable"
    assert desk.rows("SELECT kind FROM events") == [("new",), ("edited",)]
    site.route("/a", lambda visit: visit.answer("حذف", 404))
    revisit()
    time.sleep(2.1)
    revisit()
    assert desk.rows("SELECT kind FROM events") == [("new",), ("edited",), ("withdrawn",)]
    assert desk.rows("SELECT count(*) FROM versions") == [(2,)]


def test_saving_by_hand_keeps_whatever_it_is(desk: Desk, site: Site) -> None:
    site.article("/off", "فوز الفريق الأخضر", OFF_TOPIC)
    desk.outlet("one", site, sections=f'["{site.url}/"]')
    desk.open()
    urls = [f"{site.url}/off#x", f"{site.url}/missing"]
    (first, kept), (second, look) = desk.loop.run(desk.crawls.save(urls))
    assert (first, second) == (f"{site.url}/off", f"{site.url}/missing")
    assert isinstance(kept, Saved)
    assert kept.kind == "new"
    assert isinstance(look, Look)
    assert look.outcome == "gone"
    with Site() as stranger:
        stranger.article("/x", "خبر", TEXT)
        [(_, look)] = desk.loop.run(desk.crawls.save([f"{stranger.url}/x"]))
        assert (look.outcome, stranger.log) == ("refused", [])


# --- ends


def test_a_full_disk_fetches_nothing_and_says_so_once(desk: Desk, site: Site, caplog: pytest.LogCaptureFixture) -> None:
    desk.settings["keep.free_space"] = "900TB"
    site.feed("/feed", [])
    desk.outlet("one", site, feeds=f'["{site.url}/feed"]')
    desk.open().crawl()
    desk.crawl(all_sources=False)
    assert site.log == []
    assert len([r for r in caplog.records if "keep.free_space" in r.getMessage()]) == 1
    with pytest.raises(StorageFull):
        desk.loop.run(desk.crawls.save([f"{site.url}/a"]))


def test_stopping_leaves_the_rest_due(desk: Desk, site: Site) -> None:
    site.route(ANY, lambda visit: visit.answer(article("خبر", OFF_TOPIC)))
    site.page("/robots.txt", "")
    site.feed("/feed", [f"{site.url}/{n}" for n in range(50)])
    desk.outlet("one", site, feeds=f'["{site.url}/feed"]')
    desk.settings["crawl.delay"] = "100ms"
    desk.open()

    async def work() -> Any:
        crawl = asyncio.ensure_future(desk.crawls.crawl(desk.config.outlets[0], all_sources=True))
        await asyncio.sleep(1.5)
        await desk.crawls.stop(within=5)
        return await crawl

    assert desk.loop.run(work()).outcome == "interrupted"
    (left,) = desk.rows("SELECT count(*) FROM frontier WHERE next_at IS NOT NULL")[0]
    read = len({hit.path for hit in site.log if hit.path.strip("/").isdigit()})
    assert 0 < read < 50
    assert left >= 50 - read


def test_killed_in_the_middle_and_started_again_nothing_is_lost_or_read_twice(tmp_path: Path, site: Site) -> None:
    total = 30
    for n in range(total):
        site.article(f"/{n}", f"نقل دفعة رقم {n} من معتقلي داعش", TEXT + f"\nالدفعة {n}.")
    site.feed("/feed", [f"{site.url}/{n}" for n in range(total)])
    (tmp_path / "rasid.toml").write_text(
        'contact = "desk@example.org"\n[crawl]\ndelay = "60ms"\n[keep]\nfree_space = "1B"\n'
    )
    (tmp_path / "outlets.toml").write_text(
        f'[[outlet]]\nid = "one"\nname_ar = "موقع"\nname_en = "one"\nhomepage = "{site.url}/"\n'
        f'feeds = ["{site.url}/feed"]\nallow_private = true\n'
    )
    command = [sys.executable, "-m", "crawler", "crawl", "--config", str(tmp_path)]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "cwd": ROOT, "env": {**os.environ}}
    for enough in (3, 12):
        process = subprocess.Popen(command, **quiet)  # type: ignore[call-overload]
        deadline = time.monotonic() + 60
        while len({hit.path for hit in site.log} - {"/feed", "/robots.txt"}) < enough and time.monotonic() < deadline:
            assert process.poll() is None
            time.sleep(0.02)
        process.send_signal(signal.SIGKILL)
        process.wait(10)
    subprocess.run(command, check=True, timeout=100, **quiet)  # type: ignore[call-overload]
    db = connect_read(tmp_path / "archive.db")
    assert db.execute("SELECT count(*), count(DISTINCT title) FROM latest").fetchone() == (total, total)
    assert db.execute("SELECT count(*) FROM versions").fetchone() == (total,)
    assert db.execute("SELECT count(*) FROM events").fetchone() == (total,)
    assert db.execute("SELECT max(n) FROM (SELECT count(*) n FROM fetches GROUP BY crawl_id, url)").fetchone() == (1,)
    twice = [n for n in range(total) if site.hits(f"/{n}") > 1]
    assert len(twice) <= 4  # what was in hand at a kill is read again, nothing else
