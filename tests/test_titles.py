"""A text without a title, as posts are, is called by its first words wherever articles are listed."""

from __future__ import annotations

import asyncio
import doctest
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import archive.titles
from archive.alerts.render import MailContext, Story, Told
from archive.desk import pages
from archive.desk.server import open_desk
from archive.models import Article, Judgement, Match, Passage, Snapshot
from archive.reading import open_archive
from archive.store import save
from archive.times import later, stamp, utc_now
from archive.titles import heading
from crawler.report import hits_text, shown_text, shown_values
from tests.archive_kit import RULES, Kit, page
from tests.delivery_kit import render

NOW = stamp(utc_now())
TEXT = """🔴 قسد تنقل دفعة من المعتقلين إلى سجن في ريف المالكية.
وقال مصدر أمني إن النقل جرى ليلاً بإشراف التحالف، على دفعتين."""
CALLED = "🔴 قسد تنقل دفعة من المعتقلين"
MATCH = Match("sdf", "substantive", 2.0, (Passage("text", 2, 5, "t", "قسد"),))


def test_examples_in_docstrings():
    assert doctest.testmod(archive.titles).failed == 0


@given(st.text(), st.text(), st.integers(2, 100))
def test_a_heading_is_the_title_or_a_beginning_of_the_text(title, text, limit):
    said = heading(title, text, limit)
    assert said == title if title.strip() else len(said) <= limit + 1
    assert "\n" not in said or title.strip()


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An archive of one post, edited and withdrawn."""
    kit = Kit(tmp_path_factory.mktemp("titles"))
    for hours, text in ((-3, TEXT), (-2, TEXT.replace("دفعتين", "ثلاث دفعات"))):
        kit.clock.at = later(NOW, hours * 3600)
        shot = Snapshot(page("https://t.me/sawt/1", kit.clock.at), Article("", text), Judgement(RULES.sha256, (MATCH,)))
        kit.do(lambda tx, shot=shot: save(tx, shot))
    kit.do(lambda tx: tx.db.execute("UPDATE articles SET status = 'gone', gone_at = ?", (NOW,)))
    kit.writer.close()
    return kit.path


def test_on_the_desk(path):
    desk = open_desk(path)

    def ask(address: str) -> str:
        return str(asyncio.run(desk.client.get(address)).text)

    for name in pages.canned_queries().keys() - {"coverage", "stories", "figures"}:  # which name no article alone
        assert CALLED in ask(f"/archive/{name}?q=المالكية"), name
    for address in ("/", "/archive/latest", "/-/article/1"):
        assert f"{CALLED} إلى سجن" in ask(address), address
    assert "<title>🔴" in " ".join(ask("/-/article/1").split())
    assert "(no title)" not in ask("/") + ask("/-/article/1")


def test_in_the_terminal(path):
    with open_archive(path) as archive:
        assert CALLED in hits_text(archive.search("المالكية")).split("\n")[0]
        shown = shown_text(shown_values(archive, 1))
        assert sum(CALLED in line for line in shown.split("\n")) == 3  # two versions, and the text
        assert archive.article(1).title == ""


@pytest.mark.parametrize("kind", ["instant", "digest"])
def test_in_mails(kind):
    told = Told("", TEXT, None, None, NOW, (MATCH,))
    story = Story("new", NOW, 1, "https://t.me/sawt/1", "صوت الفرات", told)
    mail = MailContext(1, "<a@b>", kind, ("القاعدة",), "desk@example.org", "ar", NOW, (story,), 1)
    message = render(mail, sender="rasid@example.org", contact="a@b.example", desk_url="http://127.0.0.1:8001")
    for part in message.iter_parts():
        assert CALLED in part.get_content()
    assert kind == "digest" or message["subject"].startswith(f"خبر جديد: {CALLED} إلى")
