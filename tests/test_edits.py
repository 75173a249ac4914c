"""What is stored of an edit, what is drift, and what a changed reader must not make of an article."""

from __future__ import annotations

import json
import random
from dataclasses import replace

import pytest
from click.testing import CliRunner

from archive.alerts.rules import AlertRule
from archive.edits import backfill, compare
from archive.models import Article
from crawler.cli import main
from tests.archive_kit import ON_TOPIC, RULES, Kit

RULE = AlertRule("desk", ("isis_detainees", "sdf", "syria"), ("desk@example.org",))
LATER = "2026-01-21T11:00:00Z"
BANNER = "كل عام وأهلنا جميعاً بخير"


@pytest.fixture
def kit(tmp_path):
    made = Kit(tmp_path, alerts=(RULE,))
    yield made
    made.writer.close()


def text(article: Article, *more: str) -> Article:
    return replace(article, text="\n".join([article.text, *more]))


def reworded(article: Article, was: str, now: str) -> Article:
    assert was in article.text
    return replace(article, text=article.text.replace(was, now))


def test_an_edit_is_stored_with_its_version_and_told_apart(kit):
    kit.save()
    kit.save(reworded(ON_TOPIC, "معتقلين من", "12 معتقلاً من"), LATER)
    (row,) = kit.rows('SELECT field, op, kind, material, reasons, before, after, start, "end" FROM edits')
    assert row[:5] == ("text", "replaced", "material", 1, "number")
    stored = kit.one("SELECT text FROM versions ORDER BY id DESC LIMIT 1")
    assert (row[5], row[6]) == ("معتقلين", "12 معتقلاً") == ("معتقلين", stored[row[7] : row[8]])
    assert kit.one("SELECT material, silent FROM changes") == (1, 1)
    detail = json.loads(kit.one("SELECT detail FROM events WHERE kind = 'edited'"))
    assert (detail["material"], detail["silent"]) == (True, True)


def test_wording_is_no_material_edit_and_a_changed_time_no_silent_one(kit):
    kit.save(replace(ON_TOPIC, modified_at="2026-01-21T09:00"))
    kit.save(replace(reworded(ON_TOPIC, "يصدر", "يرد"), modified_at="2026-01-21T10:30"), LATER)
    assert kit.one("SELECT material, silent FROM changes") == (0, 0)


def test_a_version_slotted_in_between_is_what_the_later_one_is_compared_with(kit):
    kit.save()
    kit.save(text(ON_TOPIC, "أولاً: جملة أضيفت إلى الخبر.", "ثانياً: جملة أخرى أضيفت."), LATER)
    kit.save(text(ON_TOPIC, "أولاً: جملة أضيفت إلى الخبر."), "2026-01-21T10:30:00Z", crawl_id=None)
    assert kit.rows("SELECT version_id, from_version_id, after FROM edits ORDER BY id") == [
        (3, 1, "أولاً: جملة أضيفت إلى الخبر."),
        (2, 3, "ثانياً: جملة أخرى أضيفت."),
    ]


def test_what_today_s_reader_reads_otherwise_makes_no_version(kit):
    kit.save(text(ON_TOPIC, "سطر كان القارئ القديم يأخذه مع النص"))
    reread = (1, ON_TOPIC)
    assert kit.save(ON_TOPIC, LATER, reread=reread).kind == "unchanged"
    edited = reworded(ON_TOPIC, "من سجن", "من مخيم")
    assert kit.save(edited, LATER, reread=reread).kind == "changed"
    assert kit.rows("SELECT before, after FROM edits") == [("سجن", "مخيم")]


def test_a_banner_on_many_articles_is_drift_and_hides_no_edit(kit):
    articles = {
        f"https://sana.example/{n}": replace(ON_TOPIC, text=f"{ON_TOPIC.text}\nالخبر رقم {n}.") for n in range(6)
    }
    for url, article in articles.items():
        kit.save(article, url=url)
    saved = [kit.save(text(article, BANNER), LATER, url=url).kind for url, article in list(articles.items())[:5]]
    assert saved == ["changed", "changed", "unchanged", "unchanged", "unchanged"]
    assert kit.rows("SELECT outlet_id, inserted, removed, articles FROM drift") == [("sana", BANNER, None, 5)]
    assert kit.one("SELECT count(*) FROM events WHERE kind = 'edited'") == 2
    told = "SELECT count(*) FROM mail_events m JOIN events e ON e.id = m.event_id WHERE e.kind = 'edited'"
    assert kit.one(told) == 0  # those of the first two were waiting still
    url, article = list(articles.items())[5]
    assert kit.save(reworded(text(article, BANNER), "من سجن", "من مخيم"), LATER, url=url).kind == "changed"
    assert kit.rows("SELECT before, after FROM edits ORDER BY id DESC LIMIT 1") == [("سجن", "مخيم")]
    first = articles["https://sana.example/0"]
    assert kit.save(first, "2026-01-21T12:00:00Z", url="https://sana.example/0").kind == "unchanged"  # taken down again


