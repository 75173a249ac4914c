"""What is due: nothing found is lost, nothing is fetched twice, nothing is asked for for ever."""

from __future__ import annotations

from dataclasses import replace

import pytest

from archive.errors import ArchiveError
from archive.frontier import (
    Due,
    OutletRow,
    Pace,
    Visited,
    due_articles,
    due_outlets,
    due_sources,
    finish_crawl,
    finish_request,
    held_hosts,
    hold_host,
    open_requests,
    postpone,
    request,
    request_state,
    set_next,
    source_done,
    source_failed,
    source_read,
    start_crawl,
    sync_outlets,
)
from archive.looks import look
from archive.models import Link, Look
from archive.times import later
from archive.writer import Writer
from tests.archive_kit import NOW, OFF_TOPIC, ON_TOPIC, SANA, Kit, page, policy

FEED = ("feed", "https://sana.example/feed")
SECTION = ("section", "https://sana.example/news")
FIRST = Link("https://sana.example/1", "قسد تنقل معتقلين", "2026-01-21T09:00:00Z", "محمد علي")
SECOND = Link("https://sana.example/2")
LATER = "2026-01-21T10:15:00Z"


@pytest.fixture
def kit(tmp_path):
    kit = Kit(tmp_path)
    kit.do(lambda tx: sync_outlets(tx, [replace(SANA, sources=(FEED, SECTION))]))
    yield kit
    kit.writer.close()


def read(kit, *links, at=NOW, source=1, outcome="ok", **more):
    kit.clock.at = at
    seen, next_at = Look(FEED[1], at, outcome, "sana", kit.crawl), more.pop("next_at", later(at, 900))
    new = kit.do(lambda tx: source_read(tx, source, seen, links))
    visited = Visited(at, len(links), new, **{"etag": '"1"'} | more)
    kit.do(lambda tx: source_done(tx, source, visited, lambda pace: next_at))
    return new


def due(kit, now=NOW, outlet="sana", limit=100) -> list[Due]:
    return kit.do(lambda tx: due_articles(tx.db, outlet, now, limit))


def failed(kit, outcome, at, url=FIRST.url, **more):
    kit.do(lambda tx: look(tx, Look(url, at, outcome, "sana", kit.crawl, **more)))


def test_new_sources_are_due_at_once_and_dropped_ones_never(kit):
    sources = kit.do(lambda tx: due_sources(tx.db, "sana", NOW))
    assert [(s.kind, s.url, s.first_read_at) for s in sources] == [(*FEED, None), (*SECTION, None)]
    kit.do(lambda tx: sync_outlets(tx, [replace(SANA, name_en="Syrian agency", sources=(FEED,))]))
    assert [s.id for s in kit.do(lambda tx: due_sources(tx.db, "sana", None))] == [1]
    assert kit.one("SELECT name_en FROM outlets") == "Syrian agency"
    kit.do(lambda tx: sync_outlets(tx, [replace(SANA, sources=(FEED, SECTION))]))
    assert len(kit.do(lambda tx: due_sources(tx.db, "sana", NOW))) == 2
    kit.do(lambda tx: sync_outlets(tx, []))
    assert kit.do(lambda tx: due_sources(tx.db, "sana", None)) == []


def test_configuring_again_does_not_forget_when_a_source_is_due(kit):
    read(kit)
    kit.do(lambda tx: sync_outlets(tx, [replace(SANA, sources=(FEED, SECTION))]))
    assert kit.rows("SELECT next_at, etag FROM sources") == [(LATER, '"1"'), (NOW, None)]


def test_what_a_source_lists_first_is_backlog_and_what_comes_later_is_not(kit):
    assert read(kit, FIRST) == 1
    assert read(kit, FIRST, SECOND, SECOND, at=LATER) == 1
    assert due(kit, LATER) == [Due(SECOND.url, None, False, SECOND), Due(FIRST.url, None, True, FIRST)]
    assert kit.one("SELECT last_new_at, first_read_at, usual_gap_s FROM sources WHERE id = 1") == (LATER, NOW, 900)
    assert kit.one("SELECT discovered FROM crawls") == 2


