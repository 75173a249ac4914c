"""The demo: what its outlets publish, how they serve it, and the whole of it played as a user would."""

from __future__ import annotations

import gzip
import os
import re
import signal
import smtplib
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from importlib.resources import files
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import feedparser
import pytest

from archive.errors import UsageError, WorkError
from archive.sqlite import connect_read
from archive.topics import judge, shipped_rules
from crawler.config import load_config
from crawler.demo import play
from crawler.demo.corpus import Paper, load
from crawler.demo.places import Sink, Site
from crawler.listings.sections import links_from_section

STARTED = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)
PAPERS = load(STARTED)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


@pytest.fixture
def sites() -> Iterator[dict[str, Site]]:
    with ExitStack() as stack:
        yield {paper.id: stack.enter_context(Site(paper, _free_port()).running()) for paper in PAPERS}


def get(url: str, **headers: str) -> tuple[int, dict[str, str], bytes]:
    try:
        with urlopen(Request(url, headers=headers), timeout=5) as answer:  # noqa: S310
            return answer.status, dict(answer.headers), answer.read()
    except HTTPError as error:
        return error.code, dict(error.headers), error.read()


def test_ordinary_news_is_enough_varied_and_fresh() -> None:
    ordinary = [story for paper in PAPERS for story in paper.stories if not story.bundled]
    assert len(ordinary) >= 40
    assert len({story.title for story in ordinary}) == len({story.lines for story in ordinary}) == len(ordinary)
    for story in ordinary:
        assert 3 <= len(story.lines) <= 6, story.title
        assert 120 <= len(" ".join(story.lines).split()) <= 250, story.title
        assert story.at
        assert timedelta(0) < STARTED - story.at < timedelta(hours=30), story.title


def test_the_five_documents_stand_on_their_pages_line_by_line(sites: dict[str, Site]) -> None:
    published = {paper.bundled.bundled: (paper, paper.bundled) for paper in PAPERS if paper.bundled}
    names = {file.name for file in files("seeds").iterdir() if file.name.endswith(".txt")}
    assert published.keys() == names
    for name, (paper, story) in published.items():
        lines = [line.strip() for line in (files("seeds") / name).read_text("utf-8").split("\n") if line.strip()]
        assert [*story.above, story.title, *story.lines] == lines
        page = get(sites[paper.id].base + story.path)[2].decode()
        assert [re.sub("&#3[49];", lambda m: chr(int(m[0][2:4])), p) for p in re.findall("<p>(.*)</p>", page)][
            : len(lines) - 1
        ] == [*story.above, *story.lines]


def test_no_ordinary_article_is_on_a_topic() -> None:
    rules = shipped_rules()
    for paper in PAPERS:
        for story in paper.stories:
            found = [
                m for m in judge(rules, story.title, "\n".join(story.lines)).matches if m.strength == "substantive"
            ]
            assert bool(found) == bool(story.bundled), (story.title, found)


def test_listings_name_every_article_once_and_give_no_date_where_none_is_known(sites: dict[str, Site]) -> None:
    kinds = set()
    for paper in PAPERS:
        site = sites[paper.id]
        body = get(site.base + paper.listing_path)[2]
        urls = [site.base + story.path for story in paper.stories]
        if paper.listing == "section":
            kinds.add("section")
            found = links_from_section(body, "text/html; charset=utf-8", site.base + paper.listing_path)
            assert [link.url for link in found.links] == urls
            continue
        feed = feedparser.parse(body)
        kinds.add(feed.version)
        assert [entry.link for entry in feed.entries] == urls
        dated = {entry.link for entry in feed.entries if entry.get("published") or entry.get("updated")}
        undated = {s.bundled[:3] for s, url in zip(paper.stories, urls, strict=True) if url not in dated}
        assert undated == ({"000"} if paper.id == "masar" else {"003"} if paper.id == "dar" else set())
    assert kinds == {"rss20", "atom10", "rss10", "section"}


