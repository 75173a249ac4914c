"""What hangs is noticed, told, and delays nobody else: jobs, pages, outlets, mail servers."""

import asyncio
import socket
import time

import pytest

from archive.errors import ExtractionError, WorkError
from archive.models import Page
from archive.topics import shipped_rules
from crawler.jobs import Jobs
from crawler.monitor import HEAD_BYTES, Monitor
from crawler.supervisor import Supervisor
from crawler.worker import Readers
from tests.servers import Site
from tests.service_kit import configure, free_port, publish, rows, service, text, until
from tests.test_worker import GOOD, HANGING


class Hours:
    """A clock that is set by hand, and work that ends when told."""

    def __init__(self):
        self.now, self.done, self.fault = 0.0, asyncio.Event(), None
        self.begun = 0

    async def work(self):
        self.begun += 1
        await self.done.wait()
        if self.fault:
            raise self.fault

    async def nothing(self):
        pass


def test_a_job_that_misses_its_limit_is_told_and_holds_up_no_other():
    async def story():
        hours = Hours()
        jobs = Jobs(lambda: hours.now, rest=30)
        jobs.plan({"deliver": (hours.work, 2, 600, 2), "tick": (hours.nothing, 1, 60, 1)})
        first = jobs.begin("deliver")
        await asyncio.sleep(0)
        hours.now = 601.0
        jobs.watch()
        assert jobs.begin("deliver") is first
        await jobs.begin("tick")
        told = jobs.troubles()
        assert told["job deliver"] == "deliver is under way 601 s, more than its 600 s"
        assert told["job tick"] == "tick is 600 s late; is the machine overloaded?"
        hours.done.set()
        await first
        assert jobs.troubles()["job deliver"] == "deliver took 601 s, more than its 600 s"
        await asyncio.gather(jobs.begin("deliver"), jobs.begin("tick"))  # missed runs became one
        assert (hours.begun, jobs.troubles(), jobs.all["deliver"].missed) == (2, {}, 1)

    asyncio.run(story())


def test_a_job_that_fails_is_told_until_it_does_not_and_plans_change():
    async def story():
        hours = Hours()
        hours.done.set()
        hours.fault = WorkError("no stamp")
        jobs = Jobs(lambda: hours.now, rest=30)
        jobs.plan({"stamp": (hours.work, 3600, 60, 60), "backup": (hours.nothing, 86400, 60, 60)})
        await jobs.begin("stamp")
        assert jobs.troubles() == {"job stamp": "stamp failed: no stamp"}
        hours.fault = None
        await jobs.begin("stamp")
        assert jobs.troubles() == {}
        stays = jobs.all["stamp"]
        jobs.plan({"stamp": (hours.work, 3600, 60, 60), "backup": (hours.nothing, 3600, 60, 60)})
        assert (jobs.all["stamp"] is stays, jobs.all["backup"].every) == (True, 3600)
        jobs.plan({})
        assert not jobs.all

    asyncio.run(story())


def test_a_page_that_hangs_delays_its_own_host_alone():
    readers = Readers(shipped_rules(), limit=1.5, held=0.2)

    async def story():
        hanging = asyncio.gather(*(readers.read(HANGING) for _ in range(2)), return_exceptions=True)
        await asyncio.sleep(0.1)
        other = Page("https://b.example/1", "https://b.example/1", GOOD.at, 200, GOOD.headers, GOOD.body)
        article, _ = await readers.read(other)
        assert article.credit
        assert not hanging.done()
        assert [type(failed) for failed in await hanging] == [ExtractionError] * 2
        assert readers._slow == {"a.example"}
        await readers.read(GOOD)
        assert not readers._slow

    try:
        asyncio.run(story())
    finally:
        readers.close()


def ask(port, request, wait=True):
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(request)
        answer = b""
        while wait and (piece := connection.recv(4096)):
            answer += piece
        return answer.partition(b"\r\n")[0].decode()


def test_the_pages_for_monitoring_bear_with_guests_without_manners():
    async def page():
        return 200, "ok\n"

    async def story():
        port, monitor = free_port(), Monitor({"/healthz": page})
        await monitor.listen("127.0.0.1", port)
        idle = [socket.create_connection(("127.0.0.1", port)) for _ in range(3)]  # and never a word
        requests = {
            b"GET /healthz?x=1 HTTP/1.1\r\nHost: x\r\n\r\n": "HTTP/1.1 200 OK",
            b"POST /healthz HTTP/1.1\r\n\r\n": "HTTP/1.1 405 Method Not Allowed",
            b"GET /../etc/passwd HTTP/1.1\r\n\r\n": "HTTP/1.1 404 Not Found",
            b"\xff\x00\r\n\r\n": "HTTP/1.1 405 Method Not Allowed",
            b"GET /" + b"a" * (2 * HEAD_BYTES): "",
        }
        for request, answer in requests.items():
            try:
                assert await asyncio.to_thread(ask, port, request) == answer
            except ConnectionResetError:
                assert answer == ""
        monitor.close()
        for connection in idle:
            connection.close()

    asyncio.run(story())


def test_a_supervisor_that_is_gone_or_does_not_listen_harms_nobody(tmp_path):
    Supervisor().tell("READY=1")
    Supervisor(str(tmp_path / "nobody")).tell("READY=1")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ear:
        ear.bind("\0rasid-test-" + tmp_path.name)
        deaf = Supervisor("@rasid-test-" + tmp_path.name)
        for _ in range(2000):  # more than its queue holds
            deaf.tell("WATCHDOG=1")
        assert ear.recv(100) == b"WATCHDOG=1"


ENTRY = """
[[outlet]]
id = "{id}"
name_ar = "موقع"
name_en = "{id}"
homepage = "{url}/"
feeds = ["{url}/feed"]
allow_private = true
"""


@pytest.mark.slow
def test_a_hung_outlet_extractor_and_mail_server_at_once_delay_nobody(tmp_path):
    with Site() as well, Site() as hung, Site() as heavy, socket.create_server(("127.0.0.1", 0)) as mail:
        configure(tmp_path, well, mail.getsockname()[1], every="1s")
        with (tmp_path / "outlets.toml").open("a", encoding="utf-8") as more:
            more.write(ENTRY.format(id="hung", url=hung.url) + ENTRY.format(id="heavy", url=heavy.url))
        hung.route("/feed", lambda visit: visit.hang())
        heavy.feed("/feed", [heavy.page(f"/news/{n}.html", HANGING.body.decode()) for n in range(20)])
        publish(well, 1)
        with service(tmp_path) as process:
            mail.settimeout(40)
            silent, _ = mail.accept()  # and never a greeting
            until(lambda: hung.hits("/feed") and heavy.hits("/news/1.html"), what="all that hangs")
            took = []
            for number in range(2, 8):
                begun = time.monotonic()
                well.article(f"/news/{number}.html", f"قسد ومعتقلو داعش {number}", text(number))
                well.feed("/feed", [f"{well.url}/news/{number}.html"])
                until(lambda n=number: rows(tmp_path, "select count(*) from latest") == [(n,)], what="an article")
                took.append(time.monotonic() - begun)
            assert process.poll() is None
            silent.close()
        print("seconds from publication to the archive:", [round(seconds, 1) for seconds in took])
        assert rows(tmp_path, "select count(*) from mails where state = 'sent'") == [(0,)]
