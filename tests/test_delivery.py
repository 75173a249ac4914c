"""The outbox against real SMTP servers that take, put off, refuse, hang, drop and die."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import threading
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP as SmtpServer
from msgspec import structs

from archive.alerts.delivery import DeliveryReport, deliver_due
from archive.alerts.outbox import LAST_ATTEMPT
from archive.times import later, moment
from archive.writer import Writer
from tests.archive_kit import NOW, Kit, children, policy, unlike
from tests.delivery_kit import LOCAL, RULE, Sink, deliver, error, outbox, several, wait


@pytest.fixture
def kit(tmp_path):
    kit = Kit(tmp_path, alerts=(RULE,))
    yield kit
    kit.writer.close()


@pytest.fixture
def sink():
    return Sink()


def test_what_is_due_is_sent_once_over_one_connection(kit, sink):
    several(kit, 3)
    with sink.up() as smtp:
        assert deliver(kit, smtp) == DeliveryReport(sent=3)
        assert deliver(kit, smtp) == DeliveryReport()
    assert outbox(kit) == [("sent", 1, None, NOW)] * 3
    assert sink.ids == [row[0] for row in kit.rows("SELECT message_id FROM mails ORDER BY id")]
    assert sink.mails[0]["To"] == "desk@example.org"
    assert "قسد تنقل معتقلي داعش" in sink.mails[0].get_body(("plain",)).get_content()


def test_nothing_due_asks_no_server(kit):
    assert deliver(kit, LOCAL) == DeliveryReport()
    kit.save(backlog=True)  # a digest still gathers
    assert deliver(kit, LOCAL) == DeliveryReport()


def test_a_digest_goes_out_when_it_has_gathered(kit, sink):
    for number in range(3):
        kit.save(unlike(number), url=f"https://sana.example/{number}", backlog=True)
    wait(kit, 3600)
    with sink.up() as smtp:
        assert deliver(kit, smtp).sent == 1
    assert sink.mails[0]["Subject"] == "خلاصة أخبار (3): desk"


def test_a_run_is_bounded_and_can_be_stopped(kit, sink):
    several(kit, 5)
    with sink.up() as smtp:
        assert deliver(kit, smtp, limit=2).sent == 2
        assert deliver(kit, smtp, stop=lambda: len(sink.mails) == 3).sent == 1
        assert deliver(kit, smtp).sent == 2
    assert len(set(sink.ids)) == 5


def test_a_server_that_is_down_loses_nothing_however_long(kit, sink):
    several(kit, 3)
    for _ in range(40):
        down = deliver(kit, replace(LOCAL, port=sink.port), limit=2)
        assert (down.sent, down.put_off, down.failed) == (0, 3, 0)  # one knock for all that is due
        assert f"127.0.0.1:{sink.port}" in str(down.error)
        assert outbox(kit) == [("queued", 0, later(kit.clock.at, 300), None)] * 3
        assert error(kit) == down.error
        wait(kit, 6 * 3600)
    with sink.up() as smtp:
        assert deliver(kit, smtp) == DeliveryReport(sent=3)
        assert deliver(kit, smtp) == DeliveryReport()
    assert kit.rows("SELECT DISTINCT error, attempts FROM mails") == [(None, 1)]


def test_a_digest_gathers_on_while_the_server_is_down(kit, sink):
    kit.save(backlog=True)
    wait(kit, 3600)
    assert deliver(kit, replace(LOCAL, port=sink.port)).put_off == 1
    kit.save(unlike(2), at=kit.clock.at, url="https://sana.example/2", backlog=True)
    wait(kit, 3600)
    with sink.up() as smtp:
        assert deliver(kit, smtp).sent == 1
    assert sink.mails[0]["Subject"] == "خلاصة أخبار (2): desk"


def test_attempts_grow_apart_for_three_days_and_then_end(kit, sink):
    kit.save()
    sink.rcpt = ["451 4.3.2 later"] * 100
    gaps = []
    with sink.up() as smtp:
        while outbox(kit)[0][0] == "queued":
            gaps.append((moment(outbox(kit)[0][2]) - moment(kit.clock.at)).total_seconds())
            kit.clock.at = outbox(kit)[0][2]
            assert deliver(kit, smtp).sent == 0
    assert gaps[:10] == [0, 60, 120, 240, 480, 960, 1920, 3840, 7680, 14400]
    assert set(gaps[10:]) == {14400}
    assert 3 * 86400 <= sum(gaps) <= 3.1 * 86400
    assert outbox(kit) == [("failed", LAST_ATTEMPT, None, None)]
    assert "451 4.3.2 later" in error(kit)


@pytest.mark.parametrize(("chance", "answered", "not_reached"), [(0.0, 45, 225), (0.999, 74, 374)])
def test_chance_spreads_the_attempts(kit, sink, chance, answered, not_reached):
    kit.save()
    deliver(kit, replace(LOCAL, port=sink.port), chance=lambda: chance)
    assert outbox(kit)[0][2] == later(NOW, not_reached)
    again = wait(kit, 600)
    sink.rcpt = ["451 later"]
    with sink.up() as smtp:
        deliver(kit, smtp, chance=lambda: chance)
    assert outbox(kit)[0][2] == later(again, answered)


class Closed(SmtpServer):
    """Refuses the first mail before its first byte."""

    refused = False

    async def smtp_DATA(self, arg):
        if type(self).refused:
            await super().smtp_DATA(arg)
        else:
            type(self).refused = True
            await self.push("554 no valid recipients")


def test_a_mail_refused_before_its_first_byte_is_no_fault_of_the_next(kit, sink, monkeypatch):
    several(kit, 2)
    monkeypatch.setattr(Controller, "factory", lambda controller: Closed(controller.handler))
    with sink.up() as smtp:
        report = deliver(kit, smtp)
    assert (report.sent, report.failed, report.put_off) == (1, 1, 0)


@pytest.mark.parametrize(
    "alerts",
    [
        (),
        (structs.replace(RULE, to=("night@example.org",)),),
        (structs.replace(RULE, name="other", topics=("sdf",), on=("withdrawn",)),),
    ],
    ids=str,
)
def test_whoever_was_taken_out_of_the_rules_is_written_to_no_more(kit, sink, alerts):
    kit.save()
    kit.writer.set_policy(policy(alerts=alerts))
    with sink.up() as smtp:
        assert deliver(kit, smtp).sent == 0
    assert sink.mails == []
    assert outbox(kit) == [("failed", 0, None, None)]
    assert error(kit) == "no alert rule 'desk' writes to desk@example.org any more"


@pytest.mark.parametrize("where", ["rcpt", "data"])
def test_not_now_waits_and_never_is_final(kit, sink, where):
    several(kit, 3)
    getattr(sink, where).extend(["451 4.7.1 greylisted", "550 5.1.1 no such person"])
    with sink.up() as smtp:
        report = deliver(kit, smtp)
        assert (report.sent, report.put_off, report.failed) == (1, 1, 1)
        assert outbox(kit) == [
            ("queued", 1, later(NOW, 60), None),
            ("failed", 1, None, None),
            ("sent", 1, None, NOW),
        ]
        assert error(kit) == "desk@example.org: refused: 451 4.7.1 greylisted"
        assert kit.one("SELECT error FROM mails WHERE id = 2") == "desk@example.org: refused: 550 5.1.1 no such person"
        wait(kit, 60)
        assert deliver(kit, smtp) == DeliveryReport(sent=1)
    assert len(set(sink.ids)) == len(sink.ids) == 2


def test_a_mail_taken_without_a_word_is_sent_again_as_the_same(kit, sink):
    several(kit, 2)
    sink.data = ["take and hang up"]
    with sink.up() as smtp:
        lost = deliver(kit, smtp)
        assert (lost.sent, lost.put_off) == (0, 1)
        assert "the connection was lost" in str(lost.error)
        assert [state for state, *_ in outbox(kit)] == ["queued", "queued"]
        wait(kit, 60)
        assert deliver(kit, smtp).sent == 2
    assert sorted(sink.ids) == sorted(
        [sink.ids[0], *kit.one("SELECT group_concat(message_id, ' ') FROM mails").split()]
    )


@contextmanager
def rude_server(*lines: bytes | None):
    """Says these lines, one for each thing it hears, then hangs up. None: says nothing more, and stays."""
    listening, done = socket.create_server(("127.0.0.1", 0)), threading.Event()

    def serve() -> None:
        while True:
            try:
                talk, _ = listening.accept()
            except OSError:
                return
            with talk:
                for line in lines:
                    if line is None:
                        done.wait(20)
                        break
                    talk.sendall(line + b"\r\n")
                    talk.recv(4096)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield replace(LOCAL, port=listening.getsockname()[1], timeout=0.3)
    finally:
        done.set()
        listening.shutdown(socket.SHUT_RDWR)
        listening.close()
        thread.join(5)


@pytest.mark.parametrize(
    "lines",
    [
        (None,),
        (b"220 hello", None),
        (b"220 hello", b"250 ok", b"250 ok", b"250 ok", b"354 go on"),  # hangs up in the middle of a mail
        (b"220 hello", b"250 ok", b"250 ok", b"250 ok", b"354 go on", None),
        (b"554 go away",),
        (b"\xff\xfe nonsense",),
        (),
    ],
)
def test_a_server_that_hangs_or_drops_costs_no_mail(kit, sink, lines):
    kit.save()
    with rude_server(*lines) as smtp:
        report = deliver(kit, smtp)
    assert (report.sent, report.put_off, report.failed) == (0, 1, 0)
    talked = b"220 hello" in lines  # the mail itself was tried
    assert outbox(kit) == [("queued", int(talked), later(NOW, 60 if talked else 300), None)]
    assert error(kit) == report.error
    assert "127.0.0.1" in error(kit)
    wait(kit, 300)
    with sink.up() as smtp:
        assert deliver(kit, smtp).sent == 1


def test_a_sender_that_is_not_allowed_waits_for_the_mend(kit):
    kit.save()
    with rude_server(b"220 hello", b"250 ok", b"553 5.7.1 not your address", b"250 ok", b"221 bye") as smtp:
        report = deliver(kit, smtp)
    assert (report.put_off, report.failed) == (1, 0)
    assert "refuses smtp.sender rasid@example.org: 553 5.7.1 not your address" in error(kit)


def test_a_mail_that_cannot_be_written_holds_up_no_other(kit, sink):
    several(kit, 2)
    kit.do(lambda tx: tx.db.execute("DELETE FROM mail_events WHERE mail_id = 1"))
    with sink.up() as smtp:
        report = deliver(kit, smtp)
    assert (report.sent, report.failed) == (1, 1)
    assert "cannot be written" in error(kit)


def deliver_until_killed(path: Path, port: int) -> None:
    """A process that is handing a mail over when it dies."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    writer = Writer(path, policy(alerts=(RULE,)))
    deliver_due(writer, replace(LOCAL, port=port), contact="editor@example.org", desk_url="http://127.0.0.1:8001")


