"""How many looks a host bears, and whose turn they are."""

from __future__ import annotations

import doctest
from dataclasses import replace

import pytest

import archive.budget
from archive.frontier import due_articles, due_outlets, sync_outlets
from archive.times import later
from tests.archive_kit import NOW, SANA
from tests.looks_kit import HOUR, found, kept, story, url, watched


@pytest.fixture
def kit(tmp_path):
    with watched(tmp_path) as kit:
        yield kit


def test_revisits_have_a_budget_and_the_longest_overdue_come_first(kit):
    kept(kit, 6)
    new = "INSERT INTO frontier (url, outlet_id, found_at, next_at) VALUES ('https://sana.example/new', 'sana', ?1, ?1)"
    kit.do(lambda tx: tx.db.execute(new, (NOW,)))
    at = later(NOW, 5 * HOUR)

    def due(limit: int = 9) -> list[int | None]:
        return [d.article_id for d in kit.do(lambda tx: due_articles(tx.db, "sana", at, limit, 4))]

    assert due() == [None, 1, 2, 3, 4]  # what is new first, and not counted
    found(kit, at, 1, 2, 3)
    assert due() == [None, 4]
    found(kit, at, 4)
    assert due() == [None]
    assert kit.do(lambda tx: due_outlets(tx.db, at, 4)) == ["sana"]
    kit.do(lambda tx: tx.db.execute("DELETE FROM frontier"))
    assert kit.do(lambda tx: due_outlets(tx.db, at, 4)) == []  # nothing is begun for what may not be done
    at = later(at, HOUR)
    assert kit.do(lambda tx: due_outlets(tx.db, at, 4)) == ["sana"]
    assert due() == [5, 6]


def test_outlets_of_one_host_share_its_budget_and_none_keeps_another_from_its_part(kit):
    """Two editions of one site, and a channel of the first elsewhere; the first has always more due than may be."""
    assert doctest.testmod(archive.budget).failed == 0
    kit.do(lambda tx: sync_outlets(tx, [SANA, replace(SANA, id="sport")]))
    channel = "https://t.example/sana/{}"
    for number in range(1, 13):
        kit.save(story(number), later(NOW, number), url=url(number) if number < 11 else channel.format(number))
        kit.save(story(20 + number), later(NOW, number), url=url(20 + number), outlet_id="sport")
    at = later(NOW, 5 * HOUR)

    def due(outlet: str) -> list[str]:
        return [d.url for d in kit.do(lambda tx: due_articles(tx.db, outlet, at, 50, 6))]

    mine, site = due("sana"), "https://sana.example/"
    assert (sum(u.startswith(site) for u in mine), mine[3:]) == (3, [channel.format(11), channel.format(12)])
    kit.clock.at = at
    for number in (1, 2, 3):
        kit.save(story(number), at, url=url(number), article_id=2 * number - 1)
    assert [u for u in due("sana") if u.startswith(site)] == []  # three are kept for the other one
    assert len(due("sport")) == 3
    kit.do(lambda tx: tx.db.execute("UPDATE articles SET next_check_at = NULL WHERE outlet_id = 'sport'"))
    assert [u for u in due("sana") if u.startswith(site)] == [url(4), url(5), url(6)]  # which has no need of them
