"""Furniture goes, the article stays. What looks like furniture but is told inside a sentence is the article."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.furniture import family_of, fold
from crawler.clean import clean, read_byline, read_credit

NOW = datetime(2026, 1, 21, 10, 0, tzinfo=UTC)
LEAD = "افتتحت البلدية صباح اليوم حديقة جديدة في وسط المدينة بحضور عدد كبير من الأهالي والأطفال."
MIDDLE = "وقال رئيس البلدية إن الحديقة تضم ملاعب صغيرة ومقاعد ومظلات، وإنها ستفتح أبوابها كل يوم حتى المساء."
CLOSE = "وتعتزم البلدية إنشاء حديقتين أخريين في الأحياء الشرقية من المدينة قبل نهاية العام الجاري."


def cleaned(*lines, title="حديقة جديدة وسط المدينة", **more):
    return clean(lines, title, now=NOW, **more)


@pytest.mark.parametrize(
    ("family", "line"),
    [
        ("share", "شارك"),
        ("share", "شارك الخبر: فيسبوك | واتساب | تلغرام"),
        ("share", "مشاركة المقال:"),
        ("share", "حجم الخط: A+ A-"),
        ("share", "عرض الكل"),
        ("share", "إعلان 1"),
        ("counter", "عدد المشاهدات: ١٬٢٠٤"),
        ("counter", "119,116 مشاهدة"),
        ("counter", "مدة القراءة: 3 دقائق"),
        ("counter", "تمت قراءة الخبر ١٥٢ مرة"),
        ("counter", "شارك 25 شخصاً هذا الخبر"),
        ("counter", "المتواجدون الآن: 54"),
        ("counter", "انضم إلى 1٬250 مشتركاً آخرين"),
        ("counter", "عدد القراءات : 152"),
        ("rates", "دولار أمريكي: شراء 14500 - مبيع 14600"),
        ("rates", "غرام الذهب عيار 21: 1,250,000 ل.س"),
        ("weather", "الرطوبة: 40%"),
        ("weather", "دمشق 18°"),
        ("weather", "حلب، غائم جزئياً ٢١ درجة"),
        ("rates", "سعر صرف الدولار اليوم: 14500"),
        ("share", "اضغط للمشاركة على فيسبوك (فتح في نافذة جديدة)"),
        ("share", "https://news.example/?p=12"),
        ("share", "الخبر التالي: افتتاح سوق الخضار"),
        ("counter", "00:00 / 03:12"),
        ("prayers", "المغرب ٤:٣٠"),
        ("poll", "نتائج الاستطلاع"),
        ("breadcrumb", "آخر الأخبار"),
        ("tags", "الوسوم: سوريا، الحسكة، مياه"),
        ("tags", "#سوريا #الحسكة"),
        ("disclaimer", "الآراء الواردة في هذا المقال لا تعبّر بالضرورة عن رأي الموقع"),
        ("author_box", "عن الكاتب"),
        ("rights", "جميع الحقوق محفوظة لـ الحياة © 2024"),
        ("contact", "هاتف: 00961-1-000000"),
        ("follow", "حمّل تطبيق آخر خبر"),
        ("follow", "تابعونا على تلغرام"),
        ("comments", "أضف تعليقاً"),
        ("caption", "صورة أرشيفية"),
    ],
)
def test_families(family, line):
    assert family_of(line)[0] == family


@pytest.mark.parametrize(
    "line",
    [
        "شارك الوفد السوري في أعمال القمة",
        "مشاركة سوريا في التحالف تفتح باباً جديداً",
        "المصدر الأمني نفى وقوع أي حادث",
        "اشترك في المعرض خمسون عارضاً",
        "انضم إلى التحالف تسعون بلداً",
        "شارك 25 شخصاً من أهالي القرية في الحملة",
        "تمت قراءة الفاتحة على أرواح الضحايا",
        "الدولار يتراجع إلى 14500 ليرة",
        "عدد المعتقلين: 150",
        "المغرب: 12",
        "صفحة جديدة في العلاقات",
        "ووصلت الحرارة أمس إلى 45 درجة في ريف دير الزور الشرقي",
        "التالي في القائمة حي النشوة",
        "نعم",
        "القسم الأول من الطريق جاهز",
        "هاتف الوزير نظيره العراقي مساء اليوم",
        "مواضيع كثيرة بحثها الجانبان",
        "كتبت الصحيفة أن المفاوضات متوقفة",
        "الكاتب الذي رحل أمس",
        "سوريا",
        "كلفة المشروع",
        "لمتابعة آخر التطورات في المدينة عقد المجلس اجتماعاً طارئاً دام خمس ساعات",
        "تابعنا في القرية مراحل العمل يوماً بعد يوم، والتقينا رئيس الورشة.",
        "جميع الحقوق التي كفلها الدستور يجب أن تصان، كما قال رئيس المحكمة.",
        "الصورة من داخل السوق تظهر حجم الدمار الذي لحق بالمكان بعد أيام من القصف.",
        "شروط النشر الجديدة التي وضعتها الوزارة أثارت جدلاً واسعاً بين الصحفيين.",
        "وأكد أن الحقوق محفوظة لجميع العائدين.",
    ],
)
def test_a_told_line_is_no_furniture(line):
    assert family_of(line) is None
    assert line in cleaned(LEAD, line, CLOSE).lines


def test_a_board_within_the_text_leaves_unless_the_story_speaks_of_what_it_lists():
    board = ["الدولار: 14500", "اليورو 15800", "الفجر 5:02", "الرطوبة: 40%"]
    assert cleaned(LEAD, *board, CLOSE).lines == [LEAD, CLOSE]
    prices = "وسجلت أسواق العاصمة صباح اليوم أرقاماً جديدة لصرف الليرة أمام العملات الأجنبية، وهي:"
    assert cleaned(prices, *board, CLOSE).lines == [prices, *board[:2], CLOSE]


def test_lines_around_the_text_leave_and_name_their_rule():
    out = cleaned(
        "شارك", "حديقة جديدة وسط المدينة", "الثلاثاء 20 يناير 2026 09:15 م", "كتب: سامر العلي",
        LEAD, "اقرأ أيضاً: افتتاح فرن جديد في حي الصالحية", MIDDLE, CLOSE,
        "المصدر: وكالة البادية", "الوسوم: حدائق", "جميع الحقوق محفوظة",
        "موقع إخباري مستقل يعنى بأخبار المدينة وريفها منذ سنوات طويلة.",
    )  # fmt: skip
    assert out.lines == [LEAD, MIDDLE, CLOSE]
    assert (out.author, out.credit, out.published.value) == ("سامر العلي", "وكالة البادية", "2026-01-20T21:15")
    assert [rule for rule, _ in out.removed] == [
        "share", "title", "date", "byline", "more", "credit", "tags", "rights", "rights",
    ]  # fmt: skip


def test_one_date_line_leaves_and_a_dateline_of_another_day_stays():
    out = cleaned("تاريخ النشر: 10 ديسمبر 2024", "9 ديسمبر، 2024", LEAD, CLOSE)
    assert (out.published.value, out.lines[0]) == ("2024-12-10", "9 ديسمبر، 2024")
    assert cleaned("20 يناير 2026", LEAD, published="2026-01-20T09:00:00Z").lines == [LEAD]
    assert cleaned("آخر تحديث: 20 يناير 2026", LEAD).published is None


def test_a_block_of_headlines_within_the_text_leaves_and_the_text_goes_on():
    out = cleaned(
        LEAD, "مواضيع ذات صلة", "اختتام بطولة الشطرنج للناشئين", "توزيع غراس الزيتون على الفلاحين", MIDDLE, CLOSE
    )
    assert out.lines == [LEAD, MIDDLE, CLOSE]


def test_where_markup_tells_links_only_links_leave():
    links = frozenset({fold("اختتام بطولة الشطرنج للناشئين")})
    out = cleaned(LEAD, "اقرأ أيضاً", "اختتام بطولة الشطرنج للناشئين", "وأكد أن الدخول مجاني للجميع", CLOSE, links=links)
    assert out.lines == [LEAD, "وأكد أن الدخول مجاني للجميع", CLOSE]


@pytest.mark.parametrize(
    "line", ["© AFP", "صورة: © أسوشيتد برس", "جميع الحقوق محفوظة", "Copyright Reuters", "All rights reserved AFP"]
)
def test_of_a_photos_rights_only_the_line_itself_leaves(line):
    for after in (["وزرع الأهالي 40 شجرة."], [CLOSE], ["أسماء المتبرعين:", "سامر العلي", "هدى السليمان"]):
        out = cleaned(LEAD, MIDDLE, line, *after)
        assert (out.lines, out.removed) == ([LEAD, MIDDLE, *after], [("rights", line)])
    for credit in (line, "المصدر: رويترز"):
        assert not cleaned(LEAD, credit, "اقرأ أيضاً", MIDDLE, CLOSE, links=frozenset()).related


LISTED = ["أسماء المتبرعين:", "سامر خالد العلي", "هدى محمود السليمان", "ونقل سابع إلى المشفى."]
FOREIGN = "وتبرعت سيدة مغتربة بثمن الأراجيح، فيما تكفل تاجر بأجور الحراسة الليلية ومصابيح الممرات."


@pytest.mark.parametrize("heading", ["اقرأ أيضاً", "الأكثر قراءة", "أخبار ذات صلة"])
@pytest.mark.parametrize("close", [[], [FOREIGN], [FOREIGN, CLOSE]])
def test_a_box_ends_with_its_links_and_what_is_told_after_it_stays(heading, close):
    link = "اختتام بطولة الشطرنج للناشئين"
    for links, box in ((frozenset({fold(link)}), [heading, link]), (frozenset(), [heading]), (None, [heading, link])):
        out = cleaned(LEAD, MIDDLE, *box, *LISTED, *close, links=links)
        assert (out.lines, [row for _, row in out.removed]) == ([LEAD, MIDDLE, *LISTED, *close], box)
    if close:  # a paragraph after a link to another story is told, too, unless it tells of what the link names
        assert cleaned(LEAD, MIDDLE, link, *close, links=frozenset({fold(link)})).lines == [LEAD, MIDDLE, *close]


def test_a_sentence_that_begins_like_a_read_also_stays():
    told = "الأكثر قراءة هذا العام كانت روايات التاريخ، بحسب إحصاء أعدته المكتبة الوطنية."
    assert cleaned(LEAD, told, CLOSE, links=frozenset()).lines == [LEAD, told, CLOSE]


def test_lines_over_the_headline_leave():
    assert cleaned("بيئة", "خاص", "حديقة جديدة وسط المدينة", LEAD, CLOSE).lines == [LEAD, CLOSE]


def test_an_appended_article_is_split_off_and_the_teaser_of_another_leaves():
    other = "أعلنت إدارة المرور تحويل السير في شارع الجسر ثلاثة أسابيع بسبب أعمال الصرف الصحي."
    out = cleaned(LEAD, CLOSE, "المصدر: وكالة البادية", "إقرأ أيضاً:", "تحويل السير في شارع الجسر", other)
    assert (out.lines, out.related) == ([LEAD, CLOSE], ["تحويل السير في شارع الجسر", other])
    out = cleaned(LEAD, MIDDLE, CLOSE, "أخبار مقترحة", "تحويل السير", other)
    assert out.lines == [LEAD, MIDDLE, CLOSE]
    assert cleaned(LEAD, "أخبار مقترحة", MIDDLE, CLOSE).lines == [LEAD, MIDDLE, CLOSE]


@pytest.mark.parametrize(
    ("text", "outlet", "credit"),
    [
        ("المصدر: رويترز", None, "رويترز"),
        ("شبكة شام المصدر: شبكة شام", None, "شبكة شام"),
        ("المصدر : صحيفة «النهار»", None, "صحيفة «النهار»"),
        ("المدينة نيوز - وكالات", None, "المدينة نيوز"),
        ("المدينة نيوز - وكالات", "المدينة نيوز", None),
        ("دمشق - وكالات", None, "وكالات"),
        ("--(بترا)", None, "بترا"),
        ("رويترز + أ ف ب", None, "رويترز + أ ف ب"),
        ("نقلاً عن العربي الجديد", None, "العربي الجديد"),
        (
            'هذا الخبر بعنوان "س" نشر أولاً على موقع عنب بلدي وتم جلبه من مصدره الأصلي بتاريخ 3 آذار 2025.',
            None,
            "عنب بلدي",
        ),
        ("وأضاف المصدر: لن نتراجع عن القرار", None, None),
        ("وقالت الوزارة نقلاً عن مصدر أمني إن الطريق سالك.", None, None),
        (f"{LEAD}\n{CLOSE}", None, None),
    ],
)
def test_credit(text, outlet, credit):
    assert read_credit(text, outlet) == credit


TELLS = "أعلن مسؤول في المدينة اليوم أن فرق الصيانة أنهت إصلاح خطوط المياه وأعادت الضخ إلى الأحياء الشرقية كلها."


@pytest.mark.parametrize(
    ("line", "outlet", "credit"),
    [
        (f"الحسكة (وكالة الفرات) - {TELLS}", "ميدان نيوز", "وكالة الفرات"),
        (f"دمشق (أ ف ب) - {TELLS}", "ميدان نيوز", "أ ف ب"),
        (f"بغداد 21 كانون (رويترز) - {TELLS}", "ميدان نيوز", "رويترز"),
        ("الحسكة - وكالة الفرات للأنباء", "ميدان نيوز", "وكالة الفرات للأنباء"),
        ("وكالة الفرات للأنباء - الحسكة", "ميدان نيوز", "وكالة الفرات للأنباء"),
        (f"بغداد - وكالة أنباء هاوار: {TELLS}", "ميدان نيوز", "وكالة أنباء هاوار"),
        (f"الحسكة (وكالة الفرات) - {TELLS}", "وكالة فرات للأنباء", None),
        (f"دمشق-سانا: {TELLS}", "الوكالة العربية السورية للأنباء (سانا)", None),
        (f"دمشق (أ ف ب) - {TELLS}", None, None),  # whose own dateline it may be
        (f"الحسكة (شمال شرق سوريا) - {TELLS}", "ميدان نيوز", None),
        (f"الحسكة (قسد) - {TELLS}", "ميدان نيوز", None),
        (f"القامشلي (سامر العلي) - {TELLS}", "ميدان نيوز", None),
        (f"غزة - وكالة الغوث: {TELLS}", "ميدان نيوز", None),
        (f"دمشق - وكالة الفرات قالت اليوم: {TELLS}", "ميدان نيوز", None),
        (f"دمشق - وكالات: {TELLS}", "ميدان نيوز", None),
        ("دمشق (رويترز) - أرشيف", "ميدان نيوز", None),
    ],
)
def test_a_dateline_credits_the_agency_it_names_and_stays(line, outlet, credit):
    whole = clean([line, TELLS, f"ثم {TELLS}"], "عودة المياه إلى الأحياء الشرقية", now=NOW, outlet=outlet)
    assert whole.credit == credit
    assert not whole.removed
    assert read_credit(f"{line}\n{TELLS}", outlet) == credit


def test_bylines():
    assert read_byline("كتبت: منى عبد الرحمن") == "منى عبد الرحمن"
    assert read_byline("بقلم/ رامي ديب") == "رامي ديب"
    assert read_byline("كتبت أسماء نصار") is None  # may be told: only its place can say
    assert read_byline("كتبت أسماء نصار", sure=True) == "أسماء نصار"
    assert read_byline("بواسطة: admin") is None
    assert read_byline("مراسل الجريدة في الرقة: سامر العلي") == "سامر العلي"
    assert read_byline("صحفي سوري يكتب في الأدب", sure=True) is None
    assert read_byline("ترجمة وتحرير: سامر العلي") == "سامر العلي"
    assert read_byline("تحرير: فريق التحرير") is read_byline("كتب: محرر الشؤون السياسية") is None


@pytest.mark.parametrize(
    ("line", "author"),
    [
        ("كتبت هدى السليمان", "هدى السليمان"),
        ("دمشق - سامر العلي", "سامر العلي"),
        ("سامر العلي – القامشلي", "سامر العلي"),
        ("دمشق - وكالات", None),
        ("دمشق - وكالة البادية", None),
        ("نشر بواسطة: admin", None),
        ("فريق التحرير", None),
    ],
)
def test_a_line_of_a_byline_leaves_and_names_a_writer_only(line, author):
    for lines in ((line, LEAD, CLOSE), (LEAD, CLOSE, line)):
        out = cleaned(*lines)
        assert (out.author, [row for row in out.lines if row != line]) == (author, [LEAD, CLOSE])
        assert line not in out.lines or line == "دمشق - وكالة البادية"


@pytest.mark.parametrize(
    "line", ["مركز الفرات للدراسات", "هيئة الدفاع عن الموقوفين", "الرقة: انتهى الحصار", "حلب - 12 آذار", "نعم - لا"]
)
def test_what_is_no_byline_stays(line):
    assert cleaned(LEAD, CLOSE, line).lines[-1] == line


PROSE = st.sampled_from([LEAD, MIDDLE, CLOSE])
FURNITURE = st.sampled_from(
    ["شارك", "عدد المشاهدات: 12", "إعلان", "اقرأ أيضاً: خبر آخر من المدينة", "نسخ الرابط", "تابعونا على فيسبوك"]
)


@given(st.lists(st.one_of(PROSE, FURNITURE), min_size=1, max_size=12))
def test_prose_survives_any_mixture_and_furniture_none(lines):
    out = cleaned(*lines)
    assert out.lines == list(dict.fromkeys(line for line in lines if line in (LEAD, MIDDLE, CLOSE)))


@given(st.lists(st.text(max_size=150), max_size=15), st.text(max_size=60))
def test_every_line_is_kept_or_accounted_for_and_cleaning_again_changes_no_text(lines, title):
    out = clean(lines, title, now=NOW)
    rows = [" ".join(line.split()) for line in lines]
    assert len(out.lines) + len(out.removed) + len(out.related) >= sum(map(bool, rows))
    assert all(any(kept in row for row in rows) for kept in out.lines)
