"""The judge on hard cases and on the five documents, the rules file, and what explanations say."""

import json
import pickle
import tomllib
from dataclasses import asdict
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archive.errors import ConfigError
from archive.rules import load_rules
from archive.topics import explain, judge, shipped_rules

HERE = Path(__file__).parent
SEEDS = HERE.parent / "seeds"
CASES = tomllib.loads((HERE / "hard_cases.toml").read_text("utf-8"))["case"]
TOPICS = {"syria", "isis_detainees", "sdf"}


def strengths(title: str, text: str) -> dict[str, str]:
    return {match.topic: match.strength for match in judge(shipped_rules(), title, text).matches}


@pytest.mark.parametrize("case", CASES, ids=[case["id"] for case in CASES])
def test_hard_case(case):
    got = strengths(case["title"], case["text"])
    said = explain(shipped_rules(), case["title"], case["text"]).as_text()
    open_question = set(case.get("either", []))
    found = {topic for topic, strength in got.items() if strength == "substantive"}
    assert found - open_question == set(case["substantive"]) - open_question, said
    assert not set(got) & set(case.get("absent", [])), said


def test_hard_cases_say_why_and_name_real_topics():
    assert len(CASES) == len({case["id"] for case in CASES}) >= 100
    for case in CASES:
        assert case["why"]
        assert {*case["substantive"], *case.get("either", []), *case.get("absent", [])} <= TOPICS


# Where the article stands in each document, read by hand: what is around it is other people's furniture.
ALL = dict.fromkeys(("syria", "isis_detainees", "sdf"), "substantive")
DOCUMENTS = [
    ("000", "أعلنت القيادة", "شبكة شام المصدر", ALL),
    ("001", "كشفت القيادة", "سياسة\nسياسة", {"syria": "substantive", "isis_detainees": "substantive"}),
    ("002", "بغداد/المسلة", "المسلة – متابعة", {"syria": "substantive", "sdf": "passing"}),
    ("003", "أكد المبعوث", "اقرأ أيضا:", ALL),
    ("004", "كشف", "جميع الحقوق", ALL),
]


@pytest.mark.parametrize(("number", "first", "after", "expected"), DOCUMENTS, ids=[one[0] for one in DOCUMENTS])
def test_the_five_documents(number, first, after, expected):
    whole = next(SEEDS.glob(f"{number}_*.txt")).read_text("utf-8").removeprefix("آخر الأخبار").strip()
    title = whole.split("\n", 1)[0]
    got = strengths(title, whole[whole.index(first) : whole.index(after)])
    assert "sdf" in got
    assert {topic: got.get(topic) for topic in expected} == expected
    assert set(got) <= {*expected, "sdf"}


def test_an_article_appended_to_another_would_have_been_a_second_topic():
    whole = next(SEEDS.glob("002_*.txt")).read_text("utf-8")
    title, _, text = whole.partition("\n")
    assert "isis_detainees" not in strengths(title, text[: text.index("إقرأ أيضاً")])
    assert "isis_detainees" in strengths("واشنطن: نحتاج لإبقاء قواتنا في سوريا", text[text.index("إقرأ أيضاً") :])


# ---- passages --------------------------------------------------------------------------------------------------------


def test_a_passage_is_the_word_as_written():
    text = "قالت مصادر إنّ لـ«قَسَد» ولِمُعتقلي داعـــش في سوريّا شأناً."
    passages = [p for match in judge(shipped_rules(), "", text).matches for p in match.passages]
    assert all(text[p.start : p.end] == p.surface for p in passages)
    assert {"قَسَد", "سوريّا"} <= {p.surface for p in passages}


WORDS = st.sampled_from(
    ["سوريا", "وقسد", "«داعش»", "لمعتقلي", "الهول", "مخيم", "أبو", "ﻗﺴﺪ", "SDF", "سـجـن", "دمشق", "\u200f", ".", "\n",
     "ﷲ", "٣", "محكمة", "الانتماء", "إلى", "نَقل", "\0", "\ud800"]
)  # fmt: skip
ANY_TEXT = st.one_of(st.text(max_size=80), st.lists(WORDS, max_size=40).map(" ".join), st.lists(WORDS).map("".join))


@settings(deadline=None)
@given(ANY_TEXT, ANY_TEXT)
def test_any_text_is_judged_and_explained_alike(title, text):
    judgement = judge(shipped_rules(), title, text)
    explanation = explain(shipped_rules(), title, text)
    assert {t.topic: (t.strength, t.score) for t in explanation.topics if t.strength} == {
        m.topic: (m.strength, m.score) for m in judgement.matches
    }
    fields = {"title": title, "text": text}
    for match in judgement.matches:
        assert (match.score >= 0.5) == (match.strength == "substantive")
        assert 0 <= match.score <= 1
        assert match.passages
        for p in match.passages:
            assert fields[p.field][p.start : p.end] == p.surface != ""
    explanation.as_text()


