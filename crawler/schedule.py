"""When a listing is due: an interval that follows how often it publishes, or five cron fields; with jitter, so that
outlets do not move in step."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from archive.times import stamp
from crawler.units import Duration

if TYPE_CHECKING:
    from apscheduler.triggers.cron import CronTrigger

    from archive.frontier import Pace


@dataclass(frozen=True, slots=True)
class Schedule:
    """Either `seconds` between visits, which may become `fastest` or `slowest`, or a `cron` line in UTC."""

    seconds: float = 0.0
    cron: CronTrigger | None = None
    fastest: float = 0.0
    slowest: float = float("inf")

    @classmethod
    def read(cls, text: str, fastest: float | None = None, slowest: float | None = None) -> Schedule:
        """Read `"15m"` or `"*/20 6-23 * * *"`. Raises ValueError with the mend.

        Unless told, an interval shrinks to a fifth of it, but not below a minute, and grows to four of it; one of
        less than a minute stays as it is.

        >>> Schedule.read("15m").seconds
        900.0
        """
        if len(text.split()) == 5:
            from apscheduler.triggers.cron import CronTrigger  # slow to import, and only needed here

            try:
                cron = CronTrigger.from_crontab(text, timezone=UTC)
                if not cron.get_next_fire_time(None, datetime(2026, 1, 1, tzinfo=UTC)):
                    raise ValueError("that day never comes")
            except ValueError as error:
                raise ValueError(f"as a cron line: {error}") from error
            return cls(cron=cron)
        try:
            if (seconds := Duration.read(text)) >= 1:
                fastest = min(seconds, max(60.0, seconds / 5)) if fastest is None else fastest
                slowest = seconds * (4 if seconds >= 60 else 1) if slowest is None else slowest
                return cls(seconds, None, fastest, max(fastest, slowest))
        except ValueError:
            pass
        raise ValueError('write an interval such as "15m" or five cron fields such as "*/20 * * * *"')

    def next_at(self, now: datetime, chance: random.Random, pace: Pace | None = None) -> str:
        """The stamp of the next visit. Up to a tenth of the interval (at most 60 s) is added by `chance`."""
        if self.cron:
            following = self.cron.get_next_fire_time(None, now + timedelta(seconds=1))
            return stamp(following + timedelta(seconds=chance.uniform(0, 30)))
        seconds = self.interval(pace) if pace else self.seconds
        return stamp(now + timedelta(seconds=seconds + chance.uniform(0, min(seconds / 10, 60))))

    def interval(self, pace: Pace) -> float:
        """Seconds to the next visit of a listing that publishes at this pace.

        As usual at most, and half the time it usually takes to bring something new; longer once it was quiet for
        eight times as long; as fast as allowed when half of what it lists is new, since then it may have listed more.
        One that does not lead is read as often only while it brings something; else twice in the time it takes to fill
        a gap, and slowly where it filled none.
        """
        usual, fresh = self.seconds, pace.new and not pace.first
        wait = pace.gap_s / 2 if pace.gap_s is not None else usual if pace.leads else self.slowest
        if fresh and 2 * pace.new >= pace.listed > 0:
            wait = self.fastest
        else:
            wait = max(min(usual, wait) if pace.leads or fresh else wait, pace.quiet_s / 8)
        return min(max(wait, self.fastest), self.slowest)
