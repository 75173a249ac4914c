"""What follows from looks: an article is withdrawn only while its outlet, and the articles around it, answer."""

from __future__ import annotations

import doctest
import random
from dataclasses import replace

import pytest

import archive.budget
from archive.frontier import due_articles, due_outlets, sync_outlets
from archive.looks import look
from archive.models import Article, Look
from archive.reading import open_archive
from archive.times import later
from tests.archive_kit import NOW, OFF_TOPIC, ON_TOPIC, SANA, Kit, page, whole

DAY, HOUR = 86400.0, 3600.0
LADDER = (HOUR, 3 * HOUR, 12 * HOUR, DAY, 3 * DAY, 7 * DAY, 30 * DAY)


@pytest.fixture
def kit(tmp_path):
    kit = Kit(tmp_path, ladder=LADDER)
    yield kit
    assert whole(kit.writer) == []
    kit.writer.close()


def url(number: int) -> str:
    return f"https://sana.example/{number}"


def story(number: int) -> Article:
    """An article like no other."""
    words = random.Random(number).sample([f"كلمة{n}" for n in range(400)], 40)
    return replace(ON_TOPIC, title=f"{ON_TOPIC.title} {number}", text=f"{' '.join(words)}.\n{ON_TOPIC.text}")


def missed(kit, at, *numbers, outcome="gone"):
    kit.clock.at = at
    for number in numbers:
        seen = Look(url(number), at, outcome, "sana", kit.crawl, number, status=404)
        kit.do(lambda tx, seen=seen: look(tx, seen))


def kept(kit, count, at=NOW, apart=60):
    for number in range(1, count + 1):
        kit.save(story(number), later(at, apart * number), url=url(number))


def found(kit, at, *numbers):
    for number in numbers:
        kit.save(story(number), at, url=url(number), article_id=number)


def told(kit, kind="withdrawn"):
    return [row[0] for row in kit.rows("SELECT article_id FROM events WHERE kind = ? ORDER BY id", kind)]


def states(kit):
    return dict(kit.rows("SELECT id, status FROM articles"))


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


# --- identity


def claims(*pairs: tuple[str, str], of: int = 1) -> Article:
    return replace(story(of), addresses=pairs)


def addresses(kit):
    return {u: (article_id, kind) for u, article_id, kind in kit.rows("SELECT url, article_id, kind FROM addresses")}


def test_twins_lead_to_one_article_whichever_is_met_first(kit):
    slug, amp, short, phone = (f"https://sana.example{p}" for p in ("/71-nql", "/71-nql/amp", "/?p=71", "/m/71"))
    kit.save(claims(("amp", amp), ("canonical", slug)), url=amp)
    assert kit.one("SELECT url FROM articles") == slug
    said = (("canonical", slug), ("amp", amp), ("id", short), ("mobile", phone))
    assert kit.save(claims(*said), later(NOW, HOUR), url=slug).kind == "unchanged"
    shorter = replace(claims(("id", short), ("canonical", slug)), text=story(1).text[:150])
    assert kit.save(shorter, later(NOW, 2 * HOUR), url=short, article_id=1).article_id == 1
    assert addresses(kit) == {
        slug: (1, "canonical"), amp: (1, "amp"), short: (1, "id"), phone: (1, "mobile"),
    }  # fmt: skip


def test_a_twin_met_second_adds_an_address_and_no_version(kit):
    slug, amp = url(71), f"{url(71)}/amp"
    kit.save(claims(("canonical", slug)), url=slug)
    told_by_amp = replace(claims(("amp", amp), ("canonical", slug)), text=story(1).text + "\nاشترك في نشرتنا.")
    assert kit.save(told_by_amp, later(NOW, HOUR), url=amp).kind == "unchanged"
    assert (kit.one("SELECT count(*) FROM versions"), addresses(kit)[amp]) == (1, (1, "amp"))


def test_one_canonical_address_named_by_every_page_is_believed_of_none(kit):
    junk = "https://sana.example/news-of-today"
    kit.save(claims(("canonical", junk), of=1), url=junk)
    for number in (2, 3, 4):
        kit.save(claims(("canonical", junk), of=number), later(NOW, number), url=url(number))
        kit.save(claims(("named", url(99)), of=10 + number), later(NOW, number), url=url(10 + number))
    assert kit.one("SELECT count(*) FROM articles") == 7
    assert addresses(kit)[junk] == (1, "canonical")
    assert url(99) not in addresses(kit)