def test_a_listing_that_did_not_change_keeps_its_validators(kit):
    read(kit, FIRST)
    read(kit, at=LATER, outcome="unchanged", etag='"1"')
    assert kit.one("SELECT etag, last_new_at FROM sources WHERE id = 1") == ('"1"', NOW)
    assert kit.rows("SELECT outcome, source_id FROM fetches ORDER BY id") == [("ok", 1), ("unchanged", 1)]


def test_a_source_that_fails_is_asked_again_later_and_stays_unread(kit):
    seen = Look(FEED[1], NOW, "outage", "sana", kit.crawl, status=502, error="bad gateway")
    kit.do(lambda tx: source_failed(tx, 1, seen, next_at=LATER))
    assert kit.one("SELECT next_at, first_read_at FROM sources WHERE id = 1") == (LATER, None)
    assert kit.one("SELECT outcome, status, error, source_id FROM fetches") == ("outage", 502, "bad gateway", 1)


def test_an_address_is_due_until_its_article_is_saved_and_never_found_anew(kit):
    read(kit, FIRST, SECOND)
    kit.save(ON_TOPIC, url=FIRST.url)
    kit.save(OFF_TOPIC, url=SECOND.url)
    assert due(kit) == []
    assert read(kit, FIRST, SECOND, at=LATER) == 0
    assert [d.article_id for d in due(kit, "2026-01-21T11:00:00Z")] == [1]  # a revisit, of the kept one alone


def test_a_listing_of_ever_new_addresses_fills_no_disk(kit, monkeypatch):
    monkeypatch.setattr("archive.frontier.WAITING_MAX", 3)
    read(kit, FIRST, SECOND)
    assert read(kit, *(Link(f"https://sana.example/trap/{n}") for n in range(2)), at=LATER) == 2
    assert [d.url[-6:] for d in due(kit, LATER)] == ["trap/0", "trap/1", FIRST.url[-6:]]
    assert kit.rows("SELECT outcome, error FROM fetches") == [
        ("ok", None), ("ok", "more than 3 addresses wait; the oldest 1 were let go")
    ]  # fmt: skip


def test_an_address_that_leads_elsewhere_leaves_too(kit):
    read(kit, FIRST)
    kit.save(page=page(FIRST.url, final_url="https://sana.example/moved/1"))
    assert due(kit) == []
    assert read(kit, FIRST, Link("https://sana.example/moved/1"), at=LATER) == 0


def test_an_address_found_and_not_yet_read_survives_a_restart(kit):
    read(kit, FIRST)
    kit.writer.close()
    from archive.sqlite import connect_read

    db = connect_read(kit.path)
    assert due_articles(db, "sana", NOW, 10) == [Due(FIRST.url, None, True, FIRST)]
    assert due_outlets(db, NOW) == ["sana"]
    db.close()


@pytest.mark.parametrize(("outcome", "attempts"), [("gone", 1), ("refused", 1), ("not_article", 1), ("too_large", 1),
                                                    ("unreadable", 3), ("outage", 36), ("blocked", 36)])  # fmt: skip
def test_what_cannot_be_fetched_is_tried_ever_more_rarely_and_then_given_up(kit, outcome, attempts):
    read(kit, FIRST)
    at, waits = NOW, []
    while at:
        failed(kit, outcome, at)
        due_at = kit.one("SELECT next_at FROM frontier")
        if due_at:
            assert due(kit, later(due_at, -1)) == []
            waits.append(due_at)
        at = due_at
    assert len(waits) == attempts - 1
    assert waits == sorted(waits)
    assert waits[:2] == ["2026-01-21T10:15:00Z", "2026-01-21T10:45:00Z"][: attempts - 1]
    assert due(kit, "2027-01-01T00:00:00Z") == []
    assert read(kit, FIRST, at=LATER) == 0  # and is not found anew


def test_retry_after_is_honoured_for_an_address(kit):
    read(kit, FIRST)
    failed(kit, "blocked", NOW, status=429, retry_at="2026-01-21T14:00:00Z")
    assert kit.one("SELECT next_at FROM frontier") == "2026-01-21T14:00:00Z"
    failed(kit, "blocked", "2026-01-21T14:00:00Z", retry_at="2026-01-21T14:00:01Z")
    assert kit.one("SELECT next_at FROM frontier") == "2026-01-21T14:30:00Z"


