"""What an edit changed, whether it matters, and by which words."""

import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.arabic.normalise import normalise
from archive.arabic.numbers import read_numbers
from archive.materiality import edits
from archive.noise import changes, is_noise
from archive.topics import shipped_rules
from archive.versions import same_words
from tests.evaluate_edits import LABELLED, evaluate, judged

FLOORS = tomllib.loads(LABELLED.with_name("floors.toml").read_text("utf-8"))


def test_labelled_edits_are_told_as_well_as_ever():
    scores = {f"edits.{name}": score for name, score in evaluate().items()}
    for name, score in scores.items():
        assert score >= FLOORS["at_least"].get(name, score), name
        assert score <= FLOORS["at_most"].get(name, score), name


@pytest.mark.parametrize(
    ("before", "after", "reasons", "passage"),
    [
        ("وانتشرت عناصر قسد في الحي.", "وانتشرت عناصر ميليشيا قسد في الحي.", ("actor",), "ميليشيا"),
        ("قتل 7 جنود وأصيب 9 مدنيين.", "قتل 9 جنود وأصيب 7 مدنيين.", ("number",), "7 | 9"),
        ("نقلوا من الرقة إلى الحسكة.", "نقلوا من الحسكة إلى الرقة.", ("place",), "الرقة | الحسكة"),
        ("ولم تقع إصابات.", "ووقعت إصابات.", ("negation",), "ولم"),
        ("وتوفي محتجز متأثراً بمرضه.", "وتوفي أسير متأثراً بمرضه.", ("term",), "أسير"),
        ("وزار الوفد سجناء التنظيم.", "وزار الوفد معتقلي التنظيم.", ("term",), "سجناء | معتقلي"),
        ("وقال الطبيب كمال نعسان.", "وقال الطبيب جمال نعسان.", ("actor",), "الطبيب كمال نعسان | الطبيب جمال نعسان"),
        ("كلف ضياء الدين سلوم بالملف.", "كلف ضياء الدين سالوم بالملف.", ("actor",), "سلوم | سالوم"),
        ("أوقف المدعو (س. م) في حمص.", "أوقف المدعو (س. ع) في حمص.", ("actor",), "س. م | س. ع"),
        ("بقي مئة وخمسون ألف نازح.", "بقي مئة وستون ألف نازح.", ("number",), "مئة وخمسون ألف | مئة وستون ألف"),
        ("وقال جوان ملا إنه باقٍ.", "وقال جوان مولا إنه باقٍ.", ("actor",), "ملا | مولا"),
        ("أصيب ثلاثة مدنيين.", "قُتل ثلاثة مدنيين.", ("act",), "أصيب | قُتل"),
        ("قتلت ستة حراس واعتقلت تسعة.", "اعتقلت تسعة.", ("number", "act"), "ستة | قتلت"),
        ("داهَمَتِ القوّةُ البيتَ وقَتَلَت صاحبَه.", "داهَمَتِ القوّةُ البيتَ.", ("act",), "وقَتَلَت"),
        ("ستسلّم قسد الأطفال لذويهم.", "سلّمت قسد الأطفال لذويهم.", ("act",), "ستسلّم | سلّمت"),
        ("وسيتم نقل العائلات غرباً.", "وتم نقل العائلات غرباً.", ("act",), "وسيتم | وتم"),
    ],
)
def test_an_edit_that_matters_says_by_which_words(before, after, reasons, passage):
    (edit,) = judged(("عنوان", before), ("عنوان", after))
    assert (edit.kind, edit.reasons) == ("material", reasons)
    assert edit.passage == passage
    assert (before[edit.from_start : edit.from_end], after[edit.start : edit.end]) == (edit.before, edit.after)


