"""A year of looks, told fast: every real edit is one version, and what is no edit makes none."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace

import pytest

from archive.models import Article
from archive.times import later
from tests.archive_kit import NOW, Kit

WHO = ["قسد", "وزارة الداخلية", "المرصد السوري", "الإدارة الذاتية", "مجلس المدينة", "لجنة الإغاثة", "مديرية التربية"]
DID = ["نقلت", "استقبلت", "أعلنت عن", "تابعت أوضاع", "وزعت مساعدات على", "أحصت", "أجلت", "سجلت أسماء", "زارت"]
WHOM = ["معتقلاً", "نازحاً", "عائلة", "طالباً", "مزارعاً", "شاحنة", "سجيناً", "موظفاً", "جريحاً"]
WHERE = ["الحسكة", "الرقة", "القامشلي", "دير الزور", "مخيم الهول", "منبج", "تل تمر", "عين العرب", "الطبقة"]
CLOSE = ["وفق بيان رسمي", "بحسب الأهالي", "بعد انتظار طويل", "وسط إجراءات مشددة", "من غير إعلان مسبق", "كما ذكر شهود"]


def sentence(chance: random.Random) -> str:
    count = chance.randint(11, 98_765)
    return f"{chance.choice(DID)} {chance.choice(WHO)} {count} {chance.choice(WHOM)} في {chance.choice(WHERE)} " + (
        f"{chance.choice(CLOSE)}."
    )


def lines_of(article: Article) -> list[str]:
    return article.text.split("\n")


# Real edits: each gives an article that says something else.


def _word(article: Article, chance: random.Random) -> Article:
    was = chance.choice([phrase for phrase in CLOSE if phrase in article.text])
    return replace(article, text=article.text.replace(was, chance.choice([c for c in CLOSE if c != was]), 1))


def _number(article: Article, chance: random.Random) -> Article:
    words = article.text.split(" ")
    at = chance.choice([i for i, word in enumerate(words) if word.isdigit()])
    return replace(article, text=" ".join([*words[:at], str(int(words[at]) + chance.randint(1, 9)), *words[at + 1 :]]))


def _more(article: Article, chance: random.Random) -> Article:
    rows = lines_of(article)
    rows.insert(chance.randint(0, len(rows)), sentence(chance))
    return replace(article, text="\n".join(rows))


def _less(article: Article, chance: random.Random) -> Article:
    rows = lines_of(article)
    return _more(article, chance) if len(rows) < 4 else replace(article, text="\n".join(rows[:-1]))


def _order(article: Article, chance: random.Random) -> Article:
    rows = lines_of(article)
    at = chance.randrange(len(rows) - 1)
    return replace(article, text="\n".join([*rows[:at], rows[at + 1], rows[at], *rows[at + 2 :]]))


def _letter(article: Article, chance: random.Random) -> Article:
    was, now = chance.choice([("أعلنت", "اعلنت"), ("اعلنت", "أعلنت"), ("الإدارة", "الادارة"), ("عائلة", "عائله")])
    return replace(article, text=article.text.replace(was, now, 1)) if was in article.text else _number(article, chance)


def _title(article: Article, chance: random.Random) -> Article:
    asked = article.title.endswith("؟")
    return replace(article, title=article.title[:-1] if asked else article.title + "؟")


EDITS: list[Callable[[Article, random.Random], Article]] = [_word, _number, _more, _less, _order, _letter, _title]

# What is none: pairs of what is looked for and what may stand there instead, and lines that come and go.

WRITTEN = [
    ("ك", "ک"), ("ي", "ی"), (" ", "\u00a0"), (" ", "  "), (" في ", " فـي "), ("ال", "الـ"), ("م", "مَ"), ("ت", "تّ"),
    (".", " ."), (" ", " \u200f"), ("لا", "\ufefb"), ("، ", " ؛ "), ("\n", "\n\n"), (".\n", ". "), ("ر", "\u200dر"),
    (".", ""), ("ة ", "ة، "),
]  # fmt: skip
AROUND = [
    "المشاهدات: {n}", "منذ {n} دقيقة", "آخر تحديث: 12:{n}", "شارك الخبر على فيسبوك",
    "اقرأ أيضاً: خبر آخر رقم {n}",
    "تابعونا على قناتنا في تلغرام", "عدد التعليقات ({n})", "إعلان", "تصوير: أرشيف", "{n} مشاهدة", "الأكثر قراءة",
]  # fmt: skip


def cosmetic(article: Article, chance: random.Random) -> Article:
    """The article as another look may show it, in other letters of the same words, with other things around it."""
    title, text = article.title, article.text
    for was, now in chance.sample(WRITTEN, chance.randint(1, 3)):
        text, title = text.replace(was, now), title.replace(was, now) if "\n" not in was else title
    if chance.random() < 0.3:
        text = text.translate(dict(zip(map(ord, "0123456789"), "٠١٢٣٤٥٦٧٨٩", strict=True)))
    rows = text.split("\n")
    for line in chance.sample(AROUND, chance.randint(0, 2)):
        rows.insert(chance.choice((0, len(rows))), line.format(n=chance.randint(10, 59)))
    if chance.random() < 0.2:
        rows.append(chance.choice(rows))  # told twice
    if chance.random() < 0.2:
        title = f"عاجل | «{title}»" if not title.endswith("؟") else title
    return replace(article, title=title, text="\n".join(rows), author=chance.choice((None, article.author)))


def year(kit: Kit, articles: int, edits: int, looks: int) -> None:
    """`edits` of each article, each followed by `looks` that show nothing new; checks every answer."""
    chance = random.Random(articles)
    stands = {
        f"https://sana.example/{n}": Article(
            f"تقرير رقم {n} عن {chance.choice(WHERE)}", "\n".join(sentence(chance) for _ in range(6)), author="محمد علي"
        )
        for n in range(articles)
    }
    hour = 0
    for url, article in stands.items():
        assert kit.save(article, url=url, keep=True).kind == "new"
    for number in range(edits):
        for url, article in stands.items():
            hour += 1
            at = later(NOW, hour * 3600)
            edited = EDITS[(hour + number) % len(EDITS)](article, chance)
            assert kit.save(edited, at, url=url).kind == "changed", (article, edited)
            for look in range(looks):
                shown = cosmetic(edited, chance)
                assert kit.save(shown, later(at, 60 * look), url=url).kind == "unchanged", (edited, shown)
            stands[url] = edited
    assert kit.one("SELECT count(*) FROM versions") == articles * (1 + edits)
    assert kit.one("SELECT count(DISTINCT version_id) FROM edits") == articles * edits
    assert kit.one("SELECT count(*) FROM drift") == 0


def test_a_month_of_a_few_articles(tmp_path):
    kit = Kit(tmp_path)
    year(kit, 6, 4, 8)
    kit.writer.close()


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_a_year_of_200_articles(tmp_path):
    """1,000 real edits and 20,000 looks that show nothing new."""
    kit = Kit(tmp_path)
    year(kit, 200, 5, 20)
    kit.writer.close()