@settings(deadline=None)
@given(st.lists(WORDS, max_size=30), st.data())
def test_marks_nobody_reads_change_no_verdict(some, data):
    plain = " ".join(some).replace("\ud800", "")
    marked = "".join(
        char + (data.draw(st.sampled_from(["", "\u064e", "\u0640", "\u200f"])) if "ء" <= char <= "ي" else "")
        for char in plain
    )
    assert strengths("", plain) == strengths("", marked)


# ---- a small rule file: what each part of the language does ----------------------------------------------------------

SMALL = """
lead_words = 5
[lists]
place = ["بستان", "حقل"]
[term.rose]
forms = ["ورد", "{@place|واحة} الورد"]
nouns = ["زارع"]
mask = ["ماء ورد"]
short = ["جوري"]
company = ["rose"]
[term.rain]
forms = ["مطر"]
pronouns = true
proclitics = false
[term.storm]
forms = ["عاصفة"]
[term.latin]
forms = ["RSE"]
[groups]
water = ["rain", "storm"]
[topic.garden]
mention = ["rose"]
threshold = 2
"""


def points(signal: str, text: str, title: str = "") -> float:
    rules = load_rules(f'{SMALL}[[topic.garden.signal]]\nwhy = "x"\npoints = 2\n{signal}', "small.toml")
    return explain(rules, title, text).topics[0].points


@pytest.mark.parametrize(
    ("signal", "yes", "no"),
    [
        ('any = ["rose"]', "وبالورد", "ولد"),
        ('any = ["rose"]', "وللزارعين", "الزرع"),
        ('any = ["rose"]', "في حقل الورد", "في حقل"),
        ('any = ["rose"]', "ورد", "ماء ورد"),
        ('any = ["rose"]\nmin = 2', "جوري من ورد", "جوري. ورد"),
        ('any = ["rain"]', "مطر ومطر", "ومطر"),
        ('any = ["rain"]', "مطرهم", "مطران"),
        ('any = ["latin"]', "لـRSE", "rse"),
        ('any = ["rose"]\nmin = 2', "ورد وورد", "ورد"),
        ('any = ["rose"]\nshare = 30', "ورد جميل هنا", "ورد جميل جدا هنا"),
        ('any = ["rose"]\nin = ["lead"]', "هذا ورد", "واحد اثنان ثلاثة أربعة خمسة ورد"),
        ('any = ["rose"]\nall = ["rain", "storm"]', "ورد. مطر\nعاصفة", "ورد. مطر"),
        ('any = ["rose"]\nnone = ["water"]', "ورد", "ورد. عاصفة"),
        ('near = ["rose", "rain"]\nwithin = 2', "ورد ثم مطر", "ورد ثم بعدئذ مطر"),
        ('near = ["rose", "rain"]', "ورد و كلام كثير ثم مطر", "ورد. مطر"),
        ('near = ["rose", "rain"]\nwithin = "paragraph"', "ورد. مطر", "ورد\nمطر"),
        ('near = ["rose", "rain"]\nwithin = "text"', "ورد\nمطر", "ورد"),
        ('near = ["rose", "rain", "storm"]', "عاصفة ورد مطر", "ورد مطر"),
    ],
)
def test_the_rule_language(signal, yes, no):
    assert points(signal, yes) == 2, yes
    assert points(signal, no) == 0, no


def test_title_and_text_are_not_near_each_other():
    assert points('near = ["rose", "rain"]\nwithin = 3', "مطر", title="ورد") == 0
    assert points('any = ["rose"]\nin = ["title"]', "مطر", title="ورد") == 2
    assert points('any = ["rose"]\nin = ["title"]', "ورد في أول منشور بلا عنوان") == 2  # a post has no title


def test_every_further_hit_counts_up_to_a_limit():
    signal = 'any = ["rose"]\neach = 0.5\nmost = 3'
    assert [points(signal, "ورد " * times) for times in (1, 2, 3, 9)] == [2, 2.5, 3, 3]


def test_a_veto_leaves_a_passing_match():
    veto = '[[topic.garden.signal]]\nwhy = "a storm"\nany = ["storm"]\nveto = true\n'
    rules = load_rules(f'{SMALL}[[topic.garden.signal]]\nwhy = "x"\nany = ["rose"]\npoints = 3\n{veto}', "small.toml")
    assert [m.strength for m in judge(rules, "", "ورد").matches] == ["substantive"]
    assert [m.strength for m in judge(rules, "", "ورد. عاصفة").matches] == ["passing"]
    assert "vetoed although 3 of 2 points" in explain(rules, "", "ورد. عاصفة").as_text()


