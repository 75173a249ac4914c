"""System time: UTC, whole seconds, ISO 8601 with `Z`, so that text order is time order.                  [pure]"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

Clock = Callable[[], datetime]
"""Gives the present moment, aware, in UTC. A parameter everywhere, so that tests can stand still."""


def utc_now() -> datetime:
    """The machine's clock, aware, in UTC."""
    return datetime.now(UTC)


def stamp(moment: datetime) -> str:
    """Write a moment as the archive does.

    >>> stamp(datetime(2026, 1, 21, 9, 5, tzinfo=UTC))
    '2026-01-21T09:05:00Z'
    """
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def moment(text: str) -> datetime:
    """Read what `stamp` wrote. Raises ValueError for anything else.

    >>> moment("2026-01-21T09:05:00Z").hour
    9
    """
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)


def instant(date: str) -> datetime:
    """The first moment of a date as precise as it is; without a zone it is taken as UTC. Raises ValueError.

    >>> stamp(instant("2026-01-21")), stamp(instant("2026-01-21T09:05+03:00"))
    ('2026-01-21T00:00:00Z', '2026-01-21T06:05:00Z')
    """
    read = datetime.fromisoformat(date)
    return read if read.tzinfo else read.replace(tzinfo=UTC)


def later(text: str, seconds: float) -> str:
    """The stamp `seconds` after `text` (before it, if negative).

    >>> later("2026-01-21T09:05:00Z", 90)
    '2026-01-21T09:06:30Z'
    """
    return stamp(moment(text) + timedelta(seconds=seconds))
