"""The desk: Datasette over a real archive file, asked through its own client, and once as a real process."""

from __future__ import annotations

import asyncio
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import urlopen

import feedparser
import pytest
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import escape

from archive import sqlite
from archive.arabic.normalise import normalise
from archive.desk import pages
from archive.desk.server import open_desk, serve
from archive.errors import ArchiveError, WorkError
from archive.migrations import migrate
from archive.times import later
from archive.transaction import Transaction
from tests.archive_kit import NOW as KEPT
from tests.archive_kit import Kit, unlike
from tests.desk_kit import NOW, build, client, keep


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("desk"))


@pytest.fixture(scope="module")
def ask(archive: Path) -> Callable[..., Any]:
    return client(archive)


def found(ask: Callable[..., Any], query: str, **params: str) -> list[dict[str, Any]]:
    answer = ask(f"/archive/{query}.json", _shape="objects", **params)
    assert answer.status_code == 200, answer.text
    rows: list[dict[str, Any]] = answer.json()["rows"]
    return rows


# Arabic search


@pytest.mark.parametrize(
    ("typed", "articles"),
    [
        ("قسد", {1}),
        ("سوريا", {2}),
        ("معتقلين", {1, 3}),
        ("المعتقلين", {1, 3}),
        ("معتقلين ٣٥", {3}),
        ("المُعتقَلـين 35 centcom", {3}),
        ("دمشق اجتماع", {3}),
        ("البرازيل", set()),
    ],
)
def test_search_finds_a_word_however_it_is_written(ask: Callable[..., Any], typed: str, articles: set[int]) -> None:
    assert {row["article_id"] for row in found(ask, "search", q=typed)} == articles


def test_search_narrows_by_topic_outlet_and_time(ask: Callable[..., Any]) -> None:
    assert [row["article_id"] for row in found(ask, "search", q="معتقلين", outlet="barada")] == [3]
    assert [row["article_id"] for row in found(ask, "search", q="معتقلين", topic="sdf")] == [1]
    assert found(ask, "search", q="معتقلين", since="2999-01-01") == []


def test_search_marks_the_words_found(ask: Callable[..., Any]) -> None:
    assert re.search(r"<mark>[^<]*قسد[^<]*</mark>", ask("/archive/search", q="قسد").text)


@pytest.mark.parametrize(
    "typed",
    ["", " ", '"', "AND", "NOT", "-", "*", "(", "NEAR(", "a:b", "'; drop table articles; --", "ـــ", "«»", "\x00"],
)
def test_nothing_a_person_types_is_a_syntax_error(ask: Callable[..., Any], typed: str) -> None:
    for query in ("search", "first"):
        assert ask(f"/archive/{query}", q=typed).status_code == 200
    assert ask("/archive/latest", _search=typed).status_code == 200


@given(typed=st.text(alphabet="قسد سوريا\"()*:-^+{}ANDORTE,5'\u202e", max_size=30))
def test_no_mix_of_operators_is_a_syntax_error(ask: Callable[..., Any], typed: str) -> None:
    assert ask("/archive/search.json", q=typed).status_code == 200


def test_the_search_box_of_a_table_understands_arabic_too(ask: Callable[..., Any]) -> None:
    rows = ask("/archive/latest.json", _search="سوريا", _shape="objects").json()["rows"]
    assert [row["article_id"] for row in rows] == [2]


def test_arabic_functions_stand_in_sql(ask: Callable[..., Any]) -> None:
    sql = "select ar_norm('سُوريـة') as n, ar_norm(null) as none, ar_query('قسد') as q, ar_snippet('عن قسد', 'قسد') as s"
    row = ask("/archive.json", sql=sql, _shape="objects").json()["rows"][0]
    assert row["n"] == normalise("سورية")
    assert row["none"] is None
    assert "قسد" in row["q"]
    assert row["s"] == "عن [قسد]"


# Canned queries


@pytest.mark.parametrize("name", pages.canned_queries())
def test_a_canned_query_answers_with_and_without_parameters(ask: Callable[..., Any], name: str) -> None:
    query = pages.canned_queries()[name]
    assert query["title"]
    assert query["description"]
    assert {hint for hint in query["params"] if f":{hint}" not in query["sql"]} == set()
    assert set(re.findall(r":([a-z]+)", query["sql"])) <= set(query["params"])
    for value in ("", "7", "قسد", "';--"):
        answer = ask(f"/archive/{name}", **dict.fromkeys(query["params"], value))
        assert answer.status_code == 200, answer.text
    assert query["title"] in ask(f"/archive/{name}").text
    assert ask(f"/archive/{name}.csv").status_code == 200


