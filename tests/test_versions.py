"""What is an edit, and what is only another way of writing the same."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from archive.folding import fold
from archive.models import Article
from archive.versions import same_text, same_version, text_sha256

WORDS = st.lists(
    st.sampled_from(
        ["قسد", "أعلنت", "المعتقلين", "داعش", "الحسكة", "نقل", "إلى", "سوريا", "١٢", "35", "مدى", "مؤتمر", "SDF"]
    ),
    min_size=1, max_size=12,
)  # fmt: skip
MARKS = st.sampled_from(["\u064b", "\u064e", "\u0651", "\u0652", "\u0670", "ـ", "\u200c", "\u200f", "\u2067", "\ufeff"])
BETWEEN = st.sampled_from(
    [" ", "  ", "\n", "\n\n", "\u00a0", " - ", " — ", "، ", ". ", "… ", " «", "» ", ' "', "! ", "؛ "]
)


@given(words=WORDS, data=st.data())
def test_marks_whitespace_and_punctuation_make_no_edit(words, data):
    assume(not any(a.isdecimal() and b.isdecimal() for a, b in pairwise(words)))
    letters = [
        "".join(char + (data.draw(st.one_of(st.just(""), MARKS)) if not char.isdecimal() else "") for char in word)
        for word in words
    ]
    other = letters[0] + "".join(data.draw(BETWEEN) + word for word in letters[1:])
    assert same_text(" ".join(words), other)


@given(words=WORDS)
def test_the_script_of_digits_makes_no_edit(words):
    text = " ".join(words)
    for digits in ("٠١٢٣٤٥٦٧٨٩", "۰۱۲۳۴۵۶۷۸۹"):
        assert same_text(text, text.translate(str.maketrans("0123456789", digits)))


@given(words=WORDS, at=st.integers(0, 200), letter=st.sampled_from("ابتدرسشصعفقكلمنهوي7"))
def test_another_letter_or_digit_is_an_edit(words, at, letter):
    text = " ".join(words)
    at %= len(text)
    assume(text[at] != " ")
    assume(fold(text[at]) != letter)
    assert not same_text(text, text[:at] + letter + text[at + 1 :])


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("انتهت المهلة في 17/02/2026 عند 09:30.", "انتهت المهلة في 2026-2-17 عند 9.30."),
        ("صدر في 3.5.2026 وبلغت الكلفة $5.5.", "صدر في 3/5/2026 وبلغت الكلفة 5.5$."),
        ("فازت الوحدة 2-1 على تشرين.", "فازت الوحدة 2 – 1 على تشرين."),
        (
            "نُقل 1,200 نازح.<br /> وقال <strong>المدير</strong> إن العمل مستمر.",
            "نُقل ١٢٠٠ نازح. وقال المدير إن العمل مستمر.",
        ),
        ("1️⃣ فتح المعبر\\n2️⃣ تسليم الجثامين", "فتح المعبر\nتسليم الجثامين"),
        ("=====\nمساحتها 40 كم² ڪما قال ناطق", "مساحتها 40 كم2 كما قال ناطق"),
    ],
)
def test_how_dates_signs_and_markup_are_written_makes_no_edit(old: str, new: str) -> None:
    assert same_version(Article("نص", old), Article("نص", new))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("في 17/2/2026", "في 18/2/2026"), ("في 2/3/2026", "في 3/2/2026"), ("عند 9:30", "عند 9:03"),
        ("بلغ 3.5", "بلغ 35"),
        ("بلغت $5.5", "بلغت 5.6$"), ("الساعة 05:30", "الساعة 15:30"), ("نسبة 0.5%", "نسبة 5%"), ("كم²", "كم3"),
    ],
)  # fmt: skip
def test_what_they_say_does(old: str, new: str) -> None:
    assert not same_version(Article("نص", f"قال {old}."), Article("نص", f"قال {new}."))


SENTENCES = [
    "قُتل {} أشخاص في تفجير سيارة وسط سوق الباب صباح اليوم، بحسب الدفاع المدني.",
    "{} قتيلاً في هجوم لتنظيم داعش على نقطة لقوات سوريا الديمقراطية شرق دير الزور",
    "ارتفاع عدد القتلى في تفجير سوق الباب إلى {}",
    "{} معتقلين من داعش يصلون إلى العراق قادمين من سجون الحسكة",
    "تحديث: {} جريحاً في قصف على ريف حلب",
    "نقل الدفعة رقم {} - من مخيم الهول إلى نينوى",
    "سجن غويران.. {} فروا",
    "الأسبوع {}: الإدارة الذاتية تنشر حصيلة جديدة",
]


@given(st.sampled_from(SENTENCES), st.integers(2, 9999), st.integers(2, 9999), st.booleans())
def test_another_number_is_an_edit_wherever_it_stands(sentence, one, other, headline):
    assume(one != other)
    around = "وصلت القافلة إلى معبر ربيعة مساء الأحد.\n{}\nوقال مصدر أمني إن العملية جرت دون حوادث."
    old, new = (
        Article(line, around.format("")) if headline else Article("وصول قافلة", around.format(line))
        for line in (sentence.format(one), sentence.format(other))
    )
    assert not same_version(old, new)


HEADLINE = "محاولة فرار من سجن غويران"
TOLD_BESIDE = [
    "{}.. وهروب", "{} - إعدام", "شائعة | {}", "ادعاء | {}", "كذب | {}", "المرصد السوري: {}", "قسد: {}", "سانا: {}",
    "{}.. وتأجيل", "{}.. بالقوة", "{}.. الأكراد غاضبون", "{}: إعدام", "{} (إعدام)", "{} - وانقلاب", "{} - مفبرك",
    "{} | خطأ", "{} | سحب الخبر", "{} - أطفال", "{} (عراقيون)", "{} | بريطانيون", "{} - بالخطأ",
]  # fmt: skip
STANDS_BESIDE = [
    "{} | عنب بلدي", "{} - تلفزيون سوريا", "{} | شبكة شام الإخبارية", "{} - الحل نت", "{} | الحسكة بوست",
    "{} - صدى الشام", "عاجل | {}", "عاجل: {}", "{} (فيديو)", "{} - بالصور", "أخبار سوريا | {}", "{} » محليات",
    "تحليل: {}", "{} - الشرق", "{} | Rudaw", "{} – المدن", "{} | مجهر", "{} | سبوتنيك عربي", "{} - وكالة فرات ANF",
]  # fmt: skip


@pytest.mark.parametrize(("beside", "same"), [*((b, False) for b in TOLD_BESIDE), *((b, True) for b in STANDS_BESIDE)])
def test_what_a_headline_gains_is_told_unless_it_is_a_label_or_names_a_site(beside, same):
    text = "صدت قوات سوريا الديمقراطية هجوماً على السجن مساء الأحد.\nوقال مصدر أمني إن العملية جرت من دون خسائر."
    old, new = Article(HEADLINE, text), Article(beside.format(HEADLINE), text)
    assert (same_version(old, new), same_version(new, old)) == (same, same)


def test_another_one_to_whom_a_headline_ascribes_what_it_says_is_an_edit():
    assert not same_version(Article(f"رويترز: {HEADLINE}", ""), Article(f"المرصد السوري: {HEADLINE}", ""))


AROUND = "صدت قوات سوريا الديمقراطية هجوماً على السجن مساء الأحد.\n{}وقال مصدر أمني إن العملية جرت بلا خسائر.\n{}"
AROUND_TEXTS = [
    "المقال يكمل بعد الإعلان",
    "آخر الأخبار: إصابة 3 جنود بلغم شرق تدمر • منع التجول في السويداء لم يرفع بعد",
    "نستخدم ملفات تعريف الارتباط لتحسين تجربتك. بمتابعة التصفح فإنك توافق على سياسة الخصوصية.",
    "نساء وأطفال في مخيم الهول، 18 نيسان 2021 (أ ف ب / سليم العلي)",
    "مقاتلون من قسد قرب أسوار السجن في حي غويران جنوبي مدينة الحسكة بعد ساعات من الهجوم، 18 نيسان (أ ف ب / سليم العلي)",
    "الرئيسية » ملفات » شرق الفرات",
    "سليم العلي: صحفي من الحسكة، يكتب عن قسد منذ 2014. جميع مقالات الكاتب",
]
ALONE = [
    ("12 شخصاً", "21 شخصاً"), ("الخبر صحيح", "الخبر غير صحيح"), ("", "صوّت 12 عضواً ضد القرار"),
    ("آخر تحديث للحصيلة: 14 قتيلاً", "آخر تحديث للحصيلة: 41 قتيلاً"), ("", "الخبر غير صحيح"),
    ("وأصيب في الهجوم ثلاثة حراس", "وأصيب في الهجوم ثلاثة حراس 3"),
]  # fmt: skip
BOARDS = [  # such as stand around texts, too, where they tell rates and the weather
    ("| الحسكة | 5 | 9 |", "| الحسكة | 50 | 9 |"), ("ذيبان 5 - الشحيل 7 - هجين 3", "ذيبان 50 - الشحيل 7 - هجين 3"),
    ("الحسكة: 5، الرقة: 7", "الحسكة: 50، الرقة: 7"),
]  # fmt: skip


@pytest.mark.parametrize("line", AROUND_TEXTS)
def test_notices_tickers_and_captions_before_a_text_are_none_of_it(line):
    text = AROUND.format("", "")
    assert same_version(Article("هجوم على السجن", text), Article("هجوم على السجن", f"{line}\n{text}"))


AMID = [
    ("", "هذا المقطع من يوتيوب. قد تستعمل المنصة ملفات ارتباط. نرجو موافقتكم لعرض الفيديو"),
    ("", "ذات صلة\n3 قتلى بانفجار لغم شرق تدمر\nانفجر اللغم بجرار زراعي، ونقل الجرحى إلى..."),
    ("صدر الصورة، Getty Images", "صدر الصورة، AFP"), ("من مراسم تشييع الحراس", "جنود عند بوابة السجن (رويترز)"),
    ("", "شاهد أيضاً | كيف هرب 12 سجيناً\nالتحالف يعلن مقتل قائد في داعش قرب الرقة"),
    ("", "إعلان ممول: خصومات تصل إلى 40% على الأدوات المنزلية"),
]  # fmt: skip
SAID_AMID = [
    "أنقرة توافق على الاتفاق", "الطرف الآخر", "شروط جديدة", "الفيديو من تركيا", "عاجل | قسد تستعيد السجن",
    "ننتظر رد دمشق", "الهجوم انتهى، بحسب صفحة السجن على فيسبوك", "اخترنا لكم الحوار، قال الناطق.",
    "وانتهى الهجوم قبل أن يصل أحد...", "من بين القتلى قائد السجن", "خلال الهجوم فر سجناء",
    "سليم العلي\nعمر الحسن\nأحمد خليل", "حارس قتل عند البوابة (سانا)", "سليم العلي: صحفي اعتقل في السجن.",
]  # fmt: skip


@pytest.mark.parametrize(("old", "new"), AMID)
def test_what_others_show_amid_a_text_is_none_of_it(old, new):
    one, other = (Article("هجوم", AROUND.format(f"{lines}\n" if lines else "", "")) for lines in (old, new))
    assert same_version(one, other)
    assert same_version(other, one)


@pytest.mark.parametrize("line", SAID_AMID)
def test_words_that_sites_and_news_share_are_told(line):
    told = Article("قسد تصد هجوماً على السجن", AROUND.format("", ""))
    for place in (0, 1):
        lines = ["", ""]
        lines[place] = f"{line}\n"
        assert not same_version(told, replace(told, text=AROUND.format(*lines)))


def test_the_headline_and_first_words_of_another_article_amid_the_text_are_none_of_it():
    teaser = "مقتل قيادي في داعش بعملية أمنية شرق حمص\nقالت الوزارة إن القيادي قتل مع اثنين من مرافقيه بعد اشتباك...\n"
    assert same_version(Article("هجوم", AROUND.format("", "")), Article("هجوم", AROUND.format(teaser, "")))


@pytest.mark.parametrize(
    ("old", "new", "last"), [*((*two, True) for two in ALONE), *((*two, False) for two in ALONE + BOARDS)]
)
def test_tolls_and_what_is_true_are_told_even_alone_on_a_line(old, new, last):
    texts = (AROUND.format("", line) if last else AROUND.format(f"{line}\n", "") for line in (old, new))
    assert not same_version(*(Article("هجوم على السجن", text) for text in texts))


@given(st.text(max_size=200))
def test_any_text_is_the_same_as_itself_and_folding_once_is_enough_for_letters(text):
    assert same_text(text, text)
    assert same_text(text, f"\u200f{text}\u200f\n")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("اعلنت قسد", "أعلنت قسد"),
        ("إدلب", "ادلب"),
        ("مستشفي", "مستشفى"),
        ("قتل 35 شخصا", "قتل 3.5 شخصا"),
        ("نسبة 5%", "نسبة 5"),
        ("في 21/1/2026", "في 2112026"),
        ("الساعة 10:30", "الساعة 1030"),
        ("قتل 1 2", "قتل 12"),
        ("لم تعلن قسد", "تعلن قسد"),
    ],
)
def test_these_are_edits(before, after):
    assert not same_text(before, after)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("قُتِل 1,500 شخص", "قتل ١٥٠٠ شخص"),
        ("«قسد» تعلن: لا تفاوض!", '"قسد" تعلن لا تفاوض'),
        ("عــــاجل | قسد", "عاجل - قسد"),
        ("الرئيس", "الرئيس\ufeff"),
        ("في عام 2024.\n15 معتقلاً", "في عام 2024\n15 معتقلا"),
        ("ا\u0654علنت", "أعلنت"),
        ("ﻗﺴﺪ", "قسد"),
        ("قتل 1,500 شخص", "قتل 1\u202f500 شخص"),
        ("قسد و«داعش»", "قسد&amp;nbsp;و&laquo;داعش&raquo;"),
        ("", " \n"),
        ("عبد الله، 12/3/2025", "عبد اﷲ، 12-3-2025"),
    ],
)
def test_these_are_none(before, after):
    assert same_text(before, after)


ARTICLE = Article("قسد تنقل معتقلين", "نص الخبر.", author="محمد علي", published_at="2026-01-21T10:00:00+03:00")


@pytest.mark.parametrize(
    "changes",
    [
        {"title": "قسد تنقل معتقلين؟"},
        {"title": "هل تنقل قسد معتقلين"},
        {"text": "نص الخبر كاملاً."},
        {"author": "سامر علي"},
        {"published_at": "2026-01-22"},
        {"published_at": "2026-01-21T10:05:00+03:00"},
    ],
)
def test_a_change_of_title_text_author_or_date_is_a_version(changes):
    assert not same_version(ARTICLE, replace(ARTICLE, **changes))


@pytest.mark.parametrize(
    "changes",
    [
        {"text": "نص الخبر؟"},
        {"author": None, "published_at": None},
        {"author": "  محمد  علي "},
        {"published_at": "2026-01-21"},
        {"published_at": "2026-01-21T07:00:00Z"},
        {"published_at": "2026-01-21T10:00"},
        {"modified_at": "2026-01-22", "credit": "سانا", "section": "أخبار", "related": ("خبر آخر",), "extractor": "2"},
    ],
)
def test_anything_else_is_none(changes):
    assert same_version(ARTICLE, replace(ARTICLE, **changes))


def test_a_date_reckoned_back_from_now_moves_with_the_clock_and_makes_no_version():
    old = replace(ARTICLE, published_at="2026-01-19", published_source="relative")
    assert same_version(old, replace(old, published_at="2026-01-20"))
    assert not same_version(replace(old, published_source="text"), replace(ARTICLE, published_at="2026-01-20"))


def test_an_author_or_date_that_appears_is_a_version():
    silent = replace(ARTICLE, author=None, published_at=None)
    assert not same_version(silent, replace(silent, author="محمد علي"))
    assert not same_version(silent, replace(silent, published_at="2026-01-21"))
    assert same_version(silent, replace(silent, published_at="2026-01-21", published_source="feed"))


def test_what_a_headline_gains_after_a_dash_is_an_edit_unless_it_names_a_site():
    told = replace(ARTICLE, title="قسد تنقل معتقلين من الحسكة إلى القامشلي")
    assert not same_version(told, replace(told, title=f"{told.title} - تفاصيل جديدة"))
    assert same_version(told, replace(told, title=f"{told.title} - صوت الفرات"))


def test_what_stands_apart_from_its_paragraph_makes_no_version():
    """A dateline, who told it, numbers and bullets of a list, an advert in brackets: not what looks like them."""
    told = replace(ARTICLE, text="أعلن المجلس بدء العملية.\nوقال الناطق إنها انتهت.")
    lines = told.text.split("\n")
    for text in (
        f"الحسكة - نورث برس: {told.text}",
        f"{told.text} (رويترز)",
        "\n".join(f"{number}) {line}" for number, line in enumerate(lines, 1)),
        "\n".join(f"◆ {line}" for line in lines),
        f"{lines[0]} (اقرأ أيضاً: عودة المدارس)\n{lines[1]}",
    ):
        assert same_version(told, replace(told, text=text)), text
    for text in (
        f"مصادر: {told.text}",
        f"{told.text} (قسد)",
        f"12 {told.text}",
        f"{lines[0]} (لم يؤكد ذلك)\n{lines[1]}",
    ):
        assert not same_version(told, replace(told, text=text)), text


def test_the_hash_of_a_version_is_literal():
    # printf 'عنوان\nنص' | sha256sum
    assert text_sha256("عنوان", "نص") == "ddcb392247f4932af6cdebf66bb3771094dd8c78a59549e31126a23a5dddd147"


def test_a_percent_sign_a_headline_cut_short_and_what_players_leave_make_no_edit():
    told = Article("جولة محادثات جديدة بين دمشق وقسد الأسبوع المقبل", "إن 60% من القاطنين أطفال.\nوانتهى الاجتماع.")
    for title, text in (
        (told.title, told.text.replace("60%", "%60")),
        ("جولة محادثات جديدة بين دمشق وقسد الأسبوع...", told.text),
        (told.title, f"استمع إلى المقال 01:42 (صوت مولد آلياً)\n{told.text}"),
        (told.title, told.text.replace("\n", "\nView this post on Instagram\n")),
        (told.title, f"عاجل | الوزير يصل إلى العاصمة\n{told.text}"),
    ):
        assert same_version(told, Article(title, text))
        assert same_version(Article(title, text), told)
    assert not same_version(told, Article(told.title, told.text.replace("60%", "%16")))
    assert not same_version(told, Article("جولة محادثات جديدة بين دمشق وقسد", told.text))


def test_paragraphs_joined_below_what_stands_around_are_read_as_the_text_they_are():
    lines = [
        "نقلت القوات 35 معتقلاً من سجن الشدادي إلى الحسكة بحسب بيان رسمي.",
        "وقال شهود إن الطريق أغلق ساعات، وإن الدوريات عادت مساء.",
    ]
    told, joined = Article("نقل معتقلين", "\n".join(lines)), " ".join(lines)
    for text in (joined, joined.replace(".", "")):
        around = f"عدد التعليقات (11)\n{text}\nشارك الخبر على فيسبوك"
        assert same_version(told, Article("نقل معتقلين", around))
        assert not same_version(told, Article("نقل معتقلين", around.replace("35", "36")))