def test_a_crash_between_handing_over_and_knowing_sends_the_same_mail_again(kit, sink):
    kit.save()
    (message_id,) = kit.one("SELECT message_id FROM mails").split()
    kit.writer.close()
    arrived, gone = threading.Event(), threading.Event()

    class Slow(Sink):
        async def handle_DATA(self, server, session, envelope):
            await super().handle_DATA(server, session, envelope)
            arrived.set()
            while not gone.is_set():
                await asyncio.sleep(0.01)
            return "250 taken"

    slow = Slow()
    with slow.up():
        child = children.Process(target=deliver_until_killed, args=(kit.path, slow.port))
        child.start()
        assert arrived.wait(30)
        os.kill(child.pid, signal.SIGKILL)
        child.join(10)
        gone.set()
    kit.writer = Writer(kit.path, policy(alerts=(RULE,)), clock=kit.clock)
    assert [state for state, *_ in outbox(kit)] == ["sending"]
    with sink.up() as smtp:
        assert deliver(kit, smtp).sent == 1
        assert deliver(kit, smtp).sent == 0
    assert slow.ids == sink.ids == [message_id]
    assert outbox(kit) == [("sent", 2, None, NOW)]


def test_a_run_that_begins_while_another_sends_waits_for_it(kit):
    several(kit, 3)
    arrived = threading.Event()

    class Slow(Sink):
        async def handle_DATA(self, server, session, envelope):
            answer = await super().handle_DATA(server, session, envelope)
            arrived.set()
            await asyncio.sleep(0.2)  # long enough for the other run to take this mail for one a crash left behind
            return answer

    slow = Slow()
    with slow.up() as smtp:
        first, second = (threading.Thread(target=deliver, args=(kit, smtp)) for _ in range(2))
        first.start()
        assert arrived.wait(10)
        second.start()
        first.join(20)
        second.join(20)
    assert len(slow.ids) == len(set(slow.ids)) == 3
