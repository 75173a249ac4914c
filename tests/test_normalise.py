import doctest
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.arabic import normalise as normalise_module
from archive.arabic import tokens as tokens_module
from archive.arabic.normalise import normalise, normalise_map, source_span
from archive.arabic.tokens import WORD, endings, stripped, variants

ARABIC = st.text(
    alphabet=st.sampled_from('ابتةىيئءأإآؤلاكهـ\u064b\u0651\u0670\u200f\u200c «»()"\n.،؟٠٩۳ﻻﷲ…½İşABx'), max_size=40
)
ANY = st.one_of(ARABIC, st.text(max_size=40))


@pytest.mark.parametrize(
    ("written", "form"),
    [
        ("مُعْتَقَلِي", "معتقلي"),
        ("داعـــش", "داعش"),
        ("إدلب أدلب ٱدلب", "ادلب ادلب ادلب"),
        ("سورية وسوریا", "سوريه وسوريا"),
        ("مسؤول لاجئ", "مسوول لاجي"),
        ("على", "علي"),
        ("٧٬٠٠٠ و۷", "7,000 و7"),
        ("«قسد» (قسد) “قسد”", " قسد   قسد   قسد "),
        ("ﻗﺴﺪ", "قسد"),  # presentation forms, as PDF extracts have them
        ("ق\u200cس\u200fد\ufeff", "قسد"),
        ("كوردستان گرد رۆژ ڕۆژ", "كوردستان كرد روج روج"),
        ("SDF Kobanê IŞİD", "sdf kobane isid"),
        ("أ", "ا"),  # carrier and hamza as two code points
        ("قسد\u00a0والجيش", "قسد والجيش"),
        ("2025–2026", "2025-2026"),
    ],
)
def test_spellings_meet(written, form):
    assert normalise(written) == form
    assert normalise(unicodedata.normalize("NFD", written)) == form


@given(ANY)
def test_normalising_twice_changes_nothing(text):
    assert normalise(normalise(text)) == normalise(text)


@given(ANY)
def test_every_letter_knows_its_source(text):
    form, offsets = normalise_map(text)
    assert form == normalise(text)
    assert len(offsets) == len(form) + 1
    assert list(offsets) == sorted(offsets)
    assert offsets[-1] == len(text)


def words(text):
    """The normalised words of a text, and where they stand in it."""
    form, offsets = normalise_map(text)
    return [(word[0], *source_span(text, offsets, *word.span())) for word in WORD.finditer(form)]


@given(ANY)
def test_a_word_is_what_stands_there(text):
    for form, start, end in words(text):
        assert 0 <= start < end <= len(text)
        assert form in normalise(text[start:end])


def test_marks_belong_to_the_word_and_direction_marks_do_not():
    text = "\u200fداعشُ\u200f غداً"
    form, offsets = normalise_map(text)
    start, end = source_span(text, offsets, 0, form.index(" "))
    assert text[start:end] == "داعشُ"


def test_proclitics_come_off_in_order_only():
    assert "معتقلي" in stripped("ولمعتقلي")
    assert "المعتقلين" in stripped("وللمعتقلين")
    assert "قسد" in stripped("فبقسد")
    assert "سوريا" not in stripped("بوسوريا")  # no conjunction after a preposition


def test_inflections_of_one_noun_meet_but_acts_and_persons_do_not():
    assert {"معتقلين", "معتقلو", "معتقلي", "معتقلات", "معتقليهم"} <= endings("معتقل")
    assert "اعتقال" not in endings("معتقل")
    assert {"معتقل", "معتقلي", "معتقلو"} <= variants("معتقلين")
    assert variants("فلسطين") == {"فلسطين"}  # ends like a plural and is none
    assert "سوريه" in variants("سوريا")


@pytest.mark.parametrize("module", [normalise_module, tokens_module])
def test_examples_in_the_documentation(module):
    assert doctest.testmod(module).failed == 0
