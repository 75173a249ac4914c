"""When an outlet is due: intervals with jitter, and cron lines in UTC."""

import random
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.times import moment
from crawler.schedule import Schedule

NOW = datetime(2026, 1, 21, 10, 7, 30, tzinfo=UTC)


@given(st.integers(1, 10**6), st.integers())
def test_an_interval_is_never_shorter_and_at_most_a_tenth_or_a_minute_longer(seconds, seed):
    due = moment(Schedule.read(f"{seconds}s").next_at(NOW, random.Random(seed)))
    waited = (due - NOW).total_seconds()
    assert seconds <= waited <= seconds + min(seconds / 10, 60)


def test_outlets_do_not_move_in_step():
    plan = Schedule.read("15m")
    assert len({plan.next_at(NOW, random.Random(seed)) for seed in range(20)}) > 10


@pytest.mark.parametrize(
    ("line", "due"),
    [
        ("*/20 * * * *", "2026-01-21T10:20"),
        ("0 5 * * *", "2026-01-22T05:00"),
        ("30 6-8 * * mon", "2026-01-26T06:30"),
        ("7 10 * * *", "2026-01-22T10:07"),  # this minute has passed
    ],
)
def test_a_cron_line_is_kept_in_utc_with_half_a_minute_of_jitter(line, due):
    planned = datetime.fromisoformat(due).replace(tzinfo=UTC)
    for seed in range(10):
        assert (
            timedelta(0)
            <= moment(Schedule.read(line).next_at(NOW, random.Random(seed))) - planned
            <= timedelta(seconds=30)
        )


@pytest.mark.parametrize("text", ["", "15", "0s", "500ms", "* * * *", "61 * * * *", "every day", "٥ دقائق"])
def test_what_cannot_be_meant_is_refused_with_the_mend(text):
    with pytest.raises(ValueError, match=r"interval|cron"):
        Schedule.read(text)
