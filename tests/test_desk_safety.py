"""The desk is open to anybody who can reach it: hostile texts, hostile statements, and what is nobody's business."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from archive import sqlite
from archive.desk import pages
from archive.desk.server import open_desk
from archive.errors import ArchiveError
from tests.desk_kit import OVERRIDE, build, client


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("desk"))


@pytest.fixture(scope="module")
def ask(archive: Path) -> Callable[..., Any]:
    return client(archive)


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/-/article/4",
        "/archive/newest",
        "/archive/latest",
        "/archive/versions",
        "/archive/versions/4",
        "/archive/search?q=عاجل",
    ],
)
def test_hostile_text_stays_text(ask: Callable[..., Any], path: str) -> None:
    answer = ask(path)
    assert "alert(1)" in answer.text
    assert not re.search(r"<script>alert|<img src=x", answer.text)
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_a_direction_override_is_kept_within_its_element(ask: Callable[..., Any]) -> None:
    assert f">عنوان {OVERRIDE}مقلوب</a></td>" in ask("/archive/newest").text
    assert re.search(rf'dir="auto"[^>]*>عنوان {OVERRIDE}مقلوب</', ask("/").text)


def test_our_pages_allow_no_script_and_load_nothing_from_elsewhere(ask: Callable[..., Any]) -> None:
    for path in ("/", "/-/article/1"):
        answer = ask(path)
        assert "script-src 'none'" in answer.headers["content-security-policy"]
        assert "<script" not in answer.text
        assert not re.search(r'(src|stylesheet" href)="(https?:)?//', answer.text)
    assert ask("/rasid/desk.css").status_code == 200


@pytest.mark.parametrize(
    "sql",
    ["insert into outlets values ('x','x','x','tv',null,null,null)", "delete from articles", "drop table versions",
     "with a as (select 1) delete from articles", "pragma query_only=0",
     "attach 'x.db' as x", "vacuum into '/tmp/x.db'"],
)  # fmt: skip
def test_writing_by_sql_is_refused(ask: Callable[..., Any], archive: Path, sql: str) -> None:
    assert ask("/archive.json", sql=sql).status_code == 400
    assert ask("/archive.json", sql="select count(*) as n from articles", _shape="objects").json()["rows"] == [{"n": 6}]


@pytest.mark.parametrize("path", ["/", "/archive", "/archive/search", "/archive/latest", "/-/article/1", "/-/logout"])
def test_only_reading_is_answered(archive: Path, path: str) -> None:
    client = open_desk(archive).client
    for answer in (asyncio.run(client.post(path, data={"q": "x"})), asyncio.run(client.delete(path))):
        assert answer.status_code == 405
        assert "default-src 'none'" in answer.headers["content-security-policy"]


def test_the_desk_has_no_connection_to_write_with(archive: Path) -> None:
    database = open_desk(archive).get_database("archive")
    with pytest.raises(ArchiveError, match="only reads"):
        asyncio.run(database.execute_write("delete from articles"))
    with pytest.raises(sqlite.SqliteError):
        asyncio.run(database.execute("delete from articles"))


def test_a_statement_that_runs_on_is_stopped(ask: Callable[..., Any]) -> None:
    forever = "with recursive c(n) as (select 1 union all select n + 1 from c) select max(n) from c"
    assert "SQL Interrupted" in ask("/archive", sql=forever).text


@pytest.mark.parametrize(
    "sql",
    [
        "with recursive c(n) as (select 1 union all select n + 1 from c) select hex(zeroblob(100000)) from c",
        "select length(ar_norm(hex(zeroblob(3000000))))",
        "select 1; drop table articles",
    ],
)
def test_what_asks_for_too_much_is_refused(ask: Callable[..., Any], sql: str) -> None:
    assert ask("/archive.json", sql=sql).status_code == 400
    assert ask("/archive", sql=sql).status_code in (200, 400)  # some errors are shown beside the query


def test_a_table_of_long_texts_is_not_too_much(ask: Callable[..., Any]) -> None:
    sql = "with recursive c(n) as (select 1 union all select n + 1 from c limit 900) select hex(zeroblob(10000)) from c"
    for _ in range(3):  # what one answer took is not held against the next
        assert len(ask("/archive.json", sql=sql).json()["rows"]) == 900


@pytest.mark.parametrize("page", ["databases", "settings", "threads", "plugins", "versions", "metadata", "patterns"])
def test_settings_paths_and_threads_are_not_shown(ask: Callable[..., Any], page: str) -> None:
    assert ask(f"/-/{page}.json").status_code == ask(f"/-/{page}").status_code == 404
    assert ask("/-/static/app.css").status_code == 200


def test_where_the_archive_lies_is_not_told(ask: Callable[..., Any], archive: Path) -> None:
    sql = "select * from pragma_database_list()"
    pages_asked = [ask("/archive.json", sql=sql), ask("/"), ask("/.json"), ask("/archive.json"), ask("/archive.db")]
    assert all(str(archive.parent) not in answer.text for answer in pages_asked)


def test_a_home_page_out_of_time_does_not_say_that_nothing_is_kept(archive: Path) -> None:
    desk = open_desk(archive)
    database = desk.get_database("archive")
    execute, newest = database.execute, pages.canned_queries()["newest"]["sql"]

    def hurried(sql: str, *values: Any, **options: Any) -> Any:
        return execute(sql, *values, **(options | {"custom_time_limit": 0.001} if sql == newest else options))

    database.execute = hurried
    answer = asyncio.run(desk.client.get("/"))
    assert answer.status_code == 200
    assert "took too long" in answer.text
    assert "Nothing is kept" not in answer.text
