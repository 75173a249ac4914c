"""The service as an operator runs it: a real process, a real outlet, a real mail server, and real kills."""

import asyncio
import json
import signal
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial

import pytest

from archive.errors import ArchiveBusy, WorkError
from archive.sqlite import connect_write
from archive.times import utc_now
from crawler import visits
from crawler.config import load_config
from crawler.demo.places import Sink
from crawler.service import Service
from crawler.session import open_session, run_reactor
from tests import program
from tests.archive_kit import children
from tests.servers import Site, article, rss
from tests.service_kit import TITLE, configure, free_port, mails, publish, rasid, rows, service, started, text, until


def test_an_article_is_found_kept_and_told_and_sigterm_drains(tmp_path):
    with Site() as site, Sink(tmp_path / "mail", free_port()).running() as sink:
        configure(tmp_path, site, sink.port)
        publish(site, 1)
        with started(tmp_path, "run") as process:
            until(lambda: len(sink.mails) == 1, what="the first mail")
            publish(site, 1, 2)
            until(lambda: len(sink.mails) == 2, what="the second mail")
            site.article("/news/1.html", TITLE.format(n=1), text(1) + "\nونفت الحكومة ذلك.")
            until(lambda: len(sink.mails) == 3, what="the mail about the edit")
            process.send_signal(signal.SIGTERM)
            assert process.wait(20) == 0
        assert rows(tmp_path, "select kind, count(*) from events group by kind order by kind") == [
            ("edited", 1),
            ("new", 2),
        ]
        assert rows(tmp_path, "select count(*) from crawls where outcome = 'running'") == [(0,)]
        subjects = [mail["subject"] for mail in mails(sink)]
        assert all("معتقلي داعش" in subject for subject in subjects)
        assert len({mail["message-id"] for mail in mails(sink)}) == 3


def test_what_an_outlet_lists_at_first_contact_is_no_dozen_of_mails(tmp_path):
    with Site() as site, Sink(tmp_path / "mail", free_port()).running() as sink:
        configure(tmp_path, site, sink.port, backlog="digest")
        publish(site, *range(1, 13))
        with service(tmp_path):
            until(lambda: rows(tmp_path, "select count(*) from latest") == [(12,)], what="the backlog")
            publish(site, *range(1, 14))
            until(lambda: rows(tmp_path, "select 1 from mails where state = 'sent'"), what="the mail about the new one")
        assert len(sink.mails) == 1
        assert rows(tmp_path, "select count(*) from events where backlog = 1") == [(12,)]
        assert rows(tmp_path, "select kind, state, count(*) from mails group by kind order by kind") == [
            ("digest", "queued", 1), ("instant", "sent", 1),
        ]  # fmt: skip
        assert "الدفعة 13" in mails(sink)[0]["subject"]


def test_a_dead_mail_server_loses_nothing(tmp_path):
    port = free_port()
    with Site() as site:
        configure(tmp_path, site, port)
        publish(site, 1, 2, 3)
        with service(tmp_path):
            waiting = "select count(*) from mails where error is not null and attempts = 0"
            until(lambda: rows(tmp_path, waiting) == [(3,)], what="three mails that wait for the server")
        db_ids = {row[0] for row in rows(tmp_path, "select message_id from mails")}
        make_due(tmp_path)
        with Sink(tmp_path / "mail", port).running() as sink, service(tmp_path):
            until(lambda: len(sink.mails) == 3, what="the mails")
            time.sleep(3)
            assert len(sink.mails) == 3
        assert {mail["message-id"] for mail in mails(sink)} == db_ids


def test_a_mail_on_its_way_when_the_service_is_stopped_is_not_sent_again(tmp_path):
    class Slow(Sink):
        async def handle_DATA(self, server, session, envelope):
            answer = await super().handle_DATA(server, session, envelope)
            await asyncio.sleep(0.7)
            return answer

    with Site() as site, Slow(tmp_path / "mail", free_port()).running() as sink:
        configure(tmp_path, site, sink.port, every="1h")
        publish(site, 1)
        with service(tmp_path) as process:
            until(lambda: len(sink.mails) == 1, what="the mail")
            process.send_signal(signal.SIGTERM)
            assert process.wait(20) == 0
        assert rows(tmp_path, "select state, attempts from mails") == [("sent", 1)]


