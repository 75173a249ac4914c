"""How it stands: outlets against their own usual, troubles told once, numbers for monitoring, logs without secrets."""

import json
import logging
import re
import subprocess
import sys
from dataclasses import replace

import pytest

from archive.alerts.rules import AlertRule
from archive.doctor import exposed
from archive.frontier import sync_outlets
from archive.times import later, moment
from archive.usual import Yield, departures, unusual
from crawler.config import load_config
from crawler.health import announce, survey
from crawler.jobs import Job
from crawler.logs import Lines
from crawler.metrics import metrics
from tests.archive_kit import NOW, ON_TOPIC, SANA, Kit

DAY, HOUR = 86400, 3600
LONG = "ونقلت مصادر محلية أن الاتفاق شمل عشرات المحتجزين من تنظيم داعش لدى قسد. " * 12
OUTLET = """
[[outlet]]
id = "sana"
name_ar = "سانا"
name_en = "SANA"
homepage = "https://sana.example/"
feeds = ["https://sana.example/feed"]
"""


@pytest.fixture
def kit(tmp_path):
    kit = Kit(tmp_path, alerts=(AlertRule("ops", kind="operator", to=("admin@example.org",)),))
    kit.clock.at = NOW
    kit.do(lambda tx: sync_outlets(tx, [replace(SANA, sources=(("feed", "https://sana.example/feed"),))]))
    yield kit
    kit.writer.close()


@pytest.fixture
def config(tmp_path):
    (tmp_path / "rasid.toml").write_text('contact = "desk@example.org"\nkeep = { free_space = "1B" }\n')
    (tmp_path / "outlets.toml").write_text(OUTLET, encoding="utf-8")
    return load_config(tmp_path)


def found(kit, *per_day, answered=True):
    """So many articles were found on each of these days, the last first."""
    for number, new in enumerate(per_day):
        row = ("sana", f"{later(NOW, -number * DAY - 2 * HOUR)[:13]}:00:00Z", 20, 20 if answered else 0, new)
        kit.do(lambda tx, row=row: tx.db.execute(
            "INSERT INTO coverage (outlet_id, hour, looks, ok, new_articles) VALUES (?, ?, ?, ?, ?)", row))  # fmt: skip


def keep(kit, count, hours_ago, text, published="2026-01-20"):
    for number in range(count):
        at = later(NOW, -(hours_ago + number % 5) * HOUR)
        words = replace(ON_TOPIC, title=f"{ON_TOPIC.title} {hours_ago} {number}", text=text, published_at=published)
        kit.save(words, at, url=f"https://sana.example/{hours_ago}/{number}")
    kit.clock.at = NOW


def said(kit, now=NOW):
    return kit.do(lambda tx: unusual(tx.db, ["sana"], now)).get("sana", {})


def test_a_feed_that_answers_and_yields_nothing_is_told(kit):
    found(kit, 0, *[9, 12, 8, 0, 11, 10, 9, 7])
    assert said(kit) == {"yields nothing": "nothing new in 24 hours, 9 articles are usual"}


@pytest.mark.parametrize(
    ("per_day", "answered"),
    [
        ((0, 1, 0, 0, 2, 0, 1, 0, 0, 1), True),  # an outlet that is quiet
        ((0, 9, 9, 0, 0, 9, 9, 9, 9, 9, 0, 0), True),  # nothing on two days of each week
        ((0, 9, 9), True),  # too new to have a usual
        ((0, *[9] * 10), False),  # it did not answer: that is another trouble
        ((1, *[40] * 10), True),
    ],
)  # fmt: skip
def test_a_quiet_outlet_is_never_told_of(kit, per_day, answered):
    found(kit, *per_day, answered=answered)
    assert said(kit) == {}


def test_texts_that_are_suddenly_short_and_undated_are_told(kit):
    keep(kit, 22, 60, LONG)
    keep(kit, 7, 3, ON_TOPIC.text, published=None)
    assert said(kit) == {}  # too few to say
    keep(kit, 3, 9, ON_TOPIC.text, published=None)
    assert set(said(kit)) == {"short texts", "dates missing"}
    assert said(kit, later(NOW, 30 * DAY)) == {}


def test_pages_that_suddenly_give_no_article_are_told():
    empty = ([], [])
    given = Yield([], lengths=empty, dated=empty, unread=([1] * 18 + [0] * 4, [0] * 80))
    assert set(departures(given)) == {"pages unread"}
    assert not departures(replace(given, unread=([1] * 18 + [0] * 4, [1, 0] * 40)))
    assert not departures(replace(given, unread=([1] * 5, [0] * 80)))


def test_a_trouble_is_told_once_until_it_is_over(kit, config):
    found(kit, 0, *[9] * 9)
    kit.home(later(NOW, -60), "ok")
    looked = survey(config, NOW)
    assert [t.key for t in looked.troubles if t.key != "access"] == ["outlet sana yields nothing"]
    told = {trouble.key: trouble.text for trouble in looked.troubles if trouble.key != "access"}
    kit.do(lambda tx: announce(tx, told))
    kit.do(lambda tx: announce(tx, {**told, "job deliver": "deliver is under way 900 s, more than its 600 s"}))
    assert kit.rows("SELECT kind, recipient FROM mails") == [("notice", "admin@example.org")] * 2
    kit.do(lambda tx: announce(tx, {}))
    assert kit.one("SELECT count(*) FROM notices WHERE cleared_at IS NULL") == 0


