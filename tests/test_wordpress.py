"""A real WordPress on loopback: everything it publishes is found, edits and withdrawals are, and nothing else is told.

Needs ../shared and Debian's packages, so `make test-outlets` runs it; without them it is skipped, and says so.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from crawler.urls import canonical
from tests.crawl_kit import ROOT, Desk

KIT = ROOT.parent / "shared" / "outlets" / "wordpress"
pytestmark = [
    pytest.mark.outlets,
    pytest.mark.timeout(600),
    pytest.mark.skipif(not KIT.is_dir(), reason="../shared is not beside this checkout"),
]


class WordPress:
    """The running site, and its newsroom's hand on it."""

    def __init__(self, directory: Path) -> None:
        self.directory, self.url = directory, ""

    def up(self) -> None:
        done = subprocess.run(
            ["bash", KIT / "up.sh", self.directory, "--posts", "40"], capture_output=True, text=True, timeout=500
        )
        assert done.returncode == 0, done.stderr
        self.url = done.stdout.strip().splitlines()[-1].partition("=")[2]

    def down(self) -> None:
        subprocess.run(["bash", KIT / "down.sh", self.directory, "--purge"], capture_output=True, timeout=60)

    def __call__(self, *words: str) -> Any:
        """Do what `words` say; what the newsroom noted, or its list."""
        done = subprocess.run(
            [sys.executable, KIT / "ctl.py", "--dir", self.directory, *words], capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout) if done.stdout.startswith("{") and words[0] != "publish" else done.stdout

    def published(self, label: str = "") -> dict[str, str]:
        """Address by key of all that is published."""
        rows = [line.split() for line in self("list").splitlines()]
        return {row[3]: canonical(row[-1]) for row in rows if row[1] == "publish" and label in ("", row[2])}


@pytest.fixture
def newsroom() -> Iterator[WordPress]:
    # Its processes run as another user, whom pytest's own directories shut out.
    site = WordPress(Path(tempfile.mkdtemp(prefix="wordpress-")))
    site.directory.chmod(0o755)
    try:
        site.up()
        yield site
    finally:
        site.down()


def contact(desk: Desk, site: Any, **sources: Any) -> None:
    """A desk with this outlet, and its first crawl."""
    desk.settings["crawl.timeout"] = "20s"
    desk.outlet("paper", site, every='"10m"', timezone='"Asia/Damascus"', **sources)
    desk.open()
    desk.crawl()


@pytest.mark.parametrize("way", ["feeds", "sitemaps", "wordpress"])
def test_every_post_is_found_each_way(desk: Desk, newsroom: WordPress, way: str) -> None:
    newsroom("set", "feed_items", "5")
    told = {"feeds": '["{0}/feed/"]', "sitemaps": '["{0}/wp-sitemap.xml"]', "wordpress": '"{0}"'}
    contact(desk, newsroom, **{way: told[way].format(newsroom.url)})

    def known() -> set[str]:
        return {row[0] for row in desk.rows("SELECT url FROM addresses UNION SELECT url FROM frontier")}

    assert set(newsroom.published().values()) <= known()
    newsroom("publish", "-n", "12")  # more than the feed holds at a time
    desk.crawl()
    assert set(newsroom.published().values()) <= known()
    hits = newsroom("hits", "--ua", "Rasid")
    assert hits["robots_asked"]
    assert hits["disallowed_hit"] == []


class Watch:
    """What the archive says of each article, by its key at the outlet."""

    def __init__(self, desk: Desk, newsroom: WordPress) -> None:
        self.desk, self.keys = desk, newsroom.published()
        ids = dict(desk.rows("SELECT url, article_id FROM addresses"))
        self.ids = {key: ids[url] for key, url in self.keys.items() if url in ids}

    def state(self, key: str) -> tuple[int, str]:
        """Versions, and status."""
        return self.desk.rows(
            "SELECT (SELECT count(*) FROM versions WHERE article_id = a.id), status FROM articles a WHERE id = ?",
            self.ids[key],
        )[0]

    def states(self, *keys: str) -> dict[str, tuple[int, str]]:
        return {key: self.state(key) for key in keys}


EDITS = ("text", "title", "typo", "numbers", "append", "cut", "rewrite", "offtopic")
NOISES = ("views", "comment", "touch", "tags", "invisible", "markup")
DELETIONS = ("trash", "force", "410", "draft", "private", "home", "soft404")


def test_a_newsroom_at_work_is_told_as_it_is(desk: Desk, newsroom: WordPress) -> None:
    for _ in range(32):
        newsroom("publish")
    newsroom("set", "views_live", "on")
    contact(
        desk, newsroom, feeds=f'["{newsroom.url}/feed/"]', wordpress=f'"{newsroom.url}"',
        sitemaps=f'["{newsroom.url}/wp-sitemap.xml"]',
    )  # fmt: skip
    watch = Watch(desk, newsroom)
    fresh = [f"fresh-on-{number}" for number in range(32)]
    assert set(watch.states(*fresh).values()) == {(1, "live")}

    # Edits are found within one poll and versioned once; noise is not.
    edited = dict(zip(fresh[:8], EDITS, strict=True))
    noisy = dict(zip(fresh[8:14], NOISES, strict=True))
    for key, how in edited.items():
        newsroom("edit", key, how)
    for key, how in noisy.items():
        newsroom("noise", key, how)
    for how in ("related", "sidebar", "ticker", "ads"):
        newsroom("noise", "site", how)
    for _ in range(2):
        desk.crawl()
    expected = {key: (2 if key in edited else 1, "live") for key in fresh}
    assert watch.states(*fresh) == expected

    # What neither feed nor API tells of is found by looking again; nothing else is taken for an edit.
    newsroom("edit", fresh[14], "silent")
    expected[fresh[14]] = (2, "live")
    desk.ahead = timedelta(hours=1, minutes=10)
    desk.crawl()
    assert watch.states(*fresh) == expected

    # Maintenance is neither edit nor withdrawal.
    newsroom("set-status", "503")
    desk.ahead = timedelta(hours=3, minutes=20)
    desk.crawl()
    newsroom("set-status", "off")
    assert watch.states(*fresh) == expected

    # Withdrawals in every form, moves, and a password.
    gone = dict(zip(fresh[15:22], DELETIONS, strict=True))
    for key, how in gone.items():
        newsroom("delete", key, how)
    newsroom("move", fresh[22], "--slug", "عنوان-جديد-للخبر")
    newsroom("move", fresh[23], "--slug", "عنوان-آخر", "--no-redirect")
    newsroom("password", fresh[24], "سر")
    for hours in (12.5, 13.7, 15.0):
        desk.ahead = timedelta(hours=hours)
        desk.crawl()
    expected |= dict.fromkeys(gone, (1, "gone"))
    assert watch.states(*fresh) == expected
    assert desk.rows("SELECT count(*) FROM events WHERE kind = 'withdrawn'") == [(len(gone),)]
    moved = dict(desk.rows("SELECT url, article_id FROM addresses"))
    for key in fresh[22:24]:
        assert moved[newsroom.published()[key]] == watch.ids[key]

    # What comes back is told once.
    newsroom("restore", fresh[15])
    desk.ahead = timedelta(days=1, hours=1)
    desk.crawl()
    assert watch.state(fresh[15]) == (1, "live")
    assert desk.rows("SELECT count(*) FROM events WHERE kind = 'restored'") == [(1,)]
    assert desk.rows("SELECT count(*) FROM events WHERE kind = 'edited'") == [(len(edited) + 1,)]