def test_a_short_form_with_company_is_company_for_others():
    chain = SMALL.replace(
        "[groups]", '[term.petal]\nshort = ["بتلة"]\ncompany = ["rose"]\nwithin = 3\n[groups]'
    ).replace('mention = ["rose"]', 'mention = ["petal"]')
    rules = load_rules(chain, "topics.toml")
    assert judge(rules, "", "ورد ثم قلنا له هذا جوري وفيه بتلة").matches
    assert not judge(rules, "", "ورد ثم قلنا له هذا وفيه بتلة").matches
    assert not judge(rules, "", "جوري وفيه بتلة").matches


@pytest.mark.parametrize(
    ("before", "after", "key", "mend"),
    [
        ("mention", "mentions", "topic.garden.mentions", "unknown key"),
        ("nouns", "noun", "term.rose.noun", "unknown key"),
        ('mention = ["rose"]', "mention = []", "topic.garden.mention", "names no term"),
        ('mention = ["rose"]', 'mention = ["tulip"]', "topic.garden.mention", "tulip"),
        ('["rain", "storm"]', '["rain", "snow"]', "groups.water", "snow"),
        ('forms = ["مطر"]', 'forms = [""]', "term.rain.forms 1", ""),
        ('forms = ["مطر"]', 'forms = ["؟"]', "term.rain", "no letter"),
        ('forms = ["مطر"]', "", "term.rain.forms", "at least one form"),
        ('company = ["rose"]', "", "term.rose.company", "company"),
        ("threshold = 2", "threshold = 0", "topic.garden.threshold", ""),
        ("lead_words = 5", 'lead_words = "five"', "lead_words", "whole number"),
        ("[groups]", "[group]", "group", "unknown key"),
        ("water =", "rain =", "groups.rain", "already"),
        ('["عاصفة"]', '["{@winds}"]', "term.storm", "winds"),
        ('["عاصفة"]', '["{عاصفة|ريح {شمال|جنوب}}"]', "term.storm", "braces within braces"),
        ("[topic.garden]", "[topic.garden", "", "TOML"),
    ],
)
def test_a_mistake_is_named_with_its_file_and_key(before, after, key, mend):
    assert before in SMALL
    with pytest.raises(ConfigError) as error:
        load_rules(SMALL.replace(before, after), "my/topics.toml")
    assert error.value.file == "my/topics.toml"
    assert error.value.key == key
    assert mend in error.value.mend


@pytest.mark.parametrize(
    ("signal", "mend"),
    [
        ('any = ["rose"]', "points = 2 or veto"),
        ('any = ["rose"]\npoints = 1\nveto = true', "points = 2 or veto"),
        ("points = 1", "either any"),
        ('near = ["rose"]\npoints = 1', "two names"),
        ('any = ["tulip"]\npoints = 1', "tulip"),
        ('any = ["rose"]\npoints = 1\nwithin = "page"', ""),
        ('any = ["rose"]\npoints = 1\nin = ["footer"]', "'footer' is none of 'title'"),
    ],
)
def test_a_mistake_in_a_signal_is_named(signal, mend):
    with pytest.raises(ConfigError, match=r"topic\.garden\.signal 1") as error:
        load_rules(f'{SMALL}[[topic.garden.signal]]\nwhy = "x"\n{signal}', "f")
    assert mend in error.value.mend


# ---- explanations and transport --------------------------------------------------------------------------------------


def test_an_explanation_shows_hits_masks_and_what_stood_alone():
    text = "عاد ناشط إلى سوريا. زار تمثال أبو الهول. ثم كتب عن الهول والفزع."
    said = explain(shipped_rules(), "", text)
    syria, detainees = said.topics[0], said.topics[1]
    assert [(p.surface, where) for p, where in syria.mentions] == [("سوريا", "عاد ناشط إلى 【سوريا】")]
    assert [p.surface for p, _ in detainees.masked] == ["الهول"]
    assert detainees.strength is None
    assert "أبو 【الهول】" in said.as_text()
    assert "not heard" in said.as_text()
    assert json.loads(json.dumps(said, default=asdict))["topics"][0]["topic"] == "syria"


def test_rules_travel_to_another_process_and_keep_their_name():
    rules = shipped_rules()
    again = pickle.loads(pickle.dumps(rules))  # noqa: S301  # our own bytes
    text = "نقل معتقلي داعش من سجون قسد في سوريا إلى العراق"
    assert again == rules
    assert judge(again, text, text) == judge(rules, text, text)
    assert judge(rules, text, text).rule_set_sha256 == rules.sha256
    assert load_rules(rules.toml + "\n", "x").sha256 != rules.sha256
    assert set(rules.topics) == TOPICS
