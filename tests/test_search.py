import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from sqlite_utils.utils import sqlite3

from archive.arabic.normalise import normalise
from archive.search import MOST, ar_query, highlight, read_query


def index(*texts: str) -> sqlite3.Connection:
    """A full-text table as the archive has it, one row a text, numbered from 1."""
    db = sqlite3.connect(":memory:")
    db.execute('CREATE VIRTUAL TABLE f USING fts5(title, text, tokenize = "unicode61 remove_diacritics 0")')
    db.executemany("INSERT INTO f (title, text) VALUES ('', ?)", [(normalise(text),) for text in texts])
    return db


def found(query: str, *texts: str) -> list[int]:
    expression = ar_query(query)
    return [row for (row,) in index(*texts).execute("SELECT rowid FROM f WHERE f MATCH ? ORDER BY rowid", [expression])]


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ("قسد", "التقى وقسد في الحسكة"),
        ("قسد", "مهلة لقسد"),
        ("وقسد", "أعلنت قسد انسحابها"),
        ("لقسد", "موقف وقسد من الاتفاق"),
        ("للمعتقلين", "زيارة معتقلي داعش"),
        ("بالهول", "حرائق في الهول"),
        ("قسد", "انسحاب «قسد» من المواقع"),
        ("قسد", "قال إن لـ«قسد» مطالب"),
        ("قسد", "فبقسد بدأ"),
        ("سوريا", "عاد إلى سورية"),
        ("سورية", "في سوريا"),
        ("معتقلين", "نقل المعتقلين"),
        ("معتقلين", "معتقلو التنظيم"),
        ("معتقلين", "لمعتقلي داعش"),
        ("معتقلين", "مُعتقلي داعـــش"),
        ("المعتقلين", "عشرات معتقلين"),
        ("سجناء", "كل سجين هناك"),
        ("سجن", "في السجون"),
        ("أمريكي", "جندي أميركي"),
        ("الأميركية", "القوات الامريكية"),
        ("مخيم الهول", "قرب الهول وفي مخيم"),
        ('"مخيم الهول"', "زار وفد مخيم الهول اليوم"),
        ('"معتقلي داعش"', "ولمعتقلي «داعش» ملف"),
        ('"قوات سوريا"', "وقوات سورية الديمقراطية"),
        ("2026", "عام ٢٠٢٦"),
        ("SDF", "سجن لـSDF في سوريا"),
        ("sdf", "SDF forces"),
        ("معتق*", "والمعتقلات"),
        ("NEAR(قسد دمشق, 3)", "قسد تفاوض في دمشق"),
        ("الاتفاق", "توقيع اتفاق جديد"),
        ("لاجئين", "اللاجئون السوريون"),
    ],
)
def test_finds(query, text):
    assert found(query, text) == [1]


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ("قسد", "قصد المكان"),
        ("قسد", "فسد الطعام"),
        ("الهول", "هول الصدمة"),
        ("معتقلين", "اعتقال رجل"),
        ('"مخيم الهول"', "الهول في مخيم"),
        ("NEAR(قسد دمشق, 2)", "قسد قالت أمس في بيان طويل نشرته عبر موقعها إن دمشق"),
        ("حلب -قسد", "حلب وقسد"),
        ("حلب NOT لاجئين", "حلب واللاجئون"),
    ],
)
def test_does_not_find(query, text):
    assert found(query, text) == []


def test_words_are_joined_by_and_unless_or_is_written():
    texts = ("قسد في حلب", "قسد في الرقة", "هدوء في حلب", "هدوء")
    assert found("قسد حلب", *texts) == [1]
    assert found("قسد AND حلب", *texts) == [1]
    assert found("قسد OR حلب", *texts) == [1, 2, 3]
    assert found("قسد حلب OR الرقة", *texts) == [1, 2]
    assert found("or", "black or white") == [1]  # only capitals are operators


def test_nothing_to_search_for_is_an_empty_expression():
    for query in ("", "   ", "؟!", '""', "AND", "OR OR", "*", "-", "«»"):
        assert ar_query(query) == ""
    assert read_query("-قسد").note


OPERATORS = st.sampled_from(
    ["AND", "OR", "NOT", "NEAR(", "NEAR(قسد دمشق, 5)", "NEAR(a,", ")", "(", '"', "*", "-", "^", ":", "{", "}", "title:",
     "+", ",", "'", ";", "\\", "--", "قسد", "والمعتقلين", "سوريا", "a", "5", "«", "\0", "ـ", "\u064e"]
)  # fmt: skip


@given(
    st.one_of(st.text(max_size=60), st.lists(OPERATORS, max_size=12).map(" ".join), st.lists(OPERATORS).map("".join))
)
@example('"قسد')
@example("قسد AND")
@example("NOT NOT قسد")
@example("NEAR(قسد")
@example("قسد:دمشق^2")
def test_whatever_is_typed_is_no_error(query):
    expression = ar_query(query)
    if expression:
        TABLE.execute(
            "SELECT count(*), (SELECT highlight(f, 1, '[', ']') FROM f LIMIT 1) FROM f WHERE f MATCH ?", [expression]
        ).fetchall()
    highlight("نص عن قسد والمعتقلين في سوريا", query)


TABLE = index("قسد في سوريا", "المعتقلين")


def test_a_long_phrase_is_expanded_less_and_says_so():
    query = read_query('"معتقلين سجناء عائلات سوريين مقاتلين"')
    assert query.expression.count('"') // 2 <= MOST
    assert query.note
    assert read_query('"مخيم الهول" معتقلين').note is None
    assert found('"معتقلي داعش"', "ولمعتقلي «داعش»", "المعتقلين الدواعش") == [1, 2]  # the commonest forms stay


def test_a_pasted_page_is_read_in_part_and_says_so():
    query = read_query("قسد معتقلين سوريا " * 5000)
    assert query.note
    assert TABLE.execute("SELECT count(*) FROM f WHERE f MATCH ?", [query.expression]).fetchone()


def test_a_snippet_shows_the_original_words():
    text = "مقدمة طويلة لا شأن لها. " * 20 + "وأعلنت «قسد» نقلَ المُعتقلين من سوريّة إلى العراق. " + "خاتمة. " * 30
    assert "«[قسد]» نقلَ [المُعتقلين] من سوريّة" in highlight(text, "قسد معتقلين -سوريا", 60)
    assert highlight(text, "قسد", 60).startswith("… ")
    assert len(highlight(text, "غيرموجود", 60)) < 90
    assert highlight("قصير", "x") == "قصير"


@given(st.text(max_size=80), st.text(max_size=10), st.integers(1, 50))
def test_a_snippet_is_a_piece_of_the_text(text, query, width):
    snippet = highlight(text, query, width, ("\ue000", "\ue001")).replace("\ue000", "").replace("\ue001", "")
    assert snippet.removeprefix("… ").removesuffix(" …") in text or not text
