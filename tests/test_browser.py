"""Pages that only their scripts fill, in the system's Chromium, which reaches nothing but through our own door.

Run by `make test-browser`, which installs the extra.
"""

from __future__ import annotations

import gzip
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

import crawler.middlewares
import crawler.resolver
from archive.errors import ConfigError
from archive.models import RENDERED
from archive.reading import open_archive
from crawler.browser import Browser, missing
from crawler.resolver import is_public
from crawler.session import open_session
from tests.crawl_kit import TEXT, Desk
from tests.servers import Site, Visit

ROOT = Path(__file__).parent.parent
HAS_CHROMIUM = find_spec("playwright") is not None and shutil.which("chromium") is not None
needs_chromium = pytest.mark.skipif(not HAS_CHROMIUM, reason="needs Chromium and the extra: make test-browser")
PARAGRAPHS = "".join(f"<p>{line}</p>" for line in TEXT.splitlines())
SHELL = """<!doctype html><html lang="ar" dir="rtl"><head><meta charset="utf-8"><title>موقع</title>
<meta property="og:type" content="article"><link rel="stylesheet" href="/style.css">
<script src="/app.js" defer></script>
</head><body><div id="app"></div><img src="/photo.jpg"><iframe src="/frame.html"></iframe></body></html>"""
APP = """fetch('/api' + location.pathname, {headers: {'X-Api-Key': 'open'}}).then(a => a.json()).then(story => {
  document.title = story.title;
  document.getElementById('app').innerHTML = '<article><h1>' + story.title + '</h1>' + story.text + '</article>';
});"""


def story(title: str) -> str:
    return f'{{"title": "{title}", "text": "{PARAGRAPHS}"}}'


def one_page(site: Site, app: str = APP, path: str = "/news/1") -> None:
    """A feed with one address, whose page an application fills."""
    site.page(path, SHELL)
    site.page("/app.js", app, content_type="text/javascript")
    site.page(f"/api{path}", story("نقل معتقلين من سجن الصناعة"), content_type="application/json")
    site.feed("/feed", [site.url + path])


def at_outlet(desk: Desk, site: Site, **keys: str) -> Desk:
    desk.outlet("app", site, **({"feeds": f'["{site.url}/feed"]', "browser": "true"} | keys))
    desk.open()
    desk.crawls.browser = Browser(desk.guest.agent, sandbox=os.geteuid() != 0)
    return desk


def chromiums() -> set[str]:
    found = subprocess.run(["pgrep", "-f", "user-data-dir=/tmp/playwright"], capture_output=True, text=True)
    return set(found.stdout.split())


@pytest.fixture(autouse=True)
def _nothing_left_running() -> Iterator[None]:
    before = chromiums()
    yield
    for _ in range(50):
        if not chromiums() - before:
            return
        time.sleep(0.1)
    pytest.fail("Chromium is still running")


@pytest.mark.skipif(find_spec("playwright") is not None, reason="the extra is installed")
def test_without_the_extra_a_crawl_says_what_to_install(desk: Desk, site: Site) -> None:
    desk.outlet("app", site, sections=f'["{site.url}/"]', browser="true")
    desk.open().close()
    with pytest.raises(ConfigError, match=r"outlet\.browser: needs the extra: pip install 'rasid\[browser\]'"), \
            open_session(desk.config):  # fmt: skip
        pass


