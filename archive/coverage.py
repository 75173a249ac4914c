"""Coverage: which outlets could be read in a time, so that "nothing found" is not taken for "nothing said"."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

State = Literal["reachable", "silent", "partly", "blocked", "unreachable", "no look"]


@dataclass(frozen=True, slots=True)
class OutletCoverage:
    """Looks at one outlet in a window; `outage` counts every failure but `blocked`."""

    id: str
    name: str
    looks: int
    ok: int
    blocked: int
    outage: int
    new_articles: int

    @property
    def state(self) -> State:
        """What can be said of the outlet in this window; `silent` answered, and had nothing new."""
        if not self.looks:
            return "no look"
        if not self.ok:
            return "blocked" if self.blocked >= self.outage else "unreachable"
        if self.ok * 2 < self.looks:
            return "partly"
        return "reachable" if self.new_articles else "silent"


def gaps(rows: Iterable[OutletCoverage], since: str, until: str | None = None, *, names: int = 5) -> str | None:
    """One sentence on the outlets that could not be read in a window; None: all could. At most `names` are named.

    >>> gaps([OutletCoverage("sana", "سانا", 2, 0, 2, 0, 0), OutletCoverage("nas", "ناس", 1, 1, 0, 0, 0)], "2026-01-21")
    '1 of 2 outlets could not be read since 2026-01-21: sana (blocked)'
    """
    rows = list(rows)
    missing = [f"{row.id} ({row.state})" for row in rows if row.state in ("blocked", "unreachable", "no look")]
    if not missing:
        return None
    window = f"since {since}" if until is None else f"from {since} until {until}"
    more = f" and {len(missing) - names} more" if len(missing) > names else ""
    return f"{len(missing)} of {len(rows)} outlets could not be read {window}: {', '.join(missing[:names])}{more}"