def test_when_nothing_can_be_read_that_is_one_trouble(kit, config, tmp_path):
    names = [f"o{number}" for number in range(6)]
    entries = [OUTLET.replace("sana", name) for name in names]
    (tmp_path / "outlets.toml").write_text("".join(entries), encoding="utf-8")
    config = load_config(tmp_path)
    kit.do(lambda tx: sync_outlets(tx, [outlet.row for outlet in config.outlets]))
    for name in names:
        for _ in range(4):
            kit.home(NOW, "outage", outlet=name, url=f"https://{name}.example/")
    (one,) = [t for t in survey(config, NOW).troubles if t.key != "access"]
    assert (one.key, "6 of 6 outlets cannot be read" in one.text) == ("outlets", True)


def test_a_full_disk_a_wrong_clock_late_mail_and_a_dead_service_are_grave(kit, config, tmp_path):
    kit.home(NOW, "ok")
    kit.do(lambda tx: tx.db.execute(
        "INSERT INTO mails (rule, channel, recipient, kind, message_id, state, created_at, attempts, next_attempt_at, "
        "error) VALUES ('r', 'email', 'desk@example.org', 'instant', '<1@x>', 'queued', ?, 3, ?, 'refused')",
        (later(NOW, -3 * HOUR), later(NOW, HOUR))))  # fmt: skip

    def grave(now):
        return {trouble.key for trouble in survey(config, now).troubles if trouble.grave}

    assert grave(later(NOW, 60)) == {"mail"}
    assert grave(later(NOW, 2 * HOUR)) == {"mail", "service"}
    assert grave(later(NOW, -HOUR)) == {"mail", "clock"}
    (tmp_path / "rasid.toml").write_text('contact = "desk@example.org"\nkeep = { free_space = "9000TB" }\n')
    config = load_config(tmp_path)
    assert grave(later(NOW, 60)) == {"mail", "disk"}


def test_an_archive_that_others_can_read_is_told_with_the_mend(kit, tmp_path):
    tmp_path.chmod(0o755)
    kit.path.chmod(0o644)
    assert exposed(kit.path)[1] == f"chmod -R go= {tmp_path}"
    subprocess.run(["chmod", "-R", "go=", tmp_path], check=True)
    assert exposed(kit.path) is None


SAMPLE = re.compile(
    r'([a-z_:][a-z0-9_:]*)(?:\{((?:[a-z_]+="(?:[^"\\\n]|\\["\\n])*",?)*)\})? (-?[0-9.e+-]+|NaN|[+-]Inf)'
)


def read_metrics(text):
    """{(name, labels): value} of the Prometheus text format; fails on a line that is none of it."""
    types, samples = {}, {}
    assert text.endswith("\n")
    for line in text.splitlines():
        if line.startswith("# TYPE "):
            _, _, name, kind = line.split(" ")
            assert kind in ("gauge", "counter")
            assert name not in types
            types[name] = kind
        elif not line.startswith("# HELP "):
            name, labels, value = SAMPLE.fullmatch(line).groups()
            assert name in types
            assert (name, labels or "") not in samples
            samples[name, labels or ""] = float(value)
    return samples


def test_the_numbers_for_monitoring_are_well_formed(kit, config):
    kit.save(at=later(NOW, -2 * DAY))
    kit.home(NOW, "outage")
    found(kit, 0, *[9] * 9)

    async def nothing():
        pass

    job = Job("deliver", 2, 600, nothing, due=5.0, begun=7.0, took=1.5, runs=3)
    samples = read_metrics(metrics(survey(config, NOW), [job], 9.0, running=["sana"], writer_bytes=7))
    assert (
        samples["rasid_outlet_last_success_timestamp_seconds", 'outlet="sana"']
        == moment(later(NOW, -2 * DAY)).timestamp()
    )
    assert samples["rasid_outlet_errors_24h", 'outlet="sana",outcome="outage"'] == 1
    assert samples["rasid_outlet_unusual", 'outlet="sana",what="yields nothing"'] == 1
    assert samples["rasid_job_running_seconds", 'job="deliver"'] == 2
    assert samples["rasid_size_bytes", 'of="database"'] > 1000
    assert samples["rasid_queue", 'queue="mails due"'] == 0


@pytest.mark.parametrize("style", ["text", "json"])
def test_a_log_line_is_one_line_and_holds_no_secret(style):
    lines = Lines(style, ['pa ss"word'])
    try:
        raise ValueError('login pa ss"word\nrefused')
    except ValueError:
        error = sys.exc_info()
    record = logging.LogRecord("rasid", logging.INFO, "", 0, "crawl %s", ("سانا\n",), error)
    record.values = {"outlet": "sana", "seconds": 1.23456, "error": None, "said": 'he said "x"=pa ss"word'}
    line = lines.format(record)
    assert "\n" not in line
    assert "word" not in line
    assert "sana" in line
    if style == "json":
        assert json.loads(line)["seconds"] == 1.23456
    else:
        assert re.match(r"at=\S+Z level=info from=rasid event=\"crawl سانا\\n\" outlet=sana seconds=1.235 ", line)
