"""Furniture learned per outlet: a line that stands at the edge of many different articles is none of theirs.

Lines are counted once an article, folded, and in short ones the numbers of counters, dates and times alike, so that a
counter is one line; any other number is news. Only the edges of a text are looked at, and only they are ever cleared:
what repeats in the middle of articles is a way of writing. A line that names or counts people ends an edge, in however
many articles it stands; and no line is taken from an article that was kept with it.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import replace

from archive import folding
from archive.arabic.normalise import normalise
from archive.figures import read_figures
from archive.models import Article
from archive.noise import is_noise, is_sentence, is_told
from archive.sqlite import Connection, statement
from archive.transaction import Transaction
from archive.vocabulary import GIVEN

HEAD, TAIL = 3, 6  # lines at either end that may be furniture
ARTICLES, SHARE = 8, 0.2  # a line is furniture in so many articles, and in this share of the outlet's meanwhile
LONGEST = 300  # characters
LABEL = 6  # words of a line that is no sentence
RULE = "learned"  # what `Article.removed` calls them
_NUMBER = re.compile(r"(?<!\d)(?!(?:19|20)\d\d(?!\d))\d")  # but for a year


def learn(tx: Transaction, outlet_id: str, article: Article, at: str) -> None:
    """Count the edge lines of an article seen for the first time, those already cleared from it among them."""
    text = article.text.split("\n")
    lines = [text[n] for n in _edges(text, (fold(text[0]), fold(text[-1])))] + [
        line for rule, line in article.removed if rule == RULE
    ]
    for folded, line in {fold(line): line for line in lines}.items():
        if folded and len(line) <= LONGEST:
            tx.db.execute(statement("learned.count"), {"outlet": outlet_id, "folded": folded, "line": line, "at": at})


def furniture(db: Connection, outlet_id: str | None) -> tuple[str, ...]:
    """What was learned of an outlet: folded lines."""
    return tuple(line for (line,) in db.execute(statement("learned.furniture"), (outlet_id, ARTICLES, SHARE)))


def clear(article: Article, learned: Collection[str]) -> Article:
    """The article without learned lines at its edges; each is in `removed`. A text is never cleared whole."""
    lines, known = article.text.split("\n"), set(learned)
    gone = {at for at in _edges(lines, known) if fold(lines[at]) in known}
    if not gone or len(gone) == len(lines):
        return article
    text = "\n".join(line for at, line in enumerate(lines) if at not in gone)
    return replace(article, text=text, removed=(*article.removed, *((RULE, lines[at]) for at in sorted(gone))))


def alike(article: Article, stored: Article) -> tuple[Article, Article, frozenset[str]]:
    """A look with those of the lines cleared from it that the `stored` version has, that version cleared as the look
    was, and these lines folded by `archive.folding`: what was learned meanwhile makes no edit, nor goes with one."""
    gone = {fold(line): line for rule, line in article.removed if rule == RULE}
    if not gone:
        return article, stored, frozenset()
    text, told = article.text.split("\n"), stored.text.split("\n")
    less, both, was, same = clear(stored, gone), {*map(fold, text), *gone}, list(map(fold, told)), set[str]()
    for at in sorted(range(len(was)), key=lambda at: min(at, len(was) - 1 - at)):
        if line := gone.pop(was[at], None):  # as far from the same end as it stood, by the lines that stayed
            beyond = sum(key in both for key in (was[:at] if 2 * at < len(was) - 1 else was[at + 1 :]))
            text.insert(beyond if 2 * at < len(was) - 1 else max(0, len(text) - beyond), line)
            same |= {folding.fold(line), folding.fold(told[at])}
    return replace(article, text="\n".join(text)), less, frozenset(same)


def fold(line: str) -> str:
    """A line as it is remembered."""
    plain = " ".join(normalise(line).split())
    counts = is_noise(line) or re.search(r"\d\S*\s+(?:قار|قراء|متابع|مشاهد|زاير|زوار|مشترك|تعليق|اعجاب)", plain)
    return re.sub(r"\d+", "0", plain) if counts and len(plain.split()) <= LABEL and not _tells(line) else plain


def forget(tx: Transaction, before: str) -> int:
    """Drop lines that stayed rare and were not seen since `before`; returns how many."""
    query = "DELETE FROM outlet_lines WHERE articles < ? AND last_at < ?"
    return int(tx.db.execute(query, (ARTICLES, before)).rowcount)


def _edges(lines: list[str], known: Collection[str]) -> Iterator[int]:
    """Where furniture may stand: outside of all that is told. A sentence only first or last, for agencies tell many
    stories in the same ones; what stands within it only if it is `known`."""
    for way in (range(len(lines))[:HEAD], range(len(lines))[::-1][:TAIL]):
        for at in way:
            prose = is_sentence(lines[at]) and not is_noise(lines[at])
            if _tells(lines[at]) or (prose and at != way[0]):
                break
            yield at
            if prose and fold(lines[at]) not in known:
                break


def _tells(line: str) -> bool:
    """Whether a line names or counts somebody, or is a sentence with a number or, if short, with a word of the news."""
    words = re.findall(r"\w+", plain := normalise(line))
    news = _NUMBER.search(plain) or (len(words) <= LABEL and is_told(line.rstrip(" .!؟…")))
    told = (is_sentence(line) and news) or not GIVEN.isdisjoint(words[:LABEL]) or read_figures(line)
    return bool(told) and not is_noise(line, before=False, after=False)