def test_newest_found_come_first_then_revisits_most_overdue_first(kit):
    kit.save(url="https://sana.example/b", at="2026-01-21T08:30:00Z")
    kit.save(url="https://sana.example/a", at="2026-01-21T08:00:00Z")
    read(kit, FIRST, SECOND, at="2026-01-21T09:00:00Z")
    read(kit, Link("https://sana.example/3"))
    order = [FIRST.url, SECOND.url, "https://sana.example/a", "https://sana.example/b"]
    assert [d.url for d in due(kit)] == ["https://sana.example/3", *order]
    assert [d.url for d in due(kit, limit=4)] == ["https://sana.example/3", *order[:3]]
    assert due(kit, outlet=None) == []


def test_outlets_are_due_longest_overdue_first(kit):
    anha = OutletRow("anha", "هاوار", "ANHA", "agency", sources=(("feed", "https://anha.example/feed"),))
    kit.do(lambda tx: sync_outlets(tx, [replace(SANA, sources=(FEED,)), anha]))
    assert kit.do(lambda tx: due_outlets(tx.db, NOW)) == ["anha", "sana"]
    kit.do(lambda tx: set_next(tx, [3], "2026-01-21T09:00:00Z"))
    read(kit, next_at="2026-01-21T08:00:00Z")
    assert kit.do(lambda tx: due_outlets(tx.db, NOW)) == ["sana", "anha"]
    kit.do(lambda tx: set_next(tx, [1, 3], LATER))
    assert kit.do(lambda tx: due_outlets(tx.db, NOW)) == []
    kit.save(at="2026-01-21T08:30:00Z")  # a revisit is due at 09:30
    assert kit.do(lambda tx: due_outlets(tx.db, NOW)) == ["sana"]


def test_postponing_counts_as_no_attempt(kit):
    kit.save(url="https://sana.example/old", at="2026-01-21T08:00:00Z")
    read(kit, FIRST)
    kit.do(lambda tx: postpone(tx, [FIRST.url, "https://sana.example/old"], LATER))
    assert due(kit) == []
    assert len(due(kit, LATER)) == 2
    assert kit.one("SELECT attempts FROM frontier") == 0


def test_a_crawl_is_summed_up_from_its_rows(kit):
    read(kit, FIRST, SECOND, Link("https://sana.example/3"), Link("https://sana.example/4"))
    kit.save(ON_TOPIC, url=FIRST.url)
    kit.save(OFF_TOPIC, url=SECOND.url)
    failed(kit, "timeout", NOW, "https://sana.example/3")
    failed(kit, "gone", NOW, "https://sana.example/4")
    done = kit.do(lambda tx: finish_crawl(tx, kit.crawl))
    assert (done.discovered, done.fetched, done.kept, done.errors, done.outcome) == (4, 4, 1, 1, "partial")
    assert (done.outlet_id, done.finished_at) == ("sana", NOW)


@pytest.mark.parametrize(
    ("outcomes", "verdict"),
    [([], "ok"), (["gone", "not_article"], "ok"), (["tls"], "failed"), (["refused", "blocked"], "failed"),
     (["gone", "outage"], "partial")],
)  # fmt: skip
def test_a_crawl_fails_when_every_look_did(kit, outcomes, verdict):
    for number, outcome in enumerate(outcomes):
        failed(kit, outcome, NOW, f"https://sana.example/{number}")
    assert kit.do(lambda tx: finish_crawl(tx, kit.crawl)).outcome == verdict
    crawl = kit.do(lambda tx: start_crawl(tx, None))
    assert kit.do(lambda tx: finish_crawl(tx, crawl, interrupted=True)).outcome == "interrupted"


def test_hosts_that_asked_us_to_wait_are_remembered_until_then(kit):
    kit.do(lambda tx: hold_host(tx, "sana.example", LATER, "429"))
    kit.do(lambda tx: hold_host(tx, "anha.example", "2026-01-21T12:00:00Z", "503"))
    assert kit.do(lambda tx: held_hosts(tx.db, NOW)) == {"sana.example": LATER, "anha.example": "2026-01-21T12:00:00Z"}
    assert list(kit.do(lambda tx: held_hosts(tx.db, LATER))) == ["anha.example"]