def make_due(directory):
    """What waits out its backoff is tried now: an hour in one step."""
    db = connect_write(directory / "archive.db")
    db.execute("update mails set next_attempt_at = '2020-01-01T00:00:00Z' where state = 'queued'")
    db.close()


@pytest.mark.parametrize(
    "instant", [pytest.param(0.3, marks=pytest.mark.slow), 0.8, pytest.param(1.4, marks=pytest.mark.slow)]
)
def test_killed_in_the_middle_everything_is_kept_once_and_told_once(tmp_path, instant):
    with Site() as site, Sink(tmp_path / "mail", free_port()).running() as sink:
        configure(tmp_path, site, sink.port)
        publish(site, *range(1, 9))
        with service(tmp_path) as process:
            until(lambda: site.hits("/news/1.html") + site.hits("/feed") > 0, what="the first request")
            time.sleep(instant)
            process.send_signal(signal.SIGKILL)
            process.wait(20)
        with service(tmp_path):
            until(lambda: rows(tmp_path, "select count(*) from latest") == [(8,)], what="all eight articles")
            until(lambda: len({m["message-id"] for m in mails(sink)}) == 8, what="all eight mails")
        assert rows(tmp_path, "select count(*), count(distinct article_id) from versions") == [(8, 8)]
        assert rows(tmp_path, "select count(*) from ledger") == [(8,)]
        # Between the server's yes and our noting it lies an instant in which a kill repeats one mail, recognisably.
        assert len(sink.mails) <= 9


def test_a_second_rasid_refuses_and_crawl_save_and_label_ask_the_first(tmp_path):
    with Site() as site, Sink(tmp_path / "mail", free_port()).running() as sink:
        configure(tmp_path, site, sink.port, every="1h")
        publish(site, 1)
        with service(tmp_path):
            until(lambda: rows(tmp_path, "select count(*) from latest") == [(1,)], what="the first article")
            second = rasid(tmp_path, "run")
            assert second.returncode == 1
            assert "Traceback" not in second.stderr
            assert "archive" in second.stderr
            off = site.article("/news/9.html", "افتتاح معرض الكتاب", "افتتح المعرض أبوابه بحضور ناشرين كثيرين.\n" * 4)
            site.feed("/feed", [*publish(site, 1, 2), off])
            asked = rasid(tmp_path, "crawl", "local", "--json")
            assert asked.returncode == 0, asked.stderr
            assert json.loads(asked.stdout)[0]["discovered"] == 2
            assert rows(tmp_path, "select count(*) from latest") == [(2,)]
            page = site.page("/about.html", article("عن الصحيفة", "تأسست الصحيفة قبل عشرين عاماً في المدينة.\n" * 4))
            saved = rasid(tmp_path, "save", page, "--json")
            assert saved.returncode == 0, saved.stderr
            assert json.loads(saved.stdout) == [{"url": page, "became": "ok", "article_id": 4}]
            passed = str(rows(tmp_path, "select id from articles where latest_version_id is null")[0][0])
            labelled = rasid(tmp_path, "topics", "label", passed, "syria", "yes")
            assert labelled.returncode == 0, labelled.stderr
            assert rows(tmp_path, "select article_id, verdict from labels join versions on id = version_id") == [
                (int(passed), "yes")
            ]
            assert rows(
                tmp_path,
                f"select count(j.mail_id) from events e left join mail_events j on j.event_id = e.id "
                f"where article_id = {passed}",
            ) == [(0,)]  # an editor's word is no news
            missing = json.loads(rasid(tmp_path, "save", site.url + "/none", "--json").stdout)
            assert missing[0]["became"] == "gone: answered 404"
            assert json.loads(rasid(tmp_path, "status", "--json").stdout)["outlets"][0]["state"] == "ok"


def test_ctrl_c_ends_a_crawl_soon_and_what_was_not_read_is_still_due(tmp_path):
    with Site() as site, Sink(tmp_path / "mail", free_port()).running() as sink:
        configure(tmp_path, site, sink.port)
        links = publish(site, 1, 2)
        site.route("/news/1.html", lambda visit: visit.hang())
        site.route("/news/2.html", lambda visit: visit.hang())
        with started(tmp_path, "crawl") as process:
            until(lambda: site.hits("/news/1.html") + site.hits("/news/2.html"), what="an article's request")
            process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=20)
        assert (process.returncode, "interrupted" in out, "Traceback" in err) == (1, True, False)
        assert rows(tmp_path, "select count(*) from frontier where next_at is not null") == [(len(links),)]


