"""What differs between two texts, told word by word, and within bounded time."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.diffs import diff
from archive.folding import fold


def told(before: str, after: str, **more) -> list[tuple[str, str, str]]:
    return [(p.op, p.was(before), p.now(after)) for p in diff(before, after, **more) if p.op != "equal"]


def test_words_that_were_added_taken_out_and_replaced():
    before = "وقالت الوزارة إن الطريق مغلق منذ الصباح بسبب الثلوج."
    after = "وقالت وزارة النقل إن الطريق مغلق بسبب الثلوج والضباب."
    assert told(before, after) == [
        ("replaced", "الوزارة", "وزارة النقل"),
        ("removed", "منذ الصباح", ""),
        ("inserted", "", "والضباب."),
    ]


def test_a_paragraph_and_a_sentence_that_moved_are_told_from_rewritten_ones():
    first, second, third = "وصل الوفد إلى المدينة ظهراً.", "وتعهدت البلدية بترميم المدارس.", "ولا تزال الطرق مغلقة."
    assert told(f"{first}\n{second}\n{third}", f"{third}\n{first}\n{second}") == [("moved", third, third)]
    assert [op for op, *_ in told(f"{first} {second}", f"{second} {first}")] == ["moved"]


def test_how_something_is_written_is_no_difference():
    assert told("وقال: «قَسد» في ديرالزور", 'وقال "قسد"\nفي دير  الزور .') == []
    assert told("عودة المدارس", "عودة المدارس؟") == []
    assert told("عودة المدارس", "عودة المدارس؟", headline=True) == [("replaced", "المدارس", "المدارس؟")]


def test_lines_can_be_left_out():
    assert told("نص أول\nإعلان\nنص ثان", "نص أول\nنص ثان\nشارك", ignored=({1}, {2})) == []


WORDS = st.lists(
    st.sampled_from(
        ["قسد", "سجن", "نقل", "داعش", "12", "3.5", "أعلن،", "«لا»", "الحسكة.", "اليوم!", "—\n", "في\n\n", ""]
    ),
    max_size=60,
)


@given(WORDS, WORDS)
def test_a_diff_makes_the_second_text_of_the_first(one, other):
    before, after = " ".join(one), " ".join(other)
    pieces = diff(before, after)
    kept = [p.was(before) if p.op in ("equal", "moved") else p.now(after) for p in pieces if p.op != "removed"]
    assert _words(" ".join(kept)) == _words(after)
    assert not [p for p in diff(before, before) if p.op != "equal"]


def _words(text: str) -> list[str]:
    return [folded for word in text.split() if (folded := fold(word))]


@given(st.text(max_size=200), st.text(max_size=200))
def test_any_two_texts_have_a_diff_within_their_bounds(before, after):
    pieces = diff(before, after)
    assert all(0 <= p.from_start <= p.from_end <= len(before) and 0 <= p.start <= p.end <= len(after) for p in pieces)
    starts = [p.start for p in pieces]
    assert starts == sorted(starts)


@pytest.mark.timeout(60)  # what is not bounded takes hours
@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("قال " * 60_000, "قيل " * 60_000),
        ("قال قيل " * 30_000, "قيل قال قيل " * 30_000),
        ("سطر.\n" * 20_000, "سطر.\nآخر.\n" * 10_000),
        (" ".join(map(str, range(40_000))), " ".join(map(str, range(40_000, 0, -1)))),
    ],
)
def test_hostile_texts_are_done_with_soon(before, after):
    assert diff(before, after)
