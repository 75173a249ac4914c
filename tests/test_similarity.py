"""What two tellings have in common, and what of it says that they tell one happening."""

from __future__ import annotations

import tomllib
from math import inf
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import archive
from archive.arabic.normalise import normalise
from archive.arabic.stems import sense, skeleton, stem
from archive.similarity import bands, gather, read_telling, relation, terms
from tests.evaluate_stories import labelled

ARTICLES = {one.id: one for one in labelled()}


def test_stored_numbers_never_change() -> None:
    one = ARTICLES["call1"]
    telling = read_telling(one.title, one.text)
    assert bands(telling)[:3] == [4243425350, 684240656, 848573403]
    assert list(terms(telling).items())[:3] == [(338873807, "ايمن"), (598462031, "صفد"), (2523720164, "سبل")]


words = st.sampled_from(
    ["أعلنت", "قسد", "نقل", "12", "معتقلاً", "من", "الأحد", "ثلاثة", "آلاف", "و", "7", ",", "ـ", "\n"]
)


@given(st.lists(words, max_size=60).map(" ".join), st.text(max_size=80))
def test_any_text_can_be_compared_and_in_either_direction(one: str, other: str) -> None:
    a, b = read_telling("", one), read_telling(other[:20], f"{one} {other}")
    assert relation(a, b) == relation(b, a)
    assert len(bands(a)) in (0, 16)
    assert len(terms(a)) <= 40


def test_a_flash_is_found_in_a_report_many_times_as_long() -> None:
    first, report = ARTICLES["loan1"], ARTICLES["loan2"]
    flash = read_telling(first.title, first.text.partition("\n")[0])
    background = "\n".join(ARTICLES[name].text for name in ("chol2", "well2", "building2"))
    assert relation(flash, read_telling(report.title, f"{report.text}\n{background}")).kind == "same_event"


def test_a_word_is_one_in_all_its_forms() -> None:
    here = read_telling("انفجار صهريج في قامشلو", "أدى انفجار صهريج وقود في قامشلو إلى احتراق ثلاثة محال.")
    other = read_telling("", "احترقت محال تجارية إثر انفجارات لصهاريج في القامشلي.")
    assert here.words.keys() & other.words.keys() >= {sense(word) for word in ("انفجار", "احترق", "محال")}


def test_no_word_has_two_meanings() -> None:
    path = Path(archive.__file__).parent / "arabic/common.toml"
    lines = tomllib.loads(path.read_text("utf-8"))["alike"].strip().split("\n")
    meanings = [{skeleton(stem(normalise(word))) for word in line.split()} for line in lines]
    assert len(set().union(*meanings)) == sum(map(len, meanings))


def test_what_two_camps_tell_in_their_own_words_is_one_happening() -> None:
    """A site that one knows as such is a word of the other's; "car" and "vehicle", "martyr" and "killed" are one."""
    one = read_telling(
        "مسيّرة تستهدف مركبة قرب الرمانة",
        "قُتل شخصان وأُصيب ثالث إثر استهداف طائرة مسيّرة مركبة في قرية الرمانة ظهر اليوم، بحسب مصادر محلية.",
    )
    other = read_telling(
        "استشهاد مواطنين اثنين بقصف معادٍ",
        "استشهد مواطنان وجُرح آخر في غارة طالت سيارة عند مدخل الرمانة، وحمّلت الإدارة الذاتية أنقرة المسؤولية.",
    )
    assert relation(one, other, apart=0.1).kind == "same_event"


@pytest.mark.parametrize(
    ("here", "there"), [("أستراليا", "أسترالية"), ("كازاخستان", "كازاخية"), ("فرنسا", "فرنسية"), ("العراق", "عراقية")]
)
def test_a_land_is_known_by_its_people(here: str, there: str) -> None:
    one, other = (read_telling("", f"غادرت عائلة {word} المخيم.") for word in (f"من {here}", there))
    assert one.lands == other.lands
    assert len(one.lands) == 1


def test_two_lands_take_back_their_own() -> None:
    form = "سلّمت الإدارة الذاتية، اليوم، {} طفلاً وامرأة كانوا في مخيم روج إلى وفد رسمي، {} وصل إلى القامشلي صباحاً."
    one = read_telling("كازاخستان تستعيد عدداً من رعاياها", form.format("34", "برئاسة السفير الكازاخي،"))
    other = read_telling("", "تسلم وفد أسترالي دفعة من النساء والأطفال بعد خروجهم من مخيم روج، ونُقلوا بحافلات.")
    same = read_telling("", "تسلم وفد كازاخي دفعة من النساء والأطفال بعد خروجهم من مخيم روج، ونُقلوا بحافلات.")
    odds = [relation(one, telling, apart=0.2).odds for telling in (same, other)]
    assert odds[0] > odds[1] + 0.5