def test_another_process_asks_and_follows_what_became_of_it(kit):
    crawl_id = request(kit.path, "crawl", "sana", NOW)
    save_id = request(kit.path, "save", "https://sana.example/9", NOW)
    assert [(r.kind, r.target) for r in kit.do(lambda tx: open_requests(tx.db))] == [
        ("crawl", "sana"), ("save", "https://sana.example/9"),
    ]  # fmt: skip
    kit.save(OFF_TOPIC, url="https://sana.example/9", keep=True)
    kit.do(lambda tx: finish_crawl(tx, kit.crawl))
    kit.do(lambda tx: finish_request(tx, crawl_id))
    kit.do(lambda tx: finish_request(tx, save_id, error="the page hangs"))
    assert kit.do(lambda tx: open_requests(tx.db)) == []
    crawl = kit.do(lambda tx: request_state(tx.db, crawl_id))
    assert (crawl.done_at, crawl.error) == (NOW, None)
    assert crawl.result["outlet"] == "sana"
    assert crawl.result["kept"] == 1
    assert crawl.result["seconds"] == 0
    saved = kit.do(lambda tx: request_state(tx.db, save_id))
    assert (saved.error, saved.result["article_id"]) == ("the page hangs", 1)


# --- several ways to find: who leads, how fast, and what a listing's own words are worth


MAP, SITE = ("sitemap", "https://sana.example/sitemap.xml"), ("wordpress", "https://sana.example/wp-json/")


def visit(kit, source, at=NOW, **visited):
    """A visit to its end; what was seen of the listing's pace."""
    seen = []
    kit.do(lambda tx: source_done(tx, source, Visited(at, **visited), lambda pace: seen.append(pace) or later(at, 900)))
    return seen[0]


def test_the_first_kind_that_works_leads_and_the_next_takes_over_at_once_when_it_fails(kit):
    kit.do(
        lambda tx: sync_outlets(tx, [replace(SANA, sources=(FEED, MAP, SECTION, ("telegram", "https://t.me/s/sana")))])
    )
    assert [visit(kit, number).leads for number in (1, 2, 3, 4)] == [True, False, False, True]
    lost = Look(FEED[1], LATER, "outage", "sana", kit.crawl)
    kit.do(lambda tx: set_next(tx, [2, 3, 4], "2026-01-21T12:00:00Z"))
    kit.do(lambda tx: source_failed(tx, 1, lost, next_at="2026-01-21T10:30:00Z"))
    due_now = kit.do(lambda tx: due_sources(tx.db, "sana", LATER))
    assert sorted(source.kind for source in due_now) == ["section", "sitemap"]
    assert [visit(kit, number, LATER).leads for number in (3, 2)] == [True, False]  # the sitemap, the section
    kit.do(lambda tx: source_failed(tx, 1, lost, next_at="2026-01-21T10:30:00Z"))
    assert kit.do(lambda tx: due_sources(tx.db, "sana", LATER)) == []  # they were told once
    assert visit(kit, 1, LATER).leads
    assert not visit(kit, 3, LATER).leads


def test_the_pace_of_a_listing(kit):
    assert visit(kit, 1, listed=3, new=3) == Pace(3, 3, None, 0, True, True)
    assert visit(kit, 1, LATER, listed=3, new=1) == Pace(3, 1, 900, 0, False, True)
    assert visit(kit, 1, "2026-01-21T11:15:00Z", listed=3) == Pace(3, 0, 900, 3600, False, True)


@pytest.mark.parametrize(
    ("before", "after", "honest"),
    [
        ({"etag": '"1"'}, {"etag": '"1"'}, 0),
        ({"etag": 'W/"1-gzip"'}, {"etag": '"1"'}, 0),  # packed it is the same
        ({"etag": '"1"', "last_modified": "x"}, {"etag": '"2"', "last_modified": "x"}, 1),
        ({"last_modified": "x"}, {"last_modified": "x"}, 0),
        ({}, {}, 1),
    ],
)
def test_validators_that_stay_while_new_addresses_come_are_given_up(kit, before, after, honest):
    visit(kit, 1, listed=2, new=2, **before)
    visit(kit, 1, LATER, listed=2, **before)
    assert kit.one("SELECT honest FROM sources WHERE id = 1") == 1
    visit(kit, 1, LATER, listed=2, new=1, **after)
    assert kit.one("SELECT honest FROM sources WHERE id = 1") == honest


