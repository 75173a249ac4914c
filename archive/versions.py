"""Same or changed? What an edit is, and what is only a different way of writing the same.                    [pure]

Whitespace, tashkeel, tatweel, zero-width and bidi marks, punctuation, quotation marks and the script of digits make no
edit; letters do, a hamza put right included, and so does a question mark that turns a headline into a question.
"""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Collection
from contextlib import suppress
from datetime import datetime, timedelta

from archive.folding import TABLE, fold
from archive.models import Article
from archive.noise import changes

FEED = "feed content; "  # how `extractor` begins where the feed told the text, the page itself gave none


def is_stump(text: str, whole: str) -> bool:
    """Whether a text is so much shorter than another telling of it that a page did not give it all."""
    return 2 * len(text) < len(whole)


def same_version(old: Article, new: Article, known: Collection[str] = ()) -> bool:
    """Whether `new` says what `old` said in title, text, author and published date, so that no version is made.

    A look may know less than the one before (a listing named the author, the page does not): what is unknown now, or
    known at another precision, is no edit. Nor is a date reckoned back from "منذ يومين", which moves with the clock,
    nor what changes in lines that are `known` (folded) to be none of the text; nor a date that only a listing tells.
    After a text that the feed told, what the page gives is an edit only if it is whole and in other words: headline
    and byline were the feed's until then.
    """
    if old.extractor.startswith(FEED) and (is_stump(new.text, old.text) or same_text(old.text, new.text)):
        return True
    moving = "relative" in (old.published_source, new.published_source)
    moving = moving or (old.published_at is None and new.published_source == "feed")
    return (
        same_words((old.title, old.text), (new.title, new.text), known)
        and (new.author is None or same_text(old.author or "", new.author))
        and (moving or new.published_at is None or same_date(old.published_at, new.published_at))
    )


def same_words(old: tuple[str, str], new: tuple[str, str], known: Collection[str] = ()) -> bool:
    """Whether two titles with their texts say the same, but for what changes from look to look (`archive.noise`)."""
    same = same_text(old[1], new[1]) and same_text(old[0], new[0]) and _asks(old[0]) == _asks(new[0])
    return same or all(piece.op == "equal" for pieces in changes(old, new, known) for piece in pieces)


def same_text(a: str, b: str) -> bool:
    """Whether two texts differ only in ways a reader would not call a change.

    >>> same_text("قَسَد تُسلّم 12 معتقلاً.", "قسد  تسلم ١٢ «معتقلا»")
    True
    >>> same_text("أكد أن 3.5 ملايين", "أكد أن 35 ملايين"), same_text("اعلن", "أعلن")
    (False, False)
    """
    return a == b or fold(a) == fold(b)


def likeness(old: Article, new: Article) -> float:
    """How much of the shorter of two articles the other one says in the same words, from 0 to 1.

    By runs of three words, headlines included: an article that grew is wholly like what it was, and so is a cut one.
    """
    one, other = (_runs(f"{article.title}\n{article.text}") for article in (old, new))
    return len(one & other) / max(1, min(len(one), len(other)))


def _runs(text: str) -> set[tuple[str, ...]]:
    words = [word.strip(",./:-") for word in unicodedata.normalize("NFKC", text).translate(TABLE).split()]
    words = [word for word in words if word]
    return set(zip(words, words[1:], words[2:], strict=False)) if len(words) > 2 else {tuple(words)} - {()}


def text_sha256(title: str, text: str) -> str:
    """The hash a version is known by: of its title, a newline and its text as stored, in UTF-8."""
    return hashlib.sha256(f"{title}\n{text}".encode()).hexdigest()


def _asks(title: str) -> bool:
    return any(mark in title for mark in "?؟⸮？")


def same_date(old: str | None, new: str) -> bool:
    """Whether two dates agree as far as both are known."""
    if old is None:
        return False
    with suppress(ValueError):
        instants = [datetime.fromisoformat(text) for text in (old, new) if "T" in text]
        if len(instants) == 2 and all(instant.tzinfo for instant in instants):
            return abs(instants[0] - instants[1]) < timedelta(minutes=1)
    shared = min(len(old), len(new), 16)
    return old[:shared] == new[:shared]
