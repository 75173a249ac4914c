"""Who is told of what: alert rules, and the mails an event queues in the transaction that stores it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.alerts.plan import plan
from archive.alerts.rules import AlertRule, check_address
from archive.alerts.telling import read_mail
from archive.looks import look
from archive.models import Event, Look
from archive.store import save
from archive.times import later
from tests.archive_kit import NOW, OFF_TOPIC, ON_TOPIC, RULES, Kit, page, shot, unlike

EVERYTHING = ("new", "edited", "withdrawn", "restored")
EDITED = replace(ON_TOPIC, text=ON_TOPIC.text + "\nوأضاف المصدر أن العدد بلغ 35 معتقلاً.")
PASSING = replace(
    OFF_TOPIC,
    title="الدوحة تستضيف مشاورات حول أمن الملاحة في الخليج",
    text="بحث المجتمعون في الدوحة أمن الملاحة وأسعار الشحن والتأمين على السفن.\n"
    "واتفقوا على لقاء ثان في الربيع المقبل يحضره خبراء الموانئ.\n"
    "وتطرق أحد المشاركين بإيجاز إلى الوضع في سوريا.\nوعاد البحث بعدها إلى رسوم العبور ومواعيد التفتيش.",
)


def rule(**changes):
    values = {"name": "desk", "topics": ("isis_detainees",), "to": ("desk@example.org",)}
    return AlertRule(**(values | changes))


@pytest.fixture
def kit_with(tmp_path):
    kits = []

    def make(*rules):
        kits.append(Kit(tmp_path, alerts=rules))
        return kits[-1]

    yield make
    for kit in kits:
        kit.writer.close()


def told(kit):
    """(mail, kind of mail, recipient, kind of event) of every event that is told."""
    return kit.rows(
        "SELECT m.id, m.kind, m.recipient, e.kind FROM mails m JOIN mail_events j ON j.mail_id = m.id "
        "JOIN events e ON e.id = j.event_id ORDER BY m.id, e.id"
    )


def missed(kit, at):
    kit.clock.at = at
    kit.home(at)
    kit.do(lambda tx: look(tx, Look("https://sana.example/1", at, "gone", crawl_id=kit.crawl, status=404)))


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"name": " "}, ["name", "word or two"]),
        ({"name": "a\nBcc: x"}, ["name", "one line"]),
        ({"name": "ن" * 81}, ["name", "80"]),
        ({"topics": ()}, ["topics", "at least one"]),
        ({"to": ()}, ["to", "at least one"]),
        ({"on": ()}, ["on", "at least one"]),
        ({"to": ("desk@example.org", "desk")}, ["to", "'desk'", "name@host"]),
        ({"to": ("محرر@example.org",)}, ["to", "ASCII"]),
        ({"to": ("desk@أخبار.example",)}, ["to", "xn--"]),
        ({"to": ("Desk <desk@example.org>",)}, ["to", "without a display name"]),
        ({"to": ("desk@example.org\r\nBcc: x@example.org",)}, ["to", "name@host"]),
        ({"to": ("a" * 250 + "@example.org",)}, ["to", "name@host"]),
    ],
)
def test_a_rule_that_cannot_be_meant_is_refused_with_the_mend(wrong, words):
    with pytest.raises(ValueError, match=f"^{words[0]}: ") as error:
        rule(**wrong)
    for word in words:
        assert word in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("address", ["desk@example.org", "a.b+c@localhost", "o'neil@xn--ngba1c.example"])
def test_addresses_mail_can_be_sent_to_are_taken(address):
    assert rule(to=(address,)).to == (address,)


def test_one_mail_for_each_event_and_each_recipient(kit_with):
    both = ("desk@example.org", "night@example.org")
    kit = kit_with(rule(to=both, on=EVERYTHING))
    kit.save()
    kit.save(EDITED, "2026-01-21T11:00:00Z")
    missed(kit, "2026-01-21T12:00:00Z")
    missed(kit, "2026-01-21T13:00:00Z")
    kit.save(EDITED, "2026-01-21T14:00:00Z")
    assert [row[1:] for row in told(kit)] == [("instant", to, kind) for kind in EVERYTHING for to in both]
    assert kit.one("SELECT count(*) FROM mails") == 8
    assert kit.one("SELECT count(DISTINCT message_id) FROM mails") == 8


def test_a_rule_is_told_only_of_the_kinds_it_names(kit_with):
    kit = kit_with(rule(on=("withdrawn",)))
    kit.save()
    kit.save(EDITED, "2026-01-21T11:00:00Z")
    missed(kit, "2026-01-21T12:00:00Z")
    assert told(kit) == []  # one look is no withdrawal
    missed(kit, "2026-01-21T13:00:00Z")
    assert [row[3] for row in told(kit)] == ["withdrawn"]


def test_a_counter_on_the_page_tells_nothing(kit_with):
    kit = kit_with(rule(on=EVERYTHING))
    kit.save()
    kit.save(replace(ON_TOPIC, text=ON_TOPIC.text.replace(" ", "  ")), "2026-01-21T11:00:00Z")
    assert len(told(kit)) == 1


def test_a_mere_mention_wakes_only_a_rule_that_asks_for_mentions(kit_with):
    kit = kit_with(
        rule(name="main", topics=("syria",)), rule(name="every", topics=("syria",), strength="passing"),
        rule(name="other", topics=("isis_detainees",), strength="passing"),
    )  # fmt: skip
    kit.save(PASSING)
    assert kit.rows("SELECT topic, strength FROM matches") == [("syria", "passing")]
    assert kit.rows("SELECT rule FROM mails") == [("every",)]
    kit.save(ON_TOPIC, "2026-01-21T11:00:00Z", url="https://sana.example/2")
    assert kit.rows("SELECT rule FROM mail_events WHERE event_id = 2 ORDER BY rule") == [
        ("every",), ("main",), ("other",),
    ]  # fmt: skip


def test_an_article_kept_for_another_reason_tells_nobody(kit_with):
    kit = kit_with(rule(on=EVERYTHING))
    kit.save(OFF_TOPIC, keep=True)
    kit.save(PASSING, url="https://sana.example/2", keep=True)
    assert told(kit) == []


def test_an_edit_that_leaves_the_topic_is_told_and_one_that_stays_off_it_is_not(kit_with):
    kit = kit_with(rule())
    kit.save()
    kit.save(OFF_TOPIC, "2026-01-21T11:00:00Z")
    kit.save(replace(OFF_TOPIC, author="ليلى حداد"), "2026-01-21T12:00:00Z")
    assert [row[3] for row in told(kit)] == ["new", "edited"]
    kit.save(ON_TOPIC, "2026-01-21T13:00:00Z")
    assert [row[3] for row in told(kit)] == ["new", "edited", "edited"]


def test_backlog_goes_into_one_digest_or_each_or_nowhere(kit_with):
    kit = kit_with(
        rule(name="one"),
        rule(name="all", backlog="each", to=("b@example.org",)),
        rule(name="no", backlog="none", to=("c@example.org",)),
    )
    for number in range(3):
        kit.save(unlike(number), at=later(NOW, number * 60), url=f"https://sana.example/{number}", backlog=True)
    assert kit.rows("SELECT rule, kind, count(*) FROM mails GROUP BY rule, kind ORDER BY rule") == [
        ("all", "instant", 3), ("one", "digest", 1),
    ]  # fmt: skip
    assert kit.one("SELECT next_attempt_at FROM mails WHERE kind = 'digest'") == later(NOW, 120 + 3600)
    assert kit.one("SELECT count(*) FROM mail_events WHERE rule = 'one'") == 3
    kit.save(unlike(9), at=later(NOW, 240), url="https://sana.example/new")
    assert kit.rows("SELECT rule, kind FROM mails WHERE created_at = ? ORDER BY rule", later(NOW, 240)) == [
        ("all", "instant"), ("no", "instant"), ("one", "instant"),
    ]  # fmt: skip


def test_a_backlog_that_comes_slowly_is_still_one_digest_and_waits_a_day_at_most(kit_with):
    kit = kit_with(rule())
    for number in range(40):  # an outlet that asks for long pauses
        kit.save(at=later(NOW, number * 3000), url=f"https://sana.example/{number}", backlog=True)
        due = kit.one("SELECT next_attempt_at FROM mails")
        assert due == later(NOW, min(number * 3000 + 3600, 86400))


def test_what_was_published_long_before_it_was_seen_is_backlog(kit_with):
    kit = kit_with(rule())
    kit.save(replace(ON_TOPIC, published_at="2026-01-10"))
    assert kit.one("SELECT kind FROM mails") == "digest"
    kit.save(replace(EDITED, published_at="2026-01-10"), "2026-01-21T11:00:00Z")
    assert [row[1] for row in told(kit)] == ["digest", "instant"]  # its edit is news


@pytest.mark.parametrize("state", ["state = 'sent'", "state = 'failed'", "state = 'sending'", "attempts = 1"])
def test_a_digest_that_was_tried_gathers_no_more(kit_with, state):
    kit = kit_with(rule())
    kit.save(backlog=True)
    kit.do(lambda tx: tx.db.execute(f"UPDATE mails SET {state}"))
    kit.save(url="https://sana.example/2", backlog=True)
    assert [row[:2] for row in told(kit)] == [(1, "digest"), (2, "digest")]


def test_nothing_is_told_twice(kit_with):
    kit = kit_with(
        rule(to=("desk@example.org", "desk@example.org"), on=EVERYTHING), rule(name="late", backlog="digest")
    )
    kit.save(backlog=True)
    kit.save(EDITED, "2026-01-21T11:00:00Z")
    before = told(kit)
    events = [Event(*row) for row in kit.rows("SELECT id, at, kind, article_id, version_id, backlog FROM events")]
    for event in events * 2:
        kit.do(lambda tx, event=event: plan(tx, event))
    assert told(kit) == before
    assert len(before) == 4


def test_a_mail_is_stored_with_the_event_or_not_at_all(kit_with):
    kit = kit_with(rule())

    def save_and_fail(tx):
        save(tx, shot(ON_TOPIC, page(), outlet_id="sana", crawl_id=kit.crawl))
        raise RuntimeError

    with pytest.raises(RuntimeError):
        kit.do(save_and_fail)
    assert kit.one("SELECT (SELECT count(*) FROM events) + (SELECT count(*) FROM mails)") == 0


def test_the_message_id_is_given_when_the_mail_is_queued(kit_with):
    kit = kit_with()
    saved = kit.save()
    kit.writer.set_policy(replace(kit.writer._policy, alerts=(rule(),)))
    event = Event(saved.event_id, NOW, "new", saved.article_id, saved.version_id, False)
    kit.do(lambda tx: plan(tx, event, new_id=lambda: "abc"))
    assert kit.rows("SELECT message_id, state, attempts, next_attempt_at FROM mails") == [
        ("<abc@rasid.invalid>", "queued", 0, NOW)
    ]


@given(st.text(max_size=60))
def test_no_address_carries_what_could_become_a_header_or_another_recipient(text):
    try:
        check_address(text)
    except ValueError:
        return
    assert text.isascii()
    assert text.count("@") == 1
    assert not set(text) & set(' \r\n\t<>,;:"\\()[]\x00')


def test_what_a_mail_says_is_read_for_its_rule(kit_with):
    kit = kit_with(
        rule(), rule(name="english", to=("en@example.org",), topics=("syria", "sdf"), language="en", strength="passing")
    )
    kit.save()
    arabic, english = (
        kit.do(lambda tx, n=n: read_mail(tx.db, n, tx.policy.alerts[n - 1 : n], RULES, NOW)) for n in (1, 2)
    )
    assert (arabic.language, arabic.stories[0].outlet) == ("ar", "سانا")
    assert (english.language, english.stories[0].outlet) == ("en", "SANA")
    version = arabic.stories[0].version
    assert {match.topic for match in version.matches} == {"isis_detainees"}
    assert {match.topic for match in english.stories[0].version.matches} == {"syria", "sdf"}
    passages = [passage for match in version.matches for passage in match.passages]
    assert passages
    assert all(getattr(version, p.field)[p.start : p.end] == p.surface for p in passages)


def test_an_edit_is_read_with_the_version_before_it(kit_with):
    kit = kit_with(rule())
    kit.save()
    kit.save(OFF_TOPIC, "2026-01-21T11:00:00Z")
    (story,) = kit.do(lambda tx: read_mail(tx.db, 2, tx.policy.alerts, RULES, tx.now())).stories
    assert (story.version.title, story.before.title) == (OFF_TOPIC.title, ON_TOPIC.title)
    assert (story.before.seen_at, story.version.seen_at) == (NOW, "2026-01-21T11:00:00Z")
    assert not story.version.matches
    assert [match.topic for match in story.before.matches] == ["isis_detainees"]


def test_a_withdrawal_is_read_with_the_last_look_that_found_the_page(kit_with):
    kit = kit_with(rule())
    kit.save()
    kit.save(at="2026-01-21T11:00:00Z")
    missed(kit, "2026-01-21T12:00:00Z")
    missed(kit, "2026-01-21T13:00:00Z")
    (story,) = kit.do(lambda tx: read_mail(tx.db, 2, tx.policy.alerts, RULES, tx.now())).stories
    assert (story.kind, story.last_seen_at, story.at) == ("withdrawn", "2026-01-21T11:00:00Z", "2026-01-21T13:00:00Z")
