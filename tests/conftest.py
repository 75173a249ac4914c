"""Fixtures of tests that crawl: one reactor and one worker for all of them, a fresh archive and site for each."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from archive.topics import shipped_rules
from crawler import worker as readers
from crawler.worker import Worker
from tests.archive_kit import children
from tests.crawl_kit import Desk, Loop
from tests.servers import Site

settings.register_profile("rasid", deadline=None, max_examples=30)  # a busy machine is no fault of an example
settings.register_profile("thorough", deadline=None, max_examples=500)  # for `make test-slow`
settings.load_profile("rasid")
readers._SPAWN = children  # type: ignore[assignment]  # forked from what has loaded all; test_worker starts one anew


@pytest.fixture(autouse=True)
def umask() -> Iterator[None]:
    """A command run in this process takes away what it may; the next test begins as it was."""
    before = os.umask(0o022)
    os.umask(before)
    yield
    os.umask(before)


@pytest.fixture(scope="session")
def loop() -> Loop:
    return Loop()


@pytest.fixture(scope="session")
def worker() -> Iterator[Worker]:
    worker = Worker(shipped_rules())
    yield worker
    worker.close()


@pytest.fixture
def desk(loop: Loop, worker: Worker, tmp_path: Path) -> Iterator[Desk]:
    desk = Desk(loop, worker, tmp_path)
    yield desk
    desk.close()


@pytest.fixture
def site() -> Iterator[Site]:
    with Site() as site:
        yield site
