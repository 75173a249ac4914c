"""The commands as a person runs them: real processes, real archive, real exit codes."""

import doctest
import json
import subprocess
import sys
from dataclasses import asdict

import pytest

import crawler.report
import crawler.terminal
from archive.models import Article
from crawler.report import article_text
from tests.program import ROOT, rasid, started_anew
from tests.servers import Site

SEEDS = sorted((ROOT / "seeds").glob("*.txt"))


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    """A directory made by `rasid init` with the five documents imported."""
    directory = tmp_path_factory.mktemp("desk")
    assert rasid("init", directory, "--contact", "desk@example.org").returncode == 0
    done = rasid("import", *SEEDS, "--config", directory, "--workers", 2, "--json")
    assert done.returncode == 0, done.stderr
    assert [row["became"] for row in json.loads(done.stdout)] == ["new"] * 5
    return directory


def test_what_is_imported_twice_is_kept_once(desk):
    done = rasid("import", SEEDS[0], "--config", desk, "--json")
    assert [row["became"] for row in json.loads(done.stdout)] == ["unchanged"]
    counts = json.loads(rasid("status", "--config", desk, "--json").stdout)["counts"]
    assert counts["kept"] == 5
    assert counts["versions"] == 5


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("قسد", 3), ("«قسـد»", 3), ("سورية", 5), ("محتجزين", 2), ("المُحتجزين", 2),
        ('"معتقلي داعش"', 2), ("هوكينز OR باراك", 2), ("سنتكوم -هوكينز", 0), ("كلمةلاوجودلها", 0),
        ('"', 0), ("AND OR NOT (", 0), ("NEAR(", 0),
    ],
)  # fmt: skip
def test_search_reads_arabic_as_people_type_it(desk, query, found):
    done = rasid("search", "--config", desk, "--json", "--", query)
    assert done.returncode == 0, done.stderr
    assert len(json.loads(done.stdout)) >= found
    if not found:
        empty = rasid("search", "--config", desk, "--", query)
        assert empty.returncode == 0


def test_a_word_left_out_is_no_option_and_a_shortened_search_says_so(desk):
    both = json.loads(rasid("search", "--config", desk, "--json", "داعش", "-هوكينز").stdout)
    assert len(both) == 4
    assert not any(hit["title"].startswith("اتصال بين الشرع") for hit in both)
    assert "no word in it" in rasid("search", "--config", desk, "()").stderr
    long = rasid("search", "--config", desk, '"معتقلي تنظيم داعش في سوريا"')
    assert (long.returncode, "fewer forms" in long.stderr) == (0, True)


def test_show_tells_why_an_article_is_kept(desk):
    hit = json.loads(rasid("search", "--config", desk, "--json", "مخيم روج").stdout)[0]
    shown = rasid("show", hit["article_id"], "--config", desk)
    assert shown.returncode == 0, shown.stderr
    assert "isis_detainees" in shown.stdout
    assert "باراك: مشاركة سوريا" in shown.stdout
    values = json.loads(rasid("show", hit["article_id"], "--config", desk, "--json").stdout)
    assert {m["topic"] for m in values["matches"]} == {"syria", "isis_detainees", "sdf"}
    version = values["versions"][-1]
    for match in values["matches"]:
        for passage in match["passages"]:
            text = version[passage["field"]]
            assert text[passage["start"] : passage["end"]] == passage["surface"]


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["show", "999"], 1, "999"),
        (["crawl", "nowhere"], 2, "no outlet 'nowhere'"),
        (["save", "ftp://example.org/x"], 2, "ftp"),
        (["import", "nothing.txt"], 2, "no such file"),
        (["import", "pyproject.toml"], 2, "cannot tell"),
        (["extract", "docs/install"], 2, "no file to read"),
        (["diff", "1"], 1, "one version"),
        (["topics", "test"], 2, "FILE"),
        (["topics", "test", "--jsonl", "."], 1, "directory"),
        (["init", "LICENSE/desk", "--contact", "desk@example.org"], 1, "LICENSE/desk"),
        (["show", "9" * 30], 2, "is no id; `rasid search` shows"),
        (["diff", "999"], 1, "no article 999"),
        (["export", "999"], 1, "nothing was written"),
        (["export", "قسد", "--to", "many.zip"], 1, "name a directory"),
        (["alerts", "test", "nosuch"], 2, "no rule 'nosuch'; known: none"),
        (["frobnicate"], 2, "frobnicate"),
    ],
)
def test_what_cannot_be_done_is_told_in_a_sentence(desk, arguments, code, words):
    place = [] if arguments[0] in ("topics", "init", "frobnicate") else ["--config", desk]
    done = rasid(*arguments, *place)
    assert done.returncode == code
    assert words in done.stderr
    assert "Traceback" not in done.stderr


def test_what_a_page_says_does_not_steer_the_terminal():
    assert doctest.testmod(crawler.report).failed == doctest.testmod(crawler.terminal).failed == 0
    article = Article("خبر", "نص\x9b2J\n\nتتمة\u202e")
    assert article_text({"path": "a.html", **asdict(article)}).endswith("\n\nنص2J\n\nتتمة")


