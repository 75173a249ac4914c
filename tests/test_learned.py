"""What one outlet prints under every article is learned, told, and taken out; nothing of an article goes with it."""

from dataclasses import replace

import pytest

from archive.learned import ARTICLES, clear, forget, furniture
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