def test_stories_corrected_alike_are_no_drift(kit):
    """The same sentence put in the place of another, taken out, or added at the end: of a few stories each is told."""
    lines = ["قالت مصادر إن القافلة وصلت مساءً.", "وأضافت أن الطريق آمنة.", "ولم يصدر تعليق رسمي."]
    changes = [
        [lines[0], "ونفت مصادر رسمية صحة هذه المعلومات.", lines[2]], [lines[0], lines[2]],
        [*lines, "تحديث: أكدت مصادر متطابقة انتهاء العملية."],
    ]  # fmt: skip
    for at, change in enumerate(changes):
        for number in range(5):
            url, head = f"https://sana.example/{at}/{number}", f"قسد تتحدث عن القافلة رقم {number}"
            kit.save(replace(ON_TOPIC, title=head, text="\n".join(lines)), url=url)
            edited = replace(ON_TOPIC, title=head, text="\n".join(change))
            assert kit.save(edited, LATER, url=url).kind == "changed"
    assert kit.one("SELECT count(*) FROM drift") == 0


def test_what_is_put_right_in_several_stories_is_no_drift(kit):
    """A name corrected in a line without a full stop, a long paragraph without one, a correction told at the end."""
    told = "قال الناطق إن القافلة وصلت مساءً."
    long = "وكانت القوات قد سيطرت على البلدة في ربيع العام الماضي بعد معارك استمرت أسابيع وأدت إلى نزوح معظم سكانها"
    changes = [
        (["الناطق الرسمي باسم المجلس: سامر حداد", told], ["الناطق الرسمي باسم المجلس: سامي حداد", told]),
        ([told], [told, long]),
        ([told], [told, "تصحيح: اسم القتيل سامي حداد"]),
    ]
    for at, sides in enumerate(changes):
        for number in range(4):
            url, title = f"https://sana.example/{at}/{number}", f"قسد تتحدث عن القافلة رقم {number}"
            before, after = (
                replace(ON_TOPIC, title=title, text="\n".join([*side, f"الرقم {number}."])) for side in sides
            )
            kit.save(before, url=url)
            assert kit.save(after, LATER, url=url).kind == "changed"
    assert kit.one("SELECT count(*) FROM drift") == 0


def test_the_same_edit_days_apart_is_no_drift(kit):
    for number, day in enumerate(("21", "23", "25")):
        url = f"https://sana.example/{number}"
        kit.save(url=url)
        assert kit.save(text(ON_TOPIC, BANNER), f"2026-01-{day}T12:00:00Z", url=url).kind == "changed"
    assert kit.one("SELECT count(*) FROM drift") == 0


def test_rasid_diff_says_what_changed_and_status_what_drifts(kit, tmp_path):
    kit.save()
    kit.save(reworded(ON_TOPIC, "معتقلين من", "12 معتقلاً من"), LATER)
    kit.save(reworded(ON_TOPIC, "معتقلين من", "14 معتقلاً من"), "2026-01-21T12:00:00Z")
    kit.writer.close()
    (tmp_path / "rasid.toml").write_text('contact = "desk@example.org"\n', encoding="utf-8")

    def run(*arguments: str) -> str:
        done = CliRunner().invoke(main, [*arguments, "--config", str(tmp_path)])
        assert done.exit_code == 0, done.output
        return done.output

    told = run("diff", "1")
    assert "text  replaced  material: number" in told
    assert "[12] معتقلاً من تنظيم" in told
    assert "silent" in told
    values = json.loads(run("diff", "1", "1", "3", "--json"))
    assert (values["from"]["number"], values["to"]["number"]) == (1, 3)
    assert [edit["after"] for edit in values["edits"]] == ["14 معتقلاً"]
    assert "no edit" not in run("status")
    wrong = CliRunner().invoke(main, ["diff", "1", "2", "9", "--config", str(tmp_path)])
    assert (wrong.exit_code, "has 3 versions" in wrong.output) == (1, True)


@pytest.mark.timeout(60)  # what is not bounded takes hours
def test_hostile_texts_are_judged_soon():
    words = ["قسد", "«الرقة»", "12", "ثلاثة", "لا", "من", "سجن"] * 6_000
    other = random.Random(1).sample(words, len(words))
    found = compare(Article("عنوان", " ".join(words)), Article("عنوان", " ".join(other)), RULES)
    assert found[0].kind == "material"


def test_what_was_kept_before_edits_were_told_is_told_by_the_migration(kit):
    kit.save()
    kit.save(reworded(ON_TOPIC, "معتقلين من", "12 معتقلاً من"), LATER)
    told = kit.rows("SELECT * FROM edits")
    kit.do(lambda tx: tx.db.execute("DELETE FROM edits"))
    kit.do(lambda tx: backfill(tx.db))
    assert [row[1:] for row in kit.rows("SELECT * FROM edits")] == [row[1:] for row in told] != []
