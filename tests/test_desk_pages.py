"""What the desk's pages are made of: marked texts, changes, links out of the house."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.desk import pages
from archive.versions import same_text


@given(
    st.text(max_size=40),
    st.lists(st.tuples(st.integers(-5, 50), st.integers(-5, 50), st.sampled_from(["a", "b"])), max_size=6),
)
def test_cutting_a_text_loses_nothing(text: str, passages: list[tuple[int, int, str]]) -> None:
    assert "".join(piece for piece, _ in pages.segments(text, passages)) == text


def test_overlapping_passages_keep_both_topics() -> None:
    assert pages.segments("abcd", [(0, 3, "x"), (1, 4, "y")]) == [("a", "x"), ("bc", "x y"), ("d", "y")]


@given(st.text(alphabet="اب ", max_size=30), st.text(alphabet="اب ", max_size=30))
def test_a_change_is_shown_exactly_when_there_is_one(a: str, b: str) -> None:
    assert a.split() != b.split() or pages.changed(a, b) == ""
    assert same_text(a, b) or pages.changed(a, b) != ""


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "data:text/html,x",
        "urn:sha256:00",
        " https://a.example",
        'https://a"onclick="x',
        "//a.example",
    ],
)
def test_only_web_addresses_become_links(url: str) -> None:
    assert pages.web_link(url) is None
