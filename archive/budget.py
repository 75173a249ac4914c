"""How many known articles may be looked at again on a host: so many in any hour, by all outlets there together."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from archive.sqlite import Connection, statement
from archive.times import later

Row = tuple[Any, ...]
HOUR, DAY = 3600.0, 86400.0
UNBOUNDED = 1 << 30


def host_of(url: str) -> str:
    """Scheme, name and port of a canonical address: what looks are counted by.

    >>> host_of("https://example.org:8443/news/7")
    'https://example.org:8443/'
    """
    return url[: url.find("/", 8) + 1]


def within(db: Connection, outlet_id: str | None, articles: Iterable[Row], now: str, per_hour: int) -> Iterator[Row]:
    """Of articles of an outlet, address first, those that may be looked at now."""
    left: dict[str, int] = {}
    for article in articles:
        if (host := host_of(article[0])) not in left:
            left[host], _ = _spare(db, outlet_id, host, now, per_hour)
        left[host] -= 1
        if left[host] >= 0:
            yield article


def worth_it(db: Connection, outlet_id: str, now: str, per_hour: int) -> bool:
    """Whether an outlet that has known articles due is to be visited for them alone: not for each by itself."""
    due = "SELECT url FROM articles WHERE outlet_id = ? AND next_check_at <= ? ORDER BY next_check_at LIMIT 1"
    url = db.execute(due, (outlet_id, now)).fetchone()[0]
    left, share = _spare(db, outlet_id, host_of(url), now, per_hour)
    return 4 * left >= share


def _spare(db: Connection, outlet_id: str | None, host: str, now: str, per_hour: int) -> tuple[int, int]:
    """How many looks an outlet has left on a host, and what its fair share of an hour's is.

    What others need not is its own; what is left of the share of each that waits stays with that one.
    """
    given = {"host": host, "now": now, "hour": later(now, -HOUR), "day": later(now, -DAY)}
    looks = db.execute(statement("host_looks"), given).fetchall()
    share = max(1, per_hour // len({outlet_id, *(other for other, _, _ in looks)}))
    kept = sum(max(0, share - spent) for other, spent, waits in looks if waits and other != outlet_id)
    return per_hour - sum(spent for _, spent, _ in looks) - kept, share