def test_a_new_slug_met_in_a_listing_is_the_old_article(kit):
    short = "https://sana.example/?p=71"
    kit.save(claims(("canonical", url(1)), ("id", short)), url=url(1))
    edited = replace(claims(("canonical", url(2)), ("id", short)), text=story(1).text + "\nوأضاف أن العدد ارتفع.")
    assert kit.save(edited, later(NOW, HOUR), url=url(2)).kind == "changed"
    assert kit.one("SELECT count(*) FROM articles") == 1
    (again,) = kit.do(lambda tx: due_articles(tx.db, "sana", later(NOW, DAY), 9))
    assert again.url == url(2)  # it is asked for where it is now
    assert kit.one("SELECT url FROM articles") == url(1)  # and stays known as what was seen


def test_two_rows_that_are_one_are_joined_and_of_two_histories_one_goes_on(kit):
    kit.save(replace(story(1), title="خبر آخر", text="موسم الزيتون يبدأ باكراً هذا العام."), url=url(2))  # passed over
    kit.save(story(1), later(NOW, 60), url=url(1))
    moved = page(url(1), later(NOW, HOUR), final_url=url(2))
    saved = kit.save(story(1), later(NOW, HOUR), page=moved, article_id=2)
    assert saved.article_id == 2
    assert kit.rows("SELECT id FROM articles") == [(2,)]
    assert kit.one("SELECT outcome FROM fetches ORDER BY id DESC LIMIT 1") == "moved"
    ended, at = replace(story(1), text=story(1).text + "\nوختم."), later(NOW, 3 * HOUR)
    kit.save(ended, later(NOW, 2 * HOUR), url=url(3))
    kit.save(ended, at, page=page(url(1), at, final_url=url(3)), article_id=2)
    assert kit.rows("SELECT article_id, count(*) FROM versions GROUP BY 1") == [(2, 1), (3, 1)]
    assert {owner for owner, _ in addresses(kit).values()} == {3}
    with open_archive(kit.path) as archive:
        assert [archive.article(number).goes_on_as for number in (2, 3)] == [3, None]
    assert [d.article_id for d in kit.do(lambda tx: due_articles(tx.db, "sana", later(at, DAY), 9))] == [3]
    assert kit.save(ended, later(at, DAY), page=page(url(1), later(at, DAY), final_url=url(3))).kind == "unchanged"
    missed(kit, later(at, 2 * DAY), 3)
    assert [d.article_id for d in kit.do(lambda tx: due_articles(tx.db, "sana", later(at, 9 * DAY), 9))] == [3]


def test_of_two_kept_rows_the_one_goes_on_whose_address_the_page_names_as_its_own(kit):
    near = replace(story(1), text=story(1).text + "\nوختم البيان بذلك.")
    kit.save(story(1), url=url(1))
    kit.save(near, url=url(2))
    named = replace(near, addresses=(("canonical", url(1)),))
    saved = kit.save(named, later(NOW, HOUR), page=page(url(2), later(NOW, HOUR)), article_id=2)
    assert saved.article_id == 1
    assert kit.rows("SELECT article_id, count(*) FROM versions GROUP BY 1") == [(1, 1), (2, 1)]
    assert addresses(kit) == {url(1): (1, "canonical"), url(2): (1, "moved")}
    due = kit.do(lambda tx: due_articles(tx.db, "sana", later(NOW, DAY), 9))
    assert [(again.article_id, again.url) for again in due] == [(1, url(1))]
    with open_archive(kit.path) as archive:
        assert archive.article(2).goes_on_as == 1


def test_a_canonical_address_that_never_answered_proves_no_withdrawal(kit):
    wrong = "https://sana.example/x/71-nql"
    kit.save(claims(("canonical", wrong)), url="https://sana.example/71-nql")
    kit.home(later(NOW, HOUR))
    at = later(NOW, HOUR)
    kit.do(lambda tx: look(tx, Look(wrong, at, "gone", "sana", kit.crawl, 1)))
    assert (states(kit)[1], [d.url for d in kit.do(lambda tx: due_articles(tx.db, "sana", at, 9))]) == (
        "live", ["https://sana.example/71-nql"],
    )  # fmt: skip


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


# --- the budget


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