def test_what_keeps_an_outlet_from_being_read_is_told(tmp_path):
    with Site() as site, Sink(tmp_path / "mail", free_port()).running() as sink:
        configure(tmp_path, site, sink.port)
        done = rasid(tmp_path, "crawl")
        assert (done.returncode, "local: unreadable: answered 404" in done.stdout) == (0, True)
        assert "local is failing" in rasid(tmp_path, "status").stdout
        file = tmp_path / "outlets.toml"
        file.write_text(file.read_text(encoding="utf-8") + "enabled = false\n", encoding="utf-8")
        off = json.loads(rasid(tmp_path, "status", "--json").stdout)
        assert (off["outlets"][0]["state"], off["troubles"][0]["key"]) == ("off", "outlets")  # so nothing is read
        off = rasid(tmp_path, "crawl", "local")
        assert (off.returncode, "outlet local.enabled" in off.stderr) == (2, True)
        full = tmp_path / "rasid.toml"
        full.write_text(full.read_text().replace('"1MB"', '"9000TB"'))
        file.write_text(file.read_text(encoding="utf-8").replace("enabled = false\n", ""), encoding="utf-8")
        assert rasid(tmp_path, "crawl").returncode == 1


def test_withdrawn_after_two_looks_and_an_outage_is_neither_edit_nor_withdrawal(tmp_path):
    with Site() as site, Sink(tmp_path / "mail", free_port()).running() as sink:
        configure(tmp_path, site, sink.port)
        publish(site, 1, 2)
        with service(tmp_path):
            until(lambda: len(sink.mails) == 2, what="two mails")
            site.route("/news/1.html", lambda visit: visit.answer("الصفحة غير موجودة", 404))
            site.route("/news/2.html", lambda visit: visit.answer("صيانة", 503))
            until(lambda: len(sink.mails) == 3, what="the mail about the withdrawal")
            assert rows(tmp_path, "select status from articles order by id") in (
                [("gone",), ("live",)],
                [("live",), ("gone",)],
            )
            publish(site, 1, 2)
            until(lambda: len(sink.mails) == 4, what="the mail that it is back")
        assert [kind for (kind,) in rows(tmp_path, "select kind from events order by id")] == [
            "new",
            "new",
            "withdrawn",
            "restored",
        ]
        (missing, found), = rows(
            tmp_path, "select min(at), max(at) from fetches where outcome = 'gone' and article_id is not null"
        )  # fmt: skip
        assert missing < found
        assert rows(tmp_path, "select count(*) from versions") == [(2,)]


def test_the_feed_is_read_by_conditional_get_and_rss_is_what_it_is(tmp_path):
    with Site() as site, Sink(tmp_path / "mail", free_port()).running() as sink:
        configure(tmp_path, site, sink.port, every="1s")
        link = site.article("/news/1.html", "قسد تنقل معتقلي داعش من الحسكة", text(1))

        def feed(visit):
            if visit.headers.get("if-none-match") == '"v1"':
                visit.answer(status=304)
            else:
                visit.answer(rss([link]), content_type="application/rss+xml", etag='"v1"')

        site.route("/feed", feed)
        with service(tmp_path):
            until(lambda: site.hits("/feed") >= 4, what="four readings of the feed")
        outcomes = rows(tmp_path, "select outcome, count(*) from fetches where article_id is null group by outcome")
        assert dict(outcomes)["ok"] == 1
        assert dict(outcomes)["unchanged"] >= 2
        assert site.hits("/robots.txt") == 1


def run_by_a_troubled_clock(directory):
    """`rasid run`, which is as many seconds ahead as the file `offset` says."""
    program.fork_here()

    def clock():
        return utc_now() + timedelta(seconds=float((directory / "offset").read_text()))

    with open_session(load_config(directory), clock=clock) as session:
        run_reactor(Service(session).run)


