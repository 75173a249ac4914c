"""The worker survives what pages do to it: they hang it, fill its memory, kill it; and it dies with its parent."""

import asyncio
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from archive.errors import ExtractionError
from archive.models import Page
from archive.rules import load_rules
from archive.topics import shipped_rules
from crawler.worker import Worker

SEED = Path(__file__).parent.parent / "seeds" / "000_98a9688859ba6c81.txt"


def page(body, kind="text/html"):
    return Page(
        "https://a.example/1", "https://a.example/1", "2026-01-21T11:00:00Z", 200, (("Content-Type", kind),), body
    )


GOOD = page(SEED.read_bytes(), "text/plain")
HANGING = page(("<html><body>" + "<p>كلمة" * 400_000 + "</body></html>").encode())  # trafilatura needs minutes for it


@pytest.fixture(scope="module")
def worker():
    worker = Worker(shipped_rules(), limit=2.0)
    yield worker
    worker.close()


def child_of(worker):
    return worker._child.pid


def alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"


def gone(pid, seconds=10):
    end = time.monotonic() + seconds
    while alive(pid) and time.monotonic() < end:
        time.sleep(0.05)
    return not alive(pid)


def test_reads_and_judges_in_another_process(worker):
    article, judgement = worker.read_sync(GOOD)
    assert article.credit == "شبكة شام"
    assert {match.topic for match in judgement.matches} == {"syria", "isis_detainees", "sdf"}
    assert child_of(worker) != os.getpid()


def test_a_hanging_page_is_given_up_and_the_next_is_read(worker):
    worker.read_sync(GOOD)
    before = child_of(worker)
    with pytest.raises(ExtractionError, match="not read within 2 s"):
        worker.read_sync(HANGING)
    assert not alive(before)
    assert worker.read_sync(GOOD)[0].credit == "شبكة شام"


def test_a_dead_child_is_replaced(worker):
    worker.read_sync(GOOD)
    os.kill(child_of(worker), signal.SIGSEGV)
    worker._child.join(10)  # dead to the last thread, so that the death is not the next page's
    assert worker.read_sync(GOOD)[0].credit == "شبكة شام"
    killer = threading.Timer(0.5, os.kill, (child_of(worker), signal.SIGKILL))
    killer.start()
    with pytest.raises(ExtractionError, match="died on this page"):
        worker.read_sync(HANGING)
    assert worker.read_sync(GOOD)[0].credit == "شبكة شام"


def test_memory_is_bounded():
    small = Worker(shipped_rules(), limit=20.0, memory=400_000_000)
    try:
        with pytest.raises(ExtractionError):
            small.read_sync(page(b"<html><body>" + b"<div>" * 60_000_000))
        assert small.read_sync(GOOD)[0].credit == "شبكة شام"
    finally:
        small.close()


def test_an_unreadable_page_is_said_and_costs_no_child(worker):
    worker.read_sync(GOOD)
    before = child_of(worker)
    with pytest.raises(ExtractionError, match=r"a\.example/1: there is no HTML"):
        worker.read_sync(page(b""))
    worker.read_sync(GOOD)
    assert child_of(worker) == before


def test_pages_asked_for_at_once_take_turns_and_the_loop_stays_free(worker):
    async def run():
        ticks = 0

        async def tick():
            nonlocal ticks
            while True:
                ticks += 1
                await asyncio.sleep(0.01)

        ticking = asyncio.create_task(tick())
        answers = await asyncio.gather(*(worker.read(GOOD) for _ in range(6)))
        ticking.cancel()
        return answers, ticks

    answers, ticks = asyncio.run(run())
    assert [article.credit for article, _ in answers] == ["شبكة شام"] * 6
    assert ticks > 1


def test_a_cancelled_read_stops_its_child_and_the_next_is_read(worker):
    async def run():
        await worker.read(GOOD)
        before = child_of(worker)
        reading = asyncio.create_task(worker.read(HANGING))
        await asyncio.sleep(0.3)
        reading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reading
        article, _ = await worker.read(GOOD)
        return before, article

    before, article = asyncio.run(run())
    assert article.credit == "شبكة شام"
    assert not alive(before)


def test_new_rules_judge_the_next_page():
    worker = Worker(shipped_rules())
    try:
        assert worker.read_sync(GOOD)[1].rule_set_sha256 == shipped_rules().sha256
        other = load_rules(shipped_rules().toml + "\n# changed\n", "topics.toml")
        worker.set_rules(other)
        assert worker.read_sync(GOOD)[1].rule_set_sha256 == other.sha256 != shipped_rules().sha256
    finally:
        worker.close()


def test_a_closed_worker_leaves_no_child_and_reads_no_more():
    worker = Worker(shipped_rules())
    worker.read_sync(GOOD)
    child = child_of(worker)
    worker.close()
    assert not alive(child)
    with pytest.raises(ExtractionError, match="called off"):
        worker.read_sync(GOOD)


def test_the_parent_stays_light_and_the_child_dies_with_it(tmp_path):
    script = tmp_path / "parent.py"
    script.write_text(f"""
import sys, time
sys.path.insert(0, {str(SEED.parent.parent)!r})
if __name__ == "__main__":
    from tests.test_worker import GOOD
    from archive.topics import shipped_rules
    from crawler.worker import Worker
    worker = Worker(shipped_rules())
    worker.read_sync(GOOD)
    print(worker._child.pid, "trafilatura" in sys.modules, "lxml" in sys.modules, flush=True)
    time.sleep(60)
""")
    parent = subprocess.Popen([sys.executable, str(script)], stdout=subprocess.PIPE, text=True)
    try:
        child, heavy, tree = parent.stdout.readline().split()
        assert (heavy, tree) == ("False", "False")
        assert alive(int(child))
    finally:
        parent.kill()
        parent.wait()
    assert gone(int(child))
