"""New rules over an old archive: what would change is told first; nothing changes, and nobody is told, unasked."""

from dataclasses import replace

import pytest

from archive.alerts.rules import AlertRule
from archive.errors import ArchiveError
from archive.labels import label, labelled
from archive.migrations import STEPS, migrate
from archive.reading import open_archive
from archive.rules import load_rules
from archive.sqlite import connect_write
from archive.writer import Writer
from crawler.rejudge import rejudge
from crawler.worker import Worker
from tests.archive_kit import OFF_TOPIC, Kit, page, policy
from tests.servers import article

OLIVES = """
[term.olives]
forms = ["{موسم|قطاف} الزيتون"]
[topic.olives]
mention = ["olives"]
threshold = 1
[[topic.olives.signal]]
why = "the olive harvest"
any = ["olives"]
points = 2
"""
TEXT = "بدأ المزارعون في ريف المدينة قطاف الزيتون هذا العام قبل موعده المعتاد بأسبوعين.\n" * 3
RULE = AlertRule(name="olives", topics=("olives",), to=("reader@example.org",), backlog="each")


@pytest.fixture
def desk(tmp_path):
    """An archive with one kept article (on other topics) and one that was passed over."""
    kit = Kit(tmp_path)
    kit.save()
    body = article("موسم الزيتون يبدأ باكراً", TEXT)
    passed = kit.save(replace(OFF_TOPIC, text=TEXT), page=page("https://sana.example/2", body=body))
    assert passed.kind == "passed"
    kit.writer.close()
    return tmp_path / "archive.db"


@pytest.fixture(scope="module")
def olives():
    rules = load_rules(OLIVES, "olives.toml")
    worker = Worker(rules)
    yield rules, worker
    worker.close()


def ask(desk, olives, **how):
    rules, worker = olives
    with open_archive(desk) as archive:
        return list(rejudge(archive, rules, worker, **how))


def count(desk, sql):
    with open_archive(desk) as archive:
        return next(iter(archive.query(sql)[0].values()))


def test_what_would_change_is_reported_and_nothing_is_changed(desk, olives):
    lost, gained = ask(desk, olives)
    assert (lost.article_id, set(lost.was), lost.now) == (1, {"syria", "isis_detainees", "sdf"}, {})
    assert (gained.article_id, gained.now, gained.kept_now) == (2, {"olives": "substantive"}, True)
    assert "الزيتون" in gained.title
    assert count(desk, "select count(*) from matches where topic = 'olives'") == 0
    assert count(desk, "select count(*) from latest") == 1


@pytest.mark.parametrize("notify", [False, True])
def test_applied_the_passed_page_is_kept_and_told_only_when_asked(desk, olives, notify):
    rules, _ = olives
    with Writer(desk, policy(rules=rules, alerts=(RULE,) if notify else ())) as writer:
        assert len(ask(desk, olives, writer=writer, notify=notify)) == 2
        assert ask(desk, olives, writer=writer, notify=notify) == []
    assert count(desk, "select topics from latest where article_id = 2") == "olives"
    assert count(desk, "select topics from latest where article_id = 1") is None
    assert count(desk, "select count(*) from versions") == 2
    assert count(desk, "select count(*) from ledger") == 2
    assert count(desk, "select count(*) from mails") == int(notify)
    assert count(desk, "select count(*) from articles_fts where articles_fts match 'الزيتون'") == 1


def test_every_judgement_names_its_rules_so_a_past_no_can_be_shown(desk, olives):
    rules, _ = olives
    assert count(desk, "select r.sha256 from captures c join rule_sets r on r.id = c.rule_set_id") != rules.sha256
    with Writer(desk, policy(rules=rules)) as writer:
        ask(desk, olives, writer=writer)
    assert count(desk, "select count(*) from judgements where version_id = 1") == 2
    no = "select count(*) from judgements j join rule_sets r on r.id = rule_set_id where version_id = 1 and sha256 = "
    assert count(desk, f"{no}'{rules.sha256}'") == 1


def test_only_what_was_captured_since_is_judged(desk, olives):
    assert ask(desk, olives, since="2026-01-22T00:00:00Z") == []


def test_a_label_stays_with_the_version_and_shows_where_rules_and_editors_differ(desk, olives):
    rules, _ = olives
    with Writer(desk, policy()) as writer:
        writer.submit(lambda tx: label(tx, 1, "syria", "yes")).result()
        writer.submit(lambda tx: label(tx, 1, "sdf", "yes")).result()
        writer.submit(lambda tx: label(tx, 1, "sdf", "no")).result()
        with pytest.raises(ArchiveError, match="never kept"):
            writer.submit(lambda tx: label(tx, 2, "syria", "yes")).result()
        with open_archive(desk) as archive:
            found = {one.topic: (one.verdict, one.agrees) for one in labelled(archive, writer_rules())}
            assert found == {"syria": ("yes", True), "sdf": ("no", False)}
            assert {one.topic: one.agrees for one in labelled(archive, rules)} == {"syria": False, "sdf": True}


def writer_rules():
    return policy().rules


def test_an_archive_of_the_first_schema_is_brought_up_with_its_rows(tmp_path):
    path = tmp_path / "archive.db"
    db = connect_write(path)
    STEPS.apply(db, stop_before="0002_learned")
    db.execute("INSERT INTO outlets VALUES ('sana', 'سانا', 'SANA', 'agency', 'SY', 'https://sana.example', NULL)")
    assert "labels" not in db.table_names()
    migrate(db, path)
    assert "labels" in db.table_names()
    assert db.execute("SELECT name_ar FROM outlets").fetchall() == [("سانا",)]
    db.close()
