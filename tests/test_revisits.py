"""Revisits against real servers: what became of a kept article, whatever the site answers in its place."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from tests.crawl_kit import Desk
from tests.servers import Site, Visit, article

TITLE = "نقل دفعة من معتقلي داعش"
TEXT = """أعلنت قوات سوريا الديمقراطية اليوم أنها نقلت دفعة من معتقلي تنظيم داعش من سجن الصناعة في الحسكة.
وقال مصدر في قسد إن عملية النقل جرت بإشراف التحالف الدولي وإن عدد المحتجزين بلغ مئة وخمسين.
وأضاف المصدر أن السجون التي تضم عناصر التنظيم في شمال شرق سوريا ما زالت تحت السيطرة الكاملة."""
OTHER = """سلمت قسد السلطات العراقية دفعة جديدة من عائلات مقاتلي تنظيم داعش المقيمين في مخيم الهول شرق الحسكة.
وذكرت إدارة المخيم أن الحافلات انطلقت صباحاً برفقة قوة أمنية وأن الدفعة ضمت مئتي عائلة عراقية.
وتنتظر عائلات أخرى دورها بعد استكمال التدقيق في وثائقها لدى اللجنة المشتركة بين الجانبين."""
STORY, LATER = article(TITLE, TEXT), article("تسليم عائلات من مخيم الهول", OTHER)


@pytest.fixture
def kept(desk: Desk, site: Site) -> Desk:
    """A desk that keeps one article, `/a`."""
    site.page("/a", STORY)
    site.page("/", "<html><title>الرئيسية</title><body><h1>موقع الأخبار</h1></body></html>")
    site.feed("/feed", [f"{site.url}/a"])
    desk.outlet("one", site, feeds=f'["{site.url}/feed"]', every='"30d"')
    desk.open().crawl()
    assert desk.titles() == [TITLE]
    return desk


def again(desk: Desk, article_id: int = 1) -> str:
    """Look at an article again, two hours later: what the look gave."""
    desk.ahead += timedelta(hours=2)
    due = f"UPDATE articles SET next_check_at = '2020-01-01T00:00:00Z' WHERE id = {article_id}"
    desk.writer.submit(lambda tx: tx.db.execute(due)).result()
    desk.crawl(all_sources=False)
    at = desk.rows("SELECT outcome FROM fetches WHERE source_id IS NULL AND url NOT LIKE '%/' ORDER BY id DESC LIMIT 1")
    return str(at[0][0])


def events(desk: Desk) -> list[str]:
    return [row[0] for row in desk.rows("SELECT kind FROM events WHERE article_id = 1 ORDER BY id")]


def asked_at(desk: Desk) -> str:
    return str(desk.rows("SELECT url FROM addresses WHERE article_id = 1 AND kind = 'canonical'")[0][0])


Answer = Callable[[Visit], object]
MISSING = "<title>الصفحة غير موجودة</title><h1>الصفحة غير موجودة</h1><p>جرب البحث.</p>"
LOCKED = article(f"محمي: {TITLE}", "هذا المحتوى محمي بكلمة مرور. أدخلها لعرضه.")
HERE: list[tuple[str, Answer, str]] = [
    ("soft 404", lambda v: v.answer(MISSING), "gone"),
    ("home", lambda v: v.redirect("/"), "gone"),
    ("challenge", lambda v: v.answer("<title>Just a moment...</title><script>_cf_chl_opt={}</script>"), "blocked"),
    ("header", lambda v: v.answer(STORY, cf_mitigated="challenge"), "blocked"),
    ("password", lambda v: v.answer(LOCKED), "blocked"),
    ("maintenance", lambda v: v.answer("<title>الموقع تحت الصيانة</title><h1>الموقع تحت الصيانة</h1>"), "outage"),
    ("nothing", lambda v: v.answer("<html><body></body></html>"), "unreadable"),
]  # fmt: skip


@pytest.mark.parametrize(("answer", "outcome"), [case[1:] for case in HERE], ids=[case[0] for case in HERE])
def test_what_stands_in_place_of_a_kept_article(kept: Desk, site: Site, answer: Answer, outcome: str) -> None:
    site.route("/a", answer)
    assert again(kept) == outcome
    assert again(kept) == outcome
    assert events(kept) == (["new", "withdrawn"] if outcome == "gone" else ["new"])


def test_a_note_where_a_kept_article_stood_is_told_as_an_edit(kept: Desk, site: Site) -> None:
    site.page("/a", article("بيان", "نعتذر لقرائنا."))
    assert again(kept) == "ok"
    assert events(kept) == ["new", "edited"]


@pytest.mark.parametrize(
    "way",
    [
        lambda v: v.redirect("/b", 301),
        lambda v: v.answer('<meta http-equiv="refresh" content="0; url=/b"><p>يتم الآن تحويلك إلى العنوان الجديد.</p>'),
        lambda v: v.answer('<script>location.href = "/b";</script>'),
    ],
    ids=["redirect", "refresh", "script"],
)
def test_a_move_keeps_one_article_and_is_followed(kept: Desk, site: Site, way: Answer) -> None:
    site.page("/b", STORY)
    site.route("/a", way)
    assert again(kept) == "moved"
    assert asked_at(kept) == f"{site.url}/b"
    hits = site.hits("/a")
    assert again(kept) == "unchanged"
    assert site.hits("/a") == hits
    assert events(kept) == ["new"]
    assert kept.rows("SELECT count(*) FROM articles") == [(1,)]


def test_a_redirect_to_another_article_withdraws_the_one_and_keeps_the_other(kept: Desk, site: Site) -> None:
    site.page("/b", LATER)
    site.route("/a", lambda v: v.redirect("/b", 301))
    assert again(kept) == "gone"
    assert again(kept) == "gone"
    assert events(kept) == ["new", "withdrawn"]
    assert kept.titles() == ["تسليم عائلات من مخيم الهول", TITLE]
    assert kept.rows("SELECT count(*) FROM versions WHERE article_id = 1") == [(1,)]


def test_a_slug_that_changes_while_the_feed_lists_the_new_one(kept: Desk, site: Site) -> None:
    site.page("/b", STORY)
    site.route("/a", lambda v: v.redirect("/b", 301))
    site.feed("/feed", [f"{site.url}/b"])
    kept.crawl()  # without a number in common nothing tells that it is the old one
    assert again(kept) == "moved"
    assert events(kept) == ["new"]
    assert kept.rows("SELECT count(*) FROM versions WHERE article_id = 1") == [(1,)]
    hits = site.hits("/a")
    site.route("/b", lambda v: v.answer("حذف", 404))
    kept.ahead += timedelta(days=30)
    kept.crawl()
    assert again(kept, 2) == "gone"
    assert kept.rows("SELECT article_id FROM events WHERE kind = 'withdrawn'") == [(2,)]  # of two rows one goes on
    assert site.hits("/a") == hits


def test_pages_that_lead_on_for_ever_end(kept: Desk, site: Site) -> None:
    site.route("/a", lambda v: v.answer('<meta http-equiv="refresh" content="0;url=/b">'))
    site.route("/b", lambda v: v.answer('<meta http-equiv="refresh" content="0;url=/c">'))
    site.route("/c", lambda v: v.answer('<meta http-equiv="refresh" content="0;url=/d">'))
    assert again(kept) == "unreadable"
    assert site.hits("/d") == 0
    site.route("/a", lambda v: v.answer('<meta http-equiv="refresh" content="0;url=/gone">'))
    assert again(kept) == "gone"
    assert events(kept) == ["new"]


def test_with_the_outlet_out_of_reach_nothing_is_withdrawn(kept: Desk, site: Site) -> None:
    site.route("/a", lambda v: v.answer("حذف", 404))
    for path in ("/", "/feed"):
        site.route(path, lambda v: v.answer("خطأ", 500))
    assert again(kept) == "gone"
    assert again(kept) == "gone"
    assert kept.rows("SELECT url, outcome FROM fetches ORDER BY id DESC LIMIT 2")[1] == (f"{site.url}/", "outage")
    assert events(kept) == ["new"]
    site.page("/", "<title>الرئيسية</title>")
    assert again(kept) == "gone"
    assert events(kept) == ["new", "withdrawn"]


def test_what_is_listed_again_after_it_was_withdrawn_is_looked_at_soon_and_not_at_every_poll(
    kept: Desk, site: Site
) -> None:
    site.route("/a", lambda v: v.answer("حذف", 404))
    assert [again(kept), again(kept)] == ["gone", "gone"]
    hits = site.hits("/a")
    kept.ahead += timedelta(minutes=10)
    kept.crawl()  # the feed names it still
    assert site.hits("/a") == hits
    site.page("/a", STORY)
    kept.ahead += timedelta(hours=1)
    kept.crawl()
    kept.crawl(all_sources=False)
    assert events(kept) == ["new", "withdrawn", "restored"]


def test_what_is_new_while_all_leads_home_is_asked_for_again(desk: Desk, site: Site) -> None:
    site.feed("/feed", [])
    site.page("/", "<html><title>الرئيسية</title><body><h1>موقع الأخبار</h1></body></html>")
    desk.outlet("one", site, feeds=f'["{site.url}/feed"]')
    desk.open().crawl()
    links = [site.route(path, lambda v: v.redirect("/")) for path in ("/news/101", "/news/102")]
    site.feed("/feed", links)
    desk.crawl()
    assert [desk.outcomes()[path] for path in ("/news/101", "/news/102")] == ["gone", "gone"]
    for path in ("/news/101", "/news/102"):
        site.page(path, STORY)
    desk.ahead += timedelta(hours=1)
    desk.crawl()
    assert [desk.outcomes()[path] for path in ("/news/101", "/news/102")] == ["ok", "ok"]


def test_an_amp_page_leads_to_its_article(desk: Desk, site: Site) -> None:
    head = f'<link rel="canonical" href="{site.url}/a"><link rel="amphtml" href="{site.url}/a/amp">'
    site.page("/a", STORY.replace("</head>", f"{head}</head>"))
    site.page(
        "/a/amp",
        STORY.replace("</head>", f"{head}</head>").replace(
            "</article>", "<p>افتح في التطبيق لقراءة المزيد من الأخبار العاجلة.</p></article>"
        ),
    )
    site.feed("/feed", [f"{site.url}/a/amp", f"{site.url}/a"])
    desk.outlet("one", site, feeds=f'["{site.url}/feed"]')
    desk.open().crawl()
    assert desk.rows("SELECT url FROM articles") == [(f"{site.url}/a",)]
    assert desk.rows("SELECT count(*) FROM versions") == [(1,)]
    assert set(desk.rows("SELECT url, kind FROM addresses")) == {
        (f"{site.url}/a", "canonical"),
        (f"{site.url}/a/amp", "amp"),
    }


def test_a_printers_page_is_the_article_it_names_and_a_mistaken_name_is_not_believed(desk: Desk, site: Site) -> None:
    named = f'<link rel="canonical" href="{site.url}/news/naql"></head>'
    site.page("/print?n=7", STORY.replace("</head>", named))
    site.page("/print?n=8", LATER.replace("</head>", named))
    site.page("/news/naql", STORY.replace("</head>", named))
    site.feed("/feed", [f"{site.url}/print?n=7", f"{site.url}/print?n=8"])
    desk.outlet("one", site, feeds=f'["{site.url}/feed"]')
    desk.open().crawl()
    assert sorted(desk.rows("SELECT url FROM articles")) == [(f"{site.url}/news/naql",), (f"{site.url}/print?n=8",)]
    assert site.hits("/news/naql") == 1


def test_two_outlets_of_one_host_share_its_budget_of_looks(desk: Desk, site: Site) -> None:
    for name in ("one", "two"):
        for number in range(4):
            text = f"{TEXT}\nوهذه الدفعة رقم {number} بحسب {name}."
            site.article(f"/{name}/{number}", f"{TITLE} {number} {name}", text)
        site.feed(f"/{name}/feed", [f"{site.url}/{name}/{number}" for number in range(4)])
        desk.outlet(name, site, feeds=f'["{site.url}/{name}/feed"]', every='"30d"')
    desk.settings["revisit.per_hour"] = "4"
    desk.open().crawl()

    def looks() -> list[int]:
        """At articles of the one and of the other, since the last time, by crawls of both."""
        site.log.clear()
        desk.crawl("one", all_sources=False)
        desk.crawl("two", all_sources=False)
        return [sum(hit.path.startswith(f"/{name}/") for hit in site.log) for name in ("one", "two")]

    desk.ahead += timedelta(hours=2)
    assert looks() == [2, 2]
    assert looks() == [0, 0]
    desk.ahead += timedelta(minutes=61)
    assert looks() == [2, 2]
