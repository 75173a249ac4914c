"""What follows from looks: an article is withdrawn only while its outlet, and the articles around it, answer."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from archive.frontier import due_articles, sync_outlets
from archive.looks import look
from archive.models import Article, Look
from archive.reading import open_archive
from archive.times import later
from tests.archive_kit import NOW, OFF_TOPIC, SANA, Kit
from tests.looks_kit import DAY, HOUR, LADDER, found, kept, missed, states, story, told, url, watched


@pytest.fixture
def kit(tmp_path):
    with watched(tmp_path) as kit:
        yield kit


def test_nothing_is_withdrawn_while_nothing_else_of_the_outlet_answers(kit):
    kept(kit, 1)
    missed(kit, later(NOW, HOUR), 1)
    missed(kit, later(NOW, 3 * HOUR), 1)
    kit.home(later(NOW, 4 * HOUR), "outage")
    missed(kit, later(NOW, 4 * HOUR), 1)
    assert (states(kit), told(kit)) == ({1: "suspect"}, [])
    kit.home(later(NOW, 5 * HOUR))
    missed(kit, later(NOW, 5 * HOUR), 1)
    assert (states(kit), told(kit)) == ({1: "gone"}, [1])


def test_the_articles_around_a_missing_one_and_those_longest_not_seen_are_looked_at(kit):
    kept(kit, 30)
    at = later(NOW, DAY)
    kit.do(lambda tx: tx.db.execute("UPDATE articles SET next_check_at = NULL"))
    missed(kit, at, 21)
    asked = {d.article_id for d in kit.do(lambda tx: due_articles(tx.db, "sana", at, 99))}
    assert asked == {1, 2, 3, 4, 5, 6, 18, 19, 20, 22, 23, 24}
    found(kit, at, *asked)
    missed(kit, later(at, HOUR), 21)
    assert told(kit) == [21]


def test_the_first_one_missed_has_listings_read_which_may_name_its_new_address(kit):
    kept(kit, 2)
    at = later(NOW, DAY)
    kit.do(lambda tx: sync_outlets(tx, [replace(SANA, sources=(("feed", "https://sana.example/feed"),))]))
    kit.do(lambda tx: tx.db.execute("UPDATE sources SET next_at = ?", (later(at, 4 * HOUR),)))
    missed(kit, at, 1)
    assert kit.one("SELECT next_at FROM sources") == at


def test_what_is_new_and_missing_is_asked_for_again_since_its_site_may_be_broken(kit):
    add = "INSERT INTO frontier (url, outlet_id, found_at, next_at, backlog) VALUES (?, 'sana', ?, ?, ?)"
    for number, backlog in ((1, 0), (2, 1)):
        row = (url(number), NOW, NOW, backlog)
        kit.do(lambda tx, row=row: tx.db.execute(add, row))
        seen = Look(url(number), NOW, "gone", "sana", kit.crawl, None, status=404)
        kit.do(lambda tx, seen=seen: look(tx, seen))
    assert kit.rows("SELECT url, next_at FROM frontier ORDER BY url") == [(url(1), later(NOW, 900)), (url(2), None)]


@pytest.mark.parametrize("last", [37, 40])
def test_what_an_editor_clears_away_in_one_go_is_told(kit, last):
    kept(kit, 60)
    at = later(NOW, DAY)
    batch = range(31, last + 1)
    missed(kit, at, *batch)
    asked = {d.article_id for d in kit.do(lambda tx: due_articles(tx.db, "sana", at, 99))}
    found(kit, at, *asked.difference(batch))
    missed(kit, later(at, HOUR), *batch)
    assert told(kit) == [*batch]


def test_one_of_a_batch_that_is_told_first_takes_no_witness_from_the_others(kit):
    kept(kit, 40)
    at = later(NOW, DAY)
    missed(kit, at, 31)
    asked = {d.article_id for d in kit.do(lambda tx: due_articles(tx.db, "sana", at, 99))} - {31}
    batch = asked & set(range(28, 33))
    found(kit, at, *(asked - batch))
    missed(kit, later(at, 60), *batch)
    kit.home(later(at, 120))
    missed(kit, later(at, HOUR), 31)
    missed(kit, later(at, HOUR + 60), *batch)
    assert sorted(told(kit)) == sorted([31, *batch])


def test_articles_missing_together_are_a_redesign_and_told_to_nobody(kit):
    kept(kit, 12)
    for hours in (24, 26, 30, 50, 80, 200, 400):
        at = later(NOW, hours * HOUR)
        kit.home(at)
        missed(kit, at, *range(1, 13))
    assert set(states(kit).values()) == {"suspect"}
    assert kit.one("SELECT count(*) FROM articles WHERE next_check_at IS NULL") == 0
    new = later(NOW, 401 * HOUR)  # what is published after it does not speak for what was there before
    for number in range(13, 25):
        kit.save(story(number), later(new, number * 60), url=url(number))
    missed(kit, later(new, DAY), *range(1, 13))
    found(kit, later(new, DAY), *range(13, 25))
    missed(kit, later(new, 2 * DAY), *range(1, 13))
    assert told(kit) == []
    found(kit, later(new, 3 * DAY), *range(1, 13))  # the old addresses work again
    assert set(states(kit).values()) == {"live"}
    assert told(kit, "restored") == []
    kit.home(later(new, 4 * DAY))
    missed(kit, later(new, 4 * DAY), 5)
    missed(kit, later(new, 5 * DAY), 5)
    assert told(kit) == [5]


def test_what_a_rebuilt_site_lost_of_its_past_is_told_to_nobody_though_what_is_newer_answers(kit):
    kept(kit, 60)
    kit.do(lambda tx: tx.db.execute("UPDATE articles SET next_check_at = NULL"))
    at = later(NOW, DAY)
    missed(kit, at, 55)  # which an editor took away; those longest not seen are looked at for it
    found(kit, at, *range(41, 55), *range(56, 61))
    for _ in range(12):
        for _ in range(4):
            at = later(at, 60)
            asked = {due.article_id for due in kit.do(lambda tx, at=at: due_articles(tx.db, "sana", at, 99))}
            missed(kit, at, *(number for number in asked if number <= 40 or number == 55))
            found(kit, at, *(number for number in asked if 40 < number != 55))
        at = later(at, HOUR + 1)
    assert told(kit) == [55]
    assert sum(status == "suspect" for status in states(kit).values()) >= 12


def test_a_block_or_an_outage_between_leaves_a_suspicion_as_it_was(kit):
    kept(kit, 6)
    at = later(NOW, DAY)
    missed(kit, at, 3)
    found(kit, later(at, 60), 1, 2, 4, 5, 6)
    for hours, outcome in enumerate(("blocked", "outage", "timeout", "tls"), 1):
        missed(kit, later(at, hours * HOUR), 3, outcome=outcome)
        assert (states(kit)[3], told(kit)) == ("suspect", [])
    missed(kit, later(at, 6 * HOUR), 3)
    assert told(kit) == [3]


def test_the_ladder_begins_anew_with_an_edit(kit):
    kit.save(story(1), url=url(1))
    at = later(NOW, 8 * DAY)
    kit.save(replace(story(1), title="قسد تعلن حصيلة جديدة للمعتقلين"), at, url=url(1))
    assert kit.one("SELECT next_check_at FROM articles") == later(at, HOUR)
    kit.save(replace(story(1), title="قسد تعلن حصيلة جديدة للمعتقلين"), later(at, HOUR), url=url(1))
    assert kit.one("SELECT next_check_at FROM articles") == later(at, 3 * HOUR)


# --- a month


class Month:
    """An outlet through thirty days: it publishes, edits, moves, deletes, breaks, and is rebuilt."""

    def __init__(self, kit: Kit, seed: int, every: int) -> None:
        self.kit, self.chance, self.count, self.every = kit, random.Random(seed), 0, every
        self.texts: dict[int, Article] = {}
        self.moved: set[int] = set()
        self.deleted: dict[int, float] = {}
        self.looks: dict[int, int] = {}

    def run(self) -> None:
        for hour in range(0, 30 * 24, 2):
            at = later(NOW, hour * HOUR)
            day = hour // 24
            if hour % self.every == 0:
                self.count += 1
                self.texts[self.count] = story(self.count)
                self.kit.save(self.texts[self.count], at, url=url(self.count))
            if hour % 100 == 50:  # one is really withdrawn
                number = self.chance.choice(sorted(self.texts.keys() - self.deleted.keys()))
                self.deleted[number] = hour
            if hour % 40 == 8:
                number = self.chance.choice(sorted(self.texts.keys() - self.deleted.keys()))
                added = story(1000 + hour).text.split(".")[0]
                self.texts[number] = replace(self.texts[number], text=f"{self.texts[number].text}\n{added}.")
            answer = "ok"
            if day == 5:
                answer = "outage"
            elif day == 9 and hour % 24 < 8:
                answer = "blocked"
            elif 14 <= day < 17:
                answer = "redesign"  # every old address is missing, or leads home; the home page answers
            self.crawl(at, answer)

    def crawl(self, at: str, answer: str) -> None:
        kit = self.kit
        kit.clock.at = at
        if not kit.do(lambda tx: due_articles(tx.db, "sana", at, 1)):
            return
        kit.home(at, "ok" if answer in ("ok", "redesign") else answer)
        done: set[int] = set()
        while due := [d for d in kit.do(lambda tx: due_articles(tx.db, "sana", at, 50)) if d.article_id not in done]:
            for item in due:
                number = item.article_id
                done.add(number)
                if answer in ("outage", "blocked"):
                    missed(kit, at, number, outcome=answer)
                elif answer == "redesign" or number in self.deleted:
                    if answer == "ok":
                        self.looks[number] = self.looks.get(number, 0) + (states(kit)[number] != "gone")
                    missed(kit, at, number)
                else:
                    kit.save(self.texts[number], at, url=item.url, article_id=number)


@pytest.mark.slow  # the fast suite lives through days of such a month with real servers, in test_month.py
@pytest.mark.parametrize("seed", range(1, 8))
def test_a_month_of_outages_challenges_and_a_redesign_tells_of_no_false_withdrawal(kit, seed):
    month = Month(kit, seed, 24 if seed == 1 else 6)
    month.run()
    gone = told(kit)
    assert set(gone) <= month.deleted.keys()
    assert len(gone) == len(set(gone))
    looked_at = {n for n, looks in month.looks.items() if looks >= 2}
    assert looked_at <= set(gone)
    assert len(gone) >= 3
    assert max(month.looks.values()) <= 2
    assert told(kit, "restored") == []


def test_articles_that_matched_nothing_are_looked_at_again_where_all_are(tmp_path):
    kit = Kit(tmp_path, ladder=LADDER, revisit_all=True)
    kit.save(OFF_TOPIC, url=url(1))
    assert kit.one("SELECT next_check_at FROM articles") == later(NOW, HOUR)
    missed(kit, later(NOW, HOUR), 1)
    kit.home(later(NOW, 2 * HOUR))
    missed(kit, later(NOW, 2 * HOUR), 1)
    assert (states(kit), told(kit)) == ({1: "gone"}, [])
    assert kit.one("SELECT next_check_at FROM articles") == later(NOW, 3 * HOUR)
    kit.writer.close()


def test_health_says_that_many_are_missing_alike(kit):
    kept(kit, 8)
    at = later(NOW, DAY)
    missed(kit, at, 1)
    with open_archive(kit.path) as archive:
        assert archive.health(at)[0].state == "ok"
        missed(kit, at, *range(2, 9))
        assert archive.health(at)[0].state == "redesign?"
        assert archive.counts()["missing, in doubt"] == 8
