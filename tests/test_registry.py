"""Trying, switching on and adding outlets, as an operator does it, against sites that really behave so."""

import csv
import json
import re
import stat
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.errors import WorkError
from archive.frontier import held_hosts, hold_host
from archive.models import Link, Page
from archive.sqlite import connect_read
from archive.times import later, stamp, utc_now
from archive.writer import Writer
from crawler import registry, visits
from crawler.config import load_config, read_outlets
from crawler.listings import Listing
from crawler.listings.wordpress import posts_address
from crawler.probe import Answer, Finding, judge, read_home
from crawler.session import policy
from crawler.urls import canonical, host_key, on_site
from tests.program import rasid
from tests.servers import Site, rss

CANDIDATES = Path(__file__).parents[2] / "shared" / "outlets" / "candidates.csv"
OLD = rss(["https://example.org/1.html"]).replace(str(utc_now().year), "2019")
CHALLENGE = (
    "<html><head><title>Just a moment...</title></head><body><script>window._cf_chl_opt={}</script></body></html>"
)
NOW = datetime(2026, 1, 21, 9, tzinfo=UTC)


def desk(directory, *entries, text=None):
    """A configuration with these outlets."""
    (directory / "rasid.toml").write_text('contact = "desk@example.org"\n[crawl]\ndelay = "0.01s"\n', encoding="utf-8")
    (directory / "outlets.toml").write_text(text or "\n".join(entries), encoding="utf-8", newline="")
    return directory


def entry(outlet, home, **keys):
    keys = {"allow_private": True, "enabled": False} | keys
    rows = "\n".join(f"{name} = {json.dumps(value)}" for name, value in keys.items())
    return f'[[outlet]]\nid = "{outlet}"\nname_ar = "اسم"\nname_en = "Name"\nhomepage = "{home}/"\n{rows}\n'


def check(directory, *arguments):
    """What `outlets check` tells, and its exit code: sources by outlet and the last part of their address."""
    done = rasid("outlets", "check", *arguments, "--json", "--config", directory)
    assert "Traceback" not in done.stderr, done.stderr
    told = json.loads(done.stdout)
    return {(row["outlet"], row["url"].rsplit("/", 1)[-1]): row for row in told["sources"]}, told, done.returncode


def test_check_tells_each_way_in_which_a_source_can_fail_and_switches_on_what_works(tmp_path):
    with (
        Site() as good, Site() as poor, Site() as away, Site() as shut, Site() as shy,
        Site(robots="User-agent: *\nCrawl-delay: 0.05\nDisallow: /private") as wary,
    ):  # fmt: skip
        good.feed("/feed", [f"{good.url}/{n}.html" for n in range(3)])
        poor.page(
            "/page", f'<html><head><link rel="alternate" type="application/rss+xml" href="{good.url}/feed"></head>'
        )
        poor.page("/old", OLD, content_type="application/rss+xml")
        poor.page("/empty", rss([]), content_type="application/rss+xml")
        poor.route("/away", lambda visit: visit.redirect(f"{away.url}/feed"))
        poor.route("/down", lambda visit: visit.answer("", 502))
        away.feed("/feed", [f"{away.url}/1.html"])
        shut.route("/feed", lambda visit: visit.answer("", 403))
        shy.page("/feed", CHALLENGE)
        wary.feed("/feed", [f"{wary.url}/1.html"])
        feeds = [f"{poor.url}/{name}" for name in ("page", "old", "empty", "away", "down", "missing")]
        text = (
            "# A remark of the operator. \r\n"
            + entry("good", good.url, feeds=[f"{good.url}/feed"]).replace("enabled = false", "enabled=false  # why?")
            + "\r\n" + entry("poor", poor.url, feeds=feeds)
            + entry("shut", shut.url, feeds=[f"{shut.url}/feed"]) + entry("shy", shy.url, feeds=[f"{shy.url}/feed"])
            + entry("wary", wary.url, feeds=[f"{wary.url}/private/feed", f"{wary.url}/feed#all"])
            + entry("nameless", "http://no-such-host.invalid", feeds=["http://no-such-host.invalid/feed"])
            + entry("empty", "https://example.org")
        )  # fmt: skip
        directory = desk(tmp_path, text=text)
        (directory / "outlets.toml").chmod(0o640)
        found, told, code = check(directory, "--enable")
        assert code == 0
        assert {key: row["state"] for key, row in found.items()} == {
            ("good", "feed"): "works", ("poor", "page"): "mistaken", ("poor", "old"): "silent",
            ("poor", "empty"): "silent", ("poor", "away"): "moved", ("poor", "down"): "unreachable",
            ("poor", "missing"): "dead", ("shut", "feed"): "blocking", ("shy", "feed"): "blocking",
            ("wary", "feed"): "forbidden", ("wary", "feed#all"): "works", ("nameless", "feed"): "dead",
        }  # fmt: skip
        assert (found["good", "feed"]["items"], found["good", "feed"]["own_site"]) == (3, True)
        assert found["good", "feed"]["newest"][:10] >= later(stamp(utc_now()), -86400)[:10]
        assert f"{good.url}/feed" in found["poor", "page"]["detail"]
        assert (found["poor", "away"]["leads_to"], found["poor", "away"]["own_site"]) == (f"{away.url}/feed", False)
        assert "2019" in found["poor", "old"]["newest"]
        assert found["wary", "feed#all"]["crawl_delay"] == 0.05
        assert wary.hits("/private/feed") == 0
        assert told["switched_on"] == ["good", "wary"]
    found, _, code = check(directory, "nameless")  # no host has a name: it may be our own network
    assert (found["nameless", "feed"]["state"], code) == ("unreachable", 1)
    after = (directory / "outlets.toml").read_bytes().decode()
    wary_at = text.index('id = "wary"')
    expected = text.replace("enabled=false ", "enabled=true ")
    expected = expected[: wary_at - 1] + expected[wary_at - 1 :].replace("enabled = false", "enabled = true", 1)
    assert after == expected
    assert stat.S_IMODE((directory / "outlets.toml").stat().st_mode) == 0o640
    assert {path.name for path in directory.iterdir()} == {"rasid.toml", "outlets.toml"}  # no archive was made


