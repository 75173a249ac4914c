"""When an outlet is due: an interval, or five cron fields, with jitter so that outlets do not move in step."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from archive.times import stamp
from crawler.units import Duration


@dataclass(frozen=True, slots=True)
class Schedule:
    """Either `seconds` between visits, or a `cron` line in UTC."""

    seconds: float | None = None
    cron: str | None = None

    @classmethod
    def read(cls, text: str) -> Schedule:
        """Read `"15m"` or `"*/20 6-23 * * *"`. Raises ValueError with the mend.

        >>> Schedule.read("15m").seconds
        900.0
        """
        if len(text.split()) == 5:
            from apscheduler.triggers.cron import CronTrigger  # slow to import, and only needed here

            try:
                if not CronTrigger.from_crontab(text, timezone=UTC).get_next_fire_time(
                    None, datetime(2026, 1, 1, tzinfo=UTC)
                ):
                    raise ValueError("that day never comes")
            except ValueError as error:
                raise ValueError(f"{text!r} is no cron line: {error}") from error
            return cls(cron=text)
        try:
            if (seconds := Duration.read(text)) >= 1:
                return cls(seconds=seconds)
        except ValueError:
            pass
        raise ValueError(f'{text!r}: write an interval such as "15m" or five cron fields such as "*/20 * * * *"')

    def next_at(self, now: datetime, chance: random.Random) -> str:
        """The stamp of the next visit. Up to a tenth of the interval (at most 60 s) is added by `chance`."""
        if self.seconds is not None:
            return stamp(now + timedelta(seconds=self.seconds + chance.uniform(0, min(self.seconds / 10, 60))))
        from apscheduler.triggers.cron import CronTrigger

        following = CronTrigger.from_crontab(self.cron, timezone=UTC).get_next_fire_time(
            None, now + timedelta(seconds=1)
        )
        assert following is not None  # noqa: S101  # a five-field cron line has no end
        return stamp(following + timedelta(seconds=chance.uniform(0, 30)))
