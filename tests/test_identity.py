"""One article, one row: its addresses lead to it, whichever is met first, and two rows that are one go on as one."""

from __future__ import annotations

from dataclasses import replace

import pytest

from archive.frontier import due_articles
from archive.looks import look
from archive.models import Article, Look
from archive.reading import open_archive
from archive.times import later
from tests.archive_kit import NOW, page
from tests.looks_kit import DAY, HOUR, missed, states, story, url, watched


@pytest.fixture
def kit(tmp_path):
    with watched(tmp_path) as kit:
        yield kit


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
