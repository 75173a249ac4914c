"""An outlet held against its own usual: alive but yielding nothing, texts or dates that are suddenly missing.

Told only of outlets that were seen enough to have a usual, and that said enough on the last day to depart from it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median, quantiles
from typing import Any

from archive.sqlite import Connection, statement
from archive.times import later

DAY, DAYS = 86400.0, 14
OBSERVED, NEW = 7, 3  # days on which listings answered, and articles on an ordinary one of them
LATELY, BEFORE = 8, 20  # kept articles of the last day, and of the days before
LOOKS, LOOKS_BEFORE = 20, 50  # pages read


@dataclass(frozen=True, slots=True)
class Yield:
    """What an outlet gave: articles found on each day, the last first (None: it did not answer); then of the last day,
    and of those before it: the lengths of kept texts, which of them are dated, which pages gave no article."""

    found: Sequence[int | None]
    lengths: tuple[Sequence[int], Sequence[int]]
    dated: tuple[Sequence[int], Sequence[int]]
    unread: tuple[Sequence[int], Sequence[int]]


def departures(given: Yield) -> dict[str, str]:
    """How the last day departs from the usual: a name, and the words for it.

    >>> departures(Yield([0, *[9] * 10], ([], []), ([], []), ([], [])))
    {'yields nothing': 'nothing new in 24 hours, 9 articles are usual'}
    """
    found: dict[str, str] = {}
    days = [number for number in given.found[1:] if number is not None]
    if given.found and given.found[0] == 0 and len(days) >= OBSERVED and median(days) >= NEW and days.count(0) <= 1:
        found["yields nothing"] = f"nothing new in 24 hours, {median(days):.0f} articles are usual"
    lately, before = given.lengths
    if len(lately) >= LATELY and len(before) >= BEFORE:
        short, usual = median(lately), median(before)
        if short < 0.4 * usual and short < quantiles(before, n=10)[0]:
            found["short texts"] = f"texts have {short:.0f} letters, {usual:.0f} are usual"
        dated, usual = (sum(part) / len(part) for part in given.dated)
        if usual >= 0.8 and dated < 0.4:
            found["dates missing"] = f"{dated:.0%} of the articles have a date, {usual:.0%} are usual"
    lately, before = given.unread
    if len(lately) >= LOOKS and len(before) >= LOOKS_BEFORE:
        unread, usual = sum(lately) / len(lately), sum(before) / len(before)
        if unread > 0.6 and usual < 0.3:
            found["pages unread"] = f"{unread:.0%} of the pages give no article, {usual:.0%} are usual"
    return found


def unusual(db: Connection, outlets: Sequence[str], now: str) -> dict[str, dict[str, str]]:
    """How each of these outlets departs at `now` from its usual; without those that do not."""
    day, since = later(now, -DAY), later(now, -(DAYS + 1) * DAY)
    days: dict[str, dict[int, int | None]] = {}
    for outlet, number, new, ok in db.execute(statement("usual.days"), {"now": now, "since": since}):
        days.setdefault(outlet, {})[number] = new if ok else None
    found = {}
    for outlet in outlets:
        windows = [{"outlet": outlet, "since": a, "until": b} for a, b in ((day, now), (since, day))]
        texts: list[list[Any]] = [db.execute(statement("usual.texts"), window).fetchall() for window in windows]
        looks: list[list[Any]] = [db.execute(statement("usual.pages"), window).fetchall() for window in windows]
        given = Yield(
            [days.get(outlet, {}).get(number) for number in range(DAYS + 1)],
            lengths=_column(texts, 0), dated=_column(texts, 1), unread=_column(looks, 0),
        )  # fmt: skip
        if said := departures(given):
            found[outlet] = said
    return found


def _column(rows: list[list[Any]], number: int) -> tuple[list[int], list[int]]:
    lately, before = ([int(row[number]) for row in part] for part in rows)
    return lately, before
