"""Places of the news: found where they are named, not where the same word means something else."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.places import named, places, read_places

SENTENCES = tomllib.loads(Path(__file__).with_name("places.toml").read_text("utf-8"))["sentence"]
NAMED = {
    "وصلت القافلة من مخيم الهول إلى القامشلي، ثم إلى قامشلو": ["al-hol", "qamishli", "qamishli"],
    "اشتباكات في كوباني (عين العرب) وريف ديرالزور": ["kobani", "kobani", "deir-ez-zor"],
    "نازحو الهول في ريف الحسكة": ["al-hol", "hasakah"],
    "قصف طال منبج والباب وجرابلس": ["manbij", "al-bab", "jarabulus"],
    "انفجار في مدينة الباب": ["al-bab"],
    "استعصاء في سجن الصناعة بحي غويران في الحسكة": ["sinaa", "ghweran", "hasakah"],
    "مقتل عنصرين في الميادين شرقي دير الزور": ["mayadin", "deir-ez-zor"],
    "من البوكمال إلى القائم": ["bukamal", "qaim"],
    "عبر معبر ربيعة نحو اليعربية": ["rabia", "yaarubiyah"],
    "نقل موقوفين إلى سجن رومية في لبنان": ["roumieh", "lebanon"],
    "أريحا في ريف إدلب": ["ariha", "idlib"],
    "أريحا في الضفة الغربية": ["jericho", "west-bank"],
    "العاصمة الليبية طرابلس": ["tripoli-libya"],
    "بلدة الهول": ["al-hol-town"],
}
NOT_NAMED = [
    "شعر السكان بالهول من المشهد",
    "تمثال أبو الهول",
    "فتح الباب أمام الحوار",
    "قناة الميادين",
    "وزارة الصناعة",
    "الوضع القائم والقائم بأعمال السفارة",
    "الطبقة السياسية",
    "حماة الوطن",
    "مظاهرة سلمية",
    "القنابل تدمر المباني",
    "درعا واقيا",
    "صحن حمص بالطحينة",
    "قوات سوريا الديمقراطية",
    "عائلات سورية",
    "صلاة المغرب",
    "جاسم وسلمى ونوى",
]


@pytest.mark.parametrize("text", NAMED)
def test_names_are_found_in_all_spellings(text: str) -> None:
    assert [mention.term for mention in read_places("", text)] == NAMED[text]


@pytest.mark.parametrize("text", NOT_NAMED)
def test_words_that_look_alike_are_no_places(text: str) -> None:
    assert read_places("", text) == []


@pytest.mark.parametrize("sentence", SENTENCES, ids=lambda sentence: sentence["text"])
def test_what_stands_beside_a_name_says_whose_it_is(sentence: dict) -> None:
    assert [mention.term for mention in read_places("", sentence["text"])] == sentence["places"]


def test_company_may_stand_in_the_title() -> None:
    assert [m.term for m in read_places("هجوم قرب حمص", "سقطت القذائف على حماة.")] == ["homs", "hama"]


def test_a_region_holds_what_lies_in_it() -> None:
    assert named("الهول") == {"al-hol", "al-hol-town"}
    assert {"qamishli", "al-hol", "hasakah"} <= named("الحسكه")
    assert not {"raqqa", "syria"} & named("hasakah")
    assert "al-hol" in named("سورية")
    assert "mosul" not in named("syria")
    with pytest.raises(ValueError, match="did you mean 'القامشلي', 'al-Qamishli'"):
        named("القامشليي")


AS_TYPED = {
    "مخيم الهول": {"al-hol"}, "Hol camp": {"al-hol"}, "al-Hawl": {"al-hol"}, "مدينة الهول": {"al-hol-town"},
    "هول": {"al-hol", "al-hol-town"}, "مدينة القامشلى": {"qamishli"}, "qamishli": {"qamishli"}, "Kobane": {"kobani"},
    "اليرموك": {"yarmouk-camp"}, "غويران": {"ghweran"}, "سجن غويران": {"ghweran-prison"}, "معبر نصيب": {"nasib"},
}  # fmt: skip


@pytest.mark.parametrize("name", AS_TYPED)
def test_a_place_is_known_by_the_names_that_people_type(name: str) -> None:
    assert named(name) == AS_TYPED[name]


def test_a_kind_holds_to_what_is_of_it() -> None:
    assert named("Homs city") == named("محافظة حمص") == named("حمص")
    for name in ("سجن الحسكة", "مخيم الباب", "مخيم"):
        with pytest.raises(ValueError, match="no place"):
            named(name)


def test_the_gazetteer_is_sound() -> None:
    assert len(places()) > 250
    for place in places().values():
        assert place.lies_in is None or place.lies_in in places(), place.id
        assert (place.lat is None) == (place.lon is None), place.id
    syria = [place for place in places().values() if place.lat and place.id in named("syria")]
    assert all(32.2 < place.lat < 37.4 and 35.6 < place.lon < 42.4 for place in syria if place.lat and place.lon)


@given(st.text(st.sampled_from("الهولمخيرقةبحدسن و،.\n\u0640\u064b"), max_size=80))
def test_mentions_lie_within_the_text(text: str) -> None:
    for mention in read_places(text, text):
        assert 0 <= mention.start < mention.end <= len(text)