@needs_chromium
@pytest.mark.slow
class TestRendering:
    """With Chromium."""

    def test_what_scripts_write_is_read_and_the_capture_says_so(self, desk: Desk, site: Site) -> None:
        one_page(site)
        assert at_outlet(desk, site).crawl().outcome == "ok"
        (kept,) = desk.rows("SELECT title, text, extractor FROM versions")
        assert kept[:2] == ("نقل معتقلين من سجن الصناعة", TEXT)
        assert kept[2].endswith("+chromium")
        with open_archive(desk.config.archive) as archive:
            page = archive.capture(1)
        assert dict(page.headers)[RENDERED].startswith("Chromium/")
        assert TEXT.splitlines()[0] in page.body.decode()
        agents = {hit.headers["user-agent"] for hit in site.log}
        assert agents == {desk.guest.agent}
        assert {hit.path for hit in site.log} == {"/robots.txt", "/feed", "/news/1", "/app.js", "/api/news/1"}
        assert next(hit for hit in site.log if hit.path == "/api/news/1").headers["x-api-key"] == "open"

    def test_a_page_that_did_not_change_makes_no_version_and_its_scripts_are_asked_for_once(
        self, desk: Desk, site: Site
    ) -> None:
        one_page(site)
        one_page(site, path="/news/2")
        site.feed("/feed", [site.url + "/news/1", site.url + "/news/2"])
        at_outlet(desk, site).crawl()
        assert desk.rows("SELECT count(*) FROM versions") == [(2,)]
        assert site.hits("/app.js") == 1
        desk.writer.submit(lambda tx: tx.db.execute("UPDATE articles SET next_check_at = first_seen_at")).result()
        desk.crawl()
        assert desk.rows("SELECT count(*) FROM versions") == [(2,)]
        assert desk.rows("SELECT count(*) FROM fetches WHERE outcome = 'unchanged' AND source_id IS NULL") == [(2,)]

    def test_a_section_is_rendered_too(self, desk: Desk, site: Site) -> None:
        site.page("/", SHELL.replace("/app.js", "/list.js"), etag='"the shell"')
        words = "قسد تنقل معتقلين من سجن الصناعة في الحسكة"
        site.page("/list.js", f"app.innerHTML = '<a href=\"/news/1\">{words}</a>'", content_type="text/javascript")
        one_page(site)
        at_outlet(desk, site, feeds="[]", sections=f'["{site.url}/"]').crawl()
        assert desk.outcomes()["/news/1"] == "ok"
        assert desk.rows("SELECT etag FROM sources") == [(None,)]  # the shell's, which says nothing of the list

    def test_chromium_reaches_nothing_by_itself(self, desk: Desk, site: Site) -> None:
        with Site(host="127.0.0.2") as other:
            other.page("/secret", "secret", access_control_allow_origin="*")
            site.route("/api/away", lambda visit: visit.redirect(other.url + "/secret"))
            site.route("/allowed", lambda visit: visit.answer("x"))
            site.robots = "User-agent: *\nDisallow: /forbidden"
            tries = f"""
              for (const url of ['{other.url}/secret', '/forbidden', '/api/away'])
                fetch(url).then(a => a.text()).then(t => document.body.append('got ' + t));
              new WebSocket('{other.url.replace("http", "ws")}/ws');
              navigator.sendBeacon('{other.url}/beacon', 'x'); fetch('/api/news/1', {{method: 'POST'}});
              const link = Object.assign(document.createElement('link'), {{rel: 'prefetch', href: '{other.url}/p'}});
              document.head.append(link);
              new RTCPeerConnection({{iceServers: [{{urls: 'stun:127.0.0.2:{other.port}'}}]}}).createDataChannel('x');
              window.open('{other.url}/window'); navigator.serviceWorker && navigator.serviceWorker.register('/sw.js');
            """
            one_page(site, APP + tries)
            at_outlet(desk, site).crawl()
            assert desk.rows("SELECT count(*) FROM versions") == [(1,)]
            asked = {hit.path for hit in site.log}
            assert asked == {"/robots.txt", "/feed", "/news/1", "/app.js", "/api/news/1", "/api/away"}
            assert {hit.path for hit in other.log} <= {
                "/robots.txt",
                "/secret",
            }  # a redirect that this outlet may follow

    def test_no_script_leads_to_a_private_address(
        self, desk: Desk, site: Site, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for module in (crawler.middlewares, crawler.resolver):  # as if the outlet's site were public
            monkeypatch.setattr(module, "is_public", lambda ip: ip == "127.0.0.1" or is_public(ip))
        with Site(host="127.0.0.2") as inner:
            inner.page("/secret", "secret", access_control_allow_origin="*")
            site.route("/api/away", lambda visit: visit.redirect(inner.url + "/secret"))
            one_page(site, APP + "fetch('/api/away').then(a => a.text()).then(t => document.body.append(t));")
            at_outlet(desk, site, allow_private="false").crawl()
            assert site.hits("/api/away") == 1
            assert inner.log == []
        assert desk.rows("SELECT text FROM versions") == [(TEXT,)]

    def test_a_host_that_asks_us_to_wait_is_left_alone_by_scripts_too(self, desk: Desk, site: Site) -> None:
        one_page(site)
        site.route("/app.js", lambda visit: visit.answer("", 429, retry_after="3600"))
        at_outlet(desk, site).crawl()
        assert desk.outcomes() == {"/feed": "ok", "/news/1": "blocked"}
        asked = len(site.log)
        desk.crawl()
        assert len(site.log) == asked

    @pytest.mark.parametrize(
        ("app", "outcome"),
        [
            ("while (true) {}", "timeout"),
            ("const all = []; while (true) all.push(new Array(1e6).fill(all.length))", "unreadable"),
            ("document.body.innerHTML = '<p hidden>' + 'كلمة '.repeat(3e5) + '</p>'", "too_large"),
            ("setTimeout(() => location.replace('/elsewhere'), 10)", "unreadable"),
            ("alert(1); document.write('')", "unreadable"),
        ],
    )
    def test_a_hostile_script_ends_in_a_recorded_outcome(self, desk: Desk, site: Site, app: str, outcome: str) -> None:
        desk.settings |= {"crawl.timeout": "3s", "crawl.max_bytes": "2MB"}
        one_page(site, app)
        site.article("/news/2", "نقل معتقلين من سجن الصناعة", TEXT)
        site.feed("/feed", [site.url + "/news/1", site.url + "/news/2"])
        at_outlet(desk, site).crawl()
        assert desk.outcomes()["/news/1"] == outcome
        assert desk.outcomes()["/news/2"] == "ok"

    def test_a_page_that_asks_without_end_is_read_as_it_stands(self, desk: Desk, site: Site) -> None:
        desk.settings["crawl.timeout"] = "3s"
        one_page(site, APP + "setInterval(() => fetch('/api/live?' + Math.random()).catch(() => 0), 50)")
        at_outlet(desk, site).crawl()
        assert desk.rows("SELECT outcome, error FROM fetches WHERE source_id IS NULL") == [("ok", None)]
        assert len(site.log) < 30

    def test_when_the_data_fails_the_page_is_an_outage_and_no_edit(self, desk: Desk, site: Site) -> None:
        one_page(site)
        at_outlet(desk, site).crawl()
        site.route("/api/news/1", lambda visit: visit.answer("", 503))
        desk.writer.submit(lambda tx: tx.db.execute("UPDATE articles SET next_check_at = first_seen_at")).result()
        desk.crawl()
        assert desk.rows("SELECT outcome FROM fetches ORDER BY id DESC LIMIT 1") == [("outage",)]
        assert desk.rows("SELECT count(*) FROM versions") == [(1,)]

    def test_packed_pages_in_other_charsets_are_stored_as_what_they_became(self, desk: Desk, site: Site) -> None:
        def packed(visit: Visit) -> None:
            raw = gzip.compress(SHELL.replace("utf-8", "windows-1256").encode("windows-1256"))
            visit.answer(raw, content_encoding="gzip", content_type="text/html; charset=windows-1256")

        one_page(site)
        site.route("/news/1", packed)
        at_outlet(desk, site).crawl()
        with open_archive(desk.config.archive) as archive:
            assert TEXT.splitlines()[0] in archive.capture(1).body.decode()
            assert archive.article(1).text == TEXT

    def test_a_killed_process_leaves_no_chromium(self, tmp_path: Path) -> None:
        code = f"""if True:
            import asyncio
            from scrapy.http import HtmlResponse
            from crawler.browser import Browser
            page = HtmlResponse("https://a.example/", body=b"<script>setInterval(() => 0, 10)</script>")
            async def main():
                browser = Browser("Rasid", sandbox={os.geteuid() != 0})
                await browser.render(page, None, 30)
                print("rendered", flush=True)
                await asyncio.sleep(60)
            asyncio.run(main())"""
        before = chromiums()
        with subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == "rendered\n"
            assert chromiums() - before
            process.send_signal(signal.SIGKILL)

    def test_what_is_missing_is_told(self) -> None:
        assert missing() == (
            None if os.geteuid() else "runs strangers' scripts, so not as root, for whom Chromium has no sandbox"
        )
