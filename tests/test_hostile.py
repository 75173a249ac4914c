"""Servers that do what no server should: every address ends in a recorded outcome, and no crawl hangs."""

from __future__ import annotations

import gzip
import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from archive.topics import shipped_rules
from crawler.worker import Worker
from tests.crawl_kit import TEXT, Desk, one_article
from tests.servers import ANY, Site, article, bomb, rss

# --- outcomes


def test_status_codes(desk: Desk, site: Site) -> None:
    expected = {404: "gone", 410: "gone", 401: "blocked", 403: "blocked", 451: "blocked", 400: "outage", 500: "outage"}
    for status in expected:
        site.route(f"/{status}", lambda visit, status=status: visit.answer("خطأ", status))
    site.feed("/feed", [f"{site.url}/{status}" for status in expected])
    desk.outlet("one", site, feeds=f'["{site.url}/feed"]')
    desk.open().crawl()
    assert desk.outcomes() == {"/feed": "ok"} | {f"/{status}": outcome for status, outcome in expected.items()}


def test_a_challenge_is_one_whatever_its_status(desk: Desk, site: Site) -> None:
    """Kept articles are neither withdrawn nor in doubt for it, nor is the site told to be down."""
    wall = (
        "<html><head><title>Just a moment...</title></head><body><script>window._cf_chl_opt={}</script></body></html>"
    )
    site.article("/a", "نقل دفعة من معتقلي داعش", TEXT)
    assert one_article(desk, site, "/a") == "ok"
    for hours, status in ((2, 503), (6, 403), (20, 202)):
        site.route("/a", lambda visit, status=status: visit.answer(wall, status))
        desk.ahead = timedelta(hours=hours)
        desk.crawl()
        assert desk.outcomes()["/a"] == "blocked"
    assert desk.rows("SELECT status FROM articles") == [("live",)]
    assert desk.rows("SELECT count(*) FROM fetches WHERE outcome = 'blocked'") == [(3,)]


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


def test_a_short_report_of_deleted_news_is_news_and_a_page_that_says_it_was_deleted_is_none(
    desk: Desk, site: Site
) -> None:
    title, first = "تم حذف الخبر: وكالة محلية تسحب نبأ عن نقل معتقلي داعش", TEXT.splitlines()[0]
    site.article("/a", title, first)
    site.article(
        "/b", "تم حذف الخبر", "يمكنكم العودة إلى الصفحة الرئيسية لمتابعة آخر أخبار معتقلي داعش وقسد في الحسكة."
    )
    site.feed("/feed", [f"{site.url}/a", f"{site.url}/b"])
    desk.outlet("one", site, feeds=f'["{site.url}/feed"]')
    desk.open().crawl()
    assert (desk.outcomes(), desk.titles()) == ({"/feed": "ok", "/a": "ok", "/b": "gone"}, [title])


@pytest.mark.parametrize("kind", ["length", "chunked", "bomb"])
def test_too_much_is_cut_off(desk: Desk, site: Site, kind: str) -> None:
    megabyte = b"<p>" + b"a" * (1 << 20)
    if kind == "length":
        site.page("/a", megabyte * 20)
    elif kind == "chunked":
        site.route("/a", lambda visit: visit.chunks(megabyte, 100_000))
    else:
        packed = bomb(300)
        assert len(packed) < 1_000_000
        site.page("/a", packed, content_encoding="gzip")
    found = one_article(desk, site, "/a")
    assert found == "too_large", desk.rows("SELECT error FROM fetches")


@pytest.mark.parametrize("kind", ["length", "chunked"])
def test_a_feed_of_fifty_megabytes_costs_its_own_visit_alone(desk: Desk, site: Site, kind: str) -> None:
    items = rss([f"{site.url}/private/{n}" for n in range(9000)]).encode()
    if kind == "length":
        site.route("/feed", lambda visit: visit.start(content_length="50000000"))
    else:
        site.route("/feed", lambda visit: visit.chunks(items, 50))
    site.page("/map.xml", f"<urlset><url><loc>{site.url}/news/71234</loc></url></urlset>")
    site.article("/news/71234", "نقل دفعة من معتقلي داعش", TEXT)
    desk.outlet("one", site, feeds=f'["{site.url}/feed"]', sitemaps=f'["{site.url}/map.xml"]')
    assert desk.open().crawl().outcome == "partial"
    assert desk.outcomes() == {"/feed": "too_large", "/map.xml": "ok", "/news/71234": "ok"}
    assert desk.rows("SELECT kind, failures FROM sources ORDER BY position") == [("feed", 1), ("sitemap", 0)]


