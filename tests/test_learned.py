"""What one outlet prints under every article is learned, told, and taken out; nothing of an article goes with it."""

from dataclasses import replace

import pytest

from archive.learned import ARTICLES, alike, clear, fold, forget, furniture
from archive.models import Article
from archive.times import later
from tests.archive_kit import NOW, ON_TOPIC, Kit, page

FOLLOW = "يتابع منبر الشمال {n} قارئاً"


@pytest.fixture
def kit(tmp_path):
    kit = Kit(tmp_path)
    yield kit
    kit.writer.close()


def publish(kit, number, *, follow=True, **more):
    """The `number`th article of the outlet, with its own text and the line that all have."""
    own = "\n".join(
        f"الفقرة {word} من الخبر {number}: قسد تنقل معتقلي داعش من الحسكة." for word in ("أ", "ب", "ج", "د")
    )
    text = own + (f"\n{FOLLOW.format(n=number)}" if follow else "")
    article = replace(ON_TOPIC, title=f"قسد تنقل الدفعة {number} من معتقلي داعش", text=text)
    lines = kit.do(lambda tx: furniture(tx.db, "sana"))
    article = clear(article, lines)
    given = replace(page(f"https://sana.example/{number}", later(NOW, number)), furniture=lines)
    return kit.save(article, later(NOW, number), page=given, **more), article


def test_a_line_under_many_articles_is_learned_and_leaves_the_next(kit):
    for number in range(ARTICLES):
        _, article = publish(kit, number)
        assert "منبر الشمال" in article.text  # a few articles prove nothing
    for number in range(ARTICLES, 3 * ARTICLES):
        _, article = publish(kit, number)
        assert "منبر الشمال" not in article.text
        assert article.text.count("\n") == 3  # every paragraph of its own
        assert article.removed == (("learned", FOLLOW.format(n=number)),)
    (learned,) = kit.rows("SELECT line, articles FROM outlet_lines WHERE articles >= ?", ARTICLES)
    assert learned == (FOLLOW.format(n=0), 3 * ARTICLES)


def test_what_is_learned_later_is_no_edit_of_what_was_kept_before(kit):
    for number in range(ARTICLES):
        publish(kit, number)
    lines = kit.do(lambda tx: furniture(tx.db, "sana"))
    stored = kit.rows("SELECT title, text FROM versions WHERE id = 1")[0]
    again = clear(replace(ON_TOPIC, title=stored[0], text=stored[1]), lines)
    assert again.text != stored[1]
    seen = replace(page("https://sana.example/0", later(NOW, 500)), furniture=lines)
    assert kit.save(again, later(NOW, 500), page=seen).kind == "unchanged"
    changed = replace(again, text=again.text.replace("داعش", "التنظيم", 1))
    assert kit.save(changed, later(NOW, 600), page=replace(seen, at=later(NOW, 600))).kind == "changed"


def test_a_sentence_whose_numbers_change_daily_is_news(kit):
    for number in range(3 * ARTICLES):
        _, article = publish(kit, number, follow=False)
        assert article.text.count("\n") == 3


def test_one_article_looked_at_often_teaches_nothing(kit):
    for look in range(3 * ARTICLES):
        kit.save(at=later(NOW, look))
    assert kit.one("SELECT max(articles) FROM outlet_lines") == 1


def test_what_few_of_many_articles_share_is_a_way_of_writing(kit):
    for number in range(8 * ARTICLES):
        publish(kit, number, follow=number % 8 == 0)
    assert kit.one("SELECT max(articles) FROM outlet_lines") == ARTICLES
    assert kit.do(lambda tx: furniture(tx.db, "sana")) == ()


def test_the_middle_of_a_text_and_a_text_of_nothing_else_are_left_alone():
    known = ("سطر مكرر",)
    middle = Article("عنوان", "\n".join(["أ", "ب", "ج", "سطر مكرّر", *"دهوزحط"]))
    assert clear(middle, known) == middle
    alone = Article("عنوان", "سطر مكرر")
    assert clear(alone, known) == alone
    edge = clear(Article("عنوان", "سطرٌ مكررٌ\nالخبر نفسه"), known)
    assert (edge.text, edge.removed) == ("الخبر نفسه", (("learned", "سطرٌ مكررٌ"),))


def test_rare_lines_are_forgotten_and_learned_ones_stay(kit):
    for number in range(ARTICLES):
        publish(kit, number)
    kit.do(lambda tx: forget(tx, later(NOW, 86400)))
    assert kit.rows("SELECT line FROM outlet_lines") == [(FOLLOW.format(n=0),)]


def test_a_sentence_that_many_stories_tell_is_theirs(kit):
    """Agencies write in set phrases; only what stands first or last, over and over, is the outlet's own."""
    told = "واتفق المجتمعون على تشكيل غرفة عمليات مشتركة."
    for number in range(3 * ARTICLES):
        lines = [f"عقد الاجتماع رقم {number} في الحسكة بحضور قسد.", told, f"وكان هذا هو اللقاء {number} هذا الشهر."]
        article = replace(ON_TOPIC, title=f"الاجتماع {number} بشأن معتقلي داعش", text="\n".join(lines))
        kit.save(article, later(NOW, number), url=f"https://sana.example/{number}")
    assert kit.do(lambda tx: furniture(tx.db, "sana")) == ()