def test_check_visits_no_host_that_asked_us_to_wait_and_needs_no_archive_of_its_own(tmp_path, caplog):
    with Site() as site, Site() as busy:
        site.feed("/feed", [f"{site.url}/1.html"])
        busy.route("/feed", lambda visit: visit.answer(status=429, retry_after="7200"))
        one, two = (entry(name, at.url, feeds=[f"{at.url}/feed"]) for name, at in (("one", site), ("two", busy)))
        directory = desk(tmp_path, one, two)
        config = load_config(directory)
        writer = Writer(config.archive, policy(config))  # as while the service runs
        try:
            assert check(directory, "one")[0]["one", "feed"]["state"] == "works"
            until, seen = later(stamp(utc_now()), 3600), len(site.log)
            writer.submit(lambda tx: hold_host(tx, host_key(site.url), until, "answered 429")).result()
            visits._keep(config, {"a.example:443": until})
            assert "a.example:443 asked us to wait is not kept for the next crawl" in caplog.text
        finally:
            writer.close()
        found, _, code = check(directory)
        assert ({row["state"] for row in found.values()}, code) == ({"blocking"}, 1)
        assert len(site.log) == seen
        held = held_hosts(connect_read(config.archive), stamp(utc_now()))  # and that is obeyed by the next crawl
        assert held.keys() == {host_key(site.url), host_key(busy.url)}
    listed = json.loads(rasid("outlets", "list", "--config", directory, "--json").stdout)
    assert [(row["id"], row["state"], row["sources"], row["articles"]) for row in listed] == [
        (name, "off", {"feed": 1}, 0) for name in ("one", "two")
    ]


HOME = """<!doctype html><html lang="ar-SY" dir="rtl"><head><meta charset="utf-8"><title>الرئيسية - صوت الفرات</title>
<meta property="og:site_name" content="صوت \u202eالفرات&quot;]"><meta name="application-name" content="Euphrates Voice">
<meta property="og:locale" content="ar_AR"><meta name="generator" content="WordPress 6.8.2">
<link rel="alternate" type="application/rss+xml" href="/feed/"><link rel="alternate" type="application/rss+xml"
href="/comments/feed/"><link rel="alternate" type="text/html" hreflang="en" href="/en/"></head><body>
<a href="https://t.me/share/url?url=x">شارك</a><h1>صوت الفرات</h1></body></html>"""