def test_without_configuration_or_archive_it_says_how_to_begin(tmp_path):
    done = started_anew("status", "--config", tmp_path)
    assert (done.returncode, "rasid init" in done.stderr) == (2, True)
    assert rasid("init", tmp_path, "--contact", "desk@example.org").returncode == 0
    done = started_anew("search", "--config", tmp_path, "قسد")
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "archive.db" in done.stderr
    assert rasid("prune", "--config", tmp_path).returncode == 1
    assert not (tmp_path / "archive.db").exists()
    assert rasid("crawl", "--config", tmp_path).returncode == 0


def test_topics_test_explains_a_yes_and_a_no():
    yes = rasid(
        "topics",
        "test",
        "-",
        "--json",
        stdin="نقل معتقلي داعش من الحسكة\nنقلت القوات دفعة من معتقلي داعش من سجن الشدادي إلى العراق.",
    )
    assert yes.returncode == 0, yes.stderr
    told = rasid("topics", "test", "-", stdin="زيارة إلى الأهرامات\nزار السياح تمثال أبو الهول في الجيزة صباح اليوم.")
    assert told.returncode == 0, told.stderr
    assert "isis_detainees" in told.stdout
    judged = json.loads(yes.stdout)
    assert "الشدادي" in json.dumps(judged, ensure_ascii=False)


def test_topics_test_judges_many_lines_with_offsets_into_what_was_given(tmp_path):
    text = "أعلنت قسـد نقلَ محتجزي داعش من مخيّم الهول."
    rows = [
        {"id": "a", "title": "قسد تنقل محتجزي داعش", "text": text},
        {"id": 7, "text": "مباراة كرة القدم انتهت بالتعادل."},
    ]
    file = tmp_path / "many.jsonl"
    file.write_text("\n".join(json.dumps(r, ensure_ascii=False) for r in rows) + "\n\n", encoding="utf-8")
    done = rasid("topics", "test", "--jsonl", file)
    assert done.returncode == 0, done.stderr
    first, second = map(json.loads, done.stdout.splitlines())
    assert (first["id"], second["id"], second["topics"]) == ("a", 7, {})
    assert first["topics"]["isis_detainees"]["strength"] == "substantive"
    surfaces = {p["surface"] for p in first["topics"]["sdf"]["passages"] if p["field"] == "text"}
    assert "قسـد" in surfaces
    file.write_bytes(b"\xef\xbb\xbf" + json.dumps(rows[0]).encode() + b"\r\n\r\n" + json.dumps(rows[1]).encode())
    assert len(rasid("topics", "test", "--jsonl", file).stdout.splitlines()) == 2


@pytest.mark.parametrize(
    "line", [b"not json", b"[1]", b'{"text": null}', b'{"title": 5, "text": ""}', b"\xff\xfe", b"[" * 99999]
)
def test_an_odd_line_is_told_with_its_number(tmp_path, line):
    file = tmp_path / "odd.jsonl"
    file.write_bytes(b'{"text": ""}\n' + line + b"\n")
    done = rasid("topics", "test", "--jsonl", file)
    assert (done.returncode, "odd.jsonl:2" in done.stderr, "Traceback" in done.stderr) == (2, True, False)


def test_a_file_that_cannot_be_read_is_named_and_hinders_no_other(desk, tmp_path):
    empty, spaced = tmp_path / "empty.txt", tmp_path / "خبر عاجل.txt"
    empty.touch()
    spaced.write_text(SEEDS[0].read_text(encoding="utf-8"), encoding="utf-8-sig")
    done = rasid("extract", empty, spaced, "--json")
    assert (done.returncode, len(json.loads(done.stdout)), str(empty) in done.stderr) == (0, 1, True)
    assert rasid("extract", empty).returncode == 1
    told = json.loads(rasid("import", empty, "--config", desk, "--json").stdout)
    assert str(empty) in told[0]["error"]
    assert "urn:" not in told[0]["error"]


def test_a_terminal_without_arabic_and_a_full_disk_are_no_crash(desk):
    done = started_anew("search", "--config", desk, "قسد", PYTHONIOENCODING="koi8-r")
    assert (done.returncode, "Traceback" in done.stderr, "\\u0642" in done.stdout) == (0, False, True)
    with open("/dev/full", "w") as full:  # noqa: PTH123
        done = subprocess.run(
            [sys.executable, "-m", "crawler", "status", "--config", desk], stdout=full, stderr=subprocess.PIPE, cwd=ROOT
        )
    assert (done.returncode, b"Traceback" in done.stderr) == (1, False)


def test_text_in_another_encoding_on_standard_input_is_no_crash():
    done = subprocess.run(
        [sys.executable, "-m", "crawler", "topics", "test", "-"], input="قسد".encode("windows-1256"), cwd=ROOT,
        capture_output=True,
    )  # fmt: skip
    assert (done.returncode, b"Traceback" in done.stderr) == (0, False)