@pytest.mark.parametrize("name", pages.canned_queries())
def test_an_empty_archive_is_no_error(name: str, tmp_path: Path) -> None:
    db = sqlite.connect_write(tmp_path / "archive.db")
    migrate(db, tmp_path / "archive.db")
    db.close()
    desk = open_desk(tmp_path / "archive.db")
    answer = asyncio.run(desk.client.get(f"/archive/{name}"))
    assert answer.status_code == 200
    assert "zero-results" in answer.text
    assert ("Type some words" if name == "search" else "Nothing yet") in answer.text
    assert "Nothing is kept yet" in asyncio.run(desk.client.get("/")).text


def test_newest_is_by_printed_time_and_by_topic(ask: Callable[..., Any]) -> None:
    assert [row["article_id"] for row in found(ask, "newest")] == [3, 2, 1, 4, 5]
    assert [row["article_id"] for row in found(ask, "newest", topic="syria")] == [3, 2, 4]
    assert [row["article_id"] for row in found(ask, "newest", topic="syria", strength="passing")] == [3]


def test_edits_show_what_changed_on_both_sides(ask: Callable[..., Any]) -> None:
    (row,) = found(ask, "edited")
    assert list(row)[:4] == ["title", "kind", "before", "after"]  # why it matters is in sight on a narrow screen
    assert (row["article_id"], row["changed"]) == (1, "text")
    assert "[أول]" in row["before"]
    assert "[ثاني]" in row["after"]
    assert (row["kind"], row["silent"]) == ("material: number", "silent")
    assert found(ask, "edited", topic="syria") == []


def test_withdrawn_articles_keep_their_evidence_in_sight(ask: Callable[..., Any]) -> None:
    (row,) = found(ask, "withdrawn", days="1")
    assert (row["article_id"], row["missing_since"], row["article_id"]) == (2, NOW, 2)
    assert row["capture_file"].endswith(".warc.gz")
    assert found(ask, "withdrawn", status="suspect") == []


def test_who_was_first_says_what_it_rests_on(ask: Callable[..., Any]) -> None:
    rows = found(ask, "first", q="معتقلين")
    assert [(row["article_id"], row["rests_on"]) for row in rows] == [(1, "printed day"), (3, "first seen")]
    assert [(row["article_id"], row["articles"]) for row in found(ask, "first", topic="syria")] == [(4, 2), (2, 1)]


def test_coverage_puts_trouble_first(ask: Callable[..., Any]) -> None:
    rows = {row["outlet_id"]: row for row in found(ask, "coverage")}
    assert list(rows) == ["sana", "furat", "barada"]
    assert rows["sana"]["state"] == "no look"
    assert (rows["furat"]["state"], rows["furat"]["last_error"]) == ("partly", "timeout: 30 s passed")
    assert rows["barada"]["kept"] == 3


# Pages


def test_home_counts_and_offers_search_first(ask: Callable[..., Any]) -> None:
    page = ask("/").text
    assert page.index('name="q"') < page.index("kept articles") < page.index("Newest")
    assert '<a href="/archive/latest">5</a>' in page
    assert "سورية تعلن الموازنة" in page
    assert all(query["title"] in page for query in pages.canned_queries().values())


def test_article_page_shows_text_reasons_and_record(ask: Callable[..., Any]) -> None:
    page = ask("/-/article/1").text
    assert page.count('<mark title="sdf">قسد</mark>') == 3
    for expected in (
        "قوات قسد",
        "الفرات اليوم",
        "2026-01-21",
        "substantive",
        ".warc.gz",
        "edited",
        "<mark>ثاني</mark>",
    ):
        assert expected in page, expected
    assert 'rel="noopener noreferrer nofollow"' in page
    assert "أول دفعة" in ask("/-/article/1", version="1").text
    assert "See the latest" in ask("/-/article/1", version="1").text


def test_a_page_passed_over_says_so(ask: Callable[..., Any]) -> None:
    page = ask("/-/article/6")
    assert page.status_code == 200
    assert "matched no topic" in page.text


def test_a_match_in_passing_shows_no_score(ask: Callable[..., Any]) -> None:
    page = ask("/-/article/1").text
    assert "substantive 3.50" in page
    assert re.search(r'"strength">passing</span>', ask("/-/article/3").text)


@pytest.mark.parametrize(
    "path", ["/", "/archive", "/archive/newest", "/archive/latest", "/archive/versions/1", "/-/no"]
)
def test_every_page_names_rasid_in_arabic_first_and_leads_to_the_queries(ask: Callable[..., Any], path: str) -> None:
    page = ask(path).text
    assert '<a href="/"><bdi lang="ar">راصد</bdi> Rasid</a>' in page
    assert all(f'<a href="/archive/{name}">' in page for name in pages.canned_queries())


@pytest.mark.parametrize(
    "path", ["/-/article/404", "/-/article/1?version=9", "/-/article/x", "/-/article/" + "9" * 40, "/-/article/-1"]
)
def test_what_is_not_there_is_a_404(ask: Callable[..., Any], path: str) -> None:
    assert ask(path).status_code == 404


# Feeds