@pytest.mark.parametrize(
    ("before", "after", "kind"),
    [
        ("أصيب ثلاثة وعشرون عاملاً.", "أصيب 23 عاملاً.", "wording"),
        ("شارك 7 معلمين و9 طلاب في الحفل.", "شارك في الحفل 9 طلاب و7 معلمين.", "wording"),
        ("كتب الاهالي رسالة.", "كتب الأهالي رسالة.", "typo"),
        ("وشاركت الناشطة هدي الأحمد.", "وشاركت الناشطة هدى الأحمد.", "typo"),
        ("وعين محمد الصالح مدير للمدرسة.", "وعين محمد الصالح مديراً للمدرسة.", "typo"),
        ("وألقى الشيخ خظبته في المسجد.", "وألقى الشيخ خطبته في المسجد.", "typo"),
        ("وأجرى الوزير محادثات مطولة.", "وأجرى الوزير مباحثات مطولة.", "wording"),
        ("وناقش خالد سبل الحل.", "وناقش خالد طرق الحل.", "wording"),
        ("وقال معتقلون إن الطعام سيئ.", "وقال المعتقلون إن الطعام سيئ.", "wording"),
        ("نقلت 12 راكباً سفينة، ونجا 5 آخرون.", "نجا 5 آخرين، ونُقل 12 من الركاب على سفينة.", "wording"),
        ("وقالت المديرية إن 40 عائلة نامت في العراء.", "ونامت 40 عائلة في العراء، وفق المديرية.", "wording"),
        ("وصل إلى السوق السوق.", "وصل إلى السوق.", "typo"),
        ("وستسلم قسد الأطفال.", "وسوف تسلم قسد الأطفال.", "wording"),
        ("وأكد المصدر وصول الشاحنات.", "وزعم المصدر وصول الشاحنات.", "wording"),
        ("وزار خالد عمه في القرية.", "وزار خالد أمه في القرية.", "wording"),
        ("ونفذت حملة واعتقلت مطلوبين، وانتهت باعتقال ستة.", "ونفذت حملة انتهت باعتقال ستة.", "wording"),
        ("وألقت الشرطة القبض على سائق.", "واعتقلت الشرطة سائقاً.", "wording"),
    ],
)
def test_other_words_for_the_same_do_not_matter(before, after, kind):
    assert {edit.kind for edit in judged(("عنوان", before), ("عنوان", after))} == {kind}


def test_a_name_that_changed_is_told_wherever_it_stands():
    before = "وقال أحمد الخلف إن الجسر مغلق.\nوبقيت المدارس والأسواق مفتوحة طوال اليوم.\nوختم الخلف بأن الترميم قريب."
    found = judged(("عنوان", before), ("عنوان", before.replace("الخلف", "الخليف")))
    assert [edit.reasons for edit in found] == [("actor",), ("actor",)]


def test_a_headline_that_turns_into_a_question_says_something_else():
    assert [e.kind for e in judged(("عودة المياه", "نص"), ("عودة المياه؟", "نص"))] == ["wording"]


@pytest.mark.parametrize(
    ("words", "values"),
    [
        ("ثلاثة عشر قتيلا و1,500 جريح", [13, 1500]),
        ("مليون ونصف المليون", [1_500_000]),
        ("3 ملايين و500 ألف", [3_500_000]),
        ("ألف وتسعمئة وتسعة وتسعين", [1999]),
        ("عشرات الآلاف يوم الاثنين", ["tens of thousands"]),
        ("واحد وعشرون رجلا وامرأة واحدة", [21]),
        ("لثلاثة أيام ومئتي ليلة", [3, 200]),
    ],
)
def test_numbers_are_worth_the_same_in_words_and_digits(words, values):
    assert [n.value for n in read_numbers(normalise(words).replace("و1", "و 1").replace("و5", "و 5").split())] == values


def test_noise_is_told_by_its_own_words():
    for line in (
        "عدد المشاهدات: 1,204",
        "21 كانون الثاني 2026 - 12:30",
        "اقرأ أيضاً: افتتاح المعرض",
        "120 مشاهدة",
        "#سوريا #قسد",
        "المصدر: وكالات",
        "زمن القراءة: 3 دقائق",
    ):
        assert is_noise(line), line
    for line in ("تصحيح: عدد القتلى سبعة", "قتل 12 شخصاً", "تابعوا السير على الأقدام حتى وصلوا.", "المصدر قال غير ذلك"):
        assert not is_noise(line), line
    for hostile in (
        "قبل 1 | " * 22 + "ب",
        "محمد " * 35 + "قال",
        "نعم 1,,, " * 19 + "؟ قال",
        "منذ " + "1" * 170 + "ب",
        "دولار/ليرة 1 غائم " * 19 + "ب",
        "حلب 1° صحو غائم " * 20 + "|؟ قال",
    ):
        assert not is_noise(hostile)  # and that at once


LEAD = "وصلت قافلة من الشاحنات إلى المنطقة صباحاً، وسط إجراءات مشددة."
CLOSE = "وأشار السكان إلى أن الحركة عادت تدريجياً إلى الأسواق."