def test_extract_shows_what_is_taken_out():
    done = rasid("extract", SEEDS[1], "--json")
    assert done.returncode == 0, done.stderr
    (article,) = json.loads(done.stdout)
    assert article["published_at"] == "2026-01-21"
    assert any("لا يتحمل موقعنا" in line for _, line in article["removed"])
    assert "taken out:" in rasid("extract", SEEDS[1]).stdout


def test_prune_says_what_it_would_do_and_keeps_what_matched(desk):
    done = rasid("prune", "--config", desk, "--dry-run", "--json")
    assert done.returncode == 0, done.stderr
    assert rasid("prune", "--config", desk).returncode == 0
    assert json.loads(rasid("status", "--config", desk, "--json").stdout)["counts"]["versions"] == 5


OWN_RULES = """
[term.envoy]
forms = ["المبعوث {الأمريكي|الأميركي}"]
[topic.envoy]
mention = ["envoy"]
threshold = 1
[[topic.envoy.signal]]
why = "the envoy in the title or the lead"
any = ["envoy"]
in = ["title", "lead"]
points = 2
"""


def test_new_rules_are_tried_on_the_archive_and_an_editor_has_the_last_word(tmp_path):
    assert rasid("init", tmp_path, "--contact", "desk@example.org").returncode == 0
    off = tmp_path / "off.txt"
    off.write_text(
        "موسم القطاف\nبدأ المزارعون موسم القطاف بحضور المبعوث الأميركي في القرية، وقالوا إنه موسم جيد.\n" * 2
    )
    done = rasid("import", SEEDS[0], off, "--config", tmp_path, "--json")
    assert [row["became"] for row in json.loads(done.stdout)] == ["new", "passed"]
    assert "0 articles would change" in rasid("rejudge", "--config", tmp_path).stdout
    (tmp_path / "topics.toml").write_text(OWN_RULES, encoding="utf-8")
    tried = rasid("rejudge", "--config", tmp_path, "--json")
    assert tried.returncode == 0, tried.stderr
    lost, gained = json.loads(tried.stdout)
    assert (lost["now"], gained["now"], gained["kept_now"]) == ({}, {"envoy": "substantive"}, True)
    assert json.loads(rasid("status", "--config", tmp_path, "--json").stdout)["counts"]["kept"] == 1
    assert rasid("rejudge", "--notify", "--config", tmp_path).returncode == 2
    applied = rasid("rejudge", "--apply", "--config", tmp_path)
    assert "1 of them passed over before" in applied.stdout, applied.stderr
    assert json.loads(rasid("status", "--config", tmp_path, "--json").stdout)["counts"]["kept"] == 2
    assert rasid("topics", "label", "2", "envoy", "no", "--config", tmp_path).returncode == 0
    assert "label:            envoy no  20" in rasid("show", "2", "--config", tmp_path).stdout
    differ = json.loads(rasid("topics", "test", "--labels", "--config", tmp_path, "--json").stdout)
    assert (differ["labels"], differ["differing"][0]["strength"]) == (1, "substantive")
    assert "no topic 'envoi'" in rasid("topics", "label", "2", "envoi", "no", "--config", tmp_path).stderr


def test_an_editors_yes_keeps_what_was_passed_over(tmp_path):
    assert rasid("init", tmp_path, "--contact", "desk@example.org").returncode == 0
    off = tmp_path / "off.txt"
    off.write_text(
        "افتتاح معرض الكتاب\nافتتح معرض الكتاب أبوابه مساء أمس بحضور عدد كبير من الناشرين والكتاب من دول عدة.\n"
    )
    assert rasid("import", off, "--config", tmp_path).returncode == 0
    assert rasid("topics", "label", "1", "syria", "no", "--config", tmp_path).returncode == 1
    assert rasid("topics", "label", "1", "syria", "yes", "--config", tmp_path).returncode == 0
    assert json.loads(rasid("search", "معرض الكتاب", "--config", tmp_path, "--json").stdout)[0]["article_id"] == 1
    assert "1 labels, the rules differ from 1" in rasid("topics", "test", "--labels", "--config", tmp_path).stdout


def test_extract_reads_a_web_page_and_keeps_nothing(tmp_path):
    rasid("init", tmp_path, "--contact", "desk@example.org")
    with Site() as site:
        (tmp_path / "outlets.toml").write_text(
            f'[[outlet]]\nid = "local"\nname_ar = "صحيفة الاختبار"\nname_en = "Local"\nhomepage = "{site.url}"\n'
            f'feeds = ["{site.url}/feed"]\nallow_private = true\n', encoding="utf-8",
        )  # fmt: skip
        url = site.article("/1.html", "افتتاح معرض الكتاب", "افتتح معرض الكتاب أبوابه مساء أمس بحضور الناشرين.\n" * 3)
        done = rasid("extract", url, "--config", tmp_path, "--json")
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout)[0]["title"] == "افتتاح معرض الكتاب"
        missing = rasid("extract", site.url + "/2.html", "--config", tmp_path)
        assert (missing.returncode, "404" in missing.stderr, "Traceback" in missing.stderr) == (1, True, False)
    assert not (tmp_path / "archive.db").exists()