def test_add_finds_what_a_site_of_wordpress_offers_and_writes_a_commented_entry(tmp_path):
    remark = "# ملاحظة المشغل"
    directory = desk(tmp_path, text=remark)
    with Site() as site:
        site.robots = f"User-agent: *\nDisallow:\nSitemap: {site.url}/news.xml\n"
        root = f"{site.url}/wp-json/"
        site.page("/", HOME, link=f'<{root}>; rel="https://api.w.org/"')
        site.feed("/feed/", [f"{site.url}/{n}.html" for n in range(10)])
        site.page(
            "/wp-json/?_fields=timezone_string", '{"timezone_string": "Asia/Damascus"}', content_type="application/json"
        )
        posts = [{"link": f"{site.url}/1.html", "modified_gmt": "2026-01-21T09:00:00", "title": {"rendered": "خبر"}}]
        rest = posts_address(root, None).removeprefix(site.url)
        site.page(rest, json.dumps(posts), content_type="application/json")
        index = "<sitemapindex><sitemap><loc>/posts.xml</loc></sitemap></sitemapindex>"
        site.page("/news.xml", index, content_type="application/xml")
        site.page("/posts.xml", f"<urlset><url><loc>{site.url}/2026/01/21/a-long-slug-of-words</loc></url></urlset>")
        bare = site.url.removeprefix("http://")  # and https does not answer there
        done = rasid(
            "outlets", "add", bare, "--id", "furat", "--enable", "--allow-private", "--config", directory, "--json"
        )
        assert done.returncode == 0, done.stderr
        told = json.loads(done.stdout)
        text = (directory / "outlets.toml").read_text(encoding="utf-8")
        (outlet,) = load_config(directory).outlets
        assert text == f"{remark}\n\n{told['entry']}"
        assert "# feed " in text
        assert (f"# homepage https://{bare}/: unreachable" in text, outlet.homepage) == (True, f"{site.url}/")
        assert "WordPress 6.8.2" in text
        assert (outlet.id, outlet.name_ar, outlet.name_en) == ("furat", 'صوت الفرات"]', "Euphrates Voice")
        assert (outlet.feeds, outlet.wordpress, outlet.enabled) == ((f"{site.url}/feed/",), root, True)
        assert (outlet.sitemaps, outlet.country, outlet.timezone) == ((f"{site.url}/news.xml",), None, "Asia/Damascus")
        assert len(site.log) <= 15
        assert len({hit.path for hit in site.log}) == len(site.log)
        again = rasid("outlets", "add", site.url, "--config", directory)
        assert (again.returncode, "rasid outlets check furat" in again.stderr) == (2, True)
    assert (directory / "outlets.toml").read_text(encoding="utf-8") == text


@pytest.mark.parametrize("answer", ["challenge", "nothing", "elsewhere"])
def test_a_site_that_refuses_or_lists_nothing_gets_no_entry(tmp_path, answer):
    directory = desk(tmp_path, text="# nothing yet\n")
    with Site() as site, Site() as stranger:
        stranger.page("/", HOME)
        site.page("/", CHALLENGE if answer == "challenge" else "<p>قريبا نبدأ النشر هنا")
        if answer == "elsewhere":
            site.route("/", lambda visit: visit.redirect(stranger.url))
        done = rasid("outlets", "add", site.url, "--allow-private", "--config", directory)
        assert (done.returncode, "nothing was written" in done.stderr) == (1, True), done.stderr
        assert "Traceback" not in done.stderr
    assert (directory / "outlets.toml").read_text() == "# nothing yet\n"


def test_an_entry_written_in_a_way_that_cannot_be_changed_is_left_alone(tmp_path):
    text = 'outlet = [{ id = "a", name_ar = "أ", name_en = "A", homepage = "https://a.org/", enabled = false }]\n'
    directory = desk(tmp_path, text=text)
    with pytest.raises(WorkError, match="nothing was written"):
        registry.switch_on(load_config(directory), ["a"])
    assert (directory / "outlets.toml").read_text(encoding="utf-8") == text


SHIPPED = Path(str(files("crawler") / "starter" / "outlets.toml"))
ENTRIES = SHIPPED.read_text(encoding="utf-8").split("\n[[outlet]]\n")[1:]


def test_the_shipped_registry_is_off_and_every_entry_tells_its_evidence():
    outlets = read_outlets(SHIPPED)
    assert len(outlets) == len(ENTRIES) == 73
    assert len({outlet.id for outlet in outlets}) == 73
    assert not [outlet.id for outlet in outlets if outlet.enabled]
    top = SHIPPED.read_text(encoding="utf-8").split("[[outlet]]")[0]
    assert "\n# 73 entries." in top
    explained = set(re.findall(r"^#   (E\d\d)  ", top, re.M))
    for outlet, text in zip(outlets, ENTRIES, strict=True):
        said = re.search(r"^# Evidence \((high|medium|low)\): ((?:.+\n# )*.+)", text, re.M)
        assert text.startswith(f'id = "{outlet.id}"')
        assert said, outlet.id
        assert set(re.findall(r"E\d\d", text)) <= explained, outlet.id
        assert outlet.sources or "\n# in English: " in text, outlet.id
        if re.search(r"\b403\b|[Ff]irewall|Cloudflare", text):
            assert re.search("^# Refuses: ", text, re.M), outlet.id