def test_a_page_is_served_as_the_web_serves_it(sites: dict[str, Site]) -> None:
    site = sites["sahat"]
    url = site.base + site.paper.stories[0].path
    status, headers, body = get(url)
    assert (status, headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert get(url, **{"If-None-Match": headers["ETag"]})[::2] == (304, b"")
    packed = get(url, **{"Accept-Encoding": "gzip"})
    assert packed[1]["Content-Encoding"] == "gzip"
    assert gzip.decompress(packed[2]) == body
    assert get(site.base + "/robots.txt")[2].startswith(b"User-agent: *")
    assert get(site.base + "/no-such-page")[0] == 404


def test_three_outlets_change_their_page_each_in_its_own_way(sites: dict[str, Site]) -> None:
    def pages(site: Site) -> dict[str, tuple[int, bytes]]:
        return {story.path: get(site.base + story.path)[::2] for story in PAPERS_BY_ID[site.paper.id].stories}

    seen = {}
    for name, site in sites.items():
        before = pages(site)
        site.paper = site.paper.changed()
        after = pages(site)
        story = PAPERS_BY_ID[name].bundled
        if story:
            seen[story.bundled[:3]] = (before[story.path], after[story.path])
            # Nothing else moves but the headline of the withdrawn article in its outlet's "read also" blocks.
            assert name == "dar" or {p for p in before if before[p] != after[p]} <= {story.path}
    assert "أكثر من 90 عملية" in seen["001"][1][1].decode()
    assert "9417" in seen["002"][1][1].decode().translate(str.maketrans("٠١٢٣٤٥٦٧٨٩", "0123456789"))
    assert (seen["003"][0][0], seen["003"][1][0]) == (200, 404)
    assert seen["000"][0] == seen["000"][1]
    assert seen["004"][0] == seen["004"][1]


PAPERS_BY_ID: dict[str, Paper] = {paper.id: paper for paper in PAPERS}


def test_a_change_that_changes_nothing_is_told() -> None:
    paper = replace(PAPERS_BY_ID["nashra"], change={"old": "لا ترد هذه العبارة", "new": "ولا هذه"})
    with pytest.raises(ValueError, match="does not say"):
        paper.changed()


def test_the_mail_sink_keeps_what_it_is_given(tmp_path: Path) -> None:
    port = _free_port()
    for _ in range(2):  # the second time with the first one's mails there
        with Sink(tmp_path / "mail", port).running(), smtplib.SMTP("127.0.0.1", port) as client:
            client.sendmail("a@example.org", ["b@example.org"], "Subject: one\r\n\r\ntext\r\n")
    assert [file.name for file in Sink(tmp_path / "mail", port).mails] == ["0001.eml", "0002.eml"]
    assert message_from_bytes((tmp_path / "mail" / "0002.eml").read_bytes())["Subject"] == "one"


def test_a_second_start_keeps_ports_and_dates_and_a_taken_port_is_named(tmp_path: Path) -> None:
    first = play._prepare(tmp_path / "demo", "2026-11-22T09:30:00Z")
    config = load_config(tmp_path / "demo")
    assert play._prepare(tmp_path / "demo", "2026-11-23T00:00:00Z") == first
    assert load_config(tmp_path / "demo").outlets == config.outlets
    assert len({outlet.homepage for outlet in config.outlets}) == 6
    port = int(config.outlets[0].homepage.rstrip("/").rsplit(":", 1)[1])
    with socket.create_server(("127.0.0.1", port)), pytest.raises(WorkError, match=f"port {port}.*taken"):
        play.run(tmp_path / "demo", exit=True, echo=lambda line: None)


def test_a_directory_with_other_things_in_it_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.doc").write_text("three years of work")
    with pytest.raises(UsageError, match="something else"):
        play.run(tmp_path, exit=True)
    assert [file.name for file in tmp_path.iterdir()] == ["thesis.doc"]


LATEST = "SELECT title, published_at, credit, topics, passing, versions, status, text FROM latest WHERE topics > ''"
ALL = "isis_detainees, sdf, syria"
EXPECTED = {  # title, published, credit, substantive topics, what is no part of the text
    "000": ("اتصال بين الشرع", None, "شبكة شام", ALL, "آخر الأخبار", "شارك\n", "المصدر", "حمل تطبيق", "إقرأ أيضا"),
    "001": ("سنتكوم تكشف", "2026-01-21", "قناة الإخبارية", "isis_detainees", "هذا الخبر", "لا يتحمل", "\nسياسة"),
    "002": ("واشنطن والدوحة", "2024-12-10", "المسلة", "syria", "أوستن", "المسلة – متابعة", "About Post", "لايعبّر"),
    "003": ("باراك: مشاركة", None, None, ALL, "باراك: مشاركة", "مشاركة المقال", "حجم الخط", "اقرأ أيضا", "عرض الكل"),
    "004": ("واشنطن تستضيف", "2019-11-14T01:27", None, ALL, "اقرأ ايضا", "جميع الحقوق", "هاتف:", "البريد"),
}


def _demo(directory: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-u", "-m", "crawler", "demo", "--dir", str(directory), "--exit"]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def _running_on(directory: Path) -> list[str]:
    found = []
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if str(directory).encode() in entry.read_bytes():
                found.append(entry.parent.name)
        except OSError:
            pass
    return found


def test_all_of_it_and_again_without_telling_anything_twice(tmp_path: Path) -> None:
    directory = tmp_path / "demo"
    for _ in range(2):
        process = _demo(directory)
        output = process.communicate(timeout=100)[0]
        assert process.returncode == 0, output
        mails = [message_from_bytes(file.read_bytes()) for file in sorted((directory / "mail").glob("*.eml"))]
        assert len({mail["Message-ID"] for mail in mails}) == len(mails) == 7
        assert "7      mails (1 edited, 5 new, 1 withdrawn)" in output
    with closing(connect_read(directory / "archive.db")) as archive:
        kept = {
            next(seed for seed, (title, *_) in EXPECTED.items() if row[0].startswith(title)): row
            for row in archive.execute(LATEST)
        }
    for seed, (_, published, credit, topics, *furniture) in EXPECTED.items():
        _, published_at, named, substantive, passing, versions, status, text = kept[seed]
        assert (published_at, named) == (published, credit)
        assert substantive == topics if seed != "001" else topics in substantive, passing
        assert versions == (2 if seed == "001" else 1)
        assert status == ("gone" if seed == "003" else "live")
        assert not [line for line in furniture if line in text]
    assert list((directory / "captures").rglob("*.warc.gz"))
    assert not _running_on(directory)


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="looks for left-over processes in /proc")
@pytest.mark.parametrize("number", [signal.SIGINT, pytest.param(signal.SIGTERM, marks=pytest.mark.slow)])
def test_interrupted_it_leaves_nothing_running(tmp_path: Path, number: signal.Signals) -> None:
    directory = tmp_path / "demo"
    process = _demo(directory)
    assert process.stdout
    for line in process.stdout:
        if "starting the service" in line:
            break
    deadline = time.monotonic() + 30
    while len(_running_on(directory)) < 2 and time.monotonic() < deadline:
        time.sleep(0.05)
    os.kill(process.pid, number)
    process.communicate(timeout=40)
    assert process.returncode != 0
    assert not _running_on(directory)
