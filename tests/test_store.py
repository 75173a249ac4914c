"""What becomes of a look: kept, versioned, announced, looked at again."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archive.alerts.rules import AlertRule
from archive.errors import ArchiveError
from archive.looks import look
from archive.models import Article, Judgement, Look, Snapshot
from archive.store import judged, save
from archive.times import later
from archive.versions import FEED
from archive.writer import Writer
from tests.archive_kit import NOW, OFF_TOPIC, ON_TOPIC, RULES, Kit, page, policy, shot, whole

EDITED = replace(ON_TOPIC, text=ON_TOPIC.text + "\nوأضاف المصدر أن العدد بلغ 35 معتقلاً.")
URL = "https://sana.example/1"


@pytest.fixture
def kit(tmp_path):
    kit = Kit(tmp_path, alerts=(AlertRule("desk", ("isis_detainees",), ("desk@example.org",)),))
    yield kit
    assert whole(kit.writer) == []
    kit.writer.close()


def seen(kit, outcome, at, **more):
    kit.clock.at = at
    values = {"outlet_id": "sana", "crawl_id": kit.crawl, "status": None} | more
    if outcome == "gone":  # the outlet itself answers
        kit.home(at)
    kit.do(lambda tx: look(tx, Look(URL, at, outcome, **values)))


def events(kit):
    return [row[0] for row in kit.rows("SELECT kind FROM events ORDER BY id")]


def article(kit):
    return next(iter(kit.do(lambda tx: list(tx.db.query("SELECT * FROM articles WHERE url = ?", (URL,))))))


def test_a_matching_page_is_kept_judged_searchable_and_told_in_one_go(kit):
    saved = kit.save(ms=120)
    assert (saved.kind, saved.version_id, saved.event_id) == ("new", 1, 1)
    assert kit.one("SELECT series, http_status, url, at FROM captures") == ("kept", 200, URL, NOW)
    assert kit.one("SELECT title, text, captured_at, extractor FROM versions") == (
        ON_TOPIC.title, ON_TOPIC.text, NOW, "test 1",
    )  # fmt: skip
    topics = kit.rows("SELECT topic, strength FROM matches")
    assert {("isis_detainees", "substantive"), ("sdf", "substantive"), ("syria", "substantive")} == set(topics)
    for field, start, end, surface in kit.rows('SELECT field, start, "end", surface FROM passages'):
        assert getattr(ON_TOPIC, field)[start:end] == surface
    assert kit.one("SELECT sha256 FROM rule_sets r JOIN judgements j ON j.rule_set_id = r.id") == RULES.sha256
    assert kit.one("SELECT rowid FROM articles_fts WHERE articles_fts MATCH 'معتقلي'") == 1
    assert kit.one("SELECT crawl_id, outcome, status, bytes, ms, article_id FROM fetches") == (1, "ok", 200, 11, 120, 1)
    assert kit.one("SELECT state, kind FROM mails m JOIN mail_events USING (rule)") == ("queued", "instant")
    assert article(kit)["next_check_at"] == "2026-01-21T11:00:00Z"
    assert article(kit)["latest_version_id"] == 1


def test_a_page_on_no_topic_is_captured_and_passed(kit):
    saved = kit.save(OFF_TOPIC)
    assert (saved.kind, saved.version_id, saved.event_id) == ("passed", None, None)
    assert kit.one("SELECT series, rule_set_id FROM captures") == ("passed", 1)
    assert (kit.one("SELECT count(*) FROM versions"), kit.one("SELECT count(*) FROM ledger")) == (0, 0)
    assert kit.one("SELECT count(*) FROM addresses") == 1
    assert article(kit)["next_check_at"] is None


def test_a_passed_article_that_matches_later_is_kept_as_new(kit):
    kit.save(OFF_TOPIC)
    assert kit.save(ON_TOPIC, "2026-01-21T12:00:00Z").kind == "new"
    assert kit.rows("SELECT series FROM captures ORDER BY id") == [("passed",), ("kept",)]
    assert events(kit) == ["new"]


def test_save_keeps_a_page_whatever_its_topic(kit):
    assert kit.save(OFF_TOPIC, keep=True).kind == "new"
    assert kit.one("SELECT count(*) FROM mails") == 0
    assert kit.one("SELECT count(*) FROM judgements") == 1  # that it matched nothing is provable


def test_a_look_that_finds_no_change_costs_one_fetch_row_and_no_capture(kit):
    kit.save()
    before = {t: kit.one(f"SELECT count(*) FROM {t}") for t in ("captures", "versions", "events", "mails", "ledger")}
    counter = replace(ON_TOPIC, text=ON_TOPIC.text.replace("نقلت", "نَقَلت"), modified_at="2026-01-21", section="محليات")
    assert kit.save(counter, "2026-01-21T11:00:00Z").kind == "unchanged"
    assert before == {t: kit.one(f"SELECT count(*) FROM {t}") for t in before}
    assert kit.rows("SELECT outcome FROM fetches ORDER BY id") == [("ok",), ("unchanged",)]
    assert article(kit)["next_check_at"] == "2026-01-21T13:00:00Z"
    assert article(kit)["last_checked_at"] == "2026-01-21T11:00:00Z"


def test_what_the_feed_told_makes_no_edit_and_hides_no_older_words(kit):
    told = replace(ON_TOPIC, text=ON_TOPIC.text * 3, extractor=f"{FEED}test 1")
    kit.save(told)
    looks = [
        replace(ON_TOPIC, text=told.text, title="قسد تنقل معتقلين", author="محمد علي"),  # the page's own, at last
        ON_TOPIC,  # a stump of it
        replace(told, text=ON_TOPIC.text * 4),  # by way of the feed again
    ]
    assert [kit.save(words, "2026-01-21T11:00:00Z").kind for words in looks] == ["unchanged"] * 3
    assert kit.save(ON_TOPIC, "2026-01-20T10:00:00Z", crawl_id=None).kind == "changed"  # an import from before
    assert kit.save(EDITED, "2026-01-20T11:00:00Z", crawl_id=None).kind == "changed"
    kit.clock.at = "2026-01-21T12:00:00Z"
    assert kit.save(replace(told, text=told.text + EDITED.text, extractor="test 1"), kit.clock.at).kind == "changed"
    assert kit.save(replace(told, text=told.text), "2026-01-21T13:00:00Z").kind == "unchanged"  # a page's text stands
    assert events(kit) == ["new", "edited"]


def test_an_edit_makes_a_version_an_event_and_a_mail(kit):
    kit.save()
    saved = kit.save(EDITED, "2026-01-21T11:00:00Z")
    assert (saved.kind, saved.version_id) == ("changed", 2)
    assert events(kit) == ["new", "edited"]
    assert kit.one("SELECT count(*) FROM mails") == 2
    assert article(kit)["latest_version_id"] == 2
    assert kit.one("SELECT rowid FROM articles_fts WHERE articles_fts MATCH 'المصدر'") == 1
    assert kit.rows("SELECT number, version_id FROM history") == [(1, 1), (2, 2)]
    assert kit.one("SELECT kept FROM crawls") == 2


def test_an_edited_article_that_no_longer_matches_still_gets_its_version_and_is_told(kit):
    kit.save()
    assert kit.save(OFF_TOPIC, "2026-01-21T11:00:00Z").kind == "changed"
    assert events(kit) == ["new", "edited"]
    assert kit.one("SELECT count(*) FROM mails") == 2
    assert kit.one("SELECT series FROM captures WHERE id = 2") == "kept"


def test_two_looks_in_the_same_second_and_words_that_come_back(kit):
    kinds = [kit.save(words).kind for words in (ON_TOPIC, EDITED, ON_TOPIC, EDITED)]
    assert kinds == ["new", "changed", "changed", "changed"]
    texts = [row[0] for row in kit.rows("SELECT text FROM history ORDER BY number")]
    assert texts == [ON_TOPIC.text, EDITED.text, ON_TOPIC.text, EDITED.text]
    assert article(kit)["latest_version_id"] == 4


def test_a_clock_that_goes_back_loses_nothing_and_keeps_the_order(kit):
    kit.save(ON_TOPIC, "2026-01-21T10:00:00Z")
    kit.save(EDITED, "2026-01-21T07:00:00Z")
    third = replace(ON_TOPIC, title="قسد تنفي نقل معتقلي داعش")
    kit.save(third, "2026-01-20T23:00:00Z")
    assert [row[0] for row in kit.rows("SELECT title FROM history ORDER BY number")][-1] == third.title
    assert article(kit)["latest_version_id"] == 3
    assert events(kit) == ["new", "edited", "edited"]
    assert [row[0] for row in kit.rows("SELECT at FROM captures ORDER BY id")][-1] == "2026-01-20T23:00:00Z"
    assert article(kit)["next_check_at"] <= "2026-01-21T11:00:00Z"  # not when the wrong clock would have said
    seen(kit, "gone", "2026-01-21T09:00:00Z")
    seen(kit, "gone", "2026-01-21T06:00:00Z")
    seen(kit, "gone", "2026-01-21T07:00:00Z")
    assert article(kit)["status"] == "gone"


def imported(kit, words, at):
    return kit.do(lambda tx: save(tx, Snapshot(page(URL, at), words, shot(words).judgement, backlog=True)))


def test_an_import_takes_its_place_in_time_and_is_told_only_if_newest(kit):
    kit.save(EDITED, "2026-01-21T10:00:00Z")
    assert imported(kit, ON_TOPIC, "2026-01-19T10:00:00Z").kind == "changed"
    assert imported(kit, ON_TOPIC, "2026-01-20T10:00:00Z").kind == "unchanged"  # as the one before it
    assert imported(kit, EDITED, "2026-01-20T12:00:00Z").kind == "unchanged"  # as the one after it
    assert imported(kit, ON_TOPIC, "2026-01-19T10:00:00Z").kind == "unchanged"  # twice
    assert kit.rows("SELECT number, version_id FROM history") == [(1, 2), (2, 1)]
    assert article(kit)["latest_version_id"] == 1
    assert kit.one("SELECT title FROM articles_fts").startswith("قسد")
    assert kit.one("SELECT count(*) FROM fetches") == 1  # nothing was fetched for an import
    assert events(kit) == ["new"]


def test_importing_the_same_text_twice_keeps_it_once(kit):
    urn = f"urn:sha256:{'0' * 64}"
    file = page(urn, headers=(("Content-Type", "text/plain"),))
    one, two = (kit.do(lambda tx: save(tx, shot(ON_TOPIC, file, backlog=True))) for _ in range(2))
    assert (one.kind, two.kind, two.article_id) == ("new", "unchanged", one.article_id)
    assert kit.one("SELECT next_check_at, backlog FROM articles") == (None, 1)
    assert kit.one("SELECT kind FROM mails") == "digest"


@pytest.mark.parametrize(
    ("published", "backlog"),
    [(None, 0), ("2026-01-21", 0), ("2026-01-19", 0), ("2026-01-18", 1), ("2019-11-14T01:27", 1),
     ("2026-01-19T11:00:00+03:00", 1), ("2026-01-19T14:00:00+03:00", 0), ("قبل يومين", 0)],
)  # fmt: skip
def test_what_was_published_over_two_days_ago_is_backlog(kit, published, backlog):
    kit.save(replace(ON_TOPIC, published_at=published))
    assert kit.one("SELECT backlog FROM events") == article(kit)["backlog"] == backlog


def test_a_withdrawal_needs_two_looks_an_hour_apart(kit):
    kit.save()
    seen(kit, "gone", "2026-01-21T11:00:00Z", status=404)
    assert (article(kit)["status"], article(kit)["next_check_at"]) == ("suspect", "2026-01-21T12:00:00Z")
    seen(kit, "gone", "2026-01-21T11:59:59Z", status=404)
    assert (article(kit)["status"], article(kit)["next_check_at"]) == ("suspect", "2026-01-21T12:00:00Z")
    assert events(kit) == ["new"]
    seen(kit, "gone", "2026-01-21T12:00:00Z", status=410)
    assert (article(kit)["status"], article(kit)["gone_at"]) == ("gone", "2026-01-21T12:00:00Z")
    assert article(kit)["next_check_at"] == "2026-01-21T13:00:00Z"  # the ladder goes on
    seen(kit, "gone", "2026-01-21T13:00:00Z", status=404)
    assert events(kit) == ["new", "withdrawn"]
    assert kit.one("SELECT count(*) FROM mails") == 2


@pytest.mark.parametrize("outcome", ["blocked", "outage", "tls", "timeout"])
def test_a_block_or_an_outage_is_neither_an_edit_nor_a_withdrawal(kit, outcome):
    kit.save()
    for hour in (11, 12, 13, 14):
        seen(kit, outcome, f"2026-01-21T{hour}:00:00Z", status=503)
    assert (article(kit)["status"], events(kit)) == ("live", ["new"])
    assert article(kit)["next_check_at"] == "2026-01-21T15:00:00Z"
    assert article(kit)["last_checked_at"] == NOW
    seen(kit, outcome, "2026-01-21T15:00:00Z", retry_at="2026-01-21T18:00:00Z")
    assert article(kit)["next_check_at"] == "2026-01-21T18:00:00Z"


def test_an_outage_between_two_looks_does_not_confirm_a_withdrawal(kit):
    kit.save()
    seen(kit, "gone", "2026-01-21T11:00:00Z")
    seen(kit, "outage", "2026-01-21T12:00:00Z")
    assert (article(kit)["status"], events(kit)) == ("suspect", ["new"])


def test_a_site_that_stays_dead_is_asked_ever_more_rarely_and_then_no_more(kit):
    kit.save()
    at, looks = "2026-01-21T11:00:00Z", 0
    while at and looks < 500:
        seen(kit, "outage", at)
        at, looks = article(kit)["next_check_at"], looks + 1
    assert at is None
    assert looks < 80


@pytest.mark.parametrize(("back", "kind"), [(ON_TOPIC, "unchanged"), (EDITED, "changed")])
def test_a_page_that_comes_back_is_restored(kit, back, kind):
    kit.save()
    seen(kit, "gone", "2026-01-21T11:00:00Z")
    seen(kit, "gone", "2026-01-21T12:00:00Z")
    saved = kit.save(back, "2026-01-21T13:00:00Z")
    assert (saved.kind, article(kit)["status"], article(kit)["gone_at"]) == (kind, "live", None)
    assert events(kit) == ["new", "withdrawn", "restored"] + (["edited"] if kind == "changed" else [])


def test_a_304_restores_too_and_a_suspicion_is_dropped_without_a_word(kit):
    kit.save()
    seen(kit, "gone", "2026-01-21T11:00:00Z")
    seen(kit, "unchanged", "2026-01-21T11:30:00Z", status=304)
    assert (article(kit)["status"], article(kit)["suspect_at"], events(kit)) == ("live", None, ["new"])
    seen(kit, "gone", "2026-01-21T13:00:00Z")
    assert article(kit)["status"] == "suspect"  # counted anew
    seen(kit, "gone", "2026-01-21T14:00:00Z")
    seen(kit, "unchanged", "2026-01-21T15:00:00Z", status=304)
    assert events(kit) == ["new", "withdrawn", "restored"]


def test_a_passed_page_that_vanishes_is_told_to_nobody(kit):
    kit.save(OFF_TOPIC)
    seen(kit, "gone", "2026-01-21T11:00:00Z")
    seen(kit, "gone", "2026-01-21T12:00:00Z")
    assert events(kit) == []
    assert article(kit)["next_check_at"] is None


def test_a_redirect_to_a_new_address_stays_the_same_article(kit):
    kit.save()
    moved = page(URL, "2026-01-21T11:00:00Z", final_url="https://sana.example/new/1")
    assert kit.save(EDITED, "2026-01-21T11:00:00Z", page=moved).article_id == 1
    assert kit.rows("SELECT url, article_id, kind FROM addresses ORDER BY kind") == [
        ("https://sana.example/new/1", 1, "canonical"), (URL, 1, "moved"),
    ]  # fmt: skip
    assert kit.one("SELECT url FROM captures WHERE id = 2") == "https://sana.example/new/1"


def test_a_redirect_to_another_known_article_is_no_edit_of_the_one_asked_for(kit):
    kit.save()
    wheat = replace(ON_TOPIC, title="موسم القمح في الجزيرة", text="بدأ الفلاحون في الجزيرة حصاد القمح هذا الأسبوع.")
    other = kit.save(wheat, url="https://sana.example/2", keep=True)
    led = page(URL, "2026-01-21T11:00:00Z", final_url="https://sana.example/2")
    saved = kit.save(wheat, "2026-01-21T11:00:00Z", page=led, article_id=1)
    assert (saved.kind, saved.article_id) == ("unchanged", other.article_id)
    assert kit.one("SELECT count(*) FROM versions WHERE article_id = 1") == 1
    assert article(kit)["next_check_at"] == "2026-01-21T13:00:00Z"  # and it is not due for ever


def test_after_the_last_rung_nothing_is_looked_at_again(kit):
    kit.save()
    kit.save(ON_TOPIC, later(NOW, 86400))
    assert article(kit)["next_check_at"] is None


def test_rules_may_change_while_pages_judged_by_the_old_ones_are_under_way(kit):
    newer = replace(RULES, toml=RULES.toml + "\n# newer\n", sha256="f" * 64)
    kit.writer.set_policy(policy(rules=newer))
    assert kit.save().kind == "new"
    assert kit.one("SELECT sha256 FROM rule_sets r JOIN judgements j ON j.rule_set_id = r.id") == RULES.sha256
    with pytest.raises(ArchiveError, match="unknown to this archive"):
        kit.do(
            lambda tx: save(tx, replace(shot(page=page("https://sana.example/2")), judgement=Judgement("e" * 64, ())))
        )


def test_a_new_judgement_replaces_the_matches_and_keeps_the_old_judgement(kit):
    saved = kit.save()
    newer = replace(RULES, toml=RULES.toml + "\n# newer\n", sha256="f" * 64)
    kit.writer.set_policy(policy(rules=newer))
    kit.do(lambda tx: judged(tx, saved.version_id, Judgement("f" * 64, shot().judgement.matches[:1])))
    assert kit.rows("SELECT topic, rule_set_id FROM matches") == [(shot().judgement.matches[0].topic, 2)]
    assert kit.one("SELECT count(*) FROM judgements") == 2
    assert kit.one("SELECT count(DISTINCT topic) FROM passages") == 1


def test_versions_and_ledger_cannot_be_changed_even_by_hand(kit):
    kit.save()
    for sql in (
        "UPDATE versions SET title = ''",
        "UPDATE ledger SET seq = 9",
        "DELETE FROM ledger",
        "DELETE FROM versions",
    ):
        with pytest.raises(Exception, match=r"never changed|append-only|FOREIGN KEY"):
            kit.do(lambda tx, sql=sql: tx.db.execute(sql))


WORDINGS = [replace(ON_TOPIC, title=f"{ON_TOPIC.title} {word}") for word in ("أولاً", "ثانياً", "ثالثاً")]
LOOKS = st.lists(
    st.tuples(st.sampled_from([*WORDINGS, "gone", "outage", "unchanged"]), st.integers(-7200, 7200)), max_size=12
)


@settings(max_examples=settings.default.max_examples // 3)  # each makes an archive
@given(looks=LOOKS)
def test_whatever_happens_in_whatever_order_the_archive_is_whole(tmp_path_factory, looks):
    kit = Kit(tmp_path_factory.mktemp("a"))
    last, at, changes = None, NOW, 0
    for what, step in looks:
        at = later(at, step)
        if isinstance(what, Article):
            changes += what != last
            last = what
            kit.save(what, at)
        else:
            seen(kit, what, at)
    assert whole(kit.writer) == []
    assert kit.one("SELECT count(*) FROM versions") == changes
    if last:
        assert kit.one("SELECT title FROM latest") == last.title
        assert kit.one("SELECT title FROM history ORDER BY number DESC LIMIT 1") == last.title
        told = kit.rows("SELECT kind FROM events WHERE kind IN ('withdrawn', 'restored') ORDER BY id")
        assert [kind for (kind,) in told] == [("withdrawn", "restored")[n % 2] for n in range(len(told))]
    kit.writer.close()


def test_an_archive_opened_again_goes_on_where_it_was(tmp_path):
    kit = Kit(tmp_path)
    kit.save()
    kit.writer.close()
    with Writer(kit.path, policy()) as writer:
        edited = Snapshot(page(at="2026-01-21T11:00:00Z"), EDITED, shot(EDITED).judgement)
        assert writer.submit(lambda tx: save(tx, edited)).result().kind == "changed"
        assert whole(writer) == []


@pytest.mark.parametrize(
    ("credit", "outlet"),
    [
        ("سانا", "sana"),
        ("وكالة سانا", "sana"),
        ("وكالة سَـانا (دمشق)", "sana"),
        ("SANA", "sana"),
        ("رويترز", None),
        (None, None),
    ],
)
def test_a_credit_is_resolved_to_the_outlet_it_names(kit, credit, outlet):
    kit.save(replace(ON_TOPIC, credit=credit))
    assert kit.one("SELECT credit_outlet_id FROM versions") == outlet
    assert kit.one("SELECT credit FROM versions") == credit