def test_a_topic_is_a_feed_that_readers_understand(tmp_path: Path) -> None:
    kit = Kit(tmp_path)
    hostile = '<script>alert(1)</script>]]> &amp; \x00\u202e"x" معتقلو داعش في سجن غويران'
    kit.save(replace(unlike(1), title=hostile, author="ليلى\x07 <b>", published_at="2026-01-21T11:00:00+03:00"))
    kit.save(unlike(2), later(KEPT, 60), url="https://sana.example/2")
    kit.writer.close()
    asked = client(kit.path)
    answer = asked("/-/feed/isis_detainees.atom")
    assert answer.headers["content-type"].startswith("application/atom+xml")
    found = feedparser.parse(answer.content)
    assert (found.bozo, found.version) == (False, "atom10")
    assert found.feed.title == "راصد: معتقلو داعش"
    assert found.feed.updated == later(KEPT, 60)
    newest, first = found.entries
    assert newest.link.endswith("/-/article/2")
    assert (newest.id, newest.get("published")) == ("https://sana.example/2", None)
    assert (first.published, first.author) == ("2026-01-21T11:00:00+03:00", "ليلى <b>")
    assert "معتقلو داعش في سجن غويران" in first.title
    assert b"<script>alert" not in answer.content
    assert unlike(2).text.split()[-1] not in newest.summary
    assert not feedparser.parse(asked("/-/feed/syria.atom").content).bozo
    assert asked("/-/feed/nothing.atom").status_code == 404


# Descriptions


def test_every_table_view_and_column_is_described_and_none_besides(archive: Path) -> None:
    db = sqlite.connect_read(archive)
    names = [
        row[0]
        for row in db.execute("SELECT name FROM sqlite_master WHERE type IN ('table', 'view')")
        if not re.match(r"articles_fts_|sqlite_|_sqlite_", row[0])
    ]
    there = {name: {row[1] for row in db.execute(f"PRAGMA table_info({name})")} for name in names}
    db.close()
    tables = pages.descriptions()["databases"]["archive"]["tables"]
    described = {name: set(table["columns"]) for name, table in tables.items() if not name.startswith("_")}
    assert described == there
    assert all(
        table.get("description") and all(table["columns"].values()) for name, table in tables.items() if name in there
    )


def test_descriptions_are_shown_and_inner_tables_are_not(ask: Callable[..., Any]) -> None:
    assert "Which rules judged which version" in ask("/archive/judgements").text
    listing = ask("/archive").text
    tables = pages.descriptions()["databases"]["archive"]["tables"]
    shown = [table["description"] for table in tables.values() if not table.get("hidden")]
    assert all(escape(description) in listing for description in shown)
    assert ">versions</a>" in listing
    assert "articles_fts_data" not in listing


# The process


def test_a_real_server_follows_the_writer_and_stops_on_sigterm(tmp_path: Path) -> None:
    kit = Kit(tmp_path)
    kit.save()
    code = (
        "import sys; from pathlib import Path; from archive.desk.server import serve\n"
        "serve(Path(sys.argv[1]), port=0, on_ready=lambda address: print(address, flush=True)); print('stopped')"
    )
    server = subprocess.Popen([sys.executable, "-c", code, str(kit.path)], stdout=subprocess.PIPE, text=True)
    try:
        assert server.stdout
        address = server.stdout.readline().strip()

        def kept() -> str:
            with urlopen(address + "archive.json?_shape=arrays&sql=select+count(*)+from+versions") as answer:  # noqa: S310
                return str(answer.read())

        def write(tx: Transaction) -> str:
            keep(tx, 9, NOW, "sana", "عنوان جديد", "نص جديد", None, "syria")
            return kept()  # in the middle of the transaction

        assert "[[1]]" in kept()
        assert "[[1]]" in kit.do(write)
        assert "[[2]]" in kept()
        with pytest.raises(HTTPError, match="400"):
            urlopen(address + "archive.json?sql=select+zeroblob(900000000)")  # noqa: S310
        assert "[[2]]" in kept()
        server.send_signal(signal.SIGTERM)
        rest, _ = server.communicate(timeout=20)
        assert (rest.strip(), server.returncode) == ("stopped", 0)
    finally:
        server.kill()
        server.wait()
        kit.writer.close()


def test_what_is_wrong_is_said_in_a_sentence(archive: Path, tmp_path: Path) -> None:
    with pytest.raises(ArchiveError, match=r"missing\.db does not exist"):
        serve(tmp_path / "missing.db")
    other = tmp_path / "other.db"
    other.write_text("this is no database at all, only some words in a file" * 10)
    with pytest.raises(ArchiveError, match=r"other\.db cannot be used"):
        serve(other)
    sqlite.connect_write(tmp_path / "empty.db").close()
    with pytest.raises(ArchiveError, match=r"empty\.db is no archive"):
        serve(tmp_path / "empty.db")
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(WorkError, match="is taken"):
        serve(archive, port=taken.getsockname()[1])
