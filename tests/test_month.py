"""A month in the life of five newspapers, at the service's own pace and against real servers.

All they publish, edit and withdraw is told, once, and nothing else is, through outages, challenges and redesigns.
`make test-month` lives through whole months; the fast suite through some days. See `tests/month.py` for the script.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from crawler.worker import Worker
from tests.crawl_kit import Loop
from tests.month import EVERY, SLOWEST, Truth, newspapers
from tests.newspapers import DAY, HOUR, Paper
from tests.simulation import Printers, Simulation

SEEDS = [int(seed) for seed in os.environ.get("SEEDS", "1 2 3").split()]


def live_through(
    loop: Loop, worker: Worker, directory: Path, papers: list[Paper], days: float, slowest: float = SLOWEST
) -> Truth:
    """The service at work for so many days, and what it tells of them compared with what was."""
    with Printers(papers) as printers:
        simulation = Simulation(loop, worker, directory, printers)
        simulation.settings |= {"crawl.every": f"{EVERY:.0f}s"}
        for paper in papers:
            paper.keys = {"slowest": f'"{slowest:.0f}s"'}
        simulation.open()
        try:
            simulation.run(
                days * DAY, seconds=3000, every=lambda: print(end=f"day {simulation.t / DAY:.1f}\r", flush=True)
            )
            truth = Truth(simulation, papers, printers.log(), days * DAY, slowest)
        finally:
            simulation.close()
    told = ", ".join(f"{count} {what}" for what, count in sorted(truth.tally.counts.items()))
    print(f"\n{days:g} days, {len(simulation.turns)} requests: {told}; wrong {len(truth.tally.wrong)}")
    return truth


@pytest.mark.month
@pytest.mark.timeout(3000)
@pytest.mark.parametrize("seed", SEEDS)
def test_a_month_is_told_as_it_was(loop: Loop, worker: Worker, tmp_path: Path, seed: int) -> None:
    truth = live_through(loop, worker, tmp_path, newspapers(seed, 30), 30)
    assert not truth.tally.wrong, "\n".join(truth.tally.wrong)
    assert truth.tally.counts["withdrawals"] >= 4


def test_a_day_is_told_as_it_was(loop: Loop, worker: Worker, tmp_path: Path) -> None:
    papers = [paper for paper in newspapers(74, 1, gap=9 * HOUR) if paper.name == "atom"]
    truth = live_through(loop, worker, tmp_path, papers, 1, slowest=EVERY)
    assert not truth.tally.wrong, "\n".join(truth.tally.wrong)
    assert truth.tally.counts["edits"] >= 1
    assert truth.tally.counts["withdrawals"] >= 1
