"""Canonical addresses: equal pages get equal addresses, and nothing else does."""

from __future__ import annotations

import doctest

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import crawler.urls
from crawler.urls import canonical, host_key, same_site


def test_examples_in_docstrings() -> None:
    assert doctest.testmod(crawler.urls).failed == 0


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("HTTP://WWW.Example.ORG", "http://www.example.org/"),
        ("http://example.org:80/a", "http://example.org/a"),
        ("https://example.org:443/a", "https://example.org/a"),
        ("https://example.org:8443/a", "https://example.org:8443/a"),
        ("https://example.org./a", "https://example.org/a"),
        ("https://example.org/a#التعليقات", "https://example.org/a"),
        ("https://example.org/a?utm_source=x&fbclid=1", "https://example.org/a"),
        ("https://example.org/?p=81&UTM_Medium=y&lang=ar", "https://example.org/?p=81&lang=ar"),
        ("https://example.org/?b=2&a=1", "https://example.org/?b=2&a=1"),  # order may matter to the server
        ("https://example.org/a/./b/../c", "https://example.org/a/c"),
        ("https://example.org/../..", "https://example.org/"),
        ("  https://example.org/a b \u200f\n", "https://example.org/a%20b"),
        ("https://example.org/سوريا", "https://example.org/%D8%B3%D9%88%D8%B1%D9%8A%D8%A7"),
        (
            "https://example.org/%d8%b3%d9%88%d8%b1%d9%8a%d8%a7",
            "https://example.org/%D8%B3%D9%88%D8%B1%D9%8A%D8%A7",
        ),
        ("https://example.org/%7Euser/%41", "https://example.org/~user/A"),
        ("https://example.org/%c7%e1", "https://example.org/%C7%E1"),  # windows-1256 stays what it is
        ("https://example.org/100%", "https://example.org/100%25"),
        ("https://مثال.com/أ", "https://xn--mgbh0fb.com/%D8%A3"),
        ("http://[::1]:8000/x", "http://[::1]:8000/x"),
        (r"https:\\example.org\a", "https://example.org/a"),
        ("https://example.org\\@10.0.0.1/", "https://example.org/@10.0.0.1/"),
        ("ftp://example.org/a", None),
        ("javascript:void(0)", None),
        ("mailto:desk@example.org", None),
        ("https://user:secret@example.org/", None),
        ("https://example.org:99999/", None),
        ("https://exa mple.org/", None),
        ("https:///a", None),
        ("https://a..example.org/a", None),  # the system's resolver would raise on it, not answer
        (f"https://{'a' * 64}.org/a", None),
        (f"https://{'a.' * 130}org/a", None),
        ("", None),
        ("https://example.org/" + "أ" * 3000, None),
    ],
)
def test_one_spelling(written: str, expected: str | None) -> None:
    if expected is None:
        with pytest.raises(ValueError, match=r".+"):
            canonical(written)
    else:
        assert canonical(written) == expected


def test_raw_and_encoded_arabic_are_one_address() -> None:
    raw = "https://example.org/أخبار/قوات سوريا الديمقراطية?س=ج"
    encoded = (
        "https://example.org/%D8%A3%D8%AE%D8%A8%D8%A7%D8%B1/%d9%82%d9%88%d8%a7%d8%aa%20%d8%b3%d9%88%d8%b1%d9%8a%d8%a7"
        "%20%d8%a7%d9%84%d8%af%d9%8a%d9%85%d9%82%d8%b1%d8%a7%d8%b7%d9%8a%d8%a9?%D8%B3=%D8%AC"
    )
    assert canonical(raw) == canonical(encoded)


def test_relative_links_are_resolved() -> None:
    assert canonical("../خبر?id=5", "https://example.org/a/b/") == "https://example.org/a/%D8%AE%D8%A8%D8%B1?id=5"
    assert canonical("//cdn.example.org/x", "https://example.org/") == "https://cdn.example.org/x"


def test_hosts() -> None:
    assert host_key("http://example.org/a") == "example.org:80"
    assert host_key("http://[::1]:8000/") == "::1:8000"
    assert same_site("https://www.example.org/a", "http://example.org/b")
    assert not same_site("https://example.org.evil.example/a", "https://example.org/")


@given(st.text() | st.builds("https://{}/{}?{}#{}".format, st.text(), st.text(), st.text(), st.text()))
@example("https://example.org/%2525%zz/%2E%2e/..")
@example("https://example.org/a//b/;x=1?&&=&q=%3f#")
@example("http://[")
@example("https://example.org/\ud800")
def test_canonical_is_idempotent_and_raises_nothing_but_value_error(text: str) -> None:
    try:
        once = canonical(text)
    except ValueError:
        return
    assert canonical(once) == once
    assert once.isascii()
    assert " " not in once


@given(st.text(alphabet="أبتسوريا قسد-_.%/?&=abc019", max_size=40))
def test_any_path_survives(path: str) -> None:
    once = canonical("https://example.org/" + path)
    assert canonical(once) == once
    assert once.startswith("https://example.org/")