@pytest.mark.parametrize(
    "block",
    [
        "كاتب صحفي سوري",
        "م.ن/ ح.ز (د ب أ، رويترز)",
        "صورة: مواقع التواصل",
        "سوق شعبي في القامشلي - رويترز",
        "📲 تابعونا على تلغرام: t.me/abc",
        "حملوا تطبيقنا على الهاتف",
        "اقرأ المزيد على الموقع",
        "استمع إلى المقال",
        "الوسوم\nسوريا\nقسد\nالحسكة",
        "استطلاع الرأي\nهل تؤيد القرار؟\nنعم\nلا\nلا رأي لي",
        "👍 120 ❤ 33",
        "طباعة | مشاركة | حفظ",
        "اشترك في قناتنا على يوتيوب ليصلك كل جديد.",
        "هل وجدت خطأ؟ أبلغنا",
        "إعداد وتحرير: فريق الموقع",
        "نُشر: 3 آذار 2026 الساعة 14:05 – آخر تعديل: 4 آذار 2026 الساعة 07:20 بتوقيت دمشق",
        "حلب 12° غائم جزئياً | دولار/ليرة 11,320 | المغرب 5:02",
        "هل ترغب في استقبال إشعارات الأخبار؟\nالسماح\nلاحقاً",
        "(النهاية) ر ع / س م",
        "شريط الأخبار\nعاجل | وصول طائرة مساعدات إلى مطار آخر\nعاجل | افتتاح المعرض في العنوان",
    ],
)
def test_what_a_site_prints_after_a_text_makes_no_version(block):
    assert same_words(("عنوان", f"{LEAD}\n{CLOSE}"), ("عنوان", f"{LEAD}\n{CLOSE}\n{block}"))


@pytest.mark.parametrize(
    "line",
    [
        "المصدر: لم نتلق أي بلاغ عن سقوط ضحايا حتى هذه اللحظة في المدينة",
        "تابعنا على مدى أيام ما يجري في السجن، ولم يسمح لنا بالدخول.",
        "تابع قائلاً إن القوات لن تنسحب.",
        "الصورة التي انتشرت تعود إلى عام 2019.",
        "إعلان حظر التجول في الحسكة حتى إشعار آخر",
        "مشاركة واسعة في احتجاجات السويداء",
        "المصدر الأمني نفى وقوع هجوم",
        "اقرأ البيان الذي أصدرته قسد",
        "أغلقت السلطات صفحتنا على فيسبوك أمس، كما قال ناشط.",
        "شارك الوفد في اجتماع موسكو",
        "كاتب سوري يقتل في إسطنبول",
        "باحث: العقوبات لن ترفع قبل الصيف",
        "التعليقات التي كتبها السجين نشرت أمس.",
        "تحديث: ارتفاع عدد القتلى إلى 12",
        "تصحيح: عدد القتلى سبعة وليس تسعة",
        "انضم إلينا مئات المقاتلين من العشائر، قال القائد.",
        "للمزيد من الضغط على دمشق، فرضت واشنطن عقوبات جديدة.",
        "استطلاع: 60 في المئة يؤيدون الاتفاق",
        "مقتل ثلاثة جنود في هجوم - المرصد السوري",
    ],
)
def test_what_is_told_like_furniture_makes_one(line):
    for after in (f"{LEAD}\n{line}\n{CLOSE}", f"{LEAD}\n{CLOSE}\n{line}"):
        assert not same_words(("عنوان", f"{LEAD}\n{CLOSE}"), ("عنوان", after))


def test_a_line_that_stands_elsewhere_makes_none_and_a_headline_keeps_who_said_so():
    for caption in ("جانب من الشاحنات قرب السوق (البلدية)", "الشاحنات التي دخلت من المعبر (البلدية)"):
        assert same_words(("عنوان", f"{caption}\n{LEAD}\n{CLOSE}"), ("عنوان", f"{LEAD}\n{CLOSE}\n{caption}"))
    follow = "تابعونا على قناة شبكة الأفق الإخبارية."
    longer = "تابعونا على قناة شبكة الأفق الإخبارية على تلغرام وواتساب."
    assert same_words(("عنوان", f"{LEAD}\n{follow}"), ("عنوان", f"{LEAD}\n{longer}"))
    assert same_words(("عودة الشاحنات", LEAD), ("عودة الشاحنات | شبكة الأفق", LEAD))
    for told in (" - مصادر", " - مسؤول محلي", " | 12 قتيلاً", " - قبل الشتاء"):
        assert not same_words(("عودة الشاحنات", LEAD), ("عودة الشاحنات" + told, LEAD))


@given(st.text(max_size=120), st.text(max_size=120))
def test_any_two_texts_can_be_judged(before, after):
    for old, new in ((before, after), (f"قسد «{before}» 12", f"قسد «{after}» 13")):
        for _, pieces in zip((0, 1), changes((old, old), (new, new)), strict=True):
            for edit in edits("text", old, new, pieces, shipped_rules()):
                assert (edit.kind == "material") == bool(edit.reasons)
                assert old[edit.from_start : edit.from_end] == edit.before
                assert new[edit.start : edit.end] == edit.after