def test_a_clock_that_goes_back_holds_nothing_up(tmp_path):
    (offset := tmp_path / "offset").write_text("31536000")
    with Site() as site:
        configure(tmp_path, site, free_port(), every="1s")
        publish(site, 1)
        process = children.Process(target=run_by_a_troubled_clock, args=(tmp_path,))
        process.start()
        try:
            for number, seconds in ((1, "31536000"), (2, "31532400"), (3, "0")):
                (tmp_path / "new").write_text(seconds)
                (tmp_path / "new").replace(offset)
                publish(site, *range(1, number + 1))
                until(lambda number=number: rows(tmp_path, "select count(*) from latest") == [(number,)])
        finally:
            process.terminate()
            process.join(20)
            assert process.exitcode == 0


@pytest.mark.parametrize("tries", [1, pytest.param(2, marks=pytest.mark.slow)])  # half a minute apart
def test_an_archive_taken_away_is_told_in_a_sentence_and_outlets_are_left_in_peace(tmp_path, tries):
    with Site() as site, Sink(tmp_path / "mail", free_port()).running() as sink:
        configure(tmp_path, site, sink.port, every="1s")
        publish(site, 1)
        log = tmp_path / "service.log"
        with service(tmp_path) as process:
            until(lambda: len(sink.mails) == 1, what="the first mail")
            for file in tmp_path.glob("archive.db*"):
                file.rename(file.with_name("away-" + file.name))
            until(lambda: "was moved or deleted" in log.read_text(), what="the word of it")
            before = len(site.log)
            until(lambda: log.read_text().count("was moved or deleted") >= tries, seconds=90, what="the word repeated")
            time.sleep(3)
            assert len(site.log) == before
            process.send_signal(signal.SIGTERM)
            assert process.wait(20) == 0
        assert "Traceback" not in log.read_text()


@pytest.mark.parametrize("path", ["/feed", "/news/1.html"])
def test_an_archive_taken_away_in_the_middle_of_a_crawl_is_told_in_a_sentence(tmp_path, path):
    with Site() as site:
        configure(tmp_path, site, free_port())
        publish(site, 1)
        answer = site.routes[path]

        def take_away(visit):
            for file in tmp_path.glob("archive.db*"):
                file.rename(file.with_name("away-" + file.name))
            return answer(visit)

        site.route(path, take_away)
        done = rasid(tmp_path, "crawl")
    assert done.returncode == 1
    assert "was moved or deleted while in use" in done.stderr
    assert "Traceback" not in done.stdout + done.stderr


def test_a_mail_server_that_says_nothing_does_not_hold_up_the_end(tmp_path):
    with Site() as site, socket.create_server(("127.0.0.1", 0)) as silent:
        configure(tmp_path, site, silent.getsockname()[1])
        publish(site, 1)
        with service(tmp_path) as process:
            silent.settimeout(40)
            connection, _ = silent.accept()  # and never a greeting
            process.send_signal(signal.SIGTERM)
            assert process.wait(20) == 0
            connection.close()
        assert rows(tmp_path, "select state from mails") == [("queued",)]


def test_two_crawls_at_once_without_the_service_both_do_their_work(tmp_path):
    with Site() as site:
        configure(tmp_path, site, free_port())
        publish(site, 1, 2)
        slow = site.routes["/feed"]
        site.route("/feed", lambda visit: (time.sleep(1), slow(visit)))
        with ThreadPoolExecutor(3) as together:
            done = list(together.map(lambda _: rasid(tmp_path, "crawl", "--json"), range(3)))
        assert [one.returncode for one in done] == [0, 0, 0], done[0].stderr + done[1].stderr
        assert sum(json.loads(one.stdout)[0]["kept"] for one in done) == 2
        assert rows(tmp_path, "select count(*) from requests") == [(0,)]


def be_busy_in_the_middle(directory, told):
    async def work(session):
        raise ArchiveBusy("locked while saving")

    config = load_config(directory)
    try:
        visits.do_or_ask(config, "crawl", ["local"], partial(visits._here, config, work), list, print)
    except WorkError as error:
        told.send(str(error))


def test_an_archive_that_becomes_busy_during_the_work_is_told_not_tried_anew(tmp_path):
    here, told = children.Pipe(duplex=False)
    with Site() as site:
        configure(tmp_path, site, free_port())
        process = children.Process(target=be_busy_in_the_middle, args=(tmp_path, told))
        process.start()
        told.close()
        assert here.recv() == "locked while saving"
        process.join(20)
        assert process.exitcode == 0
