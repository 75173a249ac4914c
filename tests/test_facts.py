"""Places and figures beside the versions that tell them: kept, told by alerts, shown, taken out."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from archive.alerts.rules import AlertRule, Figures
from archive.errors import ConfigError
from archive.facts import work_off
from archive.redaction import redact
from archive.upkeep import catch_up
from crawler.cli import main
from crawler.config import load_config
from tests.archive_kit import ON_TOPIC, Kit
from tests.test_config import OUTLETS, SERVICE

TOLD = replace(
    ON_TOPIC,
    title="مقتل 12 طفلاً في قصف على مدينة الباب",
    text="قال المرصد السوري إن 12 طفلاً قتلوا، وأصيب أكثر من 30 مدنياً في الباب بريف حلب.\n"
    "ونُقل عشرات الجرحى من عناصر قسد إلى منبج.",
)
EDITED = replace(TOLD, title="مقتل 15 طفلاً في قصف على مدينة الباب")
PLACES = """SELECT place_id, field, substr(iif(field = 'title', v.title, v.text), start + 1, "end" - start)
  FROM mentions m JOIN versions v ON v.id = m.version_id ORDER BY field DESC, start"""
FIGURES = "SELECT low, high, approx, counted, act, said_by FROM figures ORDER BY version_id, field DESC, start"


@pytest.fixture
def kit(tmp_path: Path):
    made = Kit(tmp_path)
    yield made
    made.writer.close()


def test_what_a_version_names_and_counts_is_kept_with_it(kit: Kit) -> None:
    kit.save(TOLD)
    assert kit.rows(PLACES) == [
        ("al-bab", "title", "مدينة الباب"),
        ("al-bab", "text", "الباب"),
        ("aleppo", "text", "بريف حلب"),
        ("manbij", "text", "منبج"),
    ]
    assert kit.rows(FIGURES) == [
        (12, 12, 0, "children", "killed", None),
        (12, 12, 0, "children", "killed", "المرصد السوري"),
        (30, None, 1, "civilians", "wounded", "المرصد السوري"),
        (None, None, 1, "people", "wounded", None),
    ]
    assert kit.one("SELECT lat FROM places WHERE id = 'al-bab'") == 36.37


def test_what_was_kept_before_is_read_with_each_save_and_by_upkeep(kit: Kit) -> None:
    for number in range(9):
        kit.save(TOLD, url=f"https://sana.example/{number}")
    before = kit.rows(PLACES), kit.rows(FIGURES)
    for statement in (
        "DELETE FROM mentions",
        "DELETE FROM figures",
        "INSERT INTO facts_backlog SELECT id FROM versions",
    ):
        kit.do(lambda tx, statement=statement: tx.db.execute(statement))
    kit.save(replace(ON_TOPIC, title="داعش"), url="https://sana.example/other")
    assert kit.one("SELECT count(*) FROM facts_backlog") == 7
    catch_up(kit.writer, work_off)
    kit.do(lambda tx: tx.db.execute("DELETE FROM figures WHERE version_id = 10"))
    kit.do(lambda tx: tx.db.execute("DELETE FROM mentions WHERE version_id = 10"))
    assert (kit.rows(PLACES), kit.rows(FIGURES)) == before


def test_a_redaction_takes_them_out(kit: Kit) -> None:
    saved = kit.save(TOLD)
    kit.do(lambda tx: redact(tx, saved.article_id, "قاصر"))
    assert kit.one("SELECT (SELECT count(*) FROM mentions) + (SELECT count(*) FROM figures)") == 0


RULES = {
    "one of the places": ({"places": ("al-bab", "al-hol")}, True),
    "a spelling": ({"places": ("الباب",)}, True),
    "what lies in a governorate": ({"places": ("حلب",)}, True),
    "another place": ({"places": ("القامشلي",)}, False),
    "the figure": ({"figures": (Figures("killed", "children", 10),)}, True),
    "one of the figures": ({"figures": (Figures("arrested"), Figures(counted="civilians"))}, True),
    "too few": ({"figures": (Figures("killed", least=13),)}, False),
    "as many as nobody counted": ({"figures": (Figures("wounded", "people", 31),)}, False),
    "people of every kind": ({"figures": (Figures("killed", "people", 12),)}, True),
    "as people name it": ({"places": ("مدينة منبج",)}, True),
    "a place without its topic": ({"places": ("al-bab",), "topics": ("sdf",), "query": "زلزال"}, False),
    "all that is asked": ({"places": ("منبج",), "figures": (Figures(least=12),), "query": "المرصد"}, True),
}  # fmt: skip


@pytest.mark.parametrize("name", RULES)
def test_a_rule_asks_for_places_and_figures(tmp_path: Path, name: str) -> None:
    asked, told = RULES[name]
    kit = Kit(tmp_path, alerts=(AlertRule("desk", to=("desk@example.org",), **asked),))
    kit.save(TOLD)
    assert bool(kit.one("SELECT count(*) FROM mails")) is told
    kit.writer.close()


def test_an_edit_is_told_by_the_figures_of_its_version(tmp_path: Path) -> None:
    rule = AlertRule("desk", to=("desk@example.org",), figures=(Figures("killed", least=15),))
    kit = Kit(tmp_path, alerts=(rule,))
    kit.save(TOLD)
    assert kit.one("SELECT count(*) FROM mail_events") == 0
    kit.save(EDITED, "2026-01-23T12:00:00Z")
    assert kit.one("SELECT e.kind FROM mail_events JOIN events e ON e.id = event_id") == "edited"
    kit.writer.close()


MISTAKES = {
    'places = ["القامشليي"]': "did you mean 'القامشلي'",
    'places = ["atlantis"]': "places: there is no place 'atlantis'; the archive's table `places` lists them",
    'figures = { act = "kiled" }': "did you mean 'killed'",
    'figures = [{ counted = "childs" }]': "figures.counted: 'childs' is unknown; did you mean 'children'",
    "figures = { least = 0 }": "figures.least",
    'figures = { acts = "killed" }': "acts",
}


def configured(directory: Path, line: str) -> Path:
    (directory / "rasid.toml").write_text(SERVICE.replace('topics = ["isis_detainees"]', line), encoding="utf-8")
    (directory / "outlets.toml").write_text(OUTLETS, encoding="utf-8")
    return directory


@pytest.mark.parametrize("line", MISTAKES)
def test_a_mistake_names_the_nearest(tmp_path: Path, line: str) -> None:
    with pytest.raises(ConfigError) as mistake:
        load_config(configured(tmp_path, line))
    assert MISTAKES[line] in str(mistake.value)


def test_a_rule_is_tried_and_an_article_shown(tmp_path: Path) -> None:
    kit = Kit(tmp_path)
    kit.save(TOLD)
    kit.writer.close()
    line = 'places = ["aleppo"]\nfigures = { act = "killed", counted = "children", least = 10 }'
    config = ["--config", str(configured(tmp_path, line))]
    tried = CliRunner().invoke(main, ["alerts", "test", "detainees", *config])
    assert tried.exit_code == 0, tried.output
    assert TOLD.title in tried.output
    assert "أماكن وأعداد: \u2068مدينة الباب\u2069 · \u2068الباب\u2069 · \u2068بريف حلب\u2069" in tried.output
    assert "\u206812 طفلاً\u2069" in tried.output
    shown = CliRunner().invoke(main, ["show", "1", *config]).output
    assert "places:           الباب, حلب, منبج" in shown
    assert (
        "12 children killed, 12 children killed (المرصد السوري), 30 or more civilians wounded (المرصد السوري)" in shown
    )