def told(kit, number, *lines, at=None):
    """A look at the `number`th article as a crawl has it: what was learned by then has left its text."""
    at = later(NOW, at or number)
    learned = kit.do(lambda tx: furniture(tx.db, "sana"))
    opening = f"شنّ مسلحون هجوماً على الحاجز رقم {number} قرب سجن يضم معتقلي داعش في الحسكة."
    article = replace(ON_TOPIC, title=f"هجوم {number} قرب سجن لمعتقلي داعش", text="\n".join([opening, *lines]))
    given = replace(page(f"https://sana.example/{number}", at), furniture=learned)
    return kit.save(clear(article, learned), at, page=given)


def latest(kit, number):
    return kit.one(
        "SELECT text FROM versions JOIN articles a ON a.latest_version_id = versions.id WHERE a.url LIKE ?",
        f"%/{number}",
    )


TOLLS = ("وبلغت حصيلة القتلى {} قتيلاً.", "وارتفع عدد المصابين إلى {}.", "وفرّ {} سجناء.", "القتلى: {}")


@pytest.mark.parametrize("toll", TOLLS)
def test_how_many_were_killed_is_told_in_however_many_articles_it_stands_last(kit, toll):
    for number in range(ARTICLES + 4):
        told(kit, number, toll.format(number + 3))
    assert kit.do(lambda tx: furniture(tx.db, "sana")) == ()
    for was, now in ((5, 25), (11, 114)):
        assert told(kit, was - 3, toll.format(now), at=900 + was).kind == "changed"
        assert latest(kit, was - 3).endswith(toll.format(now))
        edit = kit.rows("SELECT op, before, after FROM edits ORDER BY id DESC LIMIT 1")[0]
        assert (edit[0], str(was) in edit[1], str(now) in edit[2]) == ("replaced", True, True)
    told(kit, 77, toll.format(77))
    assert latest(kit, 77).endswith(toll.format(77))


def test_who_is_named_in_many_articles_stays_named_in_each(kit):
    """Last, and within the text, where a sentence of its own closes the list."""
    names = ["أسماء المفقودين:", "محمد العلي", "- خالد الحسين، 34 عاماً"]
    for number in range(2 * ARTICLES):
        closing = ["شيخموس بوزان", f"وطالبت عائلات الحي {number} بالكشف عن مصيرهم."] if number % 2 else []
        told(kit, number, *names, *closing)
        assert latest(kit, number).split("\n")[1:] == [*names, *closing]


def test_only_counters_dates_and_times_are_one_line_whatever_their_number():
    for one, other in (
        ("شاهده 350 زائراً", "شاهده 7 زائراً"), ("منذ 3 ساعات", "منذ 14 ساعات"), ("آخر تحديث: 12:30", "آخر تحديث: 9:05"),
        ("دمشق، 3 آذار 2026", "دمشق، 14 آذار 2026"), ("صفحة 3 من 12", "صفحة 1 من 9"),
    ):  # fmt: skip
        assert fold(one).split()[-1] == fold(other).split()[-1]
        assert {*"123456789"}.isdisjoint(fold(one))
    for line in (
        "وصلت 7 حافلات إلى دمشق",
        "الدفعة 12 من المعتقلين",
        "ارتفع السعر إلى 15000 ليرة",
        "مقتل 7 أشخاص",
        "محمد العلي، 34 عاماً",
    ):
        assert "0" not in fold(line).replace("15000", ""), line


def test_what_was_learned_takes_no_line_from_an_article_kept_with_it(kit):
    """Neither with an edit of it, nor so that what always stood there looks new; and no look is an edit for that."""
    last = "يمكن قراءة ملفاتنا السابقة عن مخيم الهول وسجون الحسكة في قسم التحقيقات."
    for number in range(ARTICLES):
        told(kit, number, "ولم يصدر تعليق رسمي.", FOLLOW.format(n=number), last)
    told(kit, 50, "ولم يصدر تعليق رسمي.", FOLLOW.format(n=50), last)
    told(kit, 51, "ولم يصدر تعليق رسمي.", FOLLOW.format(n=51), last)
    assert "قسم التحقيقات" not in latest(kit, 51)
    assert told(kit, 0, "ولم يصدر تعليق رسمي.", FOLLOW.format(n=44), last, at=600).kind == "unchanged"
    assert told(kit, 0, "وقُتل ثلاثة سجناء.", FOLLOW.format(n=45), last, at=700).kind == "changed"
    assert latest(kit, 0).split("\n")[1:] == ["وقُتل ثلاثة سجناء.", FOLLOW.format(n=45), last]
    assert kit.rows("SELECT before, after FROM edits") == [("ولم يصدر تعليق رسمي.", "وقُتل ثلاثة سجناء.")]
    assert told(kit, 1, "ولم يصدر تعليق رسمي.", FOLLOW.format(n=1), at=800).kind == "changed"  # its site took it out


def test_a_line_goes_back_to_where_it_stood():
    stored = Article("عنوان", "\n".join(["رأس", "أول", "ثان", "ثالث", "ذيل", "ختام"]))
    look = Article(
        "عنوان", "أول\nثان\nمعدّل\nختام", removed=(("learned", "رأس"), ("learned", "ذيل"), ("learned", "غيره"))
    )
    again, less, _ = alike(look, stored)
    assert again.text.split("\n") == ["رأس", "أول", "ثان", "معدّل", "ذيل", "ختام"]
    assert less.text.split("\n") == ["أول", "ثان", "ثالث", "ختام"]
    assert alike(stored, stored)[:2] == (stored, stored)
