"""When an outlet is due: intervals with jitter, and cron lines in UTC."""

import random
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.frontier import Pace
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


def interval(every="15m", fastest=None, slowest=None, **seen):
    usual = {"listed": 10, "new": 0, "gap_s": 1200, "quiet_s": 0, "first": False, "leads": True}
    return Schedule.read(every, fastest, slowest).interval(Pace(**usual | seen)) / 60


def test_a_listing_is_read_as_often_as_it_publishes():
    assert interval(new=1, gap_s=1200) == 10  # half the time it takes to bring something new
    assert interval(new=1, gap_s=4 * 3600) == 15  # but as often as it was said, at least
    assert interval(new=1, gap_s=60) == 3  # and a fifth of that at most
    assert interval(new=5) == 3  # half of what it lists is new: it may have listed more than we saw
    assert interval(new=5, listed=0) == 10  # it lists nothing but news, or was an index
    assert interval(new=10, first=True, gap_s=None) == 15
    assert interval(new=10, first=True, gap_s=None, leads=False) == 60
    assert interval(gap_s=None) == 15


def test_a_quiet_listing_is_read_ever_more_rarely():
    waits = [interval(quiet_s=hours * 3600) for hours in (0, 1, 2, 4, 6, 8, 400)]
    assert waits == [10, 10, 15, 30, 45, 60, 60]


def test_what_does_not_lead_is_read_as_often_as_it_finds_what_the_leader_missed():
    assert interval(leads=False, gap_s=None) == 60
    assert interval(leads=False, gap_s=None, new=1) == 15
    assert interval(leads=False) == interval(leads=False, new=1) == 10
    assert interval(leads=False, gap_s=3600, new=1) == 15  # there may be more
    assert interval(leads=False, gap_s=3600) == 30  # more rarely than is usual for the leader
    assert interval(leads=False, gap_s=4 * 3600) == 60
    assert interval(leads=False, quiet_s=6 * 3600) == 45
    assert interval(leads=False, new=5) == 3


def test_bounds_are_kept_whatever_was_seen():
    assert interval(new=9, fastest=300) == 5
    assert interval(leads=False, gap_s=None, slowest=1200) == 20
    assert interval("1m", new=9) == 1
    assert interval("20s", new=9) == interval("20s", leads=False) == 1 / 3  # so short a time is meant as it is written


def test_a_cron_line_is_kept_whatever_was_seen():
    pace = Pace(10, 10, 60, 0, False, True)
    assert Schedule.read("0 5 * * *").next_at(NOW, random.Random(1), pace).startswith("2026-01-22T05:00")
