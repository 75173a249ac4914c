"""Furniture learned per outlet: a line that stands at the edge of many different articles is none of theirs.

Lines are counted once an article, folded, and in short ones every number alike, so that a counter is one line; longer
ones are sentences, whose numbers are news. Only the edges of a text are looked at, and only they are ever cleared: what
repeats in the middle of articles is a way of writing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace

from archive.arabic.normalise import normalise
from archive.models import Article
from archive.noise import is_sentence
from archive.sqlite import Connection, statement
from archive.transaction import Transaction

HEAD, TAIL = 3, 6  # lines at either end that may be furniture
ARTICLES, SHARE = 8, 0.2  # a line is furniture in so many articles, and in this share of the outlet's meanwhile
LONGEST = 300  # characters
LABEL = 6  # words of a line that is no sentence
RULE = "learned"  # what `Article.removed` calls them


def learn(tx: Transaction, outlet_id: str, article: Article, at: str) -> None:
    """Count the edge lines of an article seen for the first time, those already cleared from it among them."""
    lines = [line for _, line in _edges(article.text.split("\n"))]
    lines += [line for rule, line in article.removed if rule == RULE]
    for folded, line in {_fold(line): line for line in lines}.items():
        if folded and len(line) <= LONGEST:
            given = {"outlet": outlet_id, "folded": folded, "line": line, "at": at}
            tx.db.execute(statement("learned.count"), given)


def furniture(db: Connection, outlet_id: str | None) -> tuple[str, ...]:
    """What was learned of an outlet: folded lines."""
    return tuple(line for (line,) in db.execute(statement("learned.furniture"), (outlet_id, ARTICLES, SHARE)))


def clear(article: Article, learned: tuple[str, ...]) -> Article:
    """The article without learned lines at its edges; each is in `removed`. A text is never cleared whole."""
    lines, known = article.text.split("\n"), set(learned)
    gone = {at: line for at, line in _edges(lines) if _fold(line) in known}
    if not gone or len(gone) == len(lines):
        return article
    text = "\n".join(line for at, line in enumerate(lines) if at not in gone)
    return replace(article, text=text, removed=(*article.removed, *((RULE, line) for line in gone.values())))


def folded_lines(lines: Iterable[str]) -> set[str]:
    """Lines as they are remembered."""
    return {_fold(line) for line in lines}


def forget(tx: Transaction, before: str) -> int:
    """Drop lines that stayed rare and were not seen since `before`; returns how many."""
    query = "DELETE FROM outlet_lines WHERE articles < ? AND last_at < ?"
    return int(tx.db.execute(query, (ARTICLES, before)).rowcount)


def _edges(lines: list[str]) -> list[tuple[int, str]]:
    """Where furniture may stand; a sentence only first or last, for agencies tell many stories in the same ones."""
    last = len(lines) - 1
    near = [(at, line) for at, line in enumerate(lines) if at < HEAD or at > last - TAIL]
    return [(at, line) for at, line in near if at in (0, last) or not is_sentence(line)]


def _fold(line: str) -> str:
    words = normalise(line).split()
    return re.sub(r"\d+", "0", " ".join(words)) if len(words) <= LABEL else " ".join(words)
