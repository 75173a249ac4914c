"""Alerts people keep switched on: one mail a story, digests at their hour, quiet nights, caps that fold, one notice a
trouble, and other channels than mail."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from archive.alerts.delivery import DeliveryReport
from archive.alerts.outbox import retry
from archive.alerts.plan import operator_clear, operator_notice
from archive.alerts.rules import AlertRule
from archive.edits import _take_back
from archive.errors import ConfigError
from archive.frontier import OutletRow, sync_outlets
from archive.looks import announce
from archive.times import later
from archive.writer import call_back
from crawler.cli import main
from crawler.config import load_config
from crawler.session import policy as policy_of
from tests.archive_kit import NOW, SANA, Kit, policy, unlike
from tests.delivery_kit import LOCAL, Sink, deliver

FURAT, BARADA = (OutletRow(i, a, e, "newspaper", "SY", f"https://{i}.example", None) for i, a, e in
                 (("furat", "الفرات", "Furat"), ("barada", "بردى", "Barada")))  # fmt: skip
TOLD = replace(unlike(1), title="نقل معتقلين من داعش إلى سجن جديد")


def rule(**changes):
    return AlertRule(**({"name": "desk", "topics": ("isis_detainees",), "to": ("desk@example.org",)} | changes))


@pytest.fixture
def kit_with(tmp_path):
    kits = []

    def make(*rules, **more):
        kits.append(Kit(tmp_path, alerts=rules, **more))
        kits[-1].do(lambda tx: sync_outlets(tx, [SANA, FURAT, BARADA]))
        return kits[-1]

    yield make
    for kit in kits:
        kit.writer.close()


@pytest.fixture
def sink():
    return Sink()


def mails(kit):
    """(id, kind, state, due, events) of each mail."""
    return kit.rows("SELECT id, kind, state, next_attempt_at, (SELECT count(DISTINCT event_id) FROM mail_events "
                    "WHERE mail_id = mails.id) FROM mails ORDER BY id")  # fmt: skip


def tell(kit, number, at=NOW, **more):
    return kit.save(unlike(number), at, url=f"https://sana.example/{number}", **more)


def words(mail):
    return mail.get_body(("plain",)).get_content()


# ---- one mail a story --------------------------------------------------------------------------------------------


def test_copies_are_listed_in_the_mail_that_waits_and_later_ones_join_the_digest(kit_with, sink):
    kit = kit_with(rule())
    kit.save(TOLD)
    kit.save(TOLD, outlet_id="furat", url="https://furat.example/1")
    assert mails(kit) == [(1, "instant", "queued", NOW, 2)]
    with sink.up() as smtp:
        assert deliver(kit, smtp).sent == 1
        later_on = later(NOW, 600)
        kit.save(TOLD, later_on, outlet_id="barada", url="https://barada.example/1")
        assert mails(kit)[1:] == [(2, "digest", "queued", later(later_on, 3600), 1)]
        kit.clock.at = later(later_on, 3600)
        assert deliver(kit, smtp).sent == 1
    first, digest = map(words, sink.mails)
    assert first.count(TOLD.title) == 2  # the article, and beneath it its copy at the other outlet
    assert "نُشر أيضاً بالنص نفسه لدى" in first
    assert "الفرات" in first
    assert "/-/article/2" in first
    assert "بردى" in digest
    assert "الفرات" in digest
    assert "(1): desk" in sink.mails[1]["Subject"]


def test_an_edit_and_a_withdrawal_of_a_copy_are_news(kit_with):
    kit = kit_with(rule())
    kit.save(TOLD)
    kit.save(TOLD, outlet_id="furat", url="https://furat.example/1")
    edited = replace(TOLD, text=f"{TOLD.text}\nوقُتل في أثناء النقل 3 معتقلين.")
    kit.save(edited, later(NOW, 600), outlet_id="furat", url="https://furat.example/1")
    assert [row[1] for row in mails(kit)] == ["instant", "instant"]


def test_who_was_told_nothing_of_a_story_is_told_its_copy(kit_with):
    kit = kit_with(rule(outlets=("furat",)))
    kit.save(TOLD)
    assert mails(kit) == []
    kit.save(TOLD, later(NOW, 600), outlet_id="furat", url="https://furat.example/1")
    assert [row[1] for row in mails(kit)] == ["instant"]


def test_a_reader_whom_two_rules_name_gets_one_mail_that_names_both(kit_with, sink):
    kit = kit_with(rule(name="daily", when="daily"), rule(), rule(name="sdf", topics=("sdf",)))
    tell(kit, 1)
    assert mails(kit) == [(1, "instant", "queued", NOW, 1)]
    with sink.up() as smtp:
        assert deliver(kit, smtp).sent == 1
    said = words(sink.mails[0])
    assert "desk، daily، sdf" in said or "desk، sdf، daily" in said
    assert "معتقلو داعش" in said
    assert "قوات سوريا الديمقراطية" in said
    assert "isis_detainees" not in said


def test_the_quiet_hours_of_one_rule_withhold_nothing_that_another_tells(kit_with, sink):
    kit = kit_with(rule(name="calm", quiet="12:00-18:00"), rule())
    tell(kit, 1, "2026-01-21T11:00:00Z")
    tell(kit, 2, "2026-01-21T13:00:00Z")
    assert [kind for _, kind, *_ in mails(kit)] == ["instant", "instant"]
    with sink.up() as smtp:
        assert deliver(kit, smtp).sent == 2
    assert all("calm" in words(mail) and "desk" in words(mail) for mail in sink.mails)


def test_a_rule_that_is_renamed_loses_no_mail(kit_with, sink):
    kit = kit_with(rule())
    tell(kit, 1)
    tell(kit, 2, backlog=True)
    kit.writer.set_policy(policy(alerts=(rule(name="معتقلون"),)))
    kit.clock.at = later(NOW, 3600)
    with sink.up() as smtp:
        assert deliver(kit, smtp) == DeliveryReport(sent=2)
    assert all("معتقلون" in words(mail) for mail in sink.mails)
    kit.do(lambda tx: announce(tx, "edited", 1, 1))
    assert mails(kit)[2][4] == 1


# ---- what a rule asks of an event --------------------------------------------------------------------------------


def test_a_query_is_asked_of_the_version_that_is_told(kit_with, sink):
    kit = kit_with(rule(topics=(), query='"سجن غويران" OR قمح'))
    kit.save(TOLD)
    assert mails(kit) == []
    now = replace(TOLD, text=f"{TOLD.text}\nوأُحرق القمحُ في الطريق.")
    kit.save(now, later(NOW, 600))
    with sink.up() as smtp:
        assert deliver(kit, smtp).sent == 1
    assert "[القمحُ]" in words(sink.mails[0])
    assert '"سجن غويران" OR قمح' in words(sink.mails[0])


def test_a_query_and_topics_must_hold_of_one_version(kit_with):
    kit = kit_with(rule(query="القمح"))
    kit.save(TOLD)
    kit.save(replace(TOLD, title="موسم القمح", text="بدأ حصاد القمح في السهل الغربي باكراً هذا العام."), later(NOW, 600))
    assert mails(kit) == []


def test_wording_wakes_no_rule_that_asks_for_edits_that_matter(kit_with):
    kit = kit_with(rule(edits="material", on=("edited",)))
    kit.save(TOLD)
    kit.save(replace(TOLD, text=TOLD.text.replace("نقلت قوات", "وقد نقلت قوات")), later(NOW, 600))
    assert kit.one("SELECT count(*) FROM events WHERE kind = 'edited'") == 1
    assert mails(kit) == []
    kit.save(replace(TOLD, text=f"{TOLD.text}\nوقُتل 7 منهم."), later(NOW, 1200))
    assert len(mails(kit)) == 1
    kit.do(lambda tx: announce(tx, "edited", 1, 1))  # from before edits were judged
    assert len(mails(kit)) == 2


# ---- hours and caps ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "now", "due"),
    [
        ({"when": "hourly"}, "2026-01-21T10:20:00Z", "2026-01-21T11:00:00Z"),
        ({"when": "daily", "at": "08:00"}, "2026-01-21T04:59:00Z", "2026-01-21T05:00:00Z"),
        ({"when": "daily", "at": "08:00"}, "2026-01-21T05:00:00Z", "2026-01-22T05:00:00Z"),
        ({"when": "hourly", "quiet": "22:00-07:00"}, "2026-01-21T19:30:00Z", "2026-01-22T04:00:00Z"),
        ({"quiet": "22:00-07:00"}, "2026-01-21T20:00:00Z", "2026-01-22T04:00:00Z"),
        ({"quiet": "13:00-14:00"}, "2026-01-21T10:30:00Z", "2026-01-21T11:00:00Z"),
        ({"when": "daily", "timezone": "Europe/Berlin", "at": "02:30"}, "2026-03-28T12:00:00Z", "2026-03-29T01:30:00Z"),
        ({"when": "daily", "timezone": "Europe/Berlin", "at": "02:30"}, "2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"),
        ({"timezone": "Europe/Berlin", "quiet": "22:00-02:30"}, "2026-10-25T01:10:00Z", "2026-10-25T01:30:00Z"),
    ],
)
def test_digests_are_due_at_the_readers_hour(changes, now, due):
    assert rule(**({"timezone": "Asia/Damascus"} | changes)).digest_due(now, 3600) == due


@given(st.integers(0, 365 * 1440), st.integers(0, 1439), st.integers(1, 1439), st.sampled_from(["UTC", "Asia/Damascus", "Europe/Berlin"]))  # fmt: skip  # noqa: E501
def test_nothing_is_due_in_quiet_hours_nor_later_than_their_end(minute, begin, length, zone):
    end = (begin + length) % 1440
    quiet = "-".join(f"{m // 60:02}:{m % 60:02}" for m in (begin, end))
    at = later("2026-01-01T00:00:00Z", minute * 60)
    awake = rule(quiet=quiet, timezone=zone).awake(at)
    assert at <= awake <= later(at, length * 60 + 3600)
    assert rule(quiet=quiet, timezone=zone).awake(awake) == awake


def test_what_came_in_a_quiet_night_is_one_digest_in_the_morning(kit_with, sink):
    kit = kit_with(rule(quiet="22:00-07:00", timezone="Asia/Damascus"))
    tell(kit, 0, "2026-01-21T18:59:00Z")  # a minute before ten; the server is down until later
    for number in range(1, 4):
        tell(kit, number, f"2026-01-21T2{number}:00:00Z")
    assert mails(kit)[1] == (2, "digest", "queued", "2026-01-22T04:00:00Z", 3)
    with sink.up() as smtp:
        assert deliver(kit, smtp).sent == 0
        kit.clock.at = "2026-01-22T04:00:00Z"
        assert deliver(kit, smtp).sent == 2
    assert "(3): desk" in next(mail["Subject"] for mail in sink.mails if "خلاصة" in mail["Subject"])
    assert "+03:00" in words(sink.mails[0])


def test_a_flood_is_folded_into_a_digest_and_nothing_is_dropped(kit_with, sink):
    kit = kit_with(rule(most_per_hour=2), rule(name="calm", to=("calm@example.org",)), mails_per_hour=4)
    for number in range(6):
        tell(kit, number, later(NOW, number))
    by = kit.rows("SELECT m.recipient, kind, count(DISTINCT m.id), count(*) FROM mails m JOIN mail_events j "
                  "ON j.mail_id = m.id GROUP BY 1, 2 ORDER BY 1, 2")  # fmt: skip
    assert by == [("calm@example.org", "digest", 1, 2), ("calm@example.org", "instant", 4, 4),
                  ("desk@example.org", "digest", 1, 4), ("desk@example.org", "instant", 2, 2)]  # fmt: skip
    with sink.up() as smtp:
        assert deliver(kit, smtp).sent == 6
    tell(kit, 7, later(NOW, 3700))
    assert kit.one("SELECT count(*) FROM mails WHERE kind = 'instant' AND created_at > ?", later(NOW, 3600)) == 2


def test_mails_of_a_clock_that_was_ahead_neither_wait_for_it_nor_count(kit_with):
    kit = kit_with(rule(most_per_hour=1))
    tell(kit, 1, later(NOW, 30 * 86400))
    kit.clock.at = NOW
    tell(kit, 2)
    assert [kind for _, kind, *_ in mails(kit)] == ["instant", "instant"]
    kit.do(lambda tx: call_back(tx.db, tx.policy, tx.now()))
    assert [due for *_, due, _ in mails(kit)] == [NOW, NOW]


def test_what_a_dead_server_held_for_hours_comes_at_once_and_no_more_than_an_hour_allows(kit_with, sink):
    kit = kit_with(rule(most_per_hour=1), rule(name="calm", to=("calm@example.org",)), mails_per_hour=2)
    down, events = replace(LOCAL, port=sink.port), 4
    for number in range(events):  # more than an hour apart
        tell(kit, number, later(NOW, 4000 * number))
        assert deliver(kit, down).sent == 0
    kit.clock.at = later(NOW, 4 * 3600)
    with sink.up() as smtp:
        assert deliver(kit, smtp).sent == 1 + 2
        tell(kit, events, later(NOW, 4 * 3600 + 60))  # within an hour of the burst
        kit.clock.at = later(NOW, 8 * 3600)
        assert deliver(kit, smtp).sent == 2
    kinds = kit.rows("SELECT recipient, kind, count(*) FROM mails WHERE state = 'sent' GROUP BY 1, 2 ORDER BY 1, 2")
    assert kinds == [("calm@example.org", "digest", 1), ("calm@example.org", "instant", 2),
                     ("desk@example.org", "digest", 1), ("desk@example.org", "instant", 1)]  # fmt: skip
    told = kit.rows("SELECT count(*), count(DISTINCT event_id) FROM mail_events GROUP BY recipient")
    assert told == [(events + 1, events + 1)] * 2


def test_a_daily_digest_that_waits_for_the_server_is_not_put_off_by_what_comes(kit_with):
    kit = kit_with(rule(when="daily"))
    tell(kit, 1)
    due = mails(kit)[0][3]
    kit.clock.at = later(due, 60)
    down = replace(LOCAL, port=Sink().port)
    assert deliver(kit, down).put_off == 1
    tell(kit, 2, later(due, 60))
    assert mails(kit) == [(1, "digest", "queued", later(due, 360), 2)]


# ---- the service's own troubles ----------------------------------------------------------------------------------


OPERATOR = AlertRule("service", kind="operator", to=("admin@example.org",), language="en")


def test_a_trouble_is_told_once_until_it_is_over(kit_with, sink):
    kit = kit_with(OPERATOR, rule())

    def found(at):
        kit.clock.at = at
        text = "outlet sana is silent since 2026-01-20\r\nBcc: x@example.org"
        return kit.do(lambda tx: operator_notice(tx, "outlet sana silent", text))

    assert [found(later(NOW, hour * 3600)) for hour in range(5)] == [True] + [False] * 4
    kit.do(lambda tx: _take_back(tx, 0))  # what drift takes back is none of this
    kit.do(lambda tx: operator_clear(tx, "outlet sana silent"))
    assert found(later(NOW, 6 * 3600)) is False  # it only flaps
    kit.do(lambda tx: operator_clear(tx, "outlet sana silent"))
    assert found(later(NOW, 20 * 3600)) is True
    with sink.up() as smtp:
        assert deliver(kit, smtp) == DeliveryReport(sent=2)
    mail = sink.mails[0]
    assert (mail["To"], mail["Bcc"]) == ("admin@example.org", None)
    assert mail["Subject"] == "Rasid needs attention: outlet sana is silent since 2026-01-20 Bcc: x@example.org"
    assert "not repeated while the trouble lasts" in words(mail)


def test_troubles_are_told_to_operators_alone_and_articles_never(kit_with):
    kit = kit_with(OPERATOR, structs.replace(OPERATOR, name="both"), rule())
    tell(kit, 1)
    kit.do(lambda tx: operator_notice(tx, "disk", "the disk is full"))
    assert kit.rows("SELECT rule, recipient, kind FROM mails ORDER BY id") == [
        ("desk", "desk@example.org", "instant"), ("service", "admin@example.org", "notice"),
    ]  # fmt: skip


# ---- the command line and the configuration ----------------------------------------------------------------------

SERVICE = """
contact = "desk@example.org"
[smtp]
host = "127.0.0.1"
security = "none"
sender = "rasid@mail.example"
[channel.newsroom]
url_env = "RASID_TEST_NEWSROOM"
[[alert]]
name = "detainees"
topics = ["isis_detainees"]
to = ["desk@example.org"]
"""


def test_what_a_rule_would_have_told_the_outbox_and_another_try(tmp_path):
    kit = Kit(tmp_path, alerts=(rule(name="detainees"),), mail_domain="mail.example")
    for number in range(12):
        tell(kit, number)
    kit.do(lambda tx: tx.db.execute("UPDATE mails SET state = 'failed', error = '550 no such person' WHERE id < 3"))
    kit.writer.close()
    (tmp_path / "rasid.toml").write_text(SERVICE, encoding="utf-8")

    def ask(*arguments):
        done = CliRunner().invoke(main, ["alerts", *map(str, arguments), "--config", str(tmp_path), "--json"])
        return json.loads(done.stdout) if done.exit_code == 0 else (done.exit_code, done.stderr)

    told = ask("test", "detainees", "--save", tmp_path / "mails")
    assert [one["event"] for one in told] == list(range(12, 2, -1))
    assert told[0]["subject"] == f"خبر جديد: {unlike(11).title}"
    assert "<!doctype html>" in (tmp_path / "mails" / "12.html").read_text("utf-8")
    assert (tmp_path / "mails" / "12.txt").read_text("utf-8") == told[0]["text"]
    assert "did you mean 'detainees'?" in ask("test", "detainee")[1]
    failed = ask("list", "--state", "failed")
    assert [(mail["id"], mail["error"]) for mail in failed] == [(2, "550 no such person"), (1, "550 no such person")]
    assert ask("retry", 2) == {"due": 1}
    assert ask("retry", "--failed") == {"due": 1}
    assert ask("list", "--state", "failed") == []
    assert ask("retry", 99)[0] == 1
    assert ask("retry")[0] == 2


def test_a_mail_that_was_sent_is_not_sent_by_a_retry(kit_with):
    kit = kit_with(rule())
    tell(kit, 1)
    kit.do(lambda tx: tx.db.execute("UPDATE mails SET state = 'sent'"))
    assert kit.do(lambda tx: retry(tx.db, NOW, 1)) == 0


@pytest.mark.parametrize(
    ("line", "mend"),
    [
        ('outlets = ["sanaa"]', "no outlet 'sanaa'"),
        ('channels = ["newsrom"]', "did you mean 'newsroom'"),
        ('query = "!"', "no word that can be searched for"),
        ('quiet = "22-7"', '"22:00-07:00"'),
        ('timezone = "Damascus"', "Asia/Damascus"),
        ('at = "8:00"', '"08:00"'),
        ('kind = "operator"', "take topics, outlets and query out"),
        ("most_per_hour = 0", "1 or more"),
        ('[channel.newsroom.x]\nurl = "json://x"', "channel"),
        ('[channel.other]\nurl = "json://x"', "known here: url_env, url_file"),
    ],
)
def test_a_rule_that_cannot_be_meant_is_refused_with_its_key(tmp_path, line, mend):
    (tmp_path / "rasid.toml").write_text(SERVICE + line, encoding="utf-8")
    with pytest.raises(ConfigError) as error:
        load_config(tmp_path)
    assert mend in str(error.value)


def test_a_message_id_ends_in_the_senders_domain(tmp_path):
    (tmp_path / "rasid.toml").write_text(SERVICE, encoding="utf-8")
    kit = Kit(tmp_path, alerts=(rule(),), mail_domain=policy_of(load_config(tmp_path)).mail_domain)
    tell(kit, 1)
    assert kit.one("SELECT message_id FROM mails").endswith("@mail.example>")
    kit.writer.close()