def test_a_chain_of_likenesses_is_no_story() -> None:
    """Each is like the next, and the first tells another happening than the last."""
    odds = {("a", "b"): 3.0, ("b", "c"): 1.0, ("c", "d"): 3.0}
    assert gather("abcd", lambda one, other: odds.get((one, other), -4.0)) == [["a", "b"], ["c", "d"]]
    copied = odds | {("b", "c"): inf}
    assert gather("abcd", lambda one, other: copied.get((one, other), -4.0)) == [["a"], ["b", "c"], ["d"]]


def test_a_flash_and_a_round_up_are_no_copies() -> None:
    flash = read_telling("", "عاجل: قسد تعلن بدء الانسحاب")
    whole = read_telling("", "\n".join(one.text for one in labelled("held")[:9]))
    part = read_telling(ARTICLES["raqqa1"].title, ARTICLES["raqqa1"].text)
    assert relation(flash, flash).kind is None
    assert relation(part, whole).kind is None


@pytest.mark.parametrize(
    ("titles", "texts"),
    [
        (
            ("الرئيس يتلقى برقية تهنئة من أمير قطر", "الرئيس يتلقى برقية تهنئة من ملك الأردن"),
            ("تلقى الرئيس برقية تهنئة من {} بمناسبة حلول عيد الفطر المبارك، عبر فيها عن أطيب تمنياته للشعب السوري.",
             "أمير دولة قطر الشيخ تميم بن حمد آل ثاني", "ملك الأردن عبد الله الثاني"),
        ),
        (
            ("حملة أمنية في ريف درعا", "حملة أمنية في ريف حمص"),
            ("أطلقت قوى الأمن الداخلي حملة أمنية في {} لملاحقة المطلوبين ومصادرة السلاح، وفرضت حظراً للتجوال.",
             "مدينة الصنمين بريف درعا الشمالي", "بلدة تلبيسة بريف حمص الشمالي"),
        ),
        (
            ("قسد تنعى ثلاثة من مقاتليها", "قسد تنعى اثنين من مقاتليها"),
            ("نعت قوات سوريا الديمقراطية في بيان {} وتعهدت بمواصلة النضال ضد خلايا داعش في المنطقة حتى القضاء عليها.",
             "جوان عفرين وهفال كوباني وأحمد الشعيطي", "روني درباسية وعلي البكاري"),
        ),
    ],
)  # fmt: skip
def test_one_form_filled_in_twice_is_two_happenings(titles: tuple[str, str], texts: tuple[str, str, str]) -> None:
    form, *blanks = texts
    one, other = (read_telling(title, form.format(blank)) for title, blank in zip(titles, blanks, strict=True))
    assert relation(one, other).kind is None


def test_the_same_figures_tell_a_rewrite_from_a_form() -> None:
    told = "أعلنت المنظمة الدولية للهجرة فقدان 38 مهاجراً إثر غرق قارب {} قبالة مدينة {}، وكان على متنه 47 شخصاً، {}."
    one = read_telling("غرق قارب مهاجرين", told.format("مطاطي", "زوارة", "وأنقذ صيادون تسعة منهم"))
    other = read_telling("مأساة جديدة في المتوسط", told.format("متهالك", "الزاوية", "ونجا منهم تسعة نقلوا إلى الميناء"))
    assert relation(one, other, apart=0.1).kind == "rewrite"
    assert relation(one, other, apart=0.1, one_outlet=True).kind is None  # an outlet fills in its own form


def test_a_daily_toll_is_no_copy_of_the_day_before() -> None:
    form = (
        "وصل إلى مشافي القطاع خلال الساعات الـ24 الماضية {} شهداء و{} إصابة. ولا يزال عدد من الضحايا تحت الأنقاض وفي "
        "الطرقات، تعجز طواقم الإسعاف والدفاع المدني عن انتشالهم حتى اللحظة. وتهيب اللجنة القضائية بذوي المفقودين "
        "استكمال بياناتهم بالتسجيل عبر الرابط المرفق أو مراجعة أقرب نقطة. وزارة الصحة، {} نوفمبر."
    )
    one, other = (read_telling("التقرير اليومي", form.format(*tolls)) for tolls in ((3, 11, 10), (9, 24, 11)))
    assert relation(one, other, apart=1, one_outlet=True).kind is None