def test_every_shipped_address_is_canonical_and_on_its_outlets_own_site_or_said_not_to_be():
    for outlet, text in zip(read_outlets(SHIPPED), ENTRIES, strict=True):
        listed = [url for kind, url in outlet.sources if kind != "telegram"]
        said = re.search(r"^# On another host than the home page: (.+)$", text, re.M)
        away = set(said[1].split(", ")) if said else set()
        assert {urlsplit(url).hostname for url in listed if not on_site(url, outlet.homepage)} == away, outlet.id
        in_english = re.findall(r'"(https?://[^"]+)"', " ".join(re.findall("^# in English: (.+)$", text, re.M)))
        for url in [outlet.homepage, *listed, *in_english]:
            assert canonical(url) == url
        assert bool(outlet.timezone) == (outlet.country not in (None, "US", "RU")), outlet.id


@pytest.mark.skipif(not CANDIDATES.exists(), reason="the list of candidates lies beside the project")
def test_every_candidate_with_an_address_became_an_entry():
    with CANDIDATES.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    by_id = {outlet.id: text for outlet, text in zip(read_outlets(SHIPPED), ENTRIES, strict=True)}
    for row in rows:
        named = [u for key in ("feed_urls", "sitemap_urls", "telegram") for u in row[key].split(";") if u]
        assert row["id"] in by_id or not named, row["id"]
        text = by_id.get(row["id"], "")
        assert all(f'"{canonical(u) if "://" in u else u}"' in text for u in named), row["id"]
        told = " ".join(text.replace("\n# ", " ").split())
        assert not named or f"({row['confidence']}): {row['evidence'][:60]}"[:60] in told, row["id"]
    assert len(rows) - len(by_id) == int(re.search(r"^# (\d+) more outlets", SHIPPED.read_text("utf-8"), re.M)[1])


IDS = st.lists(st.from_regex(r"[a-z][a-z0-9_-]{0,6}", fullmatch=True), min_size=1, max_size=5, unique=True)
BETWEEN = st.sampled_from(["", "# enabled = false\n", "\n", '# id = "a"\n', "\r\n", "# [[outlet]]\n"])
WITHIN = st.sampled_from(
    ["", 'sections = [\n  "https://x.org/[a]",\n]\n', "# enabled = false\n", 'kind = "tv" # id = "a"\n']
)


@given(ids=IDS, data=st.data())
def test_switching_on_changes_one_word_for_each_entry_meant(ids, data, tmp_path_factory):
    wanted = data.draw(st.sets(st.sampled_from(ids)))
    entries = (entry(outlet, "https://x.org", feeds=["https://x.org/f"]) + data.draw(WITHIN) for outlet in ids)
    text = "\ufeff" + "".join(data.draw(BETWEEN) + one for one in entries)
    changed = registry.enabled_text(text, wanted)
    before, after = (read_outlets(tmp_path_factory.getbasetemp() / "x", t) for t in (text, changed))
    assert [o.id for o in after if o.enabled] == [o.id for o in before if o.id in wanted]
    assert changed.replace("enabled = true", "enabled = false") == text


@given(st.binary(max_size=400) | st.text(max_size=400).map(str.encode))
def test_any_bytes_can_be_a_home_page(body):
    home = read_home(Page("https://a.org/", "https://a.org/", "", 200, (("Link", "<"),), body))
    assert all(value == " ".join(value.split()) for value in (home.name_ar, home.name_en) if value)


@pytest.mark.parametrize(
    ("html", "said"),
    [
        (
            '<html lang="en"><meta property="og:locale" content="ar_IQ"><title>A | ب',
            ("ب", "A", "en", "IQ", "Asia/Baghdad"),
        ),
        ('<meta property="og:locale" content="ar_AR"><title>أخبار', ("أخبار", None, "ar", None, None)),
        ("<title>", (None, None, None, None, None)),
    ],
)
def test_what_a_page_does_not_tell_is_not_known(html, said):
    home = read_home(Page("https://a.org/", "https://a.org/", "", 200, (), html.encode()))
    assert (home.name_ar, home.name_en, home.language, home.country, home.timezone) == said


def judged(*dates, days=14):
    links = tuple(Link(f"https://a.org/{n}", published_at=date) for n, date in enumerate(dates))
    answer = Answer(Page("https://a.org/f", "https://a.org/f", "", 200, (), b"<rss>"))
    return judge(Finding("a", "feed", "https://a.org/f", ""), answer, Listing(links), "https://a.org/", NOW, days)


def test_an_event_to_come_makes_nothing_new_and_no_date_is_not_a_new_one():
    assert judged("2025-11-01", "2027-05-01").state == "silent"
    assert judged("2025-11-01T10:00:00+03:00", "2026-01-20").newest == "2026-01-20"
    assert (judged(None).state, judged(None).fresh) == ("works", False)
    assert judged("2026-01-01", days=30).fresh
