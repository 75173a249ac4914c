"""The power goes in the middle of writing: nothing confirmed is lost, nothing half-written stays."""

from __future__ import annotations

import os
import random
import shutil
from functools import partial
from pathlib import Path

import pytest

from archive.alerts.rules import AlertRule
from archive.frontier import finish_crawl, request, start_crawl, sync_outlets
from archive.looks import look
from archive.models import Article, Look
from archive.store import save
from archive.times import later
from archive.writer import Writer
from tests.archive_kit import NOW, OFF_TOPIC, ON_TOPIC, SANA, StandingClock, page, policy, shot, whole
from tests.power import Disk, can_watch, watched

pytestmark = pytest.mark.skipif(not can_watch(), reason="SQLite's C interface cannot be reached on this machine")
ALERTS = (AlertRule("r", ("sdf",), ("a@b.example",)),)


def work_until(path: Path, images: int, seed: int, every: int) -> list[tuple[Path, dict[str, set[int]]]]:
    """Save, look, ask and mail until so many images of the disk were taken; each with what was confirmed before it."""
    chance, clock, taken = random.Random(seed), StandingClock(), list[tuple[Path, dict[str, set[int]]]]()
    confirmed: dict[str, set[int]] = {"versions": set(), "requests": set(), "events": set(), "crawls": set()}

    def told(image: Path) -> None:
        taken.append((image, {table: set(ids) for table, ids in confirmed.items()}))

    with (
        watched(Disk(path, chance, every, told)),
        Writer(path, policy(alerts=ALERTS), clock=clock, group_size=4) as writer,
    ):
        writer.submit(lambda tx: sync_outlets(tx, [SANA])).result()
        writer.submit(lambda tx: tx.db.execute("PRAGMA wal_autocheckpoint=40")).result()
        number = 0
        while len(taken) < images:
            number += 1
            clock.at = later(NOW, 60 * number)
            crawl = writer.submit(lambda tx: start_crawl(tx, "sana")).result()
            waiting = []
            for thread in range(3):
                url = f"https://sana.example/{thread}/{number // 2}"  # every other save is an edit
                words = Article(f"{ON_TOPIC.title} {number}", f"{ON_TOPIC.text}\n{number}", extractor="test 1")
                given = page(url, clock.at, body=os.urandom(chance.randint(10, 9000)))
                article = chance.choice((words, words, OFF_TOPIC))
                snapshot = shot(article, given, outlet_id="sana", crawl_id=crawl)
                waiting.append(writer.submit(partial(save, snapshot=snapshot)))
            gone = Look(f"https://sana.example/0/{number // 3}", clock.at, "gone", "sana", crawl, status=404)
            seen = writer.submit(partial(look, look=gone))
            asked = request(path, "crawl", "sana", clock.at)
            confirmed["requests"].add(asked)
            for saved in waiting:
                became = saved.result()
                confirmed["versions"] |= {became.version_id} - {None}
                confirmed["events"] |= {became.event_id} - {None}
            seen.result()
            writer.submit(lambda tx, crawl=crawl: finish_crawl(tx, crawl)).result()
            confirmed["crawls"].add(crawl)
    return taken[:images]


def lose_power(directory: Path, images: int, seed: int, every: int) -> int:
    """Open every image as after the power came back; returns how many confirmed versions were looked for."""
    (directory / "desk").mkdir()
    looked_for = 0
    for image, confirmed in work_until(directory / "desk" / "archive.db", images, seed, every):
        with Writer(image / "archive.db", policy(alerts=ALERTS)) as writer:
            assert whole(writer) == [], image
            for table, ids in confirmed.items():
                sql = f"SELECT id FROM {table}"
                there = writer.submit(lambda tx, sql=sql: {row[0] for row in tx.db.execute(sql)}).result()
                assert ids <= there, f"{image}: {table} {sorted(ids - there)} were confirmed and are lost"
            mails = "SELECT count(*) FROM events e WHERE kind = 'new' AND NOT backlog AND NOT EXISTS " \
                    "(SELECT 1 FROM mail_events WHERE event_id = e.id)"  # fmt: skip
            assert writer.submit(lambda tx, sql=mails: tx.db.execute(sql).fetchone()[0]).result() == 0
            again = shot(page=page("https://sana.example/after"))
            assert writer.submit(partial(save, snapshot=again)).result().kind == "new"
            assert whole(writer) == []
        looked_for += len(confirmed["versions"])
        shutil.rmtree(image)
    return looked_for


def test_what_was_confirmed_is_there_when_the_power_comes_back(tmp_path):
    assert lose_power(tmp_path, images=12, seed=1, every=120) > 12


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("seed", range(5))
def test_power_lost_at_a_hundred_instants(tmp_path, seed):
    assert lose_power(tmp_path, images=100, seed=100 + seed, every=40) > 100


def test_a_disk_that_loses_what_was_synced_is_found_out(tmp_path):
    """The simulation has teeth: without the syncs, confirmed saves are lost or the archive is damaged."""
    syncs = Disk.sync
    try:
        Disk.sync = lambda self, path: None
        with pytest.raises(Exception, match=r"lost|malformed|cannot be used|damaged|captures of another|image-"):
            lose_power(tmp_path, images=8, seed=3, every=200)
    finally:
        Disk.sync = syncs