def test_chunks_whose_heads_or_trailers_do_not_end_are_cut_off(desk: Desk, site: Site) -> None:
    def head(visit: Any) -> None:
        visit.start(transfer_encoding="chunked")
        visit.handler.wfile.write(b"5;")
        while not site.closing.is_set():
            visit.handler.wfile.write(b"x" * 10_000)

    def trailer(visit: Any) -> None:
        visit.start(transfer_encoding="chunked")
        visit.handler.wfile.write(b"5\r\n<html\r\n0\r\n")
        while not site.closing.is_set():
            visit.handler.wfile.write(b"X-More: and more\r\n" * 1000)

    site.route("/head", head)
    site.route("/trailer", trailer)
    site.feed("/feed", [f"{site.url}/head", f"{site.url}/trailer"])
    desk.outlet("one", site, feeds=f'["{site.url}/feed"]')
    desk.open().crawl()
    assert {desk.outcomes()[path] for path in ("/head", "/trailer")} == {"outage"}


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
    site.page("/c", article("نقل&#11;دفعة&#x1B; من معتقلي داعش", TEXT.replace(" ", " &#8;", 3)))
    site.feed("/feed", [f"{site.url}/a", f"{site.url}/b", f"{site.url}/c"])
    desk.outlet("one", site, feeds=f'["{site.url}/feed"]')
    desk.open().crawl()
    assert desk.outcomes() == {"/feed": "ok", "/a": "ok", "/b": "unreadable", "/c": "ok"}
    assert desk.rows("SELECT title, text FROM latest") == [("نقل دفعة من معتقلي داعش", TEXT.strip())] * 2


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


# --- a host that fails, traps, wrong charsets


def test_a_host_that_is_down_is_not_asked_for_every_address(desk: Desk, site: Site) -> None:
    site.route(ANY, lambda visit: visit.cut())
    site.page("/robots.txt", "")
    site.feed("/feed", [f"{site.url}/{n}" for n in range(40)])
    desk.outlet("one", site, feeds=f'["{site.url}/feed"]')
    desk.open().crawl()
    assert len([hit for hit in site.log if hit.path[1:].isdigit()]) == 5
    assert desk.rows("SELECT count(*), sum(attempts), min(next_at) > datetime('now') FROM frontier") == [(40, 5, 1)]


@pytest.mark.parametrize("declared", ["windows-1256", "utf-8"])
@pytest.mark.parametrize("real", ["windows-1256", "utf-8"])
@pytest.mark.parametrize("where", ["header", "meta"])
def test_arabic_is_read_whatever_charset_is_declared(
    desk: Desk, site: Site, declared: str, real: str, where: str
) -> None:
    text = article("نقل دفعة من معتقلي داعش", TEXT).replace('charset="utf-8"', f'charset="{declared}"')
    kind = f"text/html; charset={declared}" if where == "header" else "text/html"
    site.page("/a", text.encode(real), content_type=kind)
    assert one_article(desk, site, "/a") == "ok"
    assert desk.titles() == ["نقل دفعة من معتقلي داعش"]
    assert desk.rows("SELECT text FROM latest") == [(TEXT,)]


def test_one_guid_for_all_and_relative_links(desk: Desk, site: Site) -> None:
    for number in range(3):
        site.article(f"/news/{number}/", f"نقل دفعة رقم {number} من معتقلي داعش", TEXT + f"\nالدفعة {number}.")
    items = "".join(
        f"<item><guid isPermaLink='false'>7</guid><title>خبر</title><link>{link}</link></item>"
        for link in ("../news/0/", "/news/1/", "2/?utm_source=rss", "/news/2/#more")
    )
    site.page("/news/feed", f"<rss version='2.0'><channel>{items}</channel></rss>", content_type="text/xml")
    desk.outlet("one", site, feeds=f'["{site.url}/news/feed"]')
    desk.open().crawl()
    assert [path for path in desk.outcomes() if path.startswith("/news/") and path != "/news/feed"] == [
        "/news/0/", "/news/1/", "/news/2/",
    ]  # fmt: skip
    assert len(desk.titles()) == 3


def test_a_redirect_that_never_ends_ends(desk: Desk, site: Site) -> None:
    site.route(ANY, lambda visit: visit.redirect(visit.path + "1"))
    site.page("/robots.txt", "")
    assert one_article(desk, site, "/r") == "outage"
    assert len([hit for hit in site.log if hit.path.startswith("/r1")]) < 25


def test_a_calendar_without_end_is_no_way_in(desk: Desk, site: Site) -> None:
    """Every page of it links to the next month; a section page is read, and nothing is followed from article pages."""

    def month(visit: Any) -> None:
        number = int(re.sub(r"\D", "", visit.path) or 0)
        links = "".join(f'<a href="/calendar/{number + step}">أخبار الشهر التالي في التقويم</a>' for step in (1, 2, 3))
        visit.answer(f"<html><body><h1>التقويم</h1>{links}</body></html>")

    site.route(ANY, month)
    site.page("/robots.txt", "")
    desk.outlet("one", site, sections=f'["{site.url}/calendar/1000"]')
    desk.open()
    for _ in range(3):
        desk.crawl()
    assert len({hit.path for hit in site.log}) <= 5
    assert desk.rows("SELECT count(*) FROM articles WHERE latest_version_id IS NOT NULL") == [(0,)]


def test_cookies_are_not_kept_and_a_wall_of_them_ends(desk: Desk, site: Site) -> None:
    def wall(visit: Any) -> None:
        if "seen=1" in visit.headers.get("cookie", ""):
            visit.answer(article("نقل دفعة من معتقلي داعش", TEXT))
        else:
            visit.answer(status=302, location="/a", set_cookie="seen=1")

    site.route("/a", wall)
    assert one_article(desk, site, "/a") == "outage"
    assert site.hits("/a") <= 2
