"""The ledger names whatever was altered, removed, added or reordered."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import pytest

from archive.ledger import FIELDS, GENESIS, check, head, link, record_json
from tests.archive_kit import ON_TOPIC, Kit

RICH = replace(
    ON_TOPIC, author="محمد علي", section="محليات", published_at="2026-01-21", published_source="text",
    modified_at="2026-01-21", credit="سانا", language="ar", related=("خبر آخر",),
)  # fmt: skip


@pytest.fixture
def kit(tmp_path):
    kit = Kit(tmp_path)
    for number in range(4):
        kit.save(replace(RICH, title=f"{RICH.title} {number}"), url=f"https://sana.example/{number}")
    yield kit
    kit.writer.close()


def tamper(kit, *statements):
    """What somebody with the file and no scruples would do."""
    kit.do(lambda tx: [tx.db.execute(f"DROP TRIGGER {t.name}") for t in tx.db.triggers])
    kit.writer.close()
    from archive.sqlite import connect_write

    db = connect_write(kit.path)
    db.execute("PRAGMA foreign_keys=OFF")
    for statement in statements:
        db.execute(statement)
    return [(fault.seq, fault.version_id) for fault in check(db)]


def test_an_untouched_chain_has_no_fault_and_its_head_stands_for_all_of_it(kit):
    assert kit.do(lambda tx: list(check(tx.db))) == []
    before = kit.do(lambda tx: head(tx.db))
    kit.save(url="https://sana.example/new")
    assert kit.do(lambda tx: head(tx.db)) != before
    assert kit.do(lambda tx: list(check(tx.db))) == []


def test_the_chain_begins_with_zeros_and_each_link_follows_from_the_last(kit):
    rows = kit.rows("SELECT record_sha256, prev_sha256 FROM ledger ORDER BY seq")
    at = GENESIS
    for record, prev in rows:
        assert prev == at
        at = link(prev, record)
    assert kit.do(lambda tx: head(tx.db)) == at


@pytest.mark.parametrize("column", [*FIELDS, "captured_at", "text_sha256"])
def test_every_field_of_a_version_is_covered(kit, column):
    assert tamper(kit, f"UPDATE versions SET {column} = {column} || 'x' WHERE id = 2") == [(2, 2)]


@pytest.mark.parametrize("column", ["url", "at", "http_status", "record_sha256", "payload_sha256"])
def test_every_field_of_its_capture_is_covered(kit, column):
    changed = "http_status = 201" if column == "http_status" else f"{column} = {column} || 'x'"
    assert tamper(kit, f"UPDATE captures SET {changed} WHERE id = 2") == [(2, 2)]


def test_a_row_taken_out_of_the_chain_is_named(kit):
    assert tamper(kit, "DELETE FROM ledger WHERE seq = 2") == [(3, 3), (3, 3), (None, 2)]


def test_a_version_taken_away_is_named(kit):
    assert tamper(kit, "DELETE FROM versions WHERE id = 3") == [(3, 3)]


def test_two_rows_that_changed_places_are_named(kit):
    swap = "UPDATE ledger SET version_id = CASE version_id WHEN 2 THEN -3 ELSE -2 END WHERE version_id IN (2, 3)"
    assert tamper(kit, swap, "UPDATE ledger SET version_id = -version_id WHERE version_id < 0") == [(2, 3), (3, 2)]


def test_a_record_hash_is_literal():
    plain = ("article_url", "captured_at", "text_sha256", "capture_url", "capture_at", "http_status",
             "capture_sha256", "payload_sha256")  # fmt: skip
    version = dict.fromkeys([*FIELDS, *plain]) | {"title": "عنوان", "captured_at": "2026-01-21T10:00:00Z"}
    # JSON with sorted keys and no spaces; each field by its own hash; sha256sum of that
    literal = "31659845997b725125aa445771d0396d187b9f675c4b5176fa0064ae535beb79"
    assert hashlib.sha256(record_json(version).encode()).hexdigest() == literal
    assert record_json(version | {"title": "عنوان آخر"}) != record_json(version)
