"""Figures as texts state them: the labelled sentences of figures.toml, and that nothing is invented."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archive.arabic.normalise import normalise
from archive.figures import read_figures

SENTENCES = tomllib.loads(Path(__file__).with_name("figures.toml").read_text("utf-8"))["sentence"]
WORDS = [
    "مقتل", "12", "٣٠", "ثلاثة", "مدنياً", "أشخاص", "بين", "و20", "و", "إلى", "من", "بينهم", "طفلين", "نحو", "أكثر",
    "لم", "القتلى", "آلاف", "معتقل", "نُقلوا", "قتيل", "اثنين", "،", ".", "\n", "عاماً", "أعلنت", "قسد", "1,500",
    "2.5", "مليون", "عدد", "-", "بشخصين",
]  # fmt: skip


@pytest.mark.parametrize("sentence", SENTENCES, ids=lambda sentence: sentence["text"])
def test_labelled_sentences(sentence: dict) -> None:
    found = read_figures(sentence["text"])
    told = [["-" if value is None else value for value in (f.low, f.high, f.approx, f.counted, f.act)] for f in found]
    assert told == sentence["figures"]


@given(st.one_of(st.text(max_size=60), st.lists(st.sampled_from(WORDS), max_size=25).map(" ".join)))
@settings(max_examples=150, deadline=None)
def test_any_text_is_read_and_each_figure_stands_in_it(text: str) -> None:
    at = 0
    for figure in read_figures(text):
        assert at <= figure.start < figure.end <= len(text)
        at = figure.end
        assert figure.low is None or figure.high is None or 0 < figure.low <= figure.high
        assert figure.approx or (figure.low is not None and figure.high is not None)
        digits = [word for word in normalise(text[figure.start : figure.end]).split() if word.isdigit()]
        assert all(int(word) in _values(figure.low, figure.high) for word in digits[:1] if len(digits) == 1)


def _values(*bounds: int | None) -> set[int]:
    """What a figure's digits may say: a bound of it, in thousands and millions too."""
    return {bound // scale for bound in bounds if bound for scale in (1, 1000, 1_000_000)} | {1, 2}


SAID = {
    "مقتل 5 مدنيين وفق المرصد السوري لحقوق الإنسان": "المرصد السوري لحقوق الإنسان",
    "وفقاً للدفاع المدني أصيب 3 أطفال": "الدفاع المدني",
    "أعلنت وزارة الداخلية العراقية تسلم 34 طفلاً": "وزارة الداخلية العراقية",
    "المرصد السوري: مقتل جنديين": "المرصد السوري",
    "وقالت السلطات المحلية إن 4 أشخاص فقدوا": "السلطات المحلية",
    "قصف الجيش التركي القرية وقتل 3 مدنيين": None,
    "أعلنت قسد اعتقال شخصين، فيما قال المرصد إنهم ثلاثة أشخاص": None,
    "نقل 150 معتقلاً من سجون قسد": None,
}


@pytest.mark.parametrize("text", SAID)
def test_a_source_is_named_where_the_sentence_names_one(text: str) -> None:
    assert {figure.said_by for figure in read_figures(text)} == {SAID[text]}


@pytest.mark.parametrize("digits", ["1" * 400, "1" * 400 + ".5", "9" * 400 + " مليون", "1 " * 400])
def test_digits_without_end_count_nobody(digits: str) -> None:
    assert read_figures(f"مقتل {digits} شخصاً") == []


def test_vowels_and_digits_of_any_script_leave_the_offsets_as_written() -> None:
    text = "  مقـتلُ ١٢ طِفلاً"
    (figure,) = read_figures(text)
    assert (figure.low, figure.counted, text[figure.start : figure.end]) == (12, "children", "١٢ طِفلاً")