def told(kit, source, at, *modified):
    """A listing says when articles /1, /2 ... were modified."""
    links = [Link(f"https://sana.example/{number}", modified_at=date) for number, date in enumerate(modified, 1)]
    read(kit, *links, source=source, at=at)
    return [d.article_id for d in due(kit, at) if d.article_id]


@pytest.fixture
def kept(kit):
    """Twenty kept articles, looked at at 10:00 and next at 11:00."""
    kit.do(lambda tx: sync_outlets(tx, [replace(SANA, sources=(FEED, SECTION, SITE))]))
    for number in range(1, 21):
        kit.save(url=f"https://sana.example/{number}")
    kit.save(OFF_TOPIC, url="https://sana.example/21")
    return kit


def test_an_article_said_to_be_modified_is_due_at_once_and_it_is_no_edit(kept):
    assert told(kept, 3, "2026-01-21T10:10:00Z", "2026-01-21T10:05:00+00:00", "2026-01-21T09:59:00+00:00") == [1]
    kept.save(at="2026-01-21T10:11:00Z")
    assert told(kept, 3, "2026-01-21T10:20:00Z", "2026-01-21T13:05:00+03:00") == []  # the same moment
    assert told(kept, 3, "2026-01-21T10:30:00Z", "2026-01-21T10:25:00+00:00") == [1]
    assert kept.one("SELECT count(*) FROM events WHERE kind = 'edited'") == 0


def test_a_feed_may_ask_for_an_article_once_an_hour_and_what_is_off_topic_stays_unread(kept):
    assert told(kept, 1, "2026-01-21T10:10:00Z", "2026-01-21T10:05:00+00:00") == []
    assert kept.one("SELECT next_check_at FROM articles WHERE id = 1") == "2026-01-21T11:00:00Z"
    kept.save(at="2026-01-21T11:00:00Z")
    kept.do(lambda tx: tx.db.execute("UPDATE articles SET next_check_at = '2026-03-01T00:00:00Z'"))
    assert told(kept, 1, "2026-01-21T11:30:00Z", "2026-01-21T11:25:00+00:00") == []
    assert kept.one("SELECT next_check_at FROM articles WHERE id = 1") == "2026-01-21T12:00:00Z"
    read(kept, Link("https://sana.example/21", modified_at="2026-01-21T11:25:00+00:00"), source=3, at=LATER)
    assert kept.one("SELECT modified_hint, next_check_at FROM articles WHERE id = 21")[0] is None


def test_dates_that_move_for_all_or_lie_or_cannot_be_compared(kept):
    kept.do(lambda tx: tx.db.execute("UPDATE articles SET next_check_at = '2026-03-01T00:00:00Z'"))
    assert told(kept, 1, "2026-01-21T12:00:00Z", *["2026-01-20T00:00:00+00:00"] * 20) == []
    assert told(kept, 1, "2026-01-21T13:00:00Z", *["2026-01-21T13:00:00+00:00"] * 20) == []  # the site was rebuilt
    assert told(kept, 1, "2026-01-21T14:00:00Z", *["2026-01-21T13:00:00+00:00"] * 20) == []
    assert told(kept, 2, "2026-01-21T14:00:00Z", "2026-01-21", "2026-01-20") == []  # another listing, less precise
    assert told(kept, 1, "2026-01-21T15:00:00Z", *["2026-01-21T15:00:00+00:00"] * 3) == [1, 2, 3]


def test_a_day_alone_asks_for_a_look_when_it_changes(kept):
    kept.do(lambda tx: tx.db.execute("UPDATE articles SET next_check_at = '2026-03-01T00:00:00Z'"))
    assert told(kept, 1, "2026-01-21T12:00:00Z", "2026-01-20", "2026-01-21") == []
    assert told(kept, 1, "2026-01-21T13:00:00Z", "2026-01-21", "2026-01-21") == [1]


def test_a_request_left_while_the_archive_is_being_made_makes_nothing_of_it(tmp_path):
    path = tmp_path / "archive.db"
    path.touch()
    with pytest.raises(ArchiveError, match="requests"):
        request(path, "crawl", "sana", NOW)
    with Writer(path, policy()):
        assert request(path, "crawl", "sana", NOW) == 1
