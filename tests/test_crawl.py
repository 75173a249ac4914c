"""Crawls against real servers on loopback that misbehave: every one ends, and every look is recorded."""

from __future__ import annotations

import asyncio
import gzip
import re
import signal
import time
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from archive.errors import StorageFull
from archive.models import Look, Saved
from archive.sqlite import connect_read
from tests.crawl_kit import OFF_TOPIC, TEXT, Desk, one_article
from tests.program import Running, rasid
from tests.servers import ANY, Site, article, rss


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
    robots, *others = site.times()
    assert len(others) == 4
    assert others[-1] - robots > 3 * 0.4 - 0.01  # however late one of them left or arrived


def test_one_host_is_visited_at_one_pace_by_crawls_at_once(desk: Desk, site: Site) -> None:
    site.route(ANY, lambda visit: visit.answer(article("خبر", OFF_TOPIC)))
    site.page("/robots.txt", "")
    for name in ("one", "two", "three"):
        site.feed(f"/feed/{name}", [f"{site.url}/{name}/{n}" for n in range(3)])
        desk.outlet(name, site, feeds=f'["{site.url}/feed/{name}"]')
    desk.settings["crawl.delay"] = "150ms"
    desk.open().crawl()
    robots, *others = site.times()
    assert len(others) == 3 + 9
    assert others[-1] - robots > 11 * 0.15 - 0.01


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
    for path in ("/older", "/oldest"):
        site.route(path, lambda visit: visit.redirect("/b", 301))
    site.article("/b", "نقل دفعة أخرى من معتقلي داعش", TEXT)
    site.feed("/feed", [f"{site.url}{path}" for path in ("/b", "/older", "/oldest")])  # the article itself first
    desk.crawl()
    desk.ahead = timedelta(minutes=30)
    desk.crawl()
    assert desk.rows("SELECT kind, count(*) FROM addresses WHERE article_id = 2 GROUP BY kind ORDER BY kind") == [
        ("canonical", 1), ("moved", 2),
    ]  # fmt: skip
    assert desk.rows("SELECT * FROM frontier") == []
    assert {desk.outcomes()[path] for path in ("/older", "/oldest")} <= {"moved", "unchanged"}


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
    desk.ahead = timedelta(seconds=3)
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
    for enough in (3, 12):
        process = Running("crawl", "--config", tmp_path, out=tmp_path / "crawl.log")
        deadline = time.monotonic() + 60
        while len({hit.path for hit in site.log} - {"/feed", "/robots.txt"}) < enough and time.monotonic() < deadline:
            assert process.poll() is None
            time.sleep(0.02)
        process.send_signal(signal.SIGKILL)
        process.wait(10)
    assert rasid("crawl", "--config", tmp_path).returncode == 0
    db = connect_read(tmp_path / "archive.db")
    assert db.execute("SELECT count(*), count(DISTINCT title) FROM latest").fetchone() == (total, total)
    assert db.execute("SELECT count(*) FROM versions").fetchone() == (total,)
    assert db.execute("SELECT count(*) FROM events").fetchone() == (total,)
    assert db.execute("SELECT max(n) FROM (SELECT count(*) n FROM fetches GROUP BY crawl_id, url)").fetchone() == (1,)
    twice = [n for n in range(total) if site.hits(f"/{n}") > 1]
    assert len(twice) <= 4  # what was in hand at a kill is read again, nothing else
